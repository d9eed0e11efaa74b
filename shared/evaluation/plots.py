"""Plots of forecasts and training, as matplotlib figures without global state (no pyplot).

Every function returns a new `matplotlib.figure.Figure` in the colours of `palette.LIGHT`; the report draws it on dark
paper as well. Lines are named at their right end instead of in a legend. Names and units are the user's own text and
never read as formulas. Timestamps are int64 Unix seconds, shown in UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import ParamSpec

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike

from runnel.shared.evaluation.palette import LIGHT, SERIES_COLOURS
from runnel.shared.evaluation.plot_axes import (
    WIDTH,
    date_axis,
    label_right,
    last_finite,
    name_above,
    nested_intervals,
    one_axes,
    utc_times,
)
from runnel.shared.evaluation.plot_style import plot_style

__all__ = ["calibration_plot", "fan_chart", "metric_by_step", "series_with_scores", "styled", "training_curves"]

Parameters = ParamSpec("Parameters")


def styled(draw: Callable[Parameters, Figure]) -> Callable[Parameters, Figure]:
    """Makes the figure in the style of the project."""

    @wraps(draw)
    def styled(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Figure:
        with plot_style():
            figure = draw(*args, **kwargs)
            figure.draw_without_rendering()  # ticks are made when they are first drawn, in the style of that moment
        return figure

    return styled


@styled
def fan_chart(
    timestamps: ArrayLike,
    truth: ArrayLike,
    quantiles: ArrayLike,
    levels: Sequence[float],
    *,
    label: str,
    unit: str = "",
    history_timestamps: ArrayLike = (),
    history: ArrayLike = (),
) -> Figure:
    """Draws the widest interval of a forecast, the one nearest to 50 %, and the median, with the truth.

    Args:
        timestamps: int64 [T], of the forecast rows.
        truth: float [T], NaN = missing; all NaN where the future is not known yet.
        quantiles: float [T, Q].
        levels: float [Q], increasing; the first and the last make the widest interval, and so on inwards.
        label: what is forecast, the user's own column name.
        unit: its unit, for the axis; "" leaves it out.
        history_timestamps: int64 [P], of rows before the forecast.
        history: float [P], their values.

    Returns:
        The figure.

    Raises:
        ValueError: the shapes do not belong together.
    """
    times, bands = utc_times(timestamps), np.asarray(quantiles, dtype=np.float64)
    observed, past = np.asarray(truth, dtype=np.float64), np.asarray(history, dtype=np.float64)
    if bands.shape != (len(times), len(levels)) or observed.shape != times.shape:
        raise ValueError(
            f"received {len(times)} timestamps, truth {observed.shape}, quantiles {bands.shape}, {len(levels)} levels; "
            "give truth [T] and quantiles [T, Q]"
        )
    figure, axes = one_axes(2.5)
    labels = []
    for lower, upper in nested_intervals(levels):
        axes.fill_between(times, bands[:, lower], bands[:, upper], color=LIGHT["blue"], alpha=0.18, linewidth=0)
        labels.append((last_finite(bands[:, upper]), f"{100 * (levels[upper] - levels[lower]):.0f} %", LIGHT["muted"]))
    middle = int(np.argmin(np.abs(np.asarray(levels) - 0.5)))
    name = "median" if abs(levels[middle] - 0.5) < 1e-6 else f"{100 * levels[middle]:.0f} % quantile"
    marker = "o" if len(times) == 1 else ""
    axes.plot(times, bands[:, middle], color=LIGHT["blue"], marker=marker)
    labels.append((last_finite(bands[:, middle]), name, LIGHT["blue"]))
    seen = np.concatenate([past, observed])
    width = 1.2 if len(seen) < 150 else 0.8
    axes.plot(np.concatenate([utc_times(history_timestamps), times]), seen, color=LIGHT["ink"], linewidth=width)
    if np.isfinite(observed).any():
        labels.append((last_finite(observed), "truth", LIGHT["ink"]))
    date_axis(axes)
    name_above(axes, label, unit)
    label_right(axes, labels)
    return figure


@styled
def metric_by_step(
    values: Mapping[str, ArrayLike],
    *,
    model: str,
    metric: str,
    unit: str = "",
    step: str = "steps ahead",
    first: int = 1,
) -> Figure:
    """Draws a metric of the model beside its baselines at each step, such as the error at each step ahead.

    Args:
        values: name -> float [H], the metric at each of H steps. A single step is drawn as dots, one line a name.
        model: which name is the model; drawn in blue and above the others.
        metric: what the values are, for the axis, such as "mean absolute error".
        unit: their unit.
        step: what the horizontal axis counts, such as "days ahead".
        first: the number of the first step.

    Returns:
        The figure.

    Raises:
        ValueError: the model is not among the names, or the numbers of steps differ.
    """
    curves = {name: np.asarray(curve, dtype=np.float64) for name, curve in values.items()}
    lengths = {curve.shape for curve in curves.values()}
    if model not in curves or len(lengths) != 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(
            f"received values of {list(curves)} with shapes {sorted(lengths)} for the model {model!r}; give [H] each"
        )
    colours = dict(zip((name for name in curves if name != model), _cycle(SERIES_COLOURS, len(curves)), strict=False))
    colours[model] = LIGHT["blue"]
    if len(curves[model]) == 1:
        return _error_dots({name: float(curve[0]) for name, curve in curves.items()}, colours, metric, unit)
    figure, axes = one_axes(2.4)
    steps = first + np.arange(len(curves[model]))
    for name, curve in curves.items():
        width, order = (2.4, 3) if name == model else (1.4, 2)
        marker = "o" if len(steps) <= 14 else ""
        axes.plot(steps, curve, color=colours[name], linewidth=width, zorder=order, marker=marker, markersize=3.5)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(step)
    name_above(axes, metric, unit)
    label_right(axes, [(last_finite(curve), name, colours[name]) for name, curve in curves.items()])
    return figure


@styled
def calibration_plot(
    levels: ArrayLike, coverage: ArrayLike, lower: ArrayLike | None = None, upper: ArrayLike | None = None
) -> Figure:
    """Draws how often the truth was covered against how often it should have been; the diagonal is right.

    Args:
        levels: float [K], nominal coverage of intervals or levels of quantiles, in [0, 1].
        coverage: float [K], measured share, in [0, 1].
        lower: float [K], lower bounds of the sampling interval of the share; none if left out.
        upper: float [K], upper bounds of it.

    Returns:
        The figure, square.

    Raises:
        ValueError: the shapes differ, or one bound is given without the other.
    """
    nominal, measured = np.asarray(levels, dtype=np.float64), np.asarray(coverage, dtype=np.float64)
    if nominal.ndim != 1 or measured.shape != nominal.shape or (lower is None) != (upper is None):
        raise ValueError(
            f"levels have shape {nominal.shape} and coverage {measured.shape}; give [K] each, and both bounds or none"
        )
    figure = Figure(figsize=(3.5, 3.4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=LIGHT["muted"], linewidth=1, linestyle=(0, (4, 3)))
    axes.text(0.03, 0.97, "above the line:\ncovers too much", color=LIGHT["muted"], fontsize=8, va="top")
    axes.text(0.97, 0.03, "below the line:\ncovers too little", color=LIGHT["muted"], fontsize=8, ha="right")
    if lower is not None and upper is not None:
        axes.vlines(nominal, np.asarray(lower), np.asarray(upper), color=LIGHT["blue"], linewidth=1.4, alpha=0.55)
    axes.plot(nominal, measured, color=LIGHT["blue"], marker="o", markersize=4.5)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="nominal")
    name_above(axes, "share of truths covered")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    return figure


@styled
def training_curves(history: Sequence[Mapping[str, float]], *, loss_name: str = "loss") -> Figure:
    """Draws training and validation loss by epoch and marks the best epoch.

    Args:
        history: one mapping an epoch with `epoch`, `loss` and, where it was measured, `val_loss`; other keys are
            ignored.
        loss_name: what the loss is, with its unit, for the axis.

    Returns:
        The figure.

    Raises:
        ValueError: the history is empty.
    """
    if not history:
        raise ValueError("the history is empty; give one mapping an epoch")
    epochs = np.array([entry["epoch"] for entry in history], dtype=np.float64)
    figure, axes = one_axes(2.2)
    labels = []
    for key, name, colour in (("loss", "training", LIGHT["muted"]), ("val_loss", "validation", LIGHT["blue"])):
        curve = np.array([entry.get(key, np.nan) for entry in history], dtype=np.float64)
        if not np.isfinite(curve).any():
            continue
        axes.plot(epochs, curve, color=colour, marker="o" if len(epochs) <= 14 else "", markersize=3.5)
        labels.append((last_finite(curve), name, colour))
        if key == "val_loss":
            best = int(np.nanargmin(curve))
            axes.plot(epochs[best], curve[best], marker="o", markersize=8, markerfacecolor="none", color=colour)
            axes.annotate(f"best: {curve[best]:.4g}", (epochs[best], curve[best]), (0, 8), textcoords="offset points",
                          ha="center", va="bottom", fontsize=8, color=colour)  # fmt: skip
            axes.margins(y=0.15)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    name_above(axes, loss_name)
    label_right(axes, labels)
    return figure


@styled
def series_with_scores(
    timestamps: ArrayLike,
    values: ArrayLike,
    scores: ArrayLike,
    *,
    label: str,
    unit: str = "",
    threshold: float | None = None,
    faults: Sequence[tuple[int, int]] = (),
) -> Figure:
    """Draws a series and, below it on the same time axis, how surprising each row was.

    Args:
        timestamps: int64 [T].
        values: float [T], NaN = missing.
        scores: float [T] in [0, 1].
        label: name of the series, the user's own.
        unit: its unit.
        threshold: score from which a row is called an anomaly; such rows are marked in both parts.
        faults: (first, last) timestamps of known faults, shaded.

    Returns:
        The figure.

    Raises:
        ValueError: the lengths differ.
    """
    times, series, surprise = utc_times(timestamps), np.asarray(values, np.float64), np.asarray(scores, np.float64)
    if not times.shape == series.shape == surprise.shape:
        raise ValueError(
            f"received {times.shape} timestamps, {series.shape} values and {surprise.shape} scores; give [T] each"
        )
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
    for first, last in faults:
        for axes in (above, below):
            axes.axvspan(*utc_times([first, last]), color=LIGHT["orange"], alpha=0.22, linewidth=0)
    above.plot(times, series, color=LIGHT["ink"], linewidth=1.1)
    below.plot(times, surprise, color=LIGHT["blue"], linewidth=1.1)
    if threshold is not None:
        below.axhline(threshold, color=LIGHT["vermilion"], linewidth=1, linestyle=(0, (4, 3)))
        alarms = surprise >= threshold
        above.plot(times[alarms], series[alarms], "o", color=LIGHT["vermilion"], markersize=4)
        below.plot(times[alarms], surprise[alarms], "o", color=LIGHT["vermilion"], markersize=3)
        label_right(below, [(threshold, "alarm", LIGHT["vermilion"])])
    if len(faults):
        above.set_title("shaded: known fault", loc="right", fontsize=8.4, color=LIGHT["orange"])
    name_above(above, label, unit)
    name_above(below, "anomaly score")
    below.set(ylim=(0, 1.04), yticks=[0, 0.5, 1])
    date_axis(below)
    return figure


def _error_dots(errors: Mapping[str, float], colours: Mapping[str, str], metric: str, unit: str) -> Figure:
    """One line a forecaster, least error on top."""
    figure, axes = one_axes(0.7 + 0.27 * len(errors))
    names = sorted(errors, key=lambda name: errors[name], reverse=True)
    for row, name in enumerate(names):
        axes.plot(errors[name], row, "o", color=colours[name], markersize=8)
        axes.annotate(f"{errors[name]:.4g}", (errors[name], row), (9, 0), textcoords="offset points", va="center",
                      color=colours[name])  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.margins(x=0.15)
    axes.set_xlim(left=0)
    name_above(axes, metric, unit)
    return figure


def _cycle(colours: Sequence[str], count: int) -> list[str]:
    return [colours[index % len(colours)] for index in range(count)]
