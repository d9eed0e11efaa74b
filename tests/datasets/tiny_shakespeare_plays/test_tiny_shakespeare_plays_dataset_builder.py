from unittest import mock

import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader

from runnel.datasets.text.load_text import load_text
from runnel.datasets.tiny_shakespeare_plays import tiny_shakespeare_plays_dataset_builder as module
from runnel.shared.errors import InputError

DUMMY = module.Builder.pkg_dir_path / "dummy_data" / "input.txt"


def test_builder_on_dummy_data(check_text_builder):
    with mock.patch.object(tfds.download.DownloadManager, "download", return_value=DUMMY) as download:
        splits = check_text_builder(module.Builder, "tiny_shakespeare_plays", {"train": 1, "validation": 1, "test": 1})
    download.assert_called_once_with(module.URL)
    assert "".join(text for part in splits.values() for text in part) == DUMMY.read_text(encoding="utf-8")


def test_cuts_at_the_characters_that_published_results_use():
    text = "".join(chr(0x100 + index % 1000) for index in range(1_115_394))
    parts = module.split_text(text)
    assert {split: len(part) for split, part in parts.items()} == {
        "train": 1_003_854,
        "validation": 55_770,
        "test": 55_770,
    }
    assert "".join(parts.values()) == text


def test_the_registered_checksum():
    (info,) = module.Builder.url_infos.values()
    assert list(module.Builder.url_infos) == [module.URL]
    assert info.size == 1_115_394
    assert info.checksum == "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


def test_a_download_that_is_not_the_file_is_refused(tmp_path, monkeypatch, recwarn):
    monkeypatch.setenv("RUNNEL_DATA_DIR", str(tmp_path))
    response = mock.MagicMock(url=module.URL, headers={})
    with mock.patch.object(downloader, "_open_url") as open_url:
        open_url.return_value.__enter__.return_value = response, iter([b"something else"])
        with pytest.raises(InputError, match="NonMatchingChecksumError") as caught:
            load_text("tiny_shakespeare_plays")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("tiny_shakespeare_plays/1.0.0"))


@pytest.mark.network
def test_the_real_download(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNNEL_DATA_DIR", str(tmp_path))
    splits = load_text("tiny_shakespeare_plays").splits
    assert [len(text) for documents in splits.values() for text in documents] == [1_003_854, 55_770, 55_770]
    assert splits["train"][0].startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n")
