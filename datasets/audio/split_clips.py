"""Clips without splits of their own -> train, validation and test, by speaker where the speakers are known."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from runnel.datasets.audio.speech_corpus import Clips

__all__ = ["SHARES", "deal", "split_clips"]

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}  # Of the clips.
_ENOUGH_SPEAKERS = 6  # With fewer, the voices of validation and test are one or two.


def split_clips(clips: Clips, shares: Mapping[str, float], notes: list[str]) -> dict[str, Clips]:
    """Splits so that no speaker is in two splits; with fewer than six speakers, so that each label has its shares.

    Clips without a speaker are split by label in either case. What goes where depends on the content and the speakers'
    names alone, not on the order of the clips.

    Args:
        clips: The clips of a source, none of them twice.
        shares: Share of the clips by split; only their proportions count.
        notes: Takes a sentence that says how it was split.

    Returns:
        The clips of each split, in their order; a split may be empty.
    """
    speakers = set(clips.speakers) - {""}
    by_speaker = len(speakers) >= _ENOUGH_SPEAKERS
    split_of: dict[int, str] = {}
    for groups in _dealt_together(clips, by_speaker):
        for group, split in zip(groups, deal([len(group) for group in groups], shares), strict=True):
            split_of |= dict.fromkeys(group, split)
    if by_speaker:
        notes.append(f"split by speaker: none of the {len(speakers):,} is in two splits")
    else:
        known = (
            f"{len(speakers)} speaker{'s are' if len(speakers) > 1 else ' is'} known" if speakers else "none is known"
        )
        notes.append(f"split by clip, not by speaker ({known}): the voices of validation and test occur in train too")
    return {split: clips.take([index for index in sorted(split_of) if split_of[index] == split]) for split in shares}


def deal(sizes: Sequence[int], shares: Mapping[str, float]) -> list[str]:
    """Deals pieces so that every split gets one, and then each as nearly its share as whole pieces allow.

    After the first round it is the method of Webster and Sainte-Lague, which apportions seats to shares of votes: a
    piece goes to the split whose sum with half of the piece is the smallest part of its share.

    Args:
        sizes: Size of each piece; large ones first leave the least imbalance.
        shares: Share of the sum by split; only their proportions count.

    Returns:
        The split of each piece.
    """
    got = dict.fromkeys(shares, 0)
    dealt = []
    for size in sizes:
        dealt.append(min(shares, key=lambda split: (got[split] > 0, (got[split] + size / 2) / shares[split])))
        got[dealt[-1]] += size
    return dealt


def _dealt_together(clips: Clips, by_speaker: bool) -> Iterator[list[list[int]]]:
    """Yields the groups of clips that stay together: the speakers, then for each label the single clips."""
    speakers: dict[str, list[int]] = {}
    singles: dict[str, list[int]] = {}
    for index, (label, speaker) in enumerate(zip(clips.labels, clips.speakers, strict=True)):
        groups, key = (speakers, speaker) if by_speaker and speaker else (singles, label)
        groups.setdefault(key, []).append(index)
    by_size = sorted(speakers, key=lambda speaker: (-len(speakers[speaker]), _digest(speaker.encode())))
    yield [speakers[speaker] for speaker in by_size]
    for indices in singles.values():
        yield [[index] for index in sorted(indices, key=lambda index: _digest(clips.waveforms[index].tobytes()))]


def _digest(data: bytes) -> bytes:
    """Returns the sha256, which orders what has no order of its own."""
    return hashlib.sha256(data).digest()
