"""16-bit samples -> audio as floats."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["FULL_SCALE", "to_float32"]

FULL_SCALE = 32768  # the largest absolute value of a 16-bit sample


def to_float32(samples: np.ndarray) -> NDArray[np.float32]:
    """Returns float32 [N] in [-1, 1): the samples divided by 32,768.

    Args:
        samples: int16 [N].
    """
    return samples.astype(np.float32) / np.float32(FULL_SCALE)
