"""Where an instant stands in the day, the week and the year, as points on circles."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.shared.preprocessing.time_grid import SECONDS_PER_DAY, TimeGrid

__all__ = ["SECONDS_PER_WEEK", "SECONDS_PER_YEAR", "calendar_features", "choose_calendar_periods"]

SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY
SECONDS_PER_YEAR = 31_556_952  # mean Gregorian year


def calendar_features(timestamps: Any, periods: Sequence[int]) -> tf.Tensor:
    """Sine and cosine of the phase of each timestamp in each period.

    Args:
        timestamps: int64 [...], Unix seconds.
        periods: P periods in seconds.

    Returns:
        float32 [..., 2P]: the sines, then the cosines.
    """
    periods = tf.constant(list(periods), tf.int64)
    # The remainder is taken in integers: float32 cannot hold today's Unix seconds.
    remainders = tf.convert_to_tensor(timestamps, tf.int64)[..., None] % periods
    angles = 2 * math.pi * tf.cast(remainders, tf.float32) / tf.cast(periods, tf.float32)
    return tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)


def choose_calendar_periods(timestamps: list[np.ndarray], grid: TimeGrid) -> tuple[int, ...]:
    """The periods among day, week and year that these series resolve and see at least 1.8 times over."""
    span = max(int(series[-1] - series[0]) for series in timestamps)
    return tuple(
        period
        for period in (SECONDS_PER_DAY, SECONDS_PER_WEEK, SECONDS_PER_YEAR)
        if 2 * grid.seconds < period <= span / 1.8
    )
