"""A file of lines -> its lines as text, those that are no UTF-8 told apart."""

from pathlib import Path

from runnel.datasets.text.decode_text import decode_text
from runnel.shared.errors import InputError

__all__ = ["read_lines"]

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PACKED_MARKS = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")  # zip, gzip, bzip2, xz


def read_lines(path: Path) -> list[str | None]:
    r"""Reads a file of UTF-8, or of UTF-16 with a byte order mark as spreadsheets write it.

    Args:
        path: The file. Only "\n" ends a line: corpora hold other line separators within sentences.

    Returns:
        The lines without "\n"; None for one that is no UTF-8. What follows the last "\n" is a line unless it is empty.

    Raises:
        InputError: The file cannot be read, or is packed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); expected a text file; check the path") from error
    if data.startswith(_PACKED_MARKS):
        raise InputError(f"{path} is packed; expected a text file; unpack it and give the file that comes out")
    if data.startswith(_UTF16_MARKS):
        return list(decode_text(data, str(path), []).removesuffix("\n").split("\n")) if len(data) > 2 else []
    data = data.removeprefix(_UTF8_MARK)
    if not data:
        return []
    data = data.removesuffix(b"\n")
    try:
        return list(data.decode().split("\n"))
    except UnicodeDecodeError:
        return [_decoded(line) for line in data.split(b"\n")]


def _decoded(line: bytes) -> str | None:
    """Returns the text of a line, None if it is no UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
