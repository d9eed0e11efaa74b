"""How long values stay the same, or stay away, in the training rows of some series."""

from collections.abc import Sequence

import numpy as np

__all__ = ["NOT_WATCHED", "longest_gaps", "longest_repeats"]

NOT_WATCHED = 1e9  # rows: no run is as long

_COMMON_SHARE = 0.02  # of all values, repeated ones beyond which nobody can tell that a sensor is stuck


def longest_repeats(values: Sequence[np.ndarray]) -> tuple[float, ...]:
    """How often in a row a known value repeats itself, at the most, in the median series; of each column.

    `NOT_WATCHED` where values repeat themselves all the time, as counts and coarse sensors do.

    Args:
        values: [T, F] of each series, NaN where missing.
    """
    longest = []
    for column in range(values[0].shape[1]):
        known = [series[~np.isnan(series[:, column]), column] for series in values]
        repeats = [series[1:] == series[:-1] for series in known]
        share = np.concatenate(repeats).mean() if sum(map(len, repeats)) else 1.0
        usual = float(np.median([_longest_run(one) for one in repeats]))
        longest.append(usual if share <= _COMMON_SHARE else NOT_WATCHED)
    return tuple(longest)


def longest_gaps(values: Sequence[np.ndarray]) -> tuple[float, ...]:
    """How many values in a row are missing, at the most, in the median series; of each column.

    Args:
        values: [T, F] of each series, NaN where missing.
    """
    columns = range(values[0].shape[1])
    return tuple(
        float(np.median([_longest_run(np.isnan(series[:, column])) for series in values])) for column in columns
    )


def _longest_run(happens: np.ndarray) -> int:
    """How often in a row something happens at the most, of bool [T]."""
    breaks = np.flatnonzero(np.concatenate([[True], ~happens, [True]]))
    return int(np.diff(breaks).max() - 1)
