"""Folders that are there whole or not at all.

A folder cannot be renamed onto another that holds files, so a replacement takes two renames:

    1. write    .NAME.partial                 NAME is the old one
    2. rename   NAME          -> .NAME.aside   NAME is missing: `recover` puts the old one back
    3. rename   .NAME.partial -> NAME          NAME is the new one
    4. remove   .NAME.aside

Each target has one writer at a time.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runnel.shared.storage.sync import sync, sync_tree

__all__ = ["atomic_folder", "discard_partial", "recover", "unfinished"]

_PARTIAL = ".partial"
_ASIDE = ".aside"


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Gives a temporary folder to fill, which becomes `target` when the block ends without an error.

    After an error the temporary folder is gone and an existing `target` is as it was. After a kill at any moment,
    `recover(target)` brings back the old folder unless the new one is already in place.

    Args:
        target: The folder to write or replace; missing parents are made.

    Yields:
        An empty sibling folder of `target`.
    """
    recover(target)
    discard_partial(target)
    partial = _partial(target)
    partial.mkdir(parents=True)
    try:
        yield partial
        sync_tree(partial)
        _publish(partial, target)
    except BaseException:
        discard_partial(target)
        recover(target)
        raise


def recover(target: Path) -> None:
    """Finishes what a kill in the middle of `atomic_folder` left; readers of `target` call it first.

    Args:
        target: The folder that `atomic_folder` was writing. It may be missing, and stays so if it never was complete.
    """
    aside = _aside(target)
    if not aside.exists():
        return
    if target.exists():
        shutil.rmtree(aside)
    else:
        aside.rename(target)
        sync(target.parent)


def discard_partial(target: Path) -> None:
    """Removes what a killed writer of `target` had not finished; only for the writer of `target`."""
    partial = _partial(target)
    if partial.exists():
        shutil.rmtree(partial)


def unfinished(folder: Path) -> Iterator[Path]:
    """Yields the targets inside `folder` of which a killed writer may have left something."""
    for suffix in (_ASIDE, _PARTIAL):
        for left in folder.glob(f".*{suffix}"):
            yield folder / left.name.removeprefix(".").removesuffix(suffix)


def _publish(partial: Path, target: Path) -> None:
    aside = _aside(target)
    if target.exists():
        target.rename(aside)
    partial.rename(target)
    sync(target.parent)
    if aside.exists():
        shutil.rmtree(aside)


def _partial(target: Path) -> Path:
    return target.with_name(f".{target.name}{_PARTIAL}")


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}{_ASIDE}")
