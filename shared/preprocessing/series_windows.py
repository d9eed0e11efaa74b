"""Training windows over one or more series, cut so that no row of a later split is ever seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.shared.preprocessing.time_grid import TimeGrid

__all__ = ["SeriesWindows", "TimeSplit", "split_by_timestamp", "split_instants"]

_KEYS_PER_SERIES = 2**48


@dataclass(frozen=True)
class TimeSplit:
    """Where validation and test begin, as row numbers of one series: training is [0, validation)."""

    validation: int
    test: int
    end: int


def split_instants(timestamps: Sequence[np.ndarray], validation: float = 0.1, test: float = 0.2) -> tuple[int, int]:
    """Where validation and test begin, in Unix seconds, so that about these shares of all rows come after.

    The instants are the same for all series: a model of many series must not know one series' past from the future of
    another.

    Args:
        timestamps: one int64 [T] for each series, rising.
        validation: share of the rows between the two instants.
        test: share of the rows from the second instant on.
    """
    every = np.sort(np.concatenate(timestamps))
    test_start = len(every) - round(len(every) * test)
    validation_start = test_start - round(len(every) * validation)
    after = np.append(every, every[-1] + 1)
    return int(after[validation_start]), int(after[test_start])


def split_by_timestamp(timestamps: np.ndarray, validation_start: int, test_start: int) -> TimeSplit:
    """Splits a series at two instants in Unix seconds; a row at an instant belongs to the later split."""
    first, second = np.searchsorted(timestamps, [validation_start, test_start])
    return TimeSplit(int(first), int(second), len(timestamps))


class SeriesWindows:
    """Cuts windows of consecutive rows, and the targets that follow each row, out of rows held in memory.

    A target is looked up by the number of its grid step, not by its position: where no row stands at that step it is
    NaN. Only rows handed over here can be seen, so a split cannot leak into one before it.

    Args:
        timestamps: one int64 [T] for each series, rising.
        values: one float32 [T, F] for each series, targets first, NaN where missing.
        targets: Y.
        grid: the grid of time steps.
        horizon: H, how many steps after a row its targets reach.
    """

    def __init__(
        self,
        timestamps: Sequence[np.ndarray],
        values: Sequence[np.ndarray],
        targets: int,
        grid: TimeGrid,
        horizon: int,
    ) -> None:
        self.lengths = np.array([len(series) for series in timestamps])
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        self.targets, self.grid, self.horizon = targets, grid, horizon
        series = np.repeat(np.arange(len(self.lengths)), self.lengths)
        self._timestamps = tf.constant(np.concatenate(timestamps), tf.int64)
        self._values = tf.constant(np.concatenate(values), tf.float32)
        # A key names (series, grid step), so that one sorted search finds the row of any step of any series.
        index = grid.index(self._timestamps)
        self._keys = tf.constant(series * _KEYS_PER_SERIES, tf.int64) + index - tf.reduce_min(index)

    def ends(self, length: int, first: Sequence[int] | None = None, stride: int = 1) -> np.ndarray:
        """Last rows of the windows of `length` rows, as int64 row numbers over all series together.

        Args:
            length: rows in a window.
            first: for each series, the first row that may end a window; its first full window by default.
            stride: distance between the ends of neighbouring windows.
        """
        starts = np.zeros(len(self.lengths), int) if first is None else np.asarray(first)
        return np.concatenate(
            [
                np.arange(offset + max(length - 1, start), offset + rows, stride)
                for offset, rows, start in zip(self.offsets[:-1], self.lengths, starts, strict=True)
            ]
        ).astype(np.int64)

    def gather(self, ends: Any, length: int, supervised: int) -> dict[str, tf.Tensor]:
        """The windows that end at rows `ends` [B].

        Returns:
            `observation` float32 [B, W, F], `timestamp` int64 [B, W], `mask` bool [B, W], and `targets` float32
            [B, S, H, Y] of the last S = `supervised` rows, NaN where unknown.
        """
        rows = ends[:, None] - tf.range(length - 1, -1, -1, dtype=tf.int64)  # [B, W]
        return {
            "observation": tf.gather(self._values, rows),
            "timestamp": tf.gather(self._timestamps, rows),
            "mask": tf.ones_like(rows, tf.bool),
            "targets": self.future(rows[:, -supervised:]),
        }

    def future(self, rows: tf.Tensor) -> tf.Tensor:
        """The targets float32 [..., H, Y] at the H steps after each of these rows, NaN where there is none.

        Args:
            rows: int64 [...], row numbers over all series together.
        """
        wanted = tf.gather(self._keys, rows)[..., None] + tf.range(1, self.horizon + 1, dtype=tf.int64)  # [..., H]
        found = tf.searchsorted(self._keys, tf.reshape(wanted, [-1]), out_type=tf.int64)
        found = tf.reshape(tf.minimum(found, tf.shape(self._keys, tf.int64)[0] - 1), tf.shape(wanted))
        known = tf.gather(self._keys, found) == wanted
        return tf.where(known[..., None], tf.gather(self._values[:, : self.targets], found), np.nan)
