"""Whether an audio file ends before the end that its header promises: decoders give what there is without a word."""

import re
import struct

__all__ = ["is_cut_off"]

_STREAM = 0x7FFFF000  # Bytes; from here on a size means "until the end", as written into a pipe.
_BYTE_ORDER = {b"RIFF": "<", b"RIFX": ">", b"FORM": ">"}  # WAV, its big-endian form, AIFF.
_PROMISE = re.compile(r"^\s*(?:Data Size|riff|Riff size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)  # AU, W64, RF64.
_LAST_PAGE = 4  # Flag of an Ogg page.


def is_cut_off(data: bytes, log: str) -> bool:
    """Says whether the header of a WAV, AIFF, AU, W64, RF64 or Ogg file promises more bytes than there are.

    Args:
        data: The file.
        log: What libsndfile wrote down while it opened the file.
    """
    if data.startswith(b"OggS"):
        return not _has_last_page(data)
    if data[:4] in _BYTE_ORDER:
        return _end_of_samples(data) > len(data)
    return any(int(there) < int(promised) for promised, there in _PROMISE.findall(log))


def _end_of_samples(data: bytes) -> int:
    """Returns the byte at which the samples of a WAV or AIFF end by its header; 0 if it leaves that open."""
    header, at = struct.Struct(_BYTE_ORDER[data[:4]] + "4sI"), 12
    while at + header.size <= len(data):
        name, size = header.unpack_from(data, at)
        if name in (b"data", b"SSND"):
            return at + header.size + size if size < _STREAM else 0
        at += header.size + size + size % 2  # A chunk begins at an even byte.
    return 0


def _has_last_page(data: bytes) -> bool:
    """Says whether an Ogg file ends with a whole page that is marked as the last (RFC 3533, section 6)."""
    page = data[data.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    sizes = page[27 : 27 + page[26]]
    return bool(page[5] & _LAST_PAGE) and len(page) >= 27 + len(sizes) + sum(sizes)
