"""Alarms: what a stream must know of normal errors, the threshold for a budget, and how well faults are found."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.forecasting.config import Config
from runnel.apps.forecasting.data import ForecastingData, padded_rows
from runnel.apps.forecasting.streaming import ForecastStream
from runnel.datasets.series.series_table import Series
from runnel.shared.evaluation.alarm_baselines import ALARM_BASELINES
from runnel.shared.evaluation.alarm_scores import GRACE, WatchedSeries, fault_stretches, score_alarms
from runnel.shared.evaluation.alarm_threshold import choose_alarm_threshold
from runnel.shared.layers.anomaly_score import AnomalySpec, score_of_chance
from runnel.shared.preprocessing.calendar_features import SECONDS_PER_WEEK
from runnel.shared.preprocessing.series_runs import longest_gaps, longest_repeats

__all__ = ["Watch", "alarm_verdicts", "evaluate_alarms", "fit_anomalies"]

_WARM_ROWS = 4_000  # newest rows before those that count, so that the stream knows the series
_LEARNED = ("tail_log_threshold", "tail_excess", "usual_error")  # of the state of `AnomalyScore`

_Scores = Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class Watch:
    """The test rows of a series as they were watched.

    Attributes:
        series: the rows.
        scores: float32 [T].
        alarms: bool [T].
    """

    series: Series
    scores: np.ndarray
    alarms: np.ndarray


def fit_anomalies(network: keras.Model, data: ForecastingData, config: Config) -> AnomalySpec:
    """Streams the validation rows, and keeps what they tell of errors and of scores; labelled faults are left out.

    Args:
        network: the trained network, with forecasts after every row.
        data: the series.
        config: the options, for the budget of false alarms.

    Returns:
        the usual errors and where their tails begin, from the validation rows; the longest runs, from the training
        rows; and the score from which on there is an alarm.
    """
    series, targets = data.table.series, data.spec.targets
    training = [one.take(slice(0, split.validation)) for one, split in zip(series, data.splits, strict=True)]
    values = [data.spec.clean(one.values[:, :targets]).numpy() for one in training]
    spec = dataclasses.replace(
        AnomalySpec.untold(targets),
        longest_repeat=longest_repeats(values),
        longest_gap=longest_gaps(values),
    )
    stream = ForecastStream(network, data.spec, config.horizon, config.advanced.adaptation_rate, spec)
    step = tf.function(stream.step, autograph=False)
    spans = [(max(0, split.validation - _WARM_ROWS), split.test) for split in data.splits]
    rows = {name: tf.constant(value) for name, value in padded_rows(series, spans).items()}
    state = stream.initial_state(len(series))

    _, after = step(rows, state)
    learned = {name: np.median(after[f"anomaly_{name}"], axis=0) for name in _LEARNED}
    state |= {f"anomaly_{name}": tf.repeat(value[None], len(series), axis=0) for name, value in learned.items()}
    scores = step(rows, state)[0]["anomaly_score"].numpy()
    return dataclasses.replace(
        spec,
        threshold=tuple(map(float, np.exp(learned["tail_log_threshold"]))),
        excess=tuple(map(float, learned["tail_excess"])),
        usual_error=tuple(map(float, learned["usual_error"])),
        alarm=_threshold([scores[index, : end - begin] for index, (begin, end) in enumerate(spans)], data, config),
    )


def evaluate_alarms(
    module: Any, data: ForecastingData, config: Config, threshold: float
) -> tuple[tuple[Watch, ...], dict[str, Any]]:
    """Scores the test rows by `score`, and counts alarms beside those of the baselines at thresholds for their budget.

    Args:
        module: has `score`, in memory or loaded from an export.
        data: the series.
        config: the options, for the budget of false alarms.
        threshold: of the model's alarms, for the reader of a report.

    Returns:
        what was watched, and plain data: `threshold`, `false_alarms_per_week_allowed`, and for `model` and each of the
        `baselines` what `score_alarms` counts.
    """
    spans = [(max(0, split.test - _WARM_ROWS), split.end) for split in data.splits]
    rows = padded_rows(data.table.series, spans)
    answer = module.score(
        history=tf.constant(rows["observation"]),
        timestamp=tf.constant(rows["timestamp"]),
        length=tf.constant(rows["length"]),
    )
    watches = []
    for index, (one, split, (begin, _)) in enumerate(zip(data.table.series, data.splits, spans, strict=True)):
        test = slice(split.test - begin, split.end - begin)
        scores, alarms = (answer[name].numpy()[index, test] for name in ("anomaly_score", "alarm"))
        watches.append(Watch(one.take(slice(split.test, split.end)), scores, alarms))
    weeks = _weeks([watch.series for watch in watches])
    metrics = {
        "threshold": threshold,
        "false_alarms_per_week_allowed": config.false_alarms_per_week,
        "model": score_alarms([_watched(watch.series, watch.alarms) for watch in watches], weeks),
        "baselines": {
            name: score_alarms(_baseline_alarms(baseline, data, config), weeks)
            for name, baseline in ALARM_BASELINES.items()
        },
    }
    return tuple(watches), metrics


def alarm_verdicts(metrics: Mapping[str, Any]) -> list[str]:
    """What the alarms are worth, a sentence each."""
    model, allowed = metrics["model"], metrics["false_alarms_per_week_allowed"]
    if "recall" not in model:
        rate = model["alarms_per_week"]
        alarms = f"{model['alarms']} alarms in {model['weeks']:.3g} weeks of test rows"
        interval = f"{rate['lower']:.2g} .. {rate['upper']:.2g}"
        return [
            f"There are {alarms}, {rate['estimate']:.2g} a week ({interval}); the threshold is for {allowed:g} of them."
        ]
    lines = [f"{_found(model, allowed)}; half of them within {model['delay_minutes']['median']:.0f} minutes."]
    lines += [f"«{name}»: {_found(one, None)}." for name, one in metrics["baselines"].items()]
    return lines


def _found(scores: Mapping[str, Any], allowed: float | None) -> str:
    recall, precision, rate = (scores[name] for name in ("recall", "precision", "false_alarms_per_week"))
    found = round(recall["estimate"] * scores["faults"]) if scores["faults"] else 0
    budget = f" (allowed: {allowed:g})" if allowed is not None else ""
    right = f"{precision['estimate']:.0%} of the alarms are right" if scores["alarms"] else "there is no alarm"
    false_alarms = f"{rate['estimate']:.2g} false alarms a week{budget}"
    return f"{found} of {scores['faults']} faults are found with {false_alarms}, {right}"


def _threshold(scores: _Scores, data: ForecastingData, config: Config) -> float:
    """The score for the budget, by the scores [T] of each series, whose last rows are those of the validation."""
    normal = []
    for one, split, all_scores in zip(data.table.series, data.splits, scores, strict=True):
        validation = one.take(slice(split.validation, split.test))
        kept = all_scores[len(all_scores) - len(validation.timestamps) :].copy()
        for fault in [] if validation.faults is None else fault_stretches(validation.faults):
            kept[fault.begin : fault.end + GRACE] = 0.0
        normal.append(kept)
    weeks = _weeks(
        [
            one.take(slice(split.validation, split.test))
            for one, split in zip(data.table.series, data.splits, strict=True)
        ]
    )
    rows_a_week = max(data.spec.grid.rows_in(SECONDS_PER_WEEK), 1)
    default = score_of_chance(min(config.false_alarms_per_week / rows_a_week, 0.5))
    return choose_alarm_threshold(normal, weeks, config.false_alarms_per_week, default)


def _baseline_alarms(
    baseline: Callable[[np.ndarray, int, int], np.ndarray], data: ForecastingData, config: Config
) -> list[WatchedSeries]:
    """Alarms of a baseline on the test rows, its threshold chosen on the validation rows as that of the model."""
    window = max(data.spec.grid.rows_in(SECONDS_PER_WEEK), 30)
    scores = [
        baseline(data.spec.clean(one.values[:, : data.spec.targets]).numpy().astype(float), split.validation, window)
        for one, split in zip(data.table.series, data.splits, strict=True)
    ]
    before = [one[: split.test] for one, split in zip(scores, data.splits, strict=True)]
    threshold = _threshold(before, data, config)
    return [
        _watched(series.take(slice(split.test, split.end)), one[split.test :] >= threshold)
        for series, split, one in zip(data.table.series, data.splits, scores, strict=True)
    ]


def _watched(series: Series, alarms: np.ndarray) -> WatchedSeries:
    return WatchedSeries(series.timestamps, alarms, series.faults)


def _weeks(series: Sequence[Series]) -> float:
    """How long the rows of some series took, together."""
    seconds = sum(int(one.timestamps[-1] - one.timestamps[0]) for one in series if len(one.timestamps))
    return max(seconds / SECONDS_PER_WEEK, 1e-3)
