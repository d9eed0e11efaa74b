"""Background recordings -> train, validation and test, no part of one in two splits."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

import numpy as np

from runnel.datasets.audio.resample import SAMPLE_RATE
from runnel.datasets.audio.split_clips import deal

__all__ = ["split_noises"]

_LONG = 10 * SAMPLE_RATE  # Samples; a tenth of it is a second.


def split_noises(recordings: Sequence[np.ndarray], shares: Mapping[str, float]) -> dict[str, list[np.ndarray]]:
    """Cuts recordings of ten seconds or more in time; shorter ones go whole to one split.

    Args:
        recordings: int16 [N] each.
        shares: Share of the samples by split, in the order of time; only their proportions count.

    Returns:
        The recordings of each split; a split may have none. Empty recordings are left out.
    """
    total = sum(shares.values())
    ends = [0.0, *accumulate(share / total for share in shares.values())]
    parts: dict[str, list[np.ndarray]] = {split: [] for split in shares}
    for recording in recordings:
        if len(recording) >= _LONG:
            for split, (begin, end) in zip(shares, pairwise(ends), strict=True):
                parts[split].append(recording[round(begin * len(recording)) : round(end * len(recording))])
    short = sorted(
        (recording for recording in recordings if 0 < len(recording) < _LONG),
        key=lambda recording: (-len(recording), hashlib.sha256(recording.tobytes()).digest()),
    )
    for recording, split in zip(short, deal([len(recording) for recording in short], shares), strict=True):
        parts[split].append(recording)
    return parts
