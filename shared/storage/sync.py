"""Flushing to the disk, so that a rename never outruns the bytes it publishes."""

import os
from pathlib import Path

__all__ = ["sync", "sync_tree"]


def sync(path: Path) -> None:
    """Waits until a file, or the list of names in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Waits until every file and folder under `folder`, and `folder` itself, is on the disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
