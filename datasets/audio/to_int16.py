"""Audio as floats -> 16-bit samples."""

import numpy as np

from runnel.datasets.audio.to_float32 import FULL_SCALE

__all__ = ["to_int16"]


def to_int16(waveform: np.ndarray) -> np.ndarray:
    """Returns int16 [N]: the samples times 32,768, rounded, and held within 16 bits.

    Args:
        waveform: float32 [N] in [-1, 1].
    """
    return np.clip(np.rint(waveform * np.float32(FULL_SCALE)), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
