"""Kills a writer before each of its file operations in turn; a program of its own, not a test.

    python kill_points.py FOLDER folder|file|checkpoint

Writes out what a reader finds after each kill, one line a kill point: `old` or `new`, anything else is damage. The last
line is the run in which the writer was not killed.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from runnel.shared.storage.atomic_folder import atomic_folder, recover
from runnel.shared.storage.atomic_write import write_atomic
from runnel.shared.training.checkpoint import CheckpointStore


def write_folder(target: Path, content: str) -> None:
    with atomic_folder(target) as folder:
        (folder / "first.txt").write_text(content)
        (folder / "inner").mkdir()
        (folder / "inner" / "second.txt").write_text(content)


def read_folder(target: Path) -> str:
    recover(target)
    contents = {(target / name).read_text() for name in ("first.txt", "inner/second.txt")}
    return contents.pop() if len(contents) == 1 else "mixed"


def write_checkpoint(target: Path, content: str) -> None:
    CheckpointStore(target, keep=1).save(3, {"x": np.zeros(4)}, {"content": content}, is_best=True)


def read_checkpoint(target: Path) -> str:
    damaged: list[str] = []
    checkpoint = CheckpointStore(target).latest_valid(damaged.append)
    return "none" if checkpoint is None else "damaged" if damaged else checkpoint.state["content"]


CASES: dict[str, tuple[Callable[[Path, str], None], Callable[[Path], str]]] = {
    "folder": (write_folder, read_folder),
    "file": (write_atomic, Path.read_text),
    "checkpoint": (write_checkpoint, read_checkpoint),
}


def killed_at(point: int, write: Callable[[], None]) -> bool:
    """Runs `write` in a fork that ends at once before the file operation `point`; tells whether it came to that."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    count = 0

    def audit(event: str, arguments: object) -> None:
        nonlocal count
        if event in {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}:
            count += 1
            if count > point:
                os._exit(9)

    sys.addaudithook(audit)
    write()
    os._exit(0)


def main(folder: Path, case: str) -> None:
    write, read = CASES[case]
    killed, point = True, 0
    while killed:
        target = folder / f"{point}" / "target"
        write(target, "old")
        killed = killed_at(point, lambda target=target: write(target, "new"))
        sys.stdout.write(f"{read(target)}\n")
        write(target, "again")
        left = [item.name for item in target.parent.iterdir()]
        assert read(target) == "again", "the next writer failed"
        assert left == ["target"], f"the next writer left {left}"
        shutil.rmtree(target.parent)
        point += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
