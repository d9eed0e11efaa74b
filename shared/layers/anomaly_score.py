"""From the errors of a forecaster to how unusual the recent rows are, and to alarms."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.shared.layers.explicit_state import part_of, with_prefix
from runnel.shared.layers.tail_surprise import SURPRISE_AT_THRESHOLD, TailSurprise

__all__ = ["DECADES", "AnomalyScore", "AnomalySpec", "score_of_chance"]

State = dict[str, Any]

# Of the chance of a false alarm, for the error of a row, the mean of the recent ones, and the mean of their sizes.
_SHARES = (1.0, 1.0, 0.3)
_RECENT = 0.9  # weight of the past in the recent means
_USUAL = 0.9998  # and in the usual size of an error
_PRIOR_ROWS = 10.0  # that the usual size at the beginning of a stream counts for
_LARGE = 4.0  # usual sizes, below which no error is large
_SMALLEST_UNIT = 1e-30  # whatever the unit of the data, no real error is smaller
DECADES = 10.0  # of the chance that the scores from 0 to 1 span
_SHORT_RUN = 3.0  # repeated or missing values in a row that are never unusual
_RUN_EXCESS = 0.3  # mean excess of the logarithm of the length of long runs
_LEARNT_RUN = 250.0  # rows after which a run that goes on is as long as runs are


@dataclass(frozen=True)
class AnomalySpec:
    """What is known of the errors before a stream begins; Y targets.

    The errors of several targets are followed by what is left of each when the others are known, E = 2 Y in all; those
    of a single target are E = 1.

    Attributes:
        threshold: [3 E], where the tail of each statistic begins: that of the row for each error, and so on.
        excess: [3 E], the mean excess in the tail.
        usual_error: [E], the mean size of an error.
        weights: [Y] of [Y], of the errors of the others in what is to be expected of each error in the same row.
        longest_repeat: [Y], how often in a row a value has repeated itself, at the most.
        longest_gap: [Y], how many values in a row have been missing, at the most.
        alarm: the score from which on there is an alarm.
    """

    threshold: tuple[float, ...]
    excess: tuple[float, ...]
    usual_error: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    longest_repeat: tuple[float, ...]
    longest_gap: tuple[float, ...]
    alarm: float

    @classmethod
    def untold(cls, targets: int) -> "AnomalySpec":
        """Of forecasts with normal errors, of values that neither repeat themselves nor are missing."""
        errors = targets if targets == 1 else 2 * targets
        tails = [value for value in (1.0, 0.5, 0.5) for _ in range(errors)]
        none = (0.0,) * targets
        return cls(tuple(tails), (0.15,) * len(tails), (0.0,) * errors, (none,) * targets, none, none, math.inf)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)


def score_of_chance(chance: float) -> float:
    """The score of rows as unusual as one in `1 / chance` is: a tenth for each power of ten, at most 1."""
    return min(-math.log10(chance) / DECADES, 1.0)


class AnomalyScore:
    """Scores each row by how rare recent errors like its own are: -log10 of the chance, a tenth for each power of ten.

    An error is measured in units of the forecast's width on its side (the distance of the outermost quantile from the
    median), but at least four times the usual size of an error: a wide forecast excuses an error, a narrow one does not
    accuse. Of several targets, what is left of an error when those of the others are known counts as a further error:
    what moves all of them together, such as a change of load, leaves little, and a sensor that is off alone leaves all.
    There are five reasons to be surprised:

    - the error of the row: a spike;
    - the mean of the recent errors, the short window against the long one (the idea of the anomaly likelihood, Lavin &
      Ahmad 2015, arXiv 1510.03336, section II-B): a drift, a change of level;
    - the mean of their sizes: a change of variance;
    - a value that goes on repeating itself: a sensor that is stuck;
    - a value that goes on being missing: one that is silent. (Rows that never come are for a watch on the clock.)

    How rare an error is says what the stream has shown so far (see `TailSurprise`), so the score is calibrated whatever
    the distribution of the errors, and gets used to what stays. Runs of repeated or missing values have a power law for
    a tail as well, which begins at the longest run so far, forgotten slowly. The rarest of all reasons counts, its
    chance divided by the share it is given (Bonferroni); the sizes, which say least that the others do not, are given a
    small one.

    Args:
        targets: Y.
        spec: what is known before the stream begins.
    """

    def __init__(self, targets: int, spec: AnomalySpec) -> None:
        self.targets, self.spec = targets, spec
        self.tail = TailSurprise(spec.threshold, spec.excess)
        longest = np.array([spec.longest_repeat, spec.longest_gap], np.float32).T
        self.longest = np.maximum(longest, _SHORT_RUN)  # [Y, 2] repeated, missing
        self.weights = np.array(spec.weights, np.float32)  # [Y, Y]
        self.errors = len(spec.usual_error)  # E
        shares = np.repeat(np.array(_SHARES) / (sum(_SHARES) * self.errors), self.errors)
        self.cost = -np.log([*shares, *[shares[0]] * (2 * targets)]).astype(np.float32)  # [3 E + 2 Y] nats

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch dimension, of the state; all float32."""
        names = ("usual_error", "usual_weight", "recent_error", "recent_size", "recent_weight")
        own = dict.fromkeys(names, (self.errors,)) | {"latest": (self.targets,)}
        runs = dict.fromkeys(("run", "longest"), (self.targets, 2))  # of repeated, of missing values
        return own | runs | with_prefix("tail", self.tail.state_shapes)

    def initial_state(self, batch_size: Any) -> State:
        """No row yet."""
        tail = with_prefix("tail", self.tail.initial_state(batch_size))
        own = {name: tf.zeros([batch_size, *shape]) for name, shape in self.state_shapes.items() if name not in tail}
        usual = own["usual_error"] + np.array(self.spec.usual_error, np.float32)
        known = {"usual_error": usual, "latest": own["latest"] + math.nan, "longest": own["longest"] + self.longest}
        return own | tail | known

    def step(self, values: Any, errors: Any, widths: Any, counts: Any, state: Mapping[str, Any]) -> tuple[Any, State]:
        """Scores a row by the rows before it, then learns from it.

        Args:
            values: float32 [B, Y], NaN where missing.
            errors: float32 [B, Y], values less their forecasts; NaN where one of the two is missing.
            widths: float32 [B, Y], of the forecasts on the side of the error, above 0.
            counts: bool [B]; rows with False have the score 0 and change nothing.
            state: see `state_shapes`.

        Returns:
            float32 [B] from 0 to 1, and the state.
        """
        if self.errors > self.targets:
            expected = tf.matmul(tf.where(tf.math.is_finite(errors), errors, 0.0), self.weights, transpose_b=True)
            errors = tf.concat([errors, errors - expected], axis=1)  # [B, E]
            widths = tf.concat([widths, tf.zeros_like(widths)], axis=1)
        known = counts[:, None] & tf.math.is_finite(errors)
        unit = tf.maximum(widths, _LARGE * state["usual_error"])  # 0 before anything is known
        error = tf.where(known & (unit > 0), errors / tf.maximum(unit, _SMALLEST_UNIT), 0.0)
        recent = {
            "recent_error": _RECENT * state["recent_error"] + error,
            "recent_size": _RECENT * state["recent_size"] + tf.abs(error),
            "recent_weight": _RECENT * state["recent_weight"] + 1,
            "usual_weight": _USUAL * state["usual_weight"] + 1,
        }
        usual = state["usual_error"] + (tf.abs(errors) - state["usual_error"]) / (_PRIOR_ROWS + recent["usual_weight"])
        means = tf.concat([recent["recent_error"], recent["recent_size"]], axis=1) / tf.tile(
            recent["recent_weight"], [1, 2]
        )
        statistics = tf.where(tf.tile(known, [1, len(_SHARES)]), tf.abs(tf.concat([error, means], axis=1)), math.nan)
        of_errors, tail = self.tail.step(statistics, counts, part_of(state, "tail"))
        of_runs, runs = self._runs(values, state)

        surprise = tf.concat([of_errors, tf.reshape(of_runs, [-1, 2 * self.targets])], axis=1) - self.cost
        rarest = tf.reduce_max(tf.where(tf.math.is_finite(surprise), surprise, 0.0), axis=1)
        score = tf.clip_by_value(rarest / (DECADES * math.log(10)), 0.0, 1.0)
        new_state = {
            name: tf.where(known, value, state[name]) for name, value in (recent | {"usual_error": usual}).items()
        }
        new_state |= {name: _where(counts, value, state[name]) for name, value in runs.items()}
        return tf.where(counts, score, 0.0), new_state | with_prefix("tail", tail)

    def is_alarm(self, score: Any) -> Any:
        """Bool of the shape of the scores."""
        return score >= self.spec.alarm

    def _runs(self, values: Any, state: Mapping[str, Any]) -> tuple[Any, State]:
        """How surprising the lengths of the runs up to this row are, in nats [B, Y, 2], and what is known after it."""
        is_known = tf.math.is_finite(values)
        has_begun = tf.math.is_finite(state["latest"])  # what has never had a value is not missing one
        repeats = is_known & (values == state["latest"])
        more = tf.stack([repeats, has_begun & ~is_known], axis=2)  # [B, Y, 2]
        run = state["run"] + tf.cast(more, tf.float32)
        ends = tf.stack([is_known & ~repeats, is_known], axis=2)

        share = run / state["longest"]
        surprise = SURPRISE_AT_THRESHOLD * tf.minimum(share, 1.0)
        surprise += tf.math.log(tf.maximum(share, 1.0)) / _RUN_EXCESS
        seen = tf.where(ends, run, run - _LEARNT_RUN)
        return surprise, {
            "run": tf.where(ends, 0.0, run),
            "longest": tf.maximum(tf.maximum(_USUAL * state["longest"], seen), _SHORT_RUN),
            "latest": tf.where(is_known, values, state["latest"]),
        }


def _where(counts: Any, new: Any, old: Any) -> Any:
    """The new values in rows that count, bool [B], the old ones in others."""
    return tf.where(tf.reshape(counts, [-1, *[1] * (new.shape.rank - 1)]), new, old)
