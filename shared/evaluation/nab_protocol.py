"""The scoring of the Numenta Anomaly Benchmark: early detections are worth most, late false alarms cost most.

Written from the definition: Lavin & Ahmad 2015, "Evaluating real-time anomaly detection algorithms: the Numenta anomaly
benchmark" (arXiv 1510.03336, section II), with the constants of version 1.1 of the benchmark. Every anomaly has a
window of rows around it. A row whose score reaches the threshold is a detection. The earliest detection in a window
counts: nearly 1 at its left edge, 0 behind its right edge, along a sigmoid. A window without one costs a missed
detection. A detection outside all windows costs a false alarm: little just behind a window, all of it further on. The
first rows of a series, its probationary part, count for nothing. One threshold is chosen for all series, the one that
gives the best sum, and the sum is put on a scale on which a detector that never says anything has 0, and a perfect one
100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = ["PROFILES", "NabScore", "NabSeries", "Profile", "probationary_rows", "score_nab"]

_PROBATION_SHARE, _MOST_ROWS = 0.15, 5_000  # of a series, of at most so many of its rows
_STEEPNESS = 5.0
_FAR = 3.0  # window lengths behind a window, beyond which a false alarm costs all of it

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """What a detection in time, a missed window and a false alarm weigh."""

    true_positive: float
    false_negative: float
    false_positive: float


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "standard": Profile(1.0, 1.0, 0.11),
        "reward low FP": Profile(1.0, 1.0, 0.22),
        "reward low FN": Profile(1.0, 2.0, 0.11),
    }
)


@dataclass(frozen=True, eq=False)
class NabSeries:
    """The scores of one series.

    Attributes:
        scores: [T], higher is more anomalous.
        windows: first and last row of each window, in order, apart from each other.
    """

    scores: Floats
    windows: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class NabScore:
    """What a detector reaches.

    Attributes:
        score: 0 for a detector that never says anything, 100 for a perfect one.
        threshold: the score from which on a row is a detection; infinity where saying nothing is best.
        found: windows with a detection.
        windows: all windows.
        false_alarms: rows outside all windows that are detections.
    """

    score: float
    threshold: float
    found: int
    windows: int
    false_alarms: int


def probationary_rows(rows: int) -> int:
    """How many rows at the beginning of a series of so many are for learning alone."""
    return int(_PROBATION_SHARE * min(rows, _MOST_ROWS))


def score_nab(series: Sequence[NabSeries], profile: Profile = PROFILES["standard"]) -> NabScore:
    """Scores a detector on all series together, at the threshold that is best for it.

    Raises:
        ValueError: there is no window.
    """
    windows = sum(len(one.windows) for one in series)
    if not windows:
        raise ValueError("received series without a window; expected at least one anomaly")
    parts = [part for one in series for part in (_outside(one, profile), *_inside(one, profile))]
    scores, gains, found, alarms = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(-scores, kind="stable")
    scores, gain = scores[order], np.cumsum(gains[order])
    last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))  # rows of one score are detected together
    best = last[np.argmax(gain[last])]
    reachable = windows * (profile.true_positive + profile.false_negative)
    if gain[best] <= 0:
        return NabScore(0.0, np.inf, 0, windows, 0)
    counts = (int(column[order][: best + 1].sum()) for column in (found, alarms))
    found_windows, false_alarms = counts
    return NabScore(100 * float(gain[best]) / reachable, float(scores[best]), found_windows, windows, false_alarms)


def _outside(series: NabSeries, profile: Profile) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each row outside all windows its score, what it changes as a detection, and (0, 1) as no window found."""
    rows = len(series.scores)
    value, is_outside = np.full(rows, -1.0), np.ones(rows, np.bool_)
    is_outside[: probationary_rows(rows)] = False
    ends = [*(begin for begin, _ in series.windows[1:]), rows][: len(series.windows)]
    for (begin, last), end in zip(series.windows, ends, strict=True):
        is_outside[begin : last + 1] = False
        behind = np.arange(last + 1, end)
        value[behind] = _sigmoid((behind - last) / max(last - begin, 1))
    scores, gains = series.scores[is_outside], profile.false_positive * value[is_outside]
    return scores, gains, np.zeros(len(scores)), np.ones(len(scores))


def _inside(series: NabSeries, profile: Profile) -> list[tuple[Floats, Floats, Floats, Floats]]:
    """Of each window the same, where a row changes something only if it is earlier than all that score higher."""
    parts = []
    for begin, last in series.windows:
        rows = np.arange(max(begin, probationary_rows(len(series.scores))), last + 1)
        if not len(rows):
            continue
        value = _sigmoid(-(last - rows + 1) / (last - begin + 1)) / _sigmoid(np.array(-1.0))
        order = np.argsort(-series.scores[rows], kind="stable")
        best = np.maximum.accumulate(profile.true_positive * value[order])
        is_first = np.zeros(len(rows))
        is_first[0] = 1
        parts.append((series.scores[rows][order], np.diff(best, prepend=-profile.false_negative), is_first, 0 * best))
    return parts


def _sigmoid(position: Floats) -> Floats:
    """From 1 at the left edge of a window (-1) over 0 at its right edge to -1 far behind it."""
    scaled = 2 / (1 + np.exp(_STEEPNESS * np.minimum(position, _FAR))) - 1
    return np.where(position > _FAR, -1.0, scaled)
