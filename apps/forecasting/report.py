"""The report page of a trained forecaster."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from runnel.apps.forecasting.alarms import Watch
from runnel.apps.forecasting.config import Config
from runnel.apps.forecasting.data import ForecastingData
from runnel.apps.forecasting.evaluate import LEVELS, Evaluation, Forecasts, verdicts
from runnel.shared.evaluation.alarm_scores import alarm_stretches, fault_stretches
from runnel.shared.evaluation.plots import (
    calibration_plot,
    fan_chart,
    metric_by_step,
    series_with_scores,
    training_curves,
)
from runnel.shared.evaluation.report import Note, Plot, Report, Section, Table, Text

__all__ = ["build_report"]

_SHOWN_ROWS = 120
_SHOWN_ALARM_ROWS = 1_000


def build_report(
    evaluation: Evaluation, data: ForecastingData, config: Config, history: Sequence[Mapping[str, Any]]
) -> Report:
    """Puts the evaluation on a page: whether the model is worth using first, how it looks next, its limits last.

    Args:
        evaluation: what was measured on the test rows.
        data: the series.
        config: the options, all decided.
        history: the logs of every epoch.
    """
    metrics = evaluation.metrics
    sections = [
        Section("Is it better than doing without?", _comparison(metrics)),
        Section("Do the intervals hold?", _calibration(metrics)),
        Section("How the forecasts look", _forecast_plots(evaluation.forecasts[0], data, config)),
        Section("What the alarms find", _alarms(evaluation, data)),
    ]
    if "state_age" in metrics:
        sections.append(Section("Does the state age?", (Note(metrics["state_age"]["verdict"]),)))
    if "backtest" in metrics:
        sections.append(Section("Rolling-origin backtest", _backtest(metrics["backtest"])))
    if history:
        sections.append(
            Section(
                "Training", (Plot(training_curves(list(history), loss_name="pinball loss, scaled"), "Loss by epoch"),)
            )
        )
    sections.append(Section("Limits", (Text(_limits(data, config)),)))
    return Report(
        title=f"Forecasting {', '.join(data.table.targets)}",
        summary=tuple(verdicts(metrics)),
        sections=tuple(sections),
    )


def _comparison(metrics: Mapping[str, Any]) -> tuple:
    by_target = metrics["mean_absolute_error"]
    baselines = list(metrics["skill"])
    rows = [[target, *(errors[name] for name in ("model", *baselines))] for target, errors in by_target.items()]
    pinball = metrics["scaled_pinball"]
    rows.append(["pinball loss of all quantiles, in mean steps", *(pinball[name] for name in ("model", *baselines))])
    items: list[Any] = [
        Text(
            f"Measured on {metrics['rows']:,} rows that training never saw, {_date(metrics['first'])} to "
            f"{_date(metrics['last'])}: the rows went through the stream one by one, and every forecast was made "
            "before the rows that it is judged by. "
            f"{metrics['share_with_truth']:.0%} of the forecasts have a truth."
        ),
        Table(("mean absolute error", "model", *baselines), tuple(map(tuple, rows))),
        Plot(
            metric_by_step(
                metrics["scaled_error_by_step"], model="model", metric="mean absolute error", unit="mean steps"
            ),
            "Error by steps ahead",
        ),
    ]
    if "direction" in metrics:
        shares = metrics["direction"]
        items.append(
            Text(
                f"The direction of the next step was right in {shares['model']:.1%} of the rows; always saying «up» "
                f"would have been right in {shares['always up']:.1%}."
            )
        )
    return tuple(items)


def _calibration(metrics: Mapping[str, Any]) -> tuple:
    rows = tuple(
        (width, f"{value['estimate']:.1%}", f"{value['lower']:.1%} .. {value['upper']:.1%}")
        for width, value in metrics["coverage"].items()
    )
    return (
        Table(("interval", "truths inside", "95 % sampling interval"), rows),
        Plot(calibration_plot(LEVELS, np.array(metrics["quantile_coverage"])), "Share of truths below each quantile"),
    )


def _forecast_plots(forecasts: Forecasts, data: ForecastingData, config: Config) -> tuple:
    """Fan charts of each target: the forecasts one step ahead, and one whole forecast where there are more steps."""
    shown = slice(-_SHOWN_ROWS, None)
    plots = []
    for index, target in enumerate(data.table.targets):
        plots.append(
            Plot(
                fan_chart(
                    forecasts.target_timestamp[shown, 0],
                    forecasts.truth[shown, 0, index],
                    forecasts.quantiles[shown, 0, index],
                    LEVELS,
                    label=target,
                ),
                f"{target}, forecast one step ahead",
            )
        )
        if config.horizon > 1:
            origin = max(len(forecasts.origin) - 1 - config.horizon, 0)
            before = slice(max(0, origin - _SHOWN_ROWS // 2), origin + 1)
            plots.append(
                Plot(
                    fan_chart(
                        forecasts.target_timestamp[origin],
                        forecasts.truth[origin, :, index],
                        forecasts.quantiles[origin, :, index],
                        LEVELS,
                        label=target,
                        history_timestamps=forecasts.origin[before],
                        history=forecasts.last[before, index],
                    ),
                    f"{target}, one forecast of {config.horizon} steps",
                )
            )
    return tuple(plots)


def _alarms(evaluation: Evaluation, data: ForecastingData) -> tuple:
    """The alarms counted, beside those of the baselines, and where they stand on the series."""
    metrics = evaluation.metrics["alarms"]
    everybody = {"model": metrics["model"], **metrics["baselines"]}
    counted = metrics["model"]["alarms_per_week" if "recall" not in metrics["model"] else "false_alarms_per_week"]
    items: list[Any] = [
        Text(
            "The score of a row says how rare errors like its own are, a tenth for each power of ten. The threshold is "
            f"chosen on the validation rows, for {metrics['false_alarms_per_week_allowed']:g} false alarms a week; "
            f"{counted['estimate']:.2g} were counted on {metrics['model']['weeks']:.3g} weeks of test rows "
            f"({counted['lower']:.2g} .. {counted['upper']:.2g}). The baselines have thresholds chosen in the same way."
        ),
        _alarm_table(everybody),
    ]
    if "by_kind" in metrics["model"]:
        items.append(_kinds_table(everybody))
    return (*items, *_alarm_plots(evaluation.watches, data, metrics["threshold"]))


def _alarm_table(everybody: Mapping[str, Any]) -> Table:
    if "recall" not in everybody["model"]:
        counts = [(name, one["alarms"], one["alarms_per_week"]["estimate"]) for name, one in everybody.items()]
        return Table(("", "alarms", "alarms a week"), tuple(counts))
    minutes = ("minutes to the alarm, median", "90 %")
    rows = [
        (
            name,
            _share(one["recall"]),
            _share(one["precision"]),
            one["false_alarms_per_week"]["estimate"],
            one["delay_minutes"]["median"],
            one["delay_minutes"]["p90"],
        )
        for name, one in everybody.items()
    ]
    return Table(("", "faults found", "alarms that are right", "false alarms a week", *minutes), tuple(rows))


def _kinds_table(everybody: Mapping[str, Any]) -> Table:
    kinds = everybody["model"]["by_kind"]
    rows = [
        (kind, *(f"{one['by_kind'][kind]['found']} of {one['by_kind'][kind]['faults']}" for one in everybody.values()))
        for kind in kinds
    ]
    return Table(("found, by kind", *everybody), tuple(rows))


def _share(value: Mapping[str, float]) -> str:
    if np.isnan(value["estimate"]):
        return "none"
    return f"{value['estimate']:.0%} ({value['lower']:.0%} .. {value['upper']:.0%})"


def _alarm_plots(watches: Sequence[Watch], data: ForecastingData, threshold: float) -> list[Plot]:
    """Each target of the series with most alarms or faults, where the first of them are."""
    watch = max(watches, key=lambda one: int(one.alarms.sum()) + (one.series.faults is not None))
    faults = [] if watch.series.faults is None else fault_stretches(watch.series.faults)
    events = [*(fault.begin for fault in faults), *(stretch.begin for stretch in alarm_stretches(watch.alarms))]
    begin = max(0, min(events, default=len(watch.scores) - _SHOWN_ALARM_ROWS) - _SHOWN_ROWS)
    shown = slice(begin, begin + _SHOWN_ALARM_ROWS)
    stamps = watch.series.timestamps
    return [
        Plot(
            series_with_scores(
                stamps[shown],
                watch.series.values[shown, index],
                watch.scores[shown],
                label=target,
                threshold=threshold,
                faults=[
                    (int(stamps[fault.begin]), int(stamps[fault.end - 1]))
                    for fault in faults
                    if shown.start <= fault.begin and fault.end <= shown.stop
                ],
            ),
            f"{target}: how unusual each row was under the forecast made before it, and the alarms",
        )
        for index, target in enumerate(data.table.targets)
    ]


def _backtest(folds: Sequence[Mapping[str, Any]]) -> tuple:
    baselines = list(folds[0]["scaled_pinball"])
    rows = tuple((fold["train_rows"], fold["test_rows"], *fold["scaled_pinball"].values()) for fold in folds)
    return (
        Text("The model was trained anew, its preprocessing fitted anew, on the rows before each origin alone."),
        Table(("training rows", "test rows", *(f"pinball loss, {name}" for name in baselines)), rows),
    )


def _limits(data: ForecastingData, config: Config) -> str:
    lines = [
        f"The horizon is fixed at {config.horizon} steps.",
        f"A forecast needs some {config.context} rows of history to be as good as measured here.",
        "The intervals adapt to what the stream has shown; a change of regime is covered only after some misses.",
    ]
    if data.spec.transform == "log_return":
        lines.append("Prices are close to a random walk: expect honest intervals around the last value, not more.")
    if data.spec.grid.unit == "second":
        lines.append("Every step of the grid is forecast, hours in which a market is closed included.")
    if data.spec.grid.unit == "business_day":
        lines.append("Forecast dates skip weekends, not public holidays.")
    return "\n\n".join(lines)


def _date(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
