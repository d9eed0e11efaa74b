"""A text file, or a folder of them -> documents, one a file."""

from pathlib import Path

from runnel.datasets.text.decode_text import decode_text
from runnel.shared.errors import InputError

__all__ = ["read_text_files"]

_SUFFIXES = (".txt", ".md")
_SHOWN_FILES = 5


def read_text_files(path: Path, notes: list[str]) -> list[str]:
    """Reads a text file, or all .txt and .md files below a folder in the order of their paths.

    Args:
        path: The file, whatever its suffix, or the folder. Hidden files below a folder are left out.
        notes: Takes a sentence about each thing found out or left out.

    Returns:
        The text of each file that holds any.

    Raises:
        InputError: Not there, unreadable, not text, or nothing to read in it.
    """
    if path.is_dir():
        return _read_folder(path, notes)
    text = _read_file(path, notes)
    if not text.strip():
        raise InputError(f"{path} is empty; expected text to learn from; give another file")
    return [text]


def _read_folder(folder: Path, notes: list[str]) -> list[str]:
    """Reads the text files below a folder; the others are named in a note."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); expected a folder of text files") from error
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    chosen = [path for path in files if _is_text_file(path.relative_to(folder))]
    if not chosen:
        raise InputError(f"{folder} holds no .txt or .md file; expected at least one; give the text file itself")
    found: list[str] = []
    texts = {path: _read_file(path, found) for path in chosen}
    notes += found[:_SHOWN_FILES]
    if len(found) > _SHOWN_FILES:
        notes.append(f"{len(found) - _SHOWN_FILES} more files in {folder} likewise")
    others = [path for path in files if path not in texts]
    _note(notes, "left out, for they are hidden or neither .txt nor .md", others, folder)
    _note(notes, "left out, for they are empty", [path for path, text in texts.items() if not text.strip()], folder)
    documents = [text for text in texts.values() if text.strip()]
    if not documents:
        raise InputError(f"{folder} holds empty text files only; expected text to learn from; give another folder")
    return documents


def _is_text_file(path: Path) -> bool:
    """Says by the name of a file whether it is one to read; the path begins below the folder."""
    return path.suffix.lower() in _SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _read_file(path: Path, notes: list[str]) -> str:
    """Returns the text of one file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); expected a text file; check the path") from error
    return decode_text(data, str(path), notes)


def _note(notes: list[str], what: str, paths: list[Path], folder: Path) -> None:
    """Notes files that were left out, the first of them by name."""
    if paths:
        shown = ", ".join(path.relative_to(folder).as_posix() for path in paths[:_SHOWN_FILES])
        more = len(paths) - _SHOWN_FILES
        notes.append(f"{what}: {shown}" + (f" and {more} more" if more > 0 else ""))
