import pytest

from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.shared.errors import InputError

CUT = "no split for validation and test: taken from train by a hash of the source text"


def sentences(count, start=0):
    return "".join(f"Sentence {index}.\tPhrase {index}.\n" for index in range(start, start + count))


def refusal(source):
    with pytest.raises(InputError) as caught:
        load_pairs(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_file(write):
    corpus = load_pairs(write(sentences(500), "fra.txt"))
    assert corpus.name == "fra.txt"
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert corpus.notes == (CUT,)
    pairs = [pair for part in corpus.splits.values() for pair in part]
    assert sorted(pairs) == sorted((f"Sentence {index}.", f"Phrase {index}.") for index in range(500))
    assert 425 <= len(corpus.splits["train"]) <= 475


def test_the_same_content_has_the_same_fingerprint(write):
    one = load_pairs(write(sentences(50), "one.tsv"))
    other = load_pairs(write("\ufeff" + sentences(50).replace("\n", "\tCC-BY\r\n"), "two.txt"))
    assert other.splits == one.splits
    assert other.fingerprint == one.fingerprint
    assert load_pairs(write(sentences(51), "three.tsv")).fingerprint != one.fingerprint


def test_repeats_in_train_are_dropped_and_other_targets_kept(write):
    # All three sources of train by their hashes (17f4, 9f7d, c48c), so the two last ones are given away.
    text = "Hi.\tSalut !\nHi.\tCoucou.\nHi.\tSalut !\nSorry.\tPardon.\nSorry.\tPardon.\nGo.\tVa !\n"
    corpus = load_pairs(write(text, "fra.txt"))
    assert corpus.splits == {
        "train": Pairs(("Hi.", "Hi."), ("Salut !", "Coucou.")),
        "validation": Pairs(("Sorry.",), ("Pardon.",)),
        "test": Pairs(("Go.",), ("Va !",)),
    }
    assert corpus.notes == ("left out of train, for they are there twice: 2 pairs", CUT)


def test_no_source_of_train_is_in_a_later_split(tmp_path):
    (tmp_path / "train.tsv").write_text("a\tA\nb\tB\nb\tB\n")
    (tmp_path / "val.tsv").write_text("c\tC\na\tX\na\tA\nd\tD\nd\tD\n")
    (tmp_path / "test.tsv").write_text("e\tE\nb\tX\nc\tC\n")
    corpus = load_pairs(tmp_path)
    assert corpus.name == tmp_path.name
    assert corpus.splits == {
        "train": Pairs(("a", "b"), ("A", "B")),
        "validation": Pairs(("c", "d", "d"), ("C", "D", "D")),  # As it was given.
        "test": Pairs(("e",), ("E",)),
    }
    assert corpus.notes == (
        "left out of train, for they are there twice: 1 pair",
        "left out of validation, for train holds the same source: 2 pairs",
        "left out of test, for train or validation holds the same source: 2 pairs",
    )


def test_a_missing_split_is_cut_from_train(tmp_path):
    (tmp_path / "train.tsv").write_text(sentences(400))
    (tmp_path / "test.tsv").write_text(sentences(10, start=1000))
    corpus = load_pairs(tmp_path)
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert len(corpus.splits["test"]) == 10
    assert 10 <= len(corpus.splits["validation"]) <= 30
    assert len(corpus.splits["train"]) + len(corpus.splits["validation"]) == 400
    assert corpus.notes == ("no split for validation: taken from train by a hash of the source text",)


def test_parallel_files(tmp_path):
    for split, lines in {"train": "one\ntwo\n", "val": "three\n", "test_2016_flickr": "four\n"}.items():
        (tmp_path / f"{split}.en").write_text(lines)
        (tmp_path / f"{split}.fr").write_text(lines.upper())
    corpus = load_pairs(str(tmp_path))
    assert {split: list(pairs) for split, pairs in corpus.splits.items()} == {
        "train": [("one", "ONE"), ("two", "TWO")],
        "validation": [("three", "THREE")],
        "test": [("four", "FOUR")],
    }
    (tmp_path / "val.fr").write_text("TROIS\nQUATRE\n")
    assert "val.en and val.fr have 1 and 2 lines" in refusal(tmp_path)


def test_too_few_pairs(write):
    message = refusal(write("Hi.\tSalut !\n", "one.tsv"))
    assert "too few pairs: none is left for validation out of 1 different sources in train" in message
    assert "expected 3 or more; add pairs" in message
    assert "none is left for test" in refusal(write("Hi.\tSalut !\nHi.\tCoucou.\nGo.\tVa !\n", "two.tsv"))


def test_a_split_that_repeats_train(tmp_path):
    for split in ("train", "test"):
        (tmp_path / f"{split}.tsv").write_text(sentences(100))
    assert "has no pairs for test whose source is not in train too, out of 100" in refusal(tmp_path)


def test_empty_sources(write, tmp_path):
    assert "empty.tsv holds no text" in refusal(write("", "empty.tsv"))
    (tmp_path / "folder").mkdir()
    assert "holds no files; expected train.tsv" in refusal(tmp_path / "folder")


def test_sources_that_are_not_there(tmp_path):
    message = refusal("frasebook")
    assert "'frasebook' is neither a file or folder here nor a dataset of pairs" in message
    assert "phrasebook, tatoeba_english_french, multi30k_english_french" in message
    assert "neither a file" in refusal(tmp_path / "missing.tsv")
    assert "''" in refusal("")
    assert "neither a file" in refusal("zero\0byte")
    assert refusal("The text itself,\nnot its path. " * 30).startswith("'The text itself, not its path. The")
    assert "neither a file" in refusal("python_reference")  # A dataset, but not of pairs.
