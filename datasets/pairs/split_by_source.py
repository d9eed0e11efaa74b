"""Pairs without splits of their own -> train, validation and test, by a hash of their source."""

import hashlib
from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate

from runnel.datasets.pairs.pair_corpus import Pairs

__all__ = ["SHARES", "split_by_source"]

SHARES = {"train": 0.9, "validation": 0.05, "test": 0.05}  # Of the distinct sources.


def split_by_source(pairs: Pairs, shares: Mapping[str, float]) -> dict[str, Pairs]:
    """Splits so that all targets of a source are in one split.

    Where a source goes depends on its text alone: neither on the order of the pairs nor on the others. Only where a
    split would be empty, the source whose hash is nearest goes there.

    Args:
        pairs: The pairs.
        shares: Share of the distinct sources by split; they add up to 1.

    Returns:
        The pairs of each split in their order; with fewer distinct sources than splits, the last ones are empty.
    """
    ranked = sorted((_place(source), source) for source in set(pairs.sources))
    ends = [bisect_left(ranked, (end, "")) for end in accumulate(shares.values())]
    ends[-1] = len(ranked)
    for index in reversed(range(len(ends) - 1)):  # One source at least for each split after this one,
        ends[index] = min(ends[index], ends[index + 1] - 1)
    for index in range(len(ends)):  # and for each up to it, as long as there are any.
        ends[index] = min(max(ends[index], index + 1), len(ranked))
    split_of = {
        source: split
        for split, start, end in zip(shares, [0, *ends], ends, strict=False)
        for _, source in ranked[start:end]
    }
    parts: dict[str, list[tuple[str, str]]] = {split: [] for split in shares}
    for pair in pairs:
        parts[split_of[pair[0]]].append(pair)
    return {split: Pairs.of(part) for split, part in parts.items()}


def _place(source: str) -> float:
    """Returns a number from 0 to 1 that is drawn by the text."""
    return int.from_bytes(hashlib.sha256(source.encode()).digest()[:6], "big") / 2**48
