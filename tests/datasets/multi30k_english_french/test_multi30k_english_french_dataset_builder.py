import gzip
from pathlib import Path
from unittest import mock

import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader

from runnel.datasets.multi30k_english_french import multi30k_english_french_dataset_builder as module
from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.shared.errors import InputError

DUMMY = module.Builder.pkg_dir_path / "dummy_data"
TEA = ("A woman pours tea into a blue cup.", "Une femme verse du thé dans une tasse bleue.")
EXPECTED = {
    "train": [
        TEA,
        ("Two boys are looking at a map", "Deux garçons regardent une carte"),
        ("An old man is asleep on a bench.", "Un vieil homme dort sur un banc."),
    ],
    "validation": [
        ("A girl holds a red umbrella.", "Une fille tient un parapluie rouge."),
        (TEA[0], "Une femme verse le thé dans une tasse bleue."),
    ],
    "test": [("A cat is sitting on a piano.", "Un chat est assis sur un piano.")],
}


def download_of(packed):
    """Lets the downloader of TFDS receive the bytes of each file, by its name."""

    def open_url(url, **_):
        opened = mock.MagicMock()
        opened.__enter__.return_value = mock.MagicMock(url=url, headers={}), iter([packed[Path(url).stem]])
        return opened

    return mock.patch.object(downloader, "_open_url", side_effect=open_url)


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNNEL_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def packed():
    return {name: gzip.compress((DUMMY / name).read_bytes()) for name in module.URLS}


def test_builder_on_dummy_data(check_conventions):
    files = {name: DUMMY / name for name in module.URLS}
    with mock.patch.object(tfds.download.DownloadManager, "download_and_extract", return_value=files) as download:
        rows = check_conventions(module.Builder, "multi30k_english_french", {"train": 3, "validation": 2, "test": 1})
    download.assert_called_once_with(module.URLS)
    found = {split: [(row["english"].decode(), row["french"].decode()) for row in part] for split, part in rows.items()}
    assert found == EXPECTED
    assert all(set(row) == {"english", "french"} for part in rows.values() for row in part)


def test_the_addresses():
    folder = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
    assert set(module.URLS.values()) == {
        f"{folder}{name}.gz"
        for name in (
            "train.en",
            "train.fr",
            "val.en",
            "val.fr",
            "test_2016_flickr.en",
            "test_2016_flickr.fr",
        )
    }


def test_a_download_equals_a_local_copy(own_folder, packed):
    with download_of(packed):
        corpus = load_pairs("multi30k_english_french")
    assert {split: list(pairs) for split, pairs in corpus.splits.items()} == EXPECTED | {
        "validation": EXPECTED["validation"][:1]
    }
    assert corpus.notes == ("left out of validation, for train holds the same source: 1 pair",)
    copy = load_pairs(str(DUMMY))
    assert copy.fingerprint == corpus.fingerprint
    assert copy.notes == corpus.notes


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("train.en", b"404: Not Found", "ExtractError"),
        ("val.fr", gzip.compress(b"Un homme.\n" * 100)[:-9], "ExtractError"),
        ("test_2016_flickr.fr", gzip.compress(b""), "have 1 and 0 lines; expected as many"),
    ],
    ids=["no archive", "cut off", "empty"],  # packed bytes hold the time, and two processes must agree on the names
)
def test_downloads_of_another_kind_are_refused(own_folder, packed, name, data, complaint):
    with download_of(packed | {name: data}), pytest.raises(InputError, match=complaint) as caught:
        load_pairs("multi30k_english_french")
    assert "\n" not in str(caught.value)
    assert not list(own_folder.glob("multi30k_english_french/1.0.0"))


@pytest.mark.network
def test_the_real_download(own_folder):
    splits = load_pairs("multi30k_english_french").splits
    assert {split: len(pairs) for split, pairs in splits.items()} == {"train": 28_995, "validation": 1013, "test": 1000}
    assert next(iter(splits["test"])) == (
        "A man in an orange hat starring at something.",
        "Un homme avec un chapeau orange regardant quelque chose.",
    )
