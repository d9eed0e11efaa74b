"""How rare a value is among those that a stream has shown before it, learned online."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["SURPRISE_AT_THRESHOLD", "TailSurprise"]

State = dict[str, Any]

_TAIL_SHARE = 0.005  # of all values, those in the tail; the threshold is where it begins
SURPRISE_AT_THRESHOLD = -float(np.log(_TAIL_SHARE))  # nats

_RATE = 0.02  # of the threshold, on a logarithmic scale
_FIRST_ROWS = 10  # the rate begins as one over so many rows
_EXCESS_MEMORY = 0.9  # weight of the mean excess so far when one more comes in
_BURST_MEMORY = 0.9  # of the count of recent values in the tail
_LARGEST_EXCESS = 4.0  # in mean excesses: what a single value may add
_SMALLEST_EXCESS = 0.02
_SMOOTHING = 0.02  # of the step from outside the tail to inside, on a logarithmic scale
_TINY = 1e-6  # values below are all the same


class TailSurprise:
    """Gives -ln P(a value as large as this or larger) of each of K non-negative statistics, row by row.

    Peaks over a threshold, kept online. The threshold u is where the largest 0.5 % of the values begin, followed
    by a quantile tracker (Angelopoulos, Candes & Tibshirani 2023, arXiv 2307.16895, eq. 3) on a logarithmic scale.
    Beyond it the tail is a power law, whose exponent is the mean of ln(value / u) over the values in the tail (Hill
    1975, eq. 2.4); below it the distribution is exponential, so that the two meet in u:

        -ln P = -ln(0.005) * value / u              up to u
        -ln P = -ln(0.005) + ln(value / u) / excess   beyond

    The same idea with another tail: SPOT (Siffer et al. 2017, "Anomaly detection in streams with extreme value
    theory"). Values in the tail come in bursts, and one burst is one observation of what is rare: each counts for
    1 / (1 + n), where n is the decayed number of those shortly before it. So a fault does not teach in an hour that
    faults are normal, and a lasting change is learned all the same.

    Args:
        threshold: K positive numbers, u at the beginning of a stream.
        excess: K positive numbers, the mean excess at the beginning of a stream.
        excess_weight: how many values in the tail that beginning counts for.
    """

    def __init__(self, threshold: Sequence[float], excess: Sequence[float], excess_weight: float = 10.0) -> None:
        self.threshold = np.asarray(threshold, np.float32)
        self.excess = np.asarray(excess, np.float32)
        self.excess_weight = excess_weight

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch dimension, of the state; all float32."""
        return dict.fromkeys(("log_threshold", "excess", "excess_weight", "burst", "rows"), (len(self.threshold),))

    def initial_state(self, batch_size: Any) -> State:
        """What is known before the first row."""
        zeros = tf.zeros([batch_size, len(self.threshold)])
        return {
            "log_threshold": zeros + np.log(self.threshold),
            "excess": zeros + self.excess,
            "excess_weight": zeros + self.excess_weight,
            "burst": zeros,
            "rows": zeros,
        }

    def step(self, values: Any, counts: Any, state: State) -> tuple[Any, State]:
        """Judges a row by those before it, then learns from it.

        Args:
            values: float32 [B, K], NaN where unknown.
            counts: bool [B]; rows with False change nothing.
            state: see `state_shapes`.

        Returns:
            -ln P float32 [B, K], NaN where unknown, and the state.
        """
        distance = tf.math.log(tf.maximum(values, _TINY)) - state["log_threshold"]  # ln(value / u)
        surprise = SURPRISE_AT_THRESHOLD * tf.exp(tf.minimum(distance, 0.0))
        surprise += tf.maximum(distance, 0.0) / state["excess"]

        in_tail = tf.sigmoid(distance / _SMOOTHING)  # a step would make the last bit of a forecast decide
        weight = in_tail / (1 + state["burst"])
        share = weight / (state["excess_weight"] + weight)
        beyond = tf.clip_by_value(distance, 0.0, _LARGEST_EXCESS * state["excess"])
        excess = state["excess"] + share * (beyond - state["excess"])
        rate = tf.maximum(_RATE, 1 / (_FIRST_ROWS + state["rows"]))
        learned = {
            "log_threshold": state["log_threshold"] + rate * (weight - _TAIL_SHARE),
            "excess": tf.maximum(excess, _SMALLEST_EXCESS),
            "excess_weight": tf.minimum(state["excess_weight"] + weight, 1 / (1 - _EXCESS_MEMORY)),
            "burst": _BURST_MEMORY * state["burst"] + in_tail,
            "rows": tf.minimum(state["rows"] + 1, 1 / _RATE),
        }
        known = counts[:, None] & tf.math.is_finite(values)
        return surprise, {name: tf.where(known, learned[name], state[name]) for name in state}
