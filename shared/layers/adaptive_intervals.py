"""Forecast intervals that widen and narrow online until they cover what they promise."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["AdaptiveIntervals", "width_towards"]

State = dict[str, Any]

_NO_FORECAST = tf.int64.min
_SMOOTHING = 0.05
_WIDEST, _NARROWEST = 8.0, 1 / 8
_SMALLEST_WIDTH = 1e-30  # whatever the unit of the data, no real width is smaller


class AdaptiveIntervals:
    """Tracks, per target, horizon and quantile level, the factor that makes the distance to the median right.

    The quantile tracker of Angelopoulos, Candes & Tibshirani 2023 (arXiv 2307.16895, eq. 3), a form of adaptive
    conformal inference (Gibbs & Candes 2021): whenever the truth lies beyond a quantile at distance d from the median,
    the factor of that level grows, otherwise it shrinks, so that the long-run share of misses is the promised one
    whatever the data do. Here the factor moves on a logarithmic scale, and a miss counts as a steep sigmoid instead of
    a step, so that rounding in the last bit of a forecast cannot flip an update.

    A forecast h steps ahead can be judged only h steps later, so it waits in the state. To bound the state of long
    horizons, the factors are tracked at a few anchor horizons and interpolated in between; forecasts wait in one ring
    of h slots for each anchor h, found by the number of the grid step they are for, so that gaps leave no trace.

    Args:
        horizon: H.
        targets: Y.
        levels: Q rising quantile levels, symmetric around the median.
        rate: step size of the factors; 0 keeps the model's own intervals.
        slots: the largest number of waiting forecasts, summed over the anchors.
        relative: maps (values, level) to the space of the forecasts, in which they stand relative to the level.
    """

    def __init__(
        self,
        horizon: int,
        targets: int,
        levels: Sequence[float],
        rate: float,
        slots: int = 128,
        relative: Callable[[Any, Any], Any] = operator.sub,
    ) -> None:
        self.horizon, self.targets, self.rate, self.relative = horizon, targets, rate, relative
        self.side = len(levels) // 2
        upper = np.asarray(levels[self.side + 1 :], np.float32)
        self.allowed = np.concatenate([upper[::-1], upper])  # reversed: the levels below the median mirror those above
        self.allowed = (1 - self.allowed).astype(np.float32)  # promised share of misses beyond each level
        self.anchors = _choose_anchors(horizon, slots)
        self.interpolation = _interpolation(self.anchors, horizon)  # [H, A]
        self.ring_begin = np.cumsum(self.anchors) - self.anchors  # [A] first slot of each anchor's ring
        self.slot_horizon = np.repeat(self.anchors, self.anchors)  # [S]
        self.slot_position = np.concatenate([np.arange(anchor) for anchor in self.anchors])  # [S] place in its ring

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch dimension, of the state; `due` is int64, the others float32."""
        slots, sides = len(self.slot_horizon), 2 * self.side
        return {
            "log_factor": (len(self.anchors), self.targets, sides),
            "due": (slots,),
            "level": (slots, self.targets),
            "median": (slots, self.targets),
            "distance": (slots, self.targets, sides),
        }

    def initial_state(self, batch_size: Any) -> State:
        """Factors of one and no waiting forecast."""
        shapes = self.state_shapes
        state = {name: tf.zeros((batch_size, *shape)) for name, shape in shapes.items() if name != "due"}
        return state | {"due": tf.fill((batch_size, *shapes["due"]), _NO_FORECAST)}

    def step(self, values: Any, index: Any, level: Any, quantiles: Any, counts: Any, state: State) -> tuple[Any, State]:
        """Learns from one row and adapts the forecasts made after it.

        Forecasts are kept relative to the level they start from: added to it, they would lose digits.

        Args:
            values: [B, Y], the row's targets; NaN where missing.
            index: int64 [B], the number of the row's grid step.
            level: [B, Y], what `quantiles` are relative to.
            quantiles: [B, H, Y, Q], the model's forecasts after this row, relative to `level`.
            counts: bool [B]; rows with False change nothing.
            state: see `state_shapes`.

        Returns:
            adapted quantiles [B, H, Y, Q], relative to `level`, rising along Q, and the state.
        """
        state = dict(state)
        median = quantiles[..., self.side]  # [B, H, Y]
        distance = tf.abs(quantiles - median[..., None])  # [B, H, Y, Q]
        distance = tf.concat([distance[..., : self.side], distance[..., self.side + 1 :]], axis=-1)  # [B, H, Y, Q-1]

        state["log_factor"] = self._learn(values, index, counts, state)

        in_ring = (index[:, None] % self.slot_horizon) == self.slot_position  # [B, S] one slot for each anchor
        write = in_ring & counts[:, None]
        horizons = self.slot_horizon - 1
        state["due"] = tf.where(write, index[:, None] + self.slot_horizon, state["due"])
        state["level"] = tf.where(write[..., None], level[:, None], state["level"])
        state["median"] = tf.where(write[..., None], tf.gather(median, horizons, axis=1), state["median"])
        state["distance"] = tf.where(write[..., None, None], tf.gather(distance, horizons, axis=1), state["distance"])
        return self._adapt(median, distance, state["log_factor"]), state

    def _learn(self, values: Any, index: Any, counts: Any, state: State) -> Any:
        """The factors [B, A, Y, Q-1] after comparing the waiting forecasts that are due with the truth."""
        slot = self.ring_begin + index[:, None] % self.anchors  # [B, A] where the forecasts for this step wait
        due, level, median, distance = (
            tf.gather(state[name], slot, axis=1, batch_dims=1) for name in ("due", "level", "median", "distance")
        )
        error = (self.relative(values[:, None], level) - median)[..., None]  # [B, A, Y, 1]
        direction = np.repeat(np.array([-1.0, 1.0], np.float32), self.side)
        score = direction * error / tf.maximum(distance, _SMALLEST_WIDTH)
        miss = tf.sigmoid((score / tf.exp(state["log_factor"]) - 1) / _SMOOTHING)
        is_due = (due == index[:, None]) & counts[:, None]  # [B, A]
        known = is_due[..., None, None] & ~tf.math.is_nan(error)
        moved = state["log_factor"] + tf.where(known, self.rate * (miss - self.allowed), 0.0)
        return tf.clip_by_value(moved, np.log(_NARROWEST), np.log(_WIDEST))

    def _adapt(self, median: Any, distance: Any, log_factor: Any) -> Any:
        factor = tf.exp(log_factor)  # [B, A, Y, Q-1]
        if len(self.anchors) < self.horizon:
            factor = tf.exp(tf.einsum("ha,bayq->bhyq", self.interpolation, log_factor))
        adapted = distance * factor
        # Sorting outward from the median keeps the quantiles from crossing.
        below = -tf.sort(adapted[..., : self.side], axis=-1, direction="DESCENDING")
        above = tf.sort(adapted[..., self.side :], axis=-1)
        offsets = tf.concat([below, tf.zeros_like(median)[..., None], above], axis=-1)
        return median[..., None] + offsets


def width_towards(values: Any, quantiles: Any) -> Any:
    """Distance of the outermost quantile from the median, on the side on which the values lie.

    Args:
        values: [B, Y], NaN where missing.
        quantiles: [B, Y, Q], rising.

    Returns:
        float32 [B, Y].
    """
    median = quantiles[..., quantiles.shape[-1] // 2]
    return tf.where(values < median, median - quantiles[..., 0], quantiles[..., -1] - median)


def _choose_anchors(horizon: int, slots: int) -> np.ndarray:
    """Rising horizons whose sum is at most `slots`: all of them if that fits, else denser near 1."""
    if horizon * (horizon + 1) // 2 <= slots:
        return np.arange(1, horizon + 1)
    last = min(horizon, max(slots // 2, 1))  # beyond it the factors of the last anchor hold
    for count in range(last, 1, -1):
        anchors = np.unique(np.geomspace(1, last, count).round().astype(int))
        if anchors.sum() <= slots:
            return anchors
    return np.array([1])


def _interpolation(anchors: np.ndarray, horizon: int) -> np.ndarray:
    """Weights [H, A] of linear interpolation between anchors; constant beyond the last."""
    rows = [np.interp(np.arange(1, horizon + 1), anchors, unit) for unit in np.eye(len(anchors))]
    return np.stack(rows, axis=1).astype(np.float32)
