"""Recordings of unequal length as one batch of inputs."""

from collections.abc import Sequence

import numpy as np

__all__ = ["pad_waveforms"]


def pad_waveforms(waveforms: Sequence[np.ndarray], fill: float = 0.0) -> dict[str, np.ndarray]:
    """Puts recordings side by side, as inputs of `step` or `serving_default`.

    Args:
        waveforms: float32 [N] each, N may differ and be 0.
        fill: what stands behind the end of the shorter ones.

    Returns:
        `waveform` float32 [B, longest N] and `length` int32 [B].
    """
    lengths = np.array([len(waveform) for waveform in waveforms], np.int32)
    padded = np.full((len(waveforms), max(lengths, default=0)), fill, np.float32)
    for row, waveform in zip(padded, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return {"waveform": padded, "length": lengths}
