from unittest import mock

import pytest

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.read_pair_folder import read_pair_folder
from runnel.shared.errors import InputError

SPLITS = {split: Pairs((f"{split} source",), (f"{split} target",)) for split in ("train", "validation", "test")}


@pytest.fixture
def fill(tmp_path):
    def fill_folder(*names):
        """Writes files: split and side in a tab-separated one, the suffix decides which side in a parallel one."""
        for name in names:
            stem, suffix = name.rsplit(".", 1)
            split = {"val": "validation", "dev": "validation", "valid": "validation"}.get(stem, stem.split("_")[0])
            sides = {"fr": "target", "z": "target", "tsv": "source\t{} target", "txt": "source\t{} target"}
            (tmp_path / name).write_text(f"{split} {sides.get(suffix, 'source')}\n".format(split))
        return tmp_path

    return fill_folder


def read(folder):
    notes = []
    return read_pair_folder(folder, notes), notes


def refusal(folder):
    with pytest.raises(InputError) as caught:
        read_pair_folder(folder, [])
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "names",
    [
        ("train.tsv", "validation.tsv", "test.tsv"),
        ("train.tsv", "val.tsv", "test.tsv", "_about.txt", ".hidden.tsv"),
        ("train.txt", "dev.txt", "test.txt"),
        ("train.en", "train.fr", "val.en", "val.fr", "test_2016_flickr.en", "test_2016_flickr.fr"),
        ("train.en", "train.fr", "valid.en", "valid.fr", "test.en", "test.fr"),
    ],
)
def test_layouts(fill, names):
    splits, notes = read(fill(*names))
    assert splits == SPLITS
    assert list(splits) == ["train", "validation", "test"]
    assert notes == []


def test_a_single_table_is_train(fill):
    splits, notes = read(fill("train_pairs.txt", "_about.txt"))
    assert splits == {"train": SPLITS["train"]}
    assert notes == []


def test_train_alone(fill):
    assert read(fill("train.tsv"))[0] == {"train": SPLITS["train"]}


def test_english_and_french_among_others(fill):
    splits, notes = read(fill("train.cs", "train.de", "train.en", "train.fr", "test.de", "test.en", "test.fr"))
    assert splits == {"train": SPLITS["train"], "test": SPLITS["test"]}
    assert notes == ["left out, for other files serve as splits: test.de, train.cs, train.de"]


def test_other_suffixes_are_read_in_the_order_of_the_alphabet(fill):
    splits, notes = read(fill("train.z", "train.a", "dev.a", "dev.z"))
    assert splits == {"train": SPLITS["train"], "validation": SPLITS["validation"]}
    assert notes == [".a is read as the source and .z as its target: the order of the alphabet"]


def test_the_first_of_several_names_of_a_split(fill):
    folder = fill("train.tsv", "val.tsv", "dev.tsv", "test_2017.tsv", "test_2016.tsv", "other.tsv", "train.en", "a.md")
    splits, notes = read(folder)
    assert splits == SPLITS
    assert notes == ["left out, for other files serve as splits: a.md, dev.tsv, other.tsv, test_2017.tsv, train.en"]


def test_problems_of_files_are_noted(fill):
    folder = fill("train.tsv")
    (folder / "train.tsv").write_text("a\tb\nc\n")
    assert read(folder)[1] == [f"{folder / 'train.tsv'}: left out 1 line without a tab (first: line 2)"]


def test_a_file_without_its_other_side(fill):
    assert "holds no val.fr; expected both files of val" in refusal(fill("train.en", "train.fr", "val.en"))


def test_one_language_or_three(fill):
    folder = fill("train.en")
    assert "holds train.en; expected two files of train" in refusal(folder)
    assert "holds train.a, train.de, train.en; expected two" in refusal(fill("train.de", "train.a"))


def test_folders_with_nothing_usable(fill, tmp_path):
    assert "holds no files; expected train.tsv, or train.en and train.fr, or a single" in refusal(tmp_path)
    assert "holds one.tsv, two.tsv; expected" in refusal(fill("one.tsv", "two.tsv"))
    message = refusal(fill(*(f"{letter}.csv" for letter in "abcdef")))
    assert "holds a.csv, b.csv, c.csv, d.csv, e.csv and 3 more; expected" in message


def test_empty_and_uneven_files(fill):
    folder = fill("train.tsv", "test.tsv")
    (folder / "test.tsv").write_text("")
    assert "test.tsv holds no text" in refusal(folder)


def test_a_folder_without_permission(tmp_path):
    with mock.patch("pathlib.Path.iterdir", side_effect=PermissionError(13, "Permission denied")):
        assert "cannot be read (Permission denied)" in refusal(tmp_path)
