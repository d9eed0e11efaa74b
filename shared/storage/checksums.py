"""SHA-256 of files, to tell a damaged one from a good one."""

import hashlib
from pathlib import Path

__all__ = ["folder_checksums", "sha256_of"]


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's content as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_checksums(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of every file under a folder.

    Args:
        folder: The folder to read, subfolders included.

    Returns:
        From the path relative to `folder`, with forward slashes and in sorted order, to `sha256_of` the file.
    """
    files = (path for path in folder.rglob("*") if path.is_file())
    return {name: sha256_of(folder / name) for name in sorted(file.relative_to(folder).as_posix() for file in files)}
