"""How good the forecasts are, measured by streaming the test rows one by one, beside the baselines to beat."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from runnel.apps.forecasting.data import ForecastingData
from runnel.datasets.series.series_table import Series
from runnel.shared.evaluation.baselines import Baseline, Climatology, RepeatLast, SeasonalNaive, fit_baseline
from runnel.shared.evaluation.bootstrap import default_block_length, paired_skill
from runnel.shared.evaluation.quantile_metrics import (
    absolute_errors,
    coverage_with_interval,
    directional_accuracy,
    mean_counted,
    pinball_losses,
    quantile_coverage,
)
from runnel.shared.layers.quantile_head import quantile_levels
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
_FRESH_ROWS = 60
_COMPARED_ROWS = 250


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
        baselines: for each baseline its quantiles float64 [N, H, Y, Q].
    """

    series_id: str
    origin: np.ndarray
    target_timestamp: np.ndarray
    truth: np.ndarray
    last: np.ndarray
    quantiles: np.ndarray
    score: np.ndarray
    unit: np.ndarray
    baselines: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The forecasts of every series, and what was measured on them as plain data for the manifest."""

    forecasts: tuple[Forecasts, ...]
    metrics: dict[str, Any]


def evaluate(module: Any, data: ForecastingData, rows: int = 0, long_state_rows: int = 0) -> Evaluation:
    """Streams the test rows through a model, in memory or loaded from an export, and scores what it said before each.

    Args:
        module: has `initial_state` and `step` (see `replay`).
        data: the series, where their test rows begin, and the specification.
        rows: the newest test rows of each series to evaluate; 0 for all.
        long_state_rows: age of the old state to compare with a fresh one; 0 leaves the comparison out.
    """
    first = [max(split.test - 1, split.end - 1 - rows if rows else 0, 0) for split in data.splits]
    streamed = stream_forecasts(module, data.table.series, first, data.spec, _WARM_ROWS)
    forecasts = tuple(
        _with_baselines(one, series, split.test, data.spec)
        for one, series, split in zip(streamed, data.table.series, data.splits, strict=True)
        if len(one.origin)
    )
    metrics = _metrics(forecasts, data)
    if long_state_rows:
        metrics["state_age"] = compare_state_ages(module, data, long_state_rows)
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
        _collect(one, np.arange(begin, end), [{name: value[index] for name, value in outputs.items()}
                                              for outputs in results[: max(end - begin, 0)]], spec)
        for index, (one, begin, end) in enumerate(zip(series, first, ends, strict=True))
    ]  # fmt: skip


def compare_state_ages(module: Any, data: ForecastingData, age: int) -> dict[str, float]:
    """Pinball loss on the newest rows from a state `age` rows old and from a fresh one.

    The long past is the history before those rows over and over, each time further back on the grid of time.
    """
    series = data.table.series[0]
    begin = max(data.splits[0].test - 1, len(series.timestamps) - 1 - _COMPARED_ROWS)
    rows = np.concatenate([np.arange(begin - age, begin) % begin, np.arange(begin, len(series.timestamps))])
    steps_back = np.arange(-age, 0)
    past = data.spec.grid.shift(series.timestamps[begin], steps_back).numpy()
    aged = Series(series.series_id, np.concatenate([past, series.timestamps[begin:]]), series.values[rows])
    unit = _unit(series.values[:begin, : data.spec.targets])
    loss = {}
    for name, one, first, warm in (("old", aged, age, age), ("fresh", series, begin, _FRESH_ROWS)):
        (forecasts,) = stream_forecasts(module, [one], [first], data.spec, warm)
        loss[name] = float(mean_counted(_scaled_pinball(forecasts.truth, forecasts.quantiles, unit)))
    return {"rows": age, "old": loss["old"], "fresh": loss["fresh"], "ratio": loss["old"] / loss["fresh"]}


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


def _collect(series: Series, origins: np.ndarray, results: list[dict[str, np.ndarray]], spec: SeriesSpec) -> Forecasts:
    targets = spec.targets
    horizon = results[0]["forecast"].shape[0] if results else 1
    windows = SeriesWindows([series.timestamps], [series.values], targets, spec.grid, horizon)

    def stacked(name: str, *empty: int) -> np.ndarray:
        return np.stack([one[name] for one in results]) if results else np.zeros((0, *empty))

    return Forecasts(
        series_id=series.series_id,
        origin=series.timestamps[origins],
        target_timestamp=stacked("forecast_timestamp", horizon),
        truth=windows.future(origins).numpy(),
        last=series.values[origins, :targets],
        quantiles=stacked("quantiles", horizon, targets, len(LEVELS)),
        score=stacked("anomaly_score", 1)[:, 0],
        unit=np.ones(targets),
    )


def _with_baselines(forecasts: Forecasts, series: Series, train_end: int, spec: SeriesSpec) -> Forecasts:
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
    horizon = forecasts.truth.shape[1]
    quantiles = {}
    for name, baseline in _baselines(spec, timestamps[:known]).items():
        fitted = fit_baseline(baseline, values[:known], timestamps[:known], horizon=horizon, levels=LEVELS)
        forecast = fitted.forecast(values, origins, forecasts.target_timestamp).quantiles
        quantiles[name] = np.exp(forecast) if is_logarithm else forecast
    return dataclasses.replace(forecasts, baselines=quantiles, unit=_unit(series.values[:train_end, : spec.targets]))


def _baselines(spec: SeriesSpec, timestamps: np.ndarray) -> dict[str, Baseline]:
    """The baselines that suit a series, under the names that a reader knows."""
    if spec.transform != "none":
        return {"random walk": RepeatLast()}
    chosen: dict[str, Baseline] = {"repeat last": RepeatLast()}
    whole_year = timestamps[-1] - timestamps[0] >= 366 * SECONDS_PER_DAY
    if spec.grid.seconds < SECONDS_PER_DAY:
        season, climate = SECONDS_PER_DAY, Climatology("hour_of_day")
    else:
        season, climate = (366 if whole_year else 7) * SECONDS_PER_DAY, Climatology("day_of_year")
    period = round(season / spec.grid.seconds)
    if 1 < period < len(timestamps) // 2:
        chosen["seasonal naive"] = SeasonalNaive(period)
    if whole_year or climate.cycle == "hour_of_day":
        chosen["climatology"] = climate
    return chosen


def _metrics(forecasts: Sequence[Forecasts], data: ForecastingData) -> dict[str, Any]:
    """Everything the report, the manifest and the README quote."""
    names = data.table.columns[: data.spec.targets]
    truth = np.concatenate([one.truth for one in forecasts])
    quantiles = np.concatenate([one.quantiles for one in forecasts])
    unit = np.concatenate([np.broadcast_to(one.unit, (len(one.origin), len(names))) for one in forecasts])[:, None]
    predictions = {"model": quantiles} | {
        name: np.concatenate([one.baselines[name] for one in forecasts]) for name in forecasts[0].baselines
    }
    pinball = {name: _scaled_pinball(truth, value, unit) for name, value in predictions.items()}
    block = default_block_length(len(truth), truth.shape[1])
    errors = {name: absolute_errors(truth, value[..., MEDIAN]) for name, value in predictions.items()}
    metrics = {
        "rows": len(truth),
        "first": int(min(one.origin[0] for one in forecasts)),
        "last": int(max(one.origin[-1] for one in forecasts)),
        "mean_absolute_error": {
            target: {name: float(mean_counted(error[..., index])) for name, error in errors.items()}
            for index, target in enumerate(names)
        },
        "scaled_error_by_step": {
            name: mean_counted(error / unit, axis=(0, 2)).tolist() for name, error in errors.items()
        },
        "scaled_pinball": {name: float(mean_counted(value)) for name, value in pinball.items()},
        "skill": {
            name: {
                "quantiles": _compare(pinball["model"], pinball[name], name, "all quantiles", block),
                "median": _compare(errors["model"] / unit, errors[name] / unit, name, "the forecast alone", block),
            }
            for name in forecasts[0].baselines
        },
        "coverage": {f"{width:.0%}": _coverage(truth, quantiles, width, block) for width in (0.8, 0.9)},
        "quantile_coverage": quantile_coverage(truth, quantiles, LEVELS).tolist(),
    }
    if data.spec.transform == "log_return":
        last = np.concatenate([one.last for one in forecasts])[:, None]
        metrics["directional_accuracy"] = directional_accuracy(truth - last, quantiles[..., MEDIAN] - last)
    return metrics


def _compare(model: np.ndarray, baseline: np.ndarray, name: str, subject: str, block: int) -> dict[str, Any]:
    """Skill of the model's losses [N, H, Y] against a baseline's, and a sentence that says what it means."""
    skill = paired_skill(mean_counted(model, axis=(1, 2)), mean_counted(baseline, axis=(1, 2)), block)
    return {
        "estimate": skill.skill,
        "lower": skill.interval.lower,
        "upper": skill.interval.upper,
        "verdict": f"On {subject}: " + skill.verdict(f"the baseline «{name}»", model="the model"),
    }


def _coverage(truth: np.ndarray, quantiles: np.ndarray, width: float, block: int) -> dict[str, float]:
    """Share of truths inside the central interval of this width, with its sampling interval."""
    lower, upper = (int(np.argmin(np.abs(np.subtract(LEVELS, level)))) for level in ((1 - width) / 2, (1 + width) / 2))
    measured = coverage_with_interval(truth, quantiles[..., lower], quantiles[..., upper], block=block)
    return {"estimate": measured.estimate, "lower": measured.lower, "upper": measured.upper}


def _scaled_pinball(truth: np.ndarray, quantiles: np.ndarray, unit: np.ndarray) -> np.ndarray:
    return pinball_losses(truth, quantiles, LEVELS) / unit


def _unit(values: np.ndarray) -> np.ndarray:
    """Mean absolute step [Y] of some rows [T, Y]; one where there is no step."""
    steps = mean_counted(np.abs(np.diff(values.astype(np.float64), axis=0)), axis=0)
    return np.where(np.isfinite(steps) & (steps > 0), steps, 1.0)
