import subprocess
import sys
from pathlib import Path

import pytest

from runnel.shared.storage.atomic_folder import atomic_folder, discard_partial, recover, unfinished

KILL_POINTS = Path(__file__).with_name("kill_points.py")


def write(target: Path, content: str) -> None:
    with atomic_folder(target) as folder:
        (folder / "content.txt").write_text(content)


def write_and_raise(target: Path, error: type[BaseException]) -> None:
    with atomic_folder(target) as folder:
        (folder / "content.txt").write_text("new")
        raise error


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "parent" / "target"
    with atomic_folder(target) as folder:
        (folder / "content.txt").write_text("new")
        assert not target.exists()
    assert (target / "content.txt").read_text() == "new"
    assert names(tmp_path / "parent") == ["target"]


def test_a_replacement_keeps_nothing_of_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "target"
    write(target, "old")
    with atomic_folder(target) as folder:
        (folder / "other.txt").write_text("new")
        assert (target / "content.txt").read_text() == "old"
    assert names(target) == ["other.txt"]
    assert names(tmp_path) == ["target"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_old_folder_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "target"
    write(target, "old")
    with pytest.raises(error):
        write_and_raise(target, error)
    assert (target / "content.txt").read_text() == "old"
    assert names(tmp_path) == ["target"]


def test_a_failing_rename_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "target"
    write(target, "old")
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError("no")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="no"):
        write(target, "new")
    assert (target / "content.txt").read_text() == "old"
    assert names(tmp_path) == ["target"]


def test_recover_puts_back_what_a_kill_left_aside(tmp_path: Path) -> None:
    target = tmp_path / "target"
    write(tmp_path / ".target.aside", "old")
    recover(target)
    assert (target / "content.txt").read_text() == "old"
    assert names(tmp_path) == ["target"]


def test_recover_prefers_the_new_folder_to_the_one_aside(tmp_path: Path) -> None:
    target = tmp_path / "target"
    write(target, "new")
    write(tmp_path / ".target.aside", "old")
    recover(target)
    assert (target / "content.txt").read_text() == "new"
    assert names(tmp_path) == ["target"]


def test_a_half_written_folder_is_no_part_of_the_next(tmp_path: Path) -> None:
    target = tmp_path / "target"
    (tmp_path / ".target.partial").mkdir()
    (tmp_path / ".target.partial" / "half.txt").touch()
    recover(target)
    assert not target.exists()
    write(target, "new")
    assert names(target) == ["content.txt"]
    assert names(tmp_path) == ["target"]


def test_unfinished_targets_are_found(tmp_path: Path) -> None:
    for name in (".a.partial", ".b.aside", "c", ".d"):
        (tmp_path / name).mkdir()
    assert set(unfinished(tmp_path)) == {tmp_path / "a", tmp_path / "b"}
    discard_partial(tmp_path / "a")
    assert names(tmp_path) == [".b.aside", ".d", "c"]


@pytest.mark.parametrize("case", ["folder", "file", "checkpoint"])
def test_a_kill_before_any_file_operation_leaves_the_old_or_the_new(tmp_path: Path, case: str) -> None:
    command = [sys.executable, str(KILL_POINTS), str(tmp_path), case]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    # The old one up to the rename that publishes, the new one from there on, and both did occur.
    assert set(found) == {"old", "new"}
    assert found == sorted(found, reverse=True)
