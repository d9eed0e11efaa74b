"""The names of audio files -> who speaks in them."""

import re
from collections.abc import Sequence

from runnel.datasets.audio.speech_corpus import BACKGROUND, SILENCE, UNKNOWN

__all__ = ["speakers_of"]

_NO_COMMANDS = (BACKGROUND, SILENCE, UNKNOWN)
_EIGHT_DIGITS = re.compile(r"[0-9a-f]{8}", re.IGNORECASE)
_NAMED = re.compile(r"([^_]+)_(.+)_\d+")


def speakers_of(labels: Sequence[str], stems: Sequence[str]) -> tuple[str, ...]:
    """Finds speakers in the two forms of name that public collections of words use.

    In Speech Commands a name holds eight hexadecimal digits as its first or second part: `0a7c2a8d_nohash_0`,
    `backward_0c540988_nohash_2`. In the Free Spoken Digit Dataset it is `{label}_{speaker}_{index}`; that form counts
    if the names of all commands have it. Eight decimal digits in all names are dates, not speakers.

    Args:
        labels: The label of each file.
        stems: The name of each file without its suffix.

    Returns:
        The speaker of each file, "" where its name tells none.
    """
    coded = [_coded(stem) for stem in stems]
    if any(speaker and not speaker.isdecimal() for speaker in coded):
        return tuple(coded)
    named = [_named(label, stem) for label, stem in zip(labels, stems, strict=True)]
    of_commands = {speaker for label, speaker in zip(labels, named, strict=True) if label not in _NO_COMMANDS}
    return tuple(speaker if speaker in of_commands and "" not in of_commands else "" for speaker in named)


def _coded(stem: str) -> str:
    """Returns the eight hexadecimal digits that are the first or second part of a name."""
    parts = stem.split(".")[0].split("_")[:2]
    return next((part.lower() for part in parts if _EIGHT_DIGITS.fullmatch(part)), "")


def _named(label: str, stem: str) -> str:
    """Returns the middle of `{label}_{speaker}_{index}`; any word may stand first where other words are collected."""
    if label in _NO_COMMANDS:
        match = _NAMED.fullmatch(stem)
        return match[2] if match else ""
    match = re.fullmatch(re.escape(label) + r"_(.+)_\d+", stem, re.IGNORECASE)
    return match[1] if match else ""
