"""Plots of classification and detection, made and drawn like those of `plots.py`."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from runnel.shared.evaluation.detection_scores import DetCurve, Event, Word
from runnel.shared.evaluation.palette import LIGHT, SERIES_COLOURS
from runnel.shared.evaluation.plot_axes import WIDTH, label_right, last_finite, name_above, one_axes
from runnel.shared.evaluation.plots import styled

__all__ = ["Accuracy", "accuracy_by_condition", "confusion_heat_map", "det_plot", "posteriors_over_time"]

_MOST_CELLS = 24  # classes whose cells have room for numbers
_ENVELOPE = 500  # columns of a waveform that are told apart
_HOP = 320  # samples a frame, 20 ms at 16 kHz


class Accuracy(NamedTuple):
    """Accuracy under each of K conditions, float [K] in [0, 1], with the bounds of its sampling interval."""

    estimate: ArrayLike
    lower: ArrayLike
    upper: ArrayLike


@styled
def det_plot(
    curves: Mapping[str, DetCurve], *, model: str, operating_point: tuple[float, float] | None = None
) -> Figure:
    """Draws misses against false alarms an hour: the least miss rate that is had for not more than so many.

    The axis of false alarms is logarithmic. No false alarm at all stands at its left end, at half an alarm in the whole
    of the audio.

    Args:
        curves: name -> curve; each with one point or more.
        model: which name is the model; drawn in blue and above the others.
        operating_point: false alarms an hour and miss rate of the model at the thresholds it has; marked.

    Returns:
        The figure.

    Raises:
        ValueError: the model is not among the names, or a curve has no points.
    """
    if model not in curves or not all(len(curve.miss_rate) for curve in curves.values()):
        raise ValueError(f"received curves {list(curves)} for the model {model!r}; give one with points for each name")
    figure, axes = one_axes(2.8)
    least = min(0.5 / curve.hours for curve in curves.values())
    points = {name: _best_so_far(curve, least) for name, curve in curves.items()}
    most = max([1.0, 2 * least, *(rates[-1] for rates, _ in points.values()), *(operating_point or ())[:1]])
    labels = []
    for name, colour in _colours(curves, model).items():
        rates, misses = points[name]
        width, order = (2.4, 3) if name == model else (1.4, 2)
        axes.step([*rates, most], [*misses, misses[-1]], where="post", color=colour, linewidth=width, zorder=order)
        labels.append((float(misses[-1]), name, colour))
    if operating_point is not None:
        rate, miss = operating_point
        axes.plot(max(rate, least), miss, "o", color=LIGHT["ink"], markersize=6, zorder=4)
        axes.annotate("as exported", (max(rate, least), miss), (6, 6), textcoords="offset points", fontsize=8.4)
    axes.set(xscale="log", xlim=(least, most), xlabel="false alarms an hour")
    axes.set_ylim(0, 1.04 * axes.get_ylim()[1])
    _rate_axis(axes, least, most)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    name_above(axes, "commands missed")
    label_right(axes, labels)
    return figure


@styled
def confusion_heat_map(counts: ArrayLike, labels: Sequence[str]) -> Figure:
    """Draws which class was taken for which: the darker, the larger the share of the row.

    Up to 24 classes each cell holds the share of its row in percent and, below it, the count; zeros are left empty.

    Args:
        counts: int [C, C]; rows are the truth, columns what was recognised.
        labels: names of the C classes.

    Returns:
        The figure.

    Raises:
        ValueError: the matrix is not square, has not one name a row, or holds a negative count.
    """
    table = np.asarray(counts, np.float64)
    if table.ndim != 2 or table.shape != (len(labels), len(labels)) or (table < 0).any():
        raise ValueError(f"received counts {table.shape} and {len(labels)} labels; give counts [C, C] and C labels")
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    classes = len(labels)
    figure, axes = one_axes(WIDTH * 0.9)
    for row, column in np.argwhere(table > 0).tolist():
        share = float(shares[row, column])
        axes.add_patch(Rectangle((column, row), 1, 1, color=LIGHT["blue"], alpha=0.08 + 0.8 * share, linewidth=0))
        if classes <= _MOST_CELLS:
            colour = LIGHT["paper"] if share > 0.5 else LIGHT["ink"]
            _cell(axes, row, column, f"{100 * share:.0f} %", f"{table[row, column]:,.0f}", colour, classes)
    size = min(8.4, 190 / max(classes, 1))
    places = np.arange(classes) + 0.5
    axes.set(xlim=(0, classes), ylim=(classes, 0), xlabel="recognised as")
    axes.set_xticks(places, labels, rotation=90, fontsize=size)
    axes.set_yticks(places, labels, fontsize=size)
    axes.grid(False)
    name_above(axes, "spoken, with the share of each row" + (" and the count" if classes <= _MOST_CELLS else ""))
    return figure


@styled
def posteriors_over_time(
    waveform: ArrayLike,
    posteriors: ArrayLike,
    labels: Sequence[str],
    *,
    events: Sequence[Event] = (),
    words: Sequence[Word] = (),
    show: Sequence[str] = (),
    sample_rate: int = 16_000,
    hop: int = _HOP,
) -> Figure:
    """Draws the posteriors of the classes that matter, marks where events fired, and the waveform below.

    Args:
        waveform: float [N], in [-1, 1].
        posteriors: float [M, C]; those of frame m are known at sample (m + 1) hop.
        labels: names of the C classes.
        events: a triangle each, at their sample and confidence.
        words: what was spoken, shaded.
        show: classes to draw; the five that rise highest if left out, and those of the events.
        sample_rate: samples a second.
        hop: samples a frame.

    Returns:
        The figure.

    Raises:
        ValueError: there is not one posterior a class, or a class to draw does not exist.
    """
    sound, curves = np.asarray(waveform, np.float64), np.asarray(posteriors, np.float64)
    unknown = sorted({*show, *(event.label for event in events)} - set(labels))
    if curves.ndim != 2 or curves.shape[1] != len(labels) or unknown:
        raise ValueError(
            f"received posteriors {curves.shape}, {len(labels)} labels and no {unknown}; give [M, C] and C"
        )
    figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.4, 1])
    for word in words:
        for axes in (above, below):
            axes.axvspan(
                word.begin / sample_rate, word.end / sample_rate, color=LIGHT["muted"], alpha=0.15, linewidth=0
            )
    chosen = list(show) or _rising(curves, labels, events)
    colours = dict(zip(chosen, cycle((LIGHT["blue"], *SERIES_COLOURS)), strict=False))
    times = (np.arange(len(curves)) + 1) * hop / sample_rate
    for name, colour in colours.items():
        _named_at_peak(above, times, curves[:, list(labels).index(name)], name, colour)
    for event in events:
        colour = colours.get(event.label, LIGHT["ink"])
        above.plot(event.sample / sample_rate, event.confidence, "v", color=colour, markersize=7, zorder=4)
        below.axvline(event.sample / sample_rate, color=colour, linewidth=1)
    low, high, at = _envelope(sound)
    below.fill_between(at / sample_rate, low, high, color=LIGHT["ink"], linewidth=0.4)
    above.set(ylim=(0, 1.16), yticks=[0, 0.5, 1])
    below.set(xlim=(0, max(len(sound), 1) / sample_rate), xlabel="seconds", yticks=[])
    name_above(above, "probability" + (", \N{BLACK DOWN-POINTING TRIANGLE} = event" if len(events) else ""))
    name_above(below, "waveform")
    return figure


@styled
def accuracy_by_condition(
    conditions: ArrayLike, accuracies: Mapping[str, Accuracy], *, model: str, condition: str, unit: str = "dB"
) -> Figure:
    """Draws how accuracy depends on the ratio of speech to noise or on the level, with sampling intervals.

    Args:
        conditions: float [K], increasing.
        accuracies: name -> accuracy under each condition.
        model: which name is the model; drawn in blue and above the others.
        condition: what the conditions are, such as "speech over noise".
        unit: their unit.

    Returns:
        The figure.

    Raises:
        ValueError: the model is not among the names, or there is not one value a condition.
    """
    places = np.asarray(conditions, np.float64)
    curves = {name: np.array([*accuracy], np.float64) for name, accuracy in accuracies.items()}
    if model not in curves or any(curve.shape != (3, len(places)) for curve in curves.values()):
        shapes = [curve.shape for curve in curves.values()]
        raise ValueError(
            f"received {shapes} for {len(places)} conditions and the model {model!r}; give [K] three times"
        )
    figure, axes = one_axes(2.4)
    labels = []
    for name, colour in _colours(curves, model).items():
        estimate, lower, upper = curves[name]
        width, order = (2.4, 3) if name == model else (1.4, 2)
        axes.vlines(places, lower, upper, color=colour, linewidth=1.4, alpha=0.55, zorder=order)
        axes.plot(places, estimate, color=colour, linewidth=width, marker="o", markersize=3.5, zorder=order)
        labels.append((last_finite(estimate), name, colour))
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.set_xlabel(f"{condition} ({unit})" if unit else condition)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    name_above(axes, "clips recognised")
    label_right(axes, labels)
    return figure


def _best_so_far(curve: DetCurve, least: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points of a curve from few to many false alarms, with the least miss rate up to each."""
    order = np.lexsort((curve.miss_rate, curve.false_alarms_per_hour))
    rates = np.maximum(curve.false_alarms_per_hour[order], least)
    return rates, np.minimum.accumulate(curve.miss_rate[order])


def _rate_axis(axes: Axes, least: float, most: float) -> None:
    """Ticks at 0 and at round numbers between."""
    round_numbers = [
        number for number in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000) if 1.5 * least < number <= most
    ]
    axes.set_xticks([least, *round_numbers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: "0" if rate <= least else f"{rate:g}"))


def _cell(axes: Axes, row: int, column: int, share: str, count: str, colour: str, classes: int) -> None:
    size = min(8.0, 95 / classes)
    for text, height, scale in ((share, 0.36, 1.0), (count, 0.72, 0.85)):
        axes.text(column + 0.5, row + height, text, color=colour, fontsize=size * scale, ha="center", va="center")


def _rising(curves: NDArray[np.float64], labels: Sequence[str], events: Sequence[Event]) -> list[str]:
    """The classes of the events and those that rise highest, up to five, in their order."""
    highest = curves.max(axis=0, initial=0.0)
    named = {event.label for event in events}
    ranked = sorted(range(len(labels)), key=lambda index: (labels[index] not in named, -highest[index]))
    chosen = ranked[: max(5, len(named))]
    return [labels[index] for index in sorted(chosen) if highest[index] > 0.05 or labels[index] in named]


def _named_at_peak(axes: Axes, times: NDArray[np.float64], curve: NDArray[np.float64], name: str, colour: str) -> None:
    """Draws a line with its name above its peak, inside the axes."""
    axes.plot(times, curve, color=colour, linewidth=1.3)
    if not len(curve):
        return
    peak = int(np.argmax(curve))
    place = times[peak] / times[-1]
    side = "left" if place < 0.15 else "right" if place > 0.85 else "center"
    axes.annotate(name, (times[peak], curve[peak]), (0, 5), textcoords="offset points", ha=side, va="bottom",
                  fontsize=8.4, color=colour)  # fmt: skip


def _envelope(sound: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Least and greatest sample of each of some hundred parts, and the middle of each part."""
    edges = np.unique(np.linspace(0, len(sound), min(_ENVELOPE, len(sound)) + 1).astype(int))
    if len(edges) < 2:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    begins = edges[:-1]
    return np.minimum.reduceat(sound, begins), np.maximum.reduceat(sound, begins), (begins + edges[1:]) / 2


def _colours(names: Mapping[str, object], model: str) -> dict[str, str]:
    """Blue for the model, the others in their order."""
    others = dict(zip((name for name in names if name != model), cycle(SERIES_COLOURS), strict=False))
    return others | {model: LIGHT["blue"]}
