"""Documents without splits of their own -> contiguous stretches: train first, then validation, then test."""

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate

__all__ = ["split_documents"]

_ENOUGH_TO_KEEP_WHOLE = 20  # From this number on, no document is cut.
_REACH = 0.02  # Share of all characters by which a cut may move to a better place.
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"\s"))


def split_documents(documents: Sequence[str], shares: Mapping[str, float]) -> dict[str, list[str]]:
    """Cuts the documents in their order into consecutive stretches.

    With at least twenty documents, each goes whole to the stretch in which its middle lies. With fewer, or if the sizes
    of the stretches would be far from what was asked for, a document may be cut: at the end of a paragraph near the
    place, else of a line, else of a word.

    Args:
        documents: The text in its order.
        shares: Share of the characters by split, in the order of the stretches; they add up to 1.

    Returns:
        The documents of each split. Nothing is lost but documents of blanks alone.
    """
    ends = list(accumulate(shares.values()))
    stretches = _whole(documents, ends) if len(documents) >= _ENOUGH_TO_KEEP_WHOLE else None
    if stretches is None or not _about(stretches, list(shares.values())):
        stretches = _cut_all(list(documents), ends[:-1])
    return {split: [text for text in stretch if text.strip()] for split, stretch in zip(shares, stretches, strict=True)}


def _whole(documents: Sequence[str], ends: Sequence[float]) -> list[list[str]]:
    """Puts each document into the stretch in which its middle lies."""
    stretches: list[list[str]] = [[] for _ in ends]
    total, start = sum(map(len, documents)), 0
    for text in documents:
        middle = start + len(text) / 2
        stretches[sum(middle >= end * total for end in ends[:-1])].append(text)
        start += len(text)
    return stretches


def _about(stretches: Sequence[Sequence[str]], shares: Sequence[float]) -> bool:
    """Says whether no stretch has less than half or more than double of its share."""
    sizes = [sum(map(len, stretch)) for stretch in stretches]
    return all(share / 2 <= size / sum(sizes) <= 2 * share for size, share in zip(sizes, shares, strict=True))


def _cut_all(documents: list[str], places: Sequence[float]) -> list[list[str]]:
    """Cuts the documents at each place, given as a share of all characters."""
    total, stretches, passed = sum(map(len, documents)), [], 0
    for place in places:
        before, documents = _cut(documents, max(int(place * total) - passed, 0), int(_REACH * total))
        stretches.append(before)
        passed += sum(map(len, before))
    return [*stretches, documents]


def _cut(documents: list[str], place: int, reach: int) -> tuple[list[str], list[str]]:
    """Cuts the documents near a character, counted over all of them."""
    for index, text in enumerate(documents):
        if place <= len(text):
            at = _break_near(text, place, reach)
            return [*documents[:index], text[:at]], [text[at:], *documents[index + 1 :]]
        place -= len(text)
    return documents, []


def _break_near(text: str, place: int, reach: int) -> int:
    """Returns where the text is best cut, at most `reach` characters from the place."""
    first, last = max(place - reach, 0), min(place + reach, len(text))
    ends = [end for end in (0, len(text)) if first <= end <= last]
    for pattern in _BREAKS:
        places = ends + [match.end() for match in pattern.finditer(text, first, last)]
        if places:
            return min(places, key=lambda at: abs(at - place))
    return place
