"""How good the forecasts are, measured by streaming the test rows one by one, beside the baselines to beat."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from runnel.apps.forecasting.data import ForecastingData
from runnel.datasets.series.series_table import Series
from runnel.shared.errors import InputError
from runnel.shared.evaluation.baselines import (
    Baseline,
    BaselineForecast,
    Climatology,
    RepeatLast,
    SeasonalNaive,
    Spread,
    fit_baseline,
    running_volatility,
)
from runnel.shared.evaluation.bootstrap import default_block_length, moving_block_bootstrap, paired_skill
from runnel.shared.evaluation.quantile_metrics import (
    absolute_errors,
    directional_accuracy,
    mean_counted,
    pinball_losses,
    quantile_coverage,
)
from runnel.shared.layers.quantile_head import quantile_levels
from runnel.shared.preprocessing.calendar_features import SECONDS_PER_WEEK, SECONDS_PER_YEAR
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.preprocessing.series_windows import SeriesWindows
from runnel.shared.preprocessing.time_grid import SECONDS_PER_DAY
from runnel.shared.streaming.replay import replay, start

__all__ = [
    "LEVELS",
    "MEDIAN",
    "Evaluation",
    "Forecasts",
    "compare_state_ages",
    "evaluate",
    "stream_forecasts",
    "verdicts",
]

LEVELS = quantile_levels()
MEDIAN = len(LEVELS) // 2

_WARM_ROWS = 4_000  # newest rows before the test split that are streamed first, so that the intervals have settled
_COMPARED_ROWS = 250
_LONGEST_SEASON = 10_000  # rows


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What a stream forecast for one series after each of N rows.

    Attributes:
        series_id: the series.
        origin: int64 [N], timestamps of the rows after which the forecasts were made.
        target_timestamp: int64 [N, H], what they are for.
        truth: float32 [N, H, Y], NaN where no such row came.
        last: float32 [N, Y], the values of the origin's row.
        quantiles: float32 [N, H, Y, Q].
        score: float32 [N], anomaly score of the origin's row.
        unit: float64 [Y], mean absolute step of the training rows; errors divided by it compare over series.
        baselines: for each baseline what it forecast after the same rows, in raw units.
    """

    series_id: str
    origin: np.ndarray
    target_timestamp: np.ndarray
    truth: np.ndarray
    last: np.ndarray
    quantiles: np.ndarray
    score: np.ndarray
    unit: np.ndarray
    baselines: Mapping[str, BaselineForecast] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The forecasts of every series, and what was measured on them as plain data for the manifest."""

    forecasts: tuple[Forecasts, ...]
    metrics: dict[str, Any]


def evaluate(module: Any, data: ForecastingData, context: int, rows: int = 0, long_state_rows: int = 0) -> Evaluation:
    """Streams the test rows through a model, in memory or loaded from an export, and scores what it said before each.

    Args:
        module: has `initial_state` and `step` (see `replay`).
        data: the series, where their test rows begin, and the specification.
        context: rows behind a fresh state, for the comparison with an old one.
        rows: the newest test rows of each series to evaluate; 0 for all.
        long_state_rows: age of the old state to compare with a fresh one; 0 leaves the comparison out.
    """
    first = [max(split.test - 1, split.end - 1 - rows if rows else 0, 0) for split in data.splits]
    streamed = stream_forecasts(module, data.table.series, first, data.spec, _WARM_ROWS)
    scored = [
        (one, series, split.test)
        for one, series, split in zip(streamed, data.table.series, data.splits, strict=True)
        if len(one.origin) and split.test > 2 * one.truth.shape[1]  # a baseline needs rows to fit its spread to
    ]
    if not scored:
        raise InputError("the test split has no row to forecast; expected at least two rows in it; give more data")
    known_rows = min(test for _, _, test in scored)
    baselines = _baselines(data.spec, known_rows)
    forecasts = tuple(_with_baselines(one, series, test, data.spec, baselines) for one, series, test in scored)
    metrics = _metrics(forecasts, data)
    metrics["series_not_scored"] = len(streamed) - len(scored)
    if long_state_rows:
        metrics["state_age"] = compare_state_ages(module, data, context, long_state_rows)
    return Evaluation(forecasts, metrics)


def verdicts(metrics: Mapping[str, Any]) -> list[str]:
    """Whether the model beats each baseline, a sentence each, with confidence intervals."""
    return [comparison["verdict"] for baseline in metrics["skill"].values() for comparison in baseline.values()]


def stream_forecasts(
    module: Any, series: Sequence[Series], first: Sequence[int], spec: SeriesSpec, warm_rows: int
) -> list[Forecasts]:
    """Streams each series row by row, all together as the sessions of one batch.

    Args:
        module: has `initial_state` and `step`.
        series: the series.
        first: for each series, the row after which its first forecast counts; the last is made after its last but one.
        spec: what was fitted to the training rows.
        warm_rows: at most so many rows before `first` are streamed at once beforehand.
    """
    warm = [(max(0, begin - warm_rows), begin) for begin in first]
    ((_, state),) = replay(module, [_piece(series, warm)], start(module, len(series)))
    ends = [len(one.timestamps) - 1 for one in series]
    steps = range(max(end - begin for begin, end in zip(first, ends, strict=True)))
    pieces = (
        _piece(series, [(begin + step, min(begin + step + 1, end)) for begin, end in zip(first, ends, strict=True)])
        for step in steps
    )
    results = [outputs for outputs, _ in replay(module, pieces, state)]
    return [
        _collect(one, range(begin, end), results, index, spec)
        for index, (one, begin, end) in enumerate(zip(series, first, ends, strict=True))
    ]


def compare_state_ages(module: Any, data: ForecastingData, context: int, age: int) -> dict[str, Any]:
    """Pinball loss on the newest rows from a state `age` rows old and from a fresh one, `context` rows old.

    The long past is the history before those rows over and over, each time further back on the grid of time.
    """
    number = int(np.argmax([split.test for split in data.splits]))
    series = data.table.series[number]
    begin = max(data.splits[number].test - 1, len(series.timestamps) - 1 - _COMPARED_ROWS)
    rows = np.concatenate([np.arange(begin - age, begin) % begin, np.arange(begin, len(series.timestamps))])
    past = data.spec.grid.shift(series.timestamps[begin], np.arange(-age, 0)).numpy()
    aged = Series(series.series_id, np.concatenate([past, series.timestamps[begin:]]), series.values[rows])
    unit = _unit(series.values[:begin, : data.spec.targets])
    losses = {}
    for name, one, first, warm in (("old", aged, age, age), ("fresh", series, begin, context)):
        (forecasts,) = stream_forecasts(module, [one], [first], data.spec, warm)
        losses[name] = mean_counted(_scaled_pinball(forecasts.truth, forecasts.quantiles, unit), axis=(1, 2))
    skill = paired_skill(
        losses["old"], losses["fresh"], default_block_length(len(losses["old"]), forecasts.truth.shape[1])
    )
    return {
        "rows": age,
        "old": skill.model_loss,
        "fresh": skill.baseline_loss,
        "verdict": skill.verdict("a fresh state", model=f"A state {age:,} rows old"),
    }


def _piece(series: Sequence[Series], spans: Sequence[tuple[int, int]]) -> dict[str, np.ndarray]:
    """The rows [begin, end) of every series as one padded batch of `step` inputs."""
    lengths = [max(end - begin, 0) for begin, end in spans]
    longest = max(lengths)
    observation = np.full((len(series), longest, series[0].values.shape[1]), np.nan, np.float32)
    timestamp = np.zeros((len(series), longest), np.int64)
    for index, (one, (begin, _), length) in enumerate(zip(series, spans, lengths, strict=True)):
        observation[index, :length] = one.values[begin : begin + length]
        timestamp[index, :length] = one.timestamps[begin : begin + length]
    return {"observation": observation, "timestamp": timestamp, "length": np.array(lengths, np.int32)}


def _collect(
    series: Series, origins: range, results: Sequence[Mapping[str, np.ndarray]], session: int, spec: SeriesSpec
) -> Forecasts:
    """What one session of the batch forecast after its rows `origins`."""
    horizon = results[0]["forecast"].shape[1] if results else 1
    windows = SeriesWindows([series.timestamps], [series.values], spec.targets, spec.grid, horizon)
    rows = np.array(origins, np.int64)

    def stacked(name: str, *shape: int) -> np.ndarray:
        return np.array([outputs[name][session] for outputs in results[: len(rows)]]).reshape(len(rows), *shape)

    return Forecasts(
        series_id=series.series_id,
        origin=series.timestamps[rows],
        target_timestamp=stacked("forecast_timestamp", horizon),
        truth=windows.future(rows).numpy(),
        last=series.values[rows, : spec.targets],
        quantiles=stacked("quantiles", horizon, spec.targets, len(LEVELS)),
        score=stacked("anomaly_score"),
        unit=np.ones(spec.targets),
    )


def _with_baselines(
    forecasts: Forecasts,
    series: Series,
    train_end: int,
    spec: SeriesSpec,
    baselines: Mapping[str, tuple[Baseline, Spread | None]],
) -> Forecasts:
    """Adds what the baselines, fitted to the rows before the test split, forecast after the same rows."""
    index = spec.grid.index(series.timestamps).numpy()
    place = index - index[0]
    values = np.full((place[-1] + 1, spec.targets), np.nan)  # one row for each step of the grid
    values[place] = series.values[:, : spec.targets]
    is_logarithm = spec.transform == "log_return"  # so that the spread of a price grows with its level
    if is_logarithm:
        values = np.log(np.where(values > 0, values, np.nan))
    timestamps = spec.grid.shift(series.timestamps[:1], np.arange(len(values))).numpy()
    known = place[train_end - 1] + 1
    origins = place[np.searchsorted(series.timestamps, forecasts.origin)]
    made = {}
    for name, (baseline, spread) in baselines.items():
        fitted = fit_baseline(
            baseline,
            values[:known],
            timestamps[:known],
            horizon=forecasts.truth.shape[1],
            levels=LEVELS,
            spread=spread,
        )
        forecast = fitted.forecast(values, origins, forecasts.target_timestamp)
        made[name] = BaselineForecast(np.exp(forecast.point), np.exp(forecast.quantiles)) if is_logarithm else forecast
    return dataclasses.replace(forecasts, baselines=made, unit=_unit(series.values[:train_end, : spec.targets]))


def _baselines(spec: SeriesSpec, rows: int) -> dict[str, tuple[Baseline, Spread | None]]:
    """The baselines that suit series with so many known rows, under the names that a reader knows."""
    if spec.transform == "log_return":
        return {
            "random walk": (RepeatLast(), None),
            "random walk with running volatility": (RepeatLast(), running_volatility),
        }
    chosen: dict[str, tuple[Baseline, Spread | None]] = {"repeat last": (RepeatLast(), None)}
    seasons = {"day": SECONDS_PER_DAY, "week": SECONDS_PER_WEEK, "year": SECONDS_PER_YEAR}
    for name, seconds in seasons.items():
        period = spec.grid.rows_in(seconds)
        if 1 < period <= _LONGEST_SEASON and 2 * period < rows:
            chosen[f"same time last {name}"] = (SeasonalNaive(period), None)
    if spec.grid.seconds < SECONDS_PER_DAY:
        chosen["climatology"] = (Climatology("hour_of_day"), None)
    elif rows >= spec.grid.rows_in(SECONDS_PER_YEAR):
        chosen["climatology"] = (Climatology("day_of_year"), None)
    return chosen


def _metrics(forecasts: Sequence[Forecasts], data: ForecastingData) -> dict[str, Any]:
    """Everything the report, the manifest and the README quote."""
    names = data.table.columns[: data.spec.targets]
    origin = np.concatenate([one.origin for one in forecasts])
    quantiles = np.concatenate([one.quantiles for one in forecasts])
    unit = np.concatenate([np.broadcast_to(one.unit, (len(one.origin), len(names))) for one in forecasts])[:, None]
    points, predictions = {"model": quantiles[..., MEDIAN]}, {"model": quantiles}
    for name in forecasts[0].baselines:
        points[name] = np.concatenate([one.baselines[name].point for one in forecasts])
        predictions[name] = np.concatenate([one.baselines[name].quantiles for one in forecasts])
    truth, missing = _comparable(np.concatenate([one.truth for one in forecasts]), predictions)
    pinball = {name: _scaled_pinball(truth, value, unit) for name, value in predictions.items()}
    errors = {name: absolute_errors(truth, value) for name, value in points.items()}
    metrics: dict[str, Any] = {
        "rows": len(truth),
        "first": int(origin.min()),
        "last": int(origin.max()),
        "share_with_truth": float(np.mean(~np.isnan(truth))),
        "missing_forecasts": missing,
        "mean_absolute_error": {
            target: {name: float(mean_counted(error[..., index])) for name, error in errors.items()}
            for index, target in enumerate(names)
        },
        "scaled_error_by_step": {
            name: mean_counted(error / unit, axis=(0, 2)).tolist() for name, error in errors.items()
        },
        "scaled_pinball": {name: float(mean_counted(value)) for name, value in pinball.items()},
        "skill": {},
        "coverage": {f"{width:.0%}": _coverage(truth, quantiles, origin, width) for width in (0.8, 0.9)},
        "quantile_coverage": quantile_coverage(truth, quantiles, LEVELS).tolist(),
    }
    seen: list[np.ndarray] = []
    for name in forecasts[0].baselines:
        skill = {"quantiles": _compare(pinball["model"], pinball[name], origin, name, "all quantiles")}
        if not any(np.array_equal(points[name], other, equal_nan=True) for other in seen):
            skill["median"] = _compare(errors["model"] / unit, errors[name] / unit, origin, name, "the forecast alone")
        metrics["skill"][name] = skill
        seen.append(points[name])
    if data.spec.transform == "log_return":
        last = np.concatenate([one.last for one in forecasts])
        change = truth[:, 0] - last  # one step ahead
        metrics["direction"] = {
            "model": directional_accuracy(change, quantiles[:, 0, :, MEDIAN] - last),
            "always up": directional_accuracy(change, np.ones_like(change)),
        }
    return metrics


def _comparable(truth: np.ndarray, predictions: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
    """The truth [N, H, Y] with NaN where one of the forecasts is missing, and how many truths that cost."""
    forecast = np.all([np.isfinite(value).all(axis=-1) for value in predictions.values()], axis=0)
    missing = int(np.sum(~forecast & ~np.isnan(truth)))
    return np.where(forecast, truth, np.nan), missing


def _compare(model: np.ndarray, baseline: np.ndarray, origin: np.ndarray, name: str, subject: str) -> dict[str, Any]:
    """Skill of the model's losses [N, H, Y] against a baseline's, and a sentence that says what it means."""
    block = default_block_length(len(np.unique(origin)), model.shape[1])
    skill = paired_skill(_by_instant(model, origin), _by_instant(baseline, origin), block)
    return {
        "estimate": skill.skill,
        "lower": skill.interval.lower,
        "upper": skill.interval.upper,
        "verdict": f"On {subject}: " + skill.verdict(f"the baseline «{name}»", model="the model"),
    }


def _coverage(truth: np.ndarray, quantiles: np.ndarray, origin: np.ndarray, width: float) -> dict[str, float]:
    """Share of truths inside the central interval of this width, with its sampling interval."""
    lower, upper = (int(np.argmin(np.abs(np.subtract(LEVELS, level)))) for level in ((1 - width) / 2, (1 + width) / 2))
    inside = np.where(np.isnan(truth), np.nan, (quantiles[..., lower] <= truth) & (truth <= quantiles[..., upper]))
    block = default_block_length(len(np.unique(origin)), truth.shape[1])
    measured = moving_block_bootstrap(_by_instant(inside, origin), block)
    return {"estimate": measured.estimate, "lower": measured.lower, "upper": measured.upper}


def _by_instant(values: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """[N, H, Y] to one mean for each instant, in order of time: what several series do at one instant goes together."""
    rows = mean_counted(values, axis=(1, 2))
    instants, number = np.unique(origin, return_inverse=True)
    known = ~np.isnan(rows)
    total = np.bincount(number[known], rows[known], len(instants))
    count = np.bincount(number[known], minlength=len(instants))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _scaled_pinball(truth: np.ndarray, quantiles: np.ndarray, unit: np.ndarray) -> np.ndarray:
    return pinball_losses(truth, quantiles, LEVELS) / unit


def _unit(values: np.ndarray) -> np.ndarray:
    """Mean absolute step [Y] of some rows [T, Y]; one where there is no step."""
    steps = mean_counted(np.abs(np.diff(values.astype(np.float64), axis=0)), axis=0)
    return np.where(np.isfinite(steps) & (steps > 0), steps, 1.0)
