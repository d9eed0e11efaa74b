"""What a monitoring tool offers without a model: scores of unusual rows to compare with."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_ndtr

from runnel.shared.layers.anomaly_score import DECADES

__all__ = ["ALARM_BASELINES", "exponential_average_chart", "windowed_gaussian"]

_WEIGHT = 0.2  # of the newest value in the control chart
_SMALLEST_SHARE = 1e-9  # of the largest absolute value: a standard deviation below is none

Floats = NDArray[np.float64]


def windowed_gaussian(values: Floats, known: int, window: int) -> Floats:
    """Running z-scores: how far each value is from the mean of those before it, in their standard deviation.

    Args:
        values: [T, Y], NaN where missing.
        known: rows at the beginning that count as normal; only how many, as nothing is fitted to them.
        window: rows before each that mean and deviation are taken from.

    Returns:
        float64 [T], from 0 to 1: a tenth for each power of ten of the chance, of the most unusual column.
    """
    del known
    past = pd.DataFrame(values).shift(1).rolling(window, min_periods=2)
    return _score(values - past.mean().to_numpy(), past.std(ddof=0).to_numpy(), values)


def exponential_average_chart(values: Floats, known: int, window: int) -> Floats:
    """The control chart of exponentially weighted averages (Roberts 1959): how far they are from what is normal.

    Args:
        values: [T, Y], NaN where missing.
        known: rows at the beginning that count as normal; mean and deviation are those of them.
        window: not used.

    Returns:
        As `windowed_gaussian`.
    """
    del window
    average = pd.DataFrame(values).ewm(alpha=_WEIGHT, adjust=False).mean()
    normal = average.iloc[:known]
    return _score((average - normal.mean()).to_numpy(), normal.std(ddof=0).to_numpy(), values)


def _score(distance: Floats, deviation: Floats, values: Floats) -> Floats:
    """From distances [T, Y] and standard deviations [T, Y] or [Y] to scores [T]; 0 where nothing is known."""
    smallest = _SMALLEST_SHARE * max(float(np.nanmax(np.abs(values), initial=0.0)), 1e-30)
    sizes = np.abs(distance) / np.maximum(deviation, smallest)
    decades = -(log_ndtr(-np.nan_to_num(sizes, nan=0.0)) + np.log(2)) / np.log(10)
    return np.clip(decades.max(axis=1) / DECADES, 0.0, 1.0)


ALARM_BASELINES: Mapping[str, Callable[[Floats, int, int], Floats]] = MappingProxyType(
    {"running z-score": windowed_gaussian, "EWMA control chart": exponential_average_chart}
)
