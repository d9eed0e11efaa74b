"""How good the forecasts are, measured by streaming the test rows one by one, beside the baselines to beat."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from runnel.apps.forecasting.alarms import Watch, alarm_verdicts, evaluate_alarms
from runnel.apps.forecasting.config import Config
from runnel.apps.forecasting.data import ForecastingData, padded_rows
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
from runnel.shared.evaluation.bootstrap import default_block_length, paired_skill
from runnel.shared.evaluation.forecast_scores import score_forecasts
from runnel.shared.evaluation.quantile_metrics import directional_accuracy, mean_counted, pinball_losses
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
    "evaluate_all",
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
        unit: float64 [Y], mean absolute step of the training rows; errors divided by it compare over series.
        baselines: for each baseline what it forecast after the same rows, in raw units.
    """

    series_id: str
    origin: np.ndarray
    target_timestamp: np.ndarray
    truth: np.ndarray
    last: np.ndarray
    quantiles: np.ndarray
    unit: np.ndarray
    baselines: Mapping[str, BaselineForecast] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured.

    Attributes:
        forecasts: of every series.
        metrics: the numbers, plain data for the manifest.
        watches: scores and alarms of the test rows of every series.
    """

    forecasts: tuple[Forecasts, ...]
    metrics: dict[str, Any]
    watches: tuple[Watch, ...] = ()


def evaluate_all(
    module: Any, data: ForecastingData, config: Config, threshold: float, long_state_rows: int = 0
) -> Evaluation:
    """Scores forecasts and alarms on the test rows; arguments as `evaluate` and `evaluate_alarms`."""
    evaluation = evaluate(module, data, config.context, config.advanced.evaluation_rows, long_state_rows)
    watches, alarms = evaluate_alarms(module, data, config, threshold)
    return dataclasses.replace(evaluation, metrics=evaluation.metrics | {"alarms": alarms}, watches=watches)


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
    """Whether the model beats each baseline, with confidence intervals, and what its alarms find; a sentence each."""
    lines = [comparison["verdict"] for baseline in metrics["skill"].values() for comparison in baseline.values()]
    return lines + (alarm_verdicts(metrics["alarms"]) if "alarms" in metrics else [])


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
    ((_, state),) = replay(module, [padded_rows(series, warm)], start(module, len(series)))
    ends = [len(one.timestamps) - 1 for one in series]
    steps = range(max(end - begin for begin, end in zip(first, ends, strict=True)))
    pieces = (
        padded_rows(
            series, [(begin + step, min(begin + step + 1, end)) for begin, end in zip(first, ends, strict=True)]
        )
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
        losses[name] = mean_counted(pinball_losses(forecasts.truth, forecasts.quantiles, LEVELS) / unit, axis=(1, 2))
    skill = paired_skill(
        losses["old"], losses["fresh"], default_block_length(len(losses["old"]), forecasts.truth.shape[1])
    )
    return {
        "rows": age,
        "old": skill.model_loss,
        "fresh": skill.baseline_loss,
        "verdict": skill.verdict("a fresh state", model=f"A state {age:,} rows old"),
    }


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
    unit = np.concatenate([np.broadcast_to(one.unit, (len(one.origin), len(names))) for one in forecasts])
    truth = np.concatenate([one.truth for one in forecasts])
    quantiles = np.concatenate([one.quantiles for one in forecasts])
    model = BaselineForecast(quantiles[..., MEDIAN], quantiles)
    baselines = {
        name: BaselineForecast(
            np.concatenate([one.baselines[name].point for one in forecasts]),
            np.concatenate([one.baselines[name].quantiles for one in forecasts]),
        )
        for name in forecasts[0].baselines
    }
    metrics = score_forecasts(truth, origin, unit, {"model": model, **baselines}, LEVELS, names)
    if data.spec.transform == "log_return":
        last = np.concatenate([one.last for one in forecasts])
        change = truth[:, 0] - last  # one step ahead
        metrics["direction"] = {
            "model": directional_accuracy(change, model.point[:, 0] - last),
            "always up": directional_accuracy(change, np.ones_like(change)),
        }
    return metrics


def _unit(values: np.ndarray) -> np.ndarray:
    """Mean absolute step [Y] of some rows [T, Y]; one where there is no step."""
    steps = mean_counted(np.abs(np.diff(values.astype(np.float64), axis=0)), axis=0)
    return np.where(np.isfinite(steps) & (steps > 0), steps, 1.0)
