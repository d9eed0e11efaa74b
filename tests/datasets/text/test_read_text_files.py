from unittest import mock

import pytest

from runnel.datasets.text.read_text_files import read_text_files
from runnel.shared.errors import InputError


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_text_files(path, [])
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def folder(tmp_path):
    files = {
        "b.txt": "Second.",
        "a/z.MD": "First.",
        "c.md": "Third.",
        "c.pdf": "%PDF",
        ".git/notes.txt": "Hidden.",
        "empty.txt": " \n",
        "chapter 10.txt": "Tenth.",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return tmp_path


def test_a_file_of_any_suffix(write):
    assert read_text_files(write("Text.", "notes"), []) == ["Text."]


def test_a_folder_is_read_in_the_order_of_its_paths(folder):
    notes = []
    assert read_text_files(folder, notes) == ["First.", "Second.", "Third.", "Tenth."]
    assert notes == [
        "left out, for they are hidden or neither .txt nor .md: .git/notes.txt, c.pdf",
        "left out, for they are empty: empty.txt",
    ]


def test_a_long_list_of_other_files_is_cut(tmp_path):
    for index in range(8):
        (tmp_path / f"{index}.csv").touch()
    (tmp_path / "a.txt").write_text("Text.")
    notes = []
    read_text_files(tmp_path, notes)
    assert notes[0].endswith(": 0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 3 more")


def test_what_cannot_be_read(tmp_path, write):
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "missing.txt")
    assert "is empty" in refusal(write("", "empty.txt"))
    assert "is empty" in refusal(write("\ufeff\r\n \n", "blank.txt"))
    assert "zero bytes" in refusal(write(b"\x89PNG\r\n\x1a\n\x00\x00", "picture.txt"))


def test_folders_without_text(tmp_path):
    assert "holds no .txt or .md file" in refusal(tmp_path)
    (tmp_path / "only.txt").touch()
    assert "empty text files only" in refusal(tmp_path)
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\0")
    assert "picture.txt is not text" in refusal(tmp_path)


def test_a_file_without_permission(write):
    path = write("Text.", "secret.txt")
    with mock.patch("pathlib.Path.read_bytes", side_effect=PermissionError(13, "Permission denied")):
        assert "secret.txt cannot be read (Permission denied)" in refusal(path)
