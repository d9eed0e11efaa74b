"""Recordings of unequal length as one batch of inputs, and what follows on them."""

from collections.abc import Sequence

import numpy as np

from runnel.apps.speech_commands.data import HOP

__all__ = ["pad_waveforms", "with_silence_after"]


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


def with_silence_after(waveform: np.ndarray, smoothing_frames: int) -> np.ndarray:
    """A recording as `serving_default` hears it, float32 [N]: an event at its very end comes in what follows on it.

    Args:
        waveform: float32 [N]; one without a complete frame stays as it is.
        smoothing_frames: that an event is decided on, and so many frames of silence follow.
    """
    return waveform if len(waveform) < HOP else np.pad(waveform, (0, smoothing_frames * HOP))
