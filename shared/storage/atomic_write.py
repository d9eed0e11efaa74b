"""Files that are there whole or not at all."""

from pathlib import Path

from runnel.shared.storage.sync import sync

__all__ = ["write_atomic"]


def write_atomic(path: Path, content: bytes | str) -> None:
    """Writes a file so that a reader, or a kill at any moment, sees the old content or the new.

    Args:
        path: The file; missing parent folders are made.
        content: The whole new content; text is written as UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    sync(partial)
    partial.replace(path)
    sync(path.parent)
