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
from runnel.shared.layers.anomaly_score import AnomalyScore, AnomalySpec, score_of_chance
from runnel.shared.layers.scan_time import scan_time
from runnel.shared.preprocessing.calendar_features import SECONDS_PER_WEEK
from runnel.shared.preprocessing.series_runs import longest_gaps, longest_repeats
from runnel.shared.streaming.stream_model import Tensors

__all__ = ["Watch", "alarm_verdicts", "error_weights", "evaluate_alarms", "fit_anomalies"]

_WARM_ROWS = 4_000  # newest rows before those that count, so that the stream knows the series
_LEARNED = ("tail_log_threshold", "tail_excess", "usual_error")  # of the state of `AnomalyScore`
_EVENT_SHARE = 0.02  # of the rows, those with the largest errors
_FEWEST_EVENTS = 10  # for each target, to learn from how their errors go together
_RIDGE = 1e-3  # added to the moments of the errors, of which one may be all that there is of another
_SMALLEST_SCALE = 1e-12

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
        the usual errors, how they go together and where their tails begin, from the validation rows; the longest runs,
        from the training rows; and the score from which on there is an alarm.
    """
    series, targets = data.table.series, data.spec.targets
    training = [one.take(slice(0, split.validation)) for one, split in zip(series, data.splits, strict=True)]
    values = [data.spec.clean(one.values[:, :targets]).numpy() for one in training]
    spec = dataclasses.replace(
        AnomalySpec.untold(targets), longest_repeat=longest_repeats(values), longest_gap=longest_gaps(values)
    )
    spans = [(max(0, split.validation - _WARM_ROWS), split.test) for split in data.splits]
    rows = {name: tf.constant(value) for name, value in padded_rows(series, spans).items()}
    stream = ForecastStream(network, data.spec, config.horizon, config.advanced.adaptation_rate)
    judge = tf.function(stream.judge, autograph=False)
    judged, _ = judge(rows, stream.initial_state(len(series)))

    weights = error_weights(_validation_rows([*judged["error"].numpy()], spans, data))
    spec = dataclasses.replace(spec, weights=weights)
    _, after = _scored(judged, spec)
    threshold, excess, usual = (np.median(after[name], axis=0) for name in _LEARNED)
    spec = dataclasses.replace(
        spec,
        threshold=tuple(map(float, np.exp(threshold))),
        excess=tuple(map(float, excess)),
        usual_error=tuple(map(float, usual)),
    )
    scores, _ = _scored(judged, spec)
    normal = _validation_rows([*scores.numpy()], spans, data)
    return dataclasses.replace(spec, alarm=_threshold(normal, data, config))


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
    median = model["delay_minutes"]["median"]
    delay = "" if np.isnan(median) else f"; half of them within {median:.0f} minutes"
    lines = [f"{_found(model, allowed)}{delay}."]
    lines += [f"«{name}»: {_found(one, None)}." for name, one in metrics["baselines"].items()]
    return lines


def _found(scores: Mapping[str, Any], allowed: float | None) -> str:
    recall, precision, rate = (scores[name] for name in ("recall", "precision", "false_alarms_per_week"))
    found = round(recall["estimate"] * scores["faults"]) if scores["faults"] else 0
    budget = f" (allowed: {allowed:g})" if allowed is not None else ""
    right = f"{precision['estimate']:.0%} of the alarms are right" if scores["alarms"] else "there is no alarm"
    false_alarms = f"{rate['estimate']:.2g} false alarms a week{budget}"
    return f"{found} of {scores['faults']} faults are found with {false_alarms}, {right}"


def _scored(judged: Mapping[str, tf.Tensor], spec: AnomalySpec) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
    """Scores [B, N] of judged rows from a fresh state, and the state after them."""
    anomalies = AnomalyScore(len(spec.weights), spec)

    def step(row: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        score, state = anomalies.step(row["values"], row["error"], row["width"], row["counts"], state)
        return {"score": score}, state

    state = anomalies.initial_state(len(judged["counts"]))
    scan = tf.function(lambda: scan_time(step, judged, state), autograph=False).get_concrete_function()
    outputs, state = scan()
    return outputs["score"], state


def _validation_rows(of_rows: _Scores, spans: Sequence[tuple[int, int]], data: ForecastingData) -> list[np.ndarray]:
    """Of each series the part that belongs to its validation rows; zeros in place of labelled faults.

    Args:
        of_rows: [N, ...] of each series, for the rows of its span.
        spans: first row and one past the last, which is where the test rows begin.
        data: the series.
    """
    parts = []
    for index, (series, split, (begin, end)) in enumerate(zip(data.table.series, data.splits, spans, strict=True)):
        kept = of_rows[index][split.validation - begin : end - begin].copy()
        faults = None if series.faults is None else series.faults[split.validation : split.test]
        for fault in [] if faults is None else fault_stretches(faults):
            kept[fault.begin : fault.end + GRACE] = 0.0
        parts.append(kept)
    return parts


def error_weights(errors: Sequence[np.ndarray]) -> tuple[tuple[float, ...], ...]:
    """Of the errors of the others in what is to be expected of each, by least squares; errors [T, Y] of each series.

    Of the rows with the largest errors: how sensors go together when something happens, not how their noises do.
    """
    known = np.concatenate([one[np.isfinite(one).all(axis=1)] for one in errors]).astype(np.float64)
    targets = known.shape[1]
    if targets == 1 or _EVENT_SHARE * len(known) < _FEWEST_EVENTS * targets:
        return ((0.0,) * targets,) * targets
    scale = np.maximum(np.sqrt(np.mean(known**2, axis=0)), _SMALLEST_SCALE)
    largest = np.abs(known / scale).max(axis=1)
    events = known[largest >= np.quantile(largest, 1 - _EVENT_SHARE)] / scale
    moments = events.T @ events / len(events)
    precision = np.linalg.inv(moments + _RIDGE * np.eye(len(moments)))
    weights = -precision / np.diag(precision)[:, None] * scale[:, None] / scale
    np.fill_diagonal(weights, 0.0)
    return tuple(tuple(map(float, row)) for row in weights)


def _threshold(normal: _Scores, data: ForecastingData, config: Config) -> float:
    """The score for the budget, by the scores [T] of the validation rows of each series."""
    validation = [
        one.take(slice(split.validation, split.test)) for one, split in zip(data.table.series, data.splits, strict=True)
    ]
    rows_a_week = max(data.spec.grid.rows_in(SECONDS_PER_WEEK), 1)
    default = score_of_chance(min(config.false_alarms_per_week / rows_a_week, 0.5))
    return choose_alarm_threshold(normal, _weeks(validation), config.false_alarms_per_week, default)


def _baseline_alarms(
    baseline: Callable[[np.ndarray, int, int], np.ndarray], data: ForecastingData, config: Config
) -> list[WatchedSeries]:
    """Alarms of a baseline on the test rows, its threshold chosen on the validation rows as that of the model."""
    window = max(data.spec.grid.rows_in(SECONDS_PER_WEEK), 30)
    scores = [
        baseline(data.spec.clean(one.values[:, : data.spec.targets]).numpy().astype(float), split.validation, window)
        for one, split in zip(data.table.series, data.splits, strict=True)
    ]
    threshold = _threshold(_validation_rows(scores, [(0, split.test) for split in data.splits], data), data, config)
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
