from pathlib import Path

import pytest

from runnel.shared.storage.atomic_write import write_atomic


@pytest.mark.parametrize(("content", "stored"), [("é\n", b"\xc3\xa9\n"), (b"\x00\xff", b"\x00\xff"), ("", b"")])
def test_text_and_bytes_are_written_as_they_are(tmp_path: Path, content: str | bytes, stored: bytes) -> None:
    path = tmp_path / "parent" / "file.txt"
    write_atomic(path, content)
    assert path.read_bytes() == stored
    assert list(path.parent.iterdir()) == [path]


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("something longer")
    write_atomic(path, "new")
    assert path.read_text() == "new"


def test_an_error_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def failing(self: Path, to: Path) -> Path:
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="no"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
