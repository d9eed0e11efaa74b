import io
import zipfile
from unittest import mock

import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader
from tensorflow_datasets.core.download.util import DownloadError

from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.datasets.tatoeba_english_french import tatoeba_english_french_dataset_builder as module
from runnel.shared.errors import InputError

DUMMY = module.Builder.pkg_dir_path / "dummy_data"
# `printf %s "Go on." | sha256sum` begins with e9bd, which is between 0.9 = e666 and 0.95 = f333; and so on.
EXPECTED = {
    "train": [("Hi.", "Salut !"), ("Hi.", "Bonjour."), ("Sorry.", "Pardon."), ("Go.", "Va\u202f!"), ("Go.", "Partez.")],
    "validation": [("Go on.", "Continue."), ("Go on.", "Continuez."), ("Sit down.", "Assieds-toi.")],
    "test": [("Thanks.", "Merci."), ("Get up.", "Lève-toi."), ("Get up.", "Debout !")],  # One line is there twice.
}


def archive(**files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name, content in files.items():
            packed.writestr(f"{name}.txt", content)
    return data.getvalue()


def download_of(data):
    """Lets the downloader of TFDS receive these bytes."""
    response = mock.MagicMock(url=module.URL, headers={})
    opened = mock.MagicMock()
    opened.__enter__.return_value = response, iter([data])
    return mock.patch.object(downloader, "_open_url", return_value=opened)


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNNEL_DATA_DIR", str(tmp_path))
    return tmp_path


def test_builder_on_dummy_data(check_conventions):
    with mock.patch.object(tfds.download.DownloadManager, "download_and_extract", return_value=DUMMY) as download:
        rows = check_conventions(module.Builder, "tatoeba_english_french", {"train": 5, "validation": 3, "test": 3})
    download.assert_called_once_with(module.URL)
    found = {split: [(row["english"].decode(), row["french"].decode()) for row in part] for split, part in rows.items()}
    assert found == EXPECTED
    assert all(set(row) == {"english", "french"} for part in rows.values() for row in part)


def test_a_download_equals_a_local_copy(own_folder):
    with download_of(archive(fra=(DUMMY / "fra.txt").read_text(encoding="utf-8"), _about="CC BY 2.0")) as opened:
        corpus = load_pairs("tatoeba_english_french")
    assert opened.call_args.args == (module.URL,)
    assert {split: list(pairs) for split, pairs in corpus.splits.items()} == EXPECTED
    for copy in (DUMMY, DUMMY / "fra.txt"):
        assert load_pairs(str(copy)).fingerprint == corpus.fingerprint


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"<html>Not here</html>", "ExtractError"),
        (archive(deu="Go.\tGeh.\n"), "fra.txt cannot be read"),
        (archive(fra="Go. Va !\n"), "0 usable pairs and 1 line without a tab"),
    ],
)
def test_downloads_of_another_kind_are_refused(own_folder, data, complaint):
    with download_of(data), pytest.raises(InputError, match=complaint) as caught:
        load_pairs("tatoeba_english_french")
    assert "\n" not in str(caught.value)
    assert not list(own_folder.glob("tatoeba_english_french/1.0.0"))


def test_a_server_that_refuses(own_folder):
    refusal = DownloadError(f"Failed to get url {module.URL}. HTTP code: 406.")
    with (
        mock.patch.object(downloader, "_open_url", side_effect=refusal),
        pytest.raises(InputError, match=r"HTTP code: 406\.\); check network and disk, or give a file"),
    ):
        load_pairs("tatoeba_english_french")


@pytest.mark.network
def test_the_real_download(own_folder):
    splits = load_pairs("tatoeba_english_french").splits
    assert sum(map(len, splits.values())) > 150_000  # It grows.
    assert ("Go.", "Va !") in {pair for part in splits.values() for pair in part}
