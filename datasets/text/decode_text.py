"""The bytes of a text file -> text: encoding and line ends."""

import re

from runnel.shared.errors import InputError

__all__ = ["decode_text"]

_REPLACEMENT = "\ufffd"
_NO_ASCII = re.compile(r"[^\0-\x7f]")
_CONTROL_BYTE = re.compile(rb"[\x01-\x06\x0e-\x19\x1c-\x1f\x7f]")  # None that old text files hold.


def decode_text(data: bytes, source: str, notes: list[str]) -> str:
    r"""Reads UTF-8, UTF-16 with a byte order mark, or else Windows-1252.

    Args:
        data: Content of the file.
        source: Name of the file, for messages.
        notes: Takes a sentence if the encoding had to be guessed, or bytes had to be replaced.

    Returns:
        The text without byte order mark; every line ends with "\n".

    Raises:
        InputError: The bytes are no text.
    """
    text = _from_utf16(data, source) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else _decode(data, source, notes)
    if "\0" in text:
        raise _no_text(source, "zero bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _from_utf16(data: bytes, source: str) -> str:
    """Decodes bytes that begin with the mark of UTF-16."""
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise InputError(f"{source} begins like UTF-16 text but is not; expected text; save it as UTF-8") from error


def _decode(data: bytes, source: str, notes: list[str]) -> str:
    """Decodes UTF-8, a few broken bytes included, or Windows-1252."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
    broken = text.count(_REPLACEMENT)
    if len(_NO_ASCII.findall(text)) > 2 * broken:  # Accents of Windows-1252 are hardly ever valid UTF-8.
        notes.append(f"{source} holds {broken} piece{'s' * (broken > 1)} that are no UTF-8, read as U+FFFD")
        return text
    if b"\0" not in data and _CONTROL_BYTE.search(data):
        raise _no_text(source, "control characters")
    notes.append(f"{source} is not UTF-8 and was read as Windows-1252")
    return data.decode("windows-1252", errors="replace")


def _no_text(source: str, found: str) -> InputError:
    """Returns the error for a file of another kind."""
    return InputError(f"{source} is not text (it holds {found}); expected a text file; save its text as UTF-8")
