"""Forecast intervals that widen and narrow online until they cover what they promise."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["AdaptiveIntervals", "surprise"]

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
        self.slot_anchor = np.repeat(np.arange(len(self.anchors)), self.anchors)  # [S] which anchor a slot serves
        self.slot_horizon = np.repeat(self.anchors, self.anchors)  # [S]
        self.slot_position = np.concatenate([np.arange(anchor) for anchor in self.anchors])  # [S] place in its ring

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch dimension, of the state; `due` is int64, the others float32."""
        slots, sides = len(self.slot_anchor), 2 * self.side
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

        in_ring = (index[:, None] % self.slot_horizon) == self.slot_position  # [B, S] one slot for each anchor
        is_due = in_ring & (state["due"] == index[:, None]) & counts[:, None]
        state["log_factor"] = self._learn(values, is_due, state)

        write = in_ring & counts[:, None]
        horizons = self.slot_horizon - 1
        state["due"] = tf.where(write, index[:, None] + self.slot_horizon, state["due"])
        state["level"] = tf.where(write[..., None], level[:, None], state["level"])
        state["median"] = tf.where(write[..., None], tf.gather(median, horizons, axis=1), state["median"])
        state["distance"] = tf.where(write[..., None, None], tf.gather(distance, horizons, axis=1), state["distance"])
        return self._adapt(median, distance, state["log_factor"]), state

    def _learn(self, values: Any, is_due: Any, state: State) -> Any:
        """The factors [B, A, Y, Q-1] after comparing the waiting forecasts that are due with the truth."""
        factor = tf.gather(tf.exp(state["log_factor"]), self.slot_anchor, axis=1)  # [B, S, Y, Q-1]
        error = (self.relative(values[:, None], state["level"]) - state["median"])[..., None]  # [B, S, Y, 1]
        direction = np.repeat(np.array([-1.0, 1.0], np.float32), self.side)
        score = direction * error / tf.maximum(state["distance"], _SMALLEST_WIDTH)
        miss = tf.sigmoid((score / factor - 1) / _SMOOTHING)
        known = is_due[..., None, None] & ~tf.math.is_nan(error)
        move = tf.where(known, self.rate * (miss - self.allowed), 0.0)
        of_anchor = tf.one_hot(self.slot_anchor, len(self.anchors), axis=0)  # [A, S]
        moved = state["log_factor"] + tf.einsum("as,bsyq->bayq", of_anchor, move)
        return tf.clip_by_value(moved, np.log(_NARROWEST), np.log(_WIDEST))

    def _adapt(self, median: Any, distance: Any, log_factor: Any) -> Any:
        factor = tf.exp(tf.einsum("ha,bayq->bhyq", self.interpolation, log_factor))
        adapted = distance * factor
        # Sorting outward from the median keeps the quantiles from crossing.
        below = -tf.sort(adapted[..., : self.side], axis=-1, direction="DESCENDING")
        above = tf.sort(adapted[..., self.side :], axis=-1)
        offsets = tf.concat([below, tf.zeros_like(median)[..., None], above], axis=-1)
        return median[..., None] + offsets


def surprise(values: Any, quantiles: Any, levels: Sequence[float]) -> Any:
    """How unusual values are under the quantiles forecast for them: 0 at the median, towards 1 far outside.

    A row's score is 1 - p, where p is the two-sided tail probability of its most unusual target, corrected for the
    number of targets known (Sidak). Between the levels the distribution is linear, beyond them exponential.

    Args:
        values: [B, Y], NaN where missing.
        quantiles: [B, Y, Q], NaN where there was no forecast.
        levels: Q rising levels.

    Returns:
        float32 [B] in [0, 1]; 0 where nothing is known.
    """
    chances = np.asarray(levels, np.float32)
    side = len(chances) // 2
    mirrored = values < quantiles[..., side]
    outward = tf.where(mirrored[..., None], -quantiles[..., ::-1], quantiles)[..., side:]  # [B, Y, Q/2+1] from median
    position = tf.where(mirrored, -values, values)[..., None]
    width = tf.maximum(outward[..., 1:] - outward[..., :-1], _SMALLEST_WIDTH)
    inside = tf.reduce_sum(
        tf.clip_by_value((position - outward[..., :-1]) / width, 0.0, 1.0) * np.diff(chances[side:]), -1
    )
    # The exponential tail continues the slope between the last two levels.
    tail = 1 - chances[-1]
    rate = np.log((1 - chances[-2]) / tail) / width[..., -1]
    beyond = tail * (1 - tf.exp(-rate * tf.maximum(position[..., 0] - outward[..., -1], 0.0)))
    score = tf.clip_by_value(2 * (inside + beyond), 0.0, 1.0)  # [B, Y]
    known = tf.math.is_finite(score)
    worst = tf.reduce_max(tf.where(known, score, 0.0), axis=-1)
    count = tf.reduce_sum(tf.cast(known, tf.float32), axis=-1)
    return tf.where(count > 0, tf.pow(worst, tf.maximum(count, 1.0)), 0.0)


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
