"""Keeps what stands in the training text out of validation and test."""

import re
from collections.abc import Collection, Mapping, Sequence

__all__ = ["drop_repeats"]

_LONGEST_KEPT = 40  # Characters; a greeting or a heading may occur anywhere.
_BLANK_LINE, _LINE_END = re.compile(r"(\n\s*\n)"), re.compile(r"(\n)")


def drop_repeats(
    splits: Mapping[str, Sequence[str]], cleaned: Collection[str], notes: list[str]
) -> dict[str, list[str]]:
    """Drops the paragraphs longer than 40 characters that an earlier split holds word for word.

    Blank lines separate paragraphs; in a source without blank lines each line is one.

    Args:
        splits: Documents by split, train first.
        cleaned: The splits to drop paragraphs from.
        notes: Takes a sentence that says how many were dropped.

    Returns:
        Documents by split; a document of which nothing is left is dropped.
    """
    separator = _BLANK_LINE if any(_BLANK_LINE.search(text) for part in splits.values() for text in part) else _LINE_END
    earlier: set[str] = set()
    kept, dropped = {}, 0
    for split, documents in splits.items():
        known = earlier if split in cleaned else set()
        pieces = [separator.split(text) for text in documents]  # Paragraphs and separators in turn.
        kept[split] = ["".join(_without(document, known)) for document in pieces]
        paragraphs = [key for document in pieces for key in map(str.strip, document[::2]) if len(key) > _LONGEST_KEPT]
        dropped += sum(key in known for key in paragraphs)
        earlier = earlier.union(paragraphs)
    if dropped:
        notes.append(
            f"left out of {' and '.join(cleaned)}, for an earlier split holds the same: "
            f"{dropped} paragraph{'s' * (dropped > 1)}"
        )
    return {split: [text for text in documents if text.strip()] for split, documents in kept.items()}


def _without(document: list[str], known: Collection[str]) -> list[str]:
    """Returns paragraphs and separators in turn, without the known paragraphs and what separates them from the next."""
    separators = [*document[1::2], ""]
    kept = [(text, end) for text, end in zip(document[::2], separators, strict=True) if text.strip() not in known]
    return [piece for pair in kept for piece in pair]
