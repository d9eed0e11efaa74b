"""The score from which on a row raises an alarm, for a budget of false alarms."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runnel.shared.evaluation.alarm_scores import alarm_stretches

__all__ = ["choose_alarm_threshold"]

_TAIL = 0.98  # quantile of the scores beyond which peaks are counted
_FEWEST_PEAKS = 10


def choose_alarm_threshold(
    scores: Sequence[NDArray[np.floating]], weeks: float, false_alarms_per_week: float, default: float
) -> float:
    """Chooses a threshold that other rows without a fault reach so often a week.

    The rows need not be many: beyond their 98 % quantile the scores of independent peaks are exponential, and the
    threshold lies where that tail has the rate asked for (peaks over a threshold: Coles 2001, "An introduction to
    statistical modeling of extreme values", section 4.3). Scores of one burst, close enough to be one alarm, are one
    peak. The scale of the tail is that of the median peak, so that a few faults nobody labelled move it little.

    Args:
        scores: [T] of each series, from 0 to 1, on rows that count as normal.
        weeks: how long those rows took, all series together.
        false_alarms_per_week: the budget, above 0.
        default: what is chosen where there are too few peaks to tell.

    Returns:
        the threshold, in (0, 1].
    """
    joined = np.concatenate(scores) if len(scores) else np.zeros(0)
    begin = float(np.quantile(joined, _TAIL)) if len(joined) else 0.0
    peaks = np.concatenate([_peaks(one, begin) for one in scores]) if len(scores) else np.zeros(0)
    if len(peaks) < _FEWEST_PEAKS:
        return max(begin, default)
    scale = float(np.median(peaks - begin) / np.log(2))
    threshold = begin + scale * np.log(len(peaks) / (weeks * false_alarms_per_week))
    return float(np.clip(threshold, np.finfo(np.float32).eps, 1.0))


def _peaks(scores: NDArray[np.floating], begin: float) -> NDArray[np.floating]:
    """The largest score of each burst of scores above `begin`."""
    bursts = alarm_stretches(scores > begin)
    return np.array([scores[burst.begin : burst.end].max() for burst in bursts])
