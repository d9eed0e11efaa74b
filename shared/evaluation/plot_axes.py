"""What the plots have in common: axes named above, lines named at their right end, time in UTC."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from runnel.shared.evaluation.palette import LIGHT

__all__ = [
    "WIDTH",
    "date_axis",
    "label_right",
    "last_finite",
    "name_above",
    "nested_intervals",
    "one_axes",
    "spread",
    "utc_times",
]

WIDTH = 5.4  # inches: text stays readable on a phone, where the page is about 3.7 inches wide
LONGEST_NAME = 64  # characters of a name that fit above the axes
LABEL_GAP = 0.085  # least distance of two labels, as a fraction of the height of the axes


def one_axes(height: float) -> tuple[Figure, Axes]:
    """Makes a figure of the usual width and the given height, in inches, with one pair of axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def label_right(axes: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Writes (height, text, colour) at the right edge, moved apart where they would overlap; fixes the limits."""
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top)
    drawn = sorted((label for label in labels if np.isfinite(label[0])), key=lambda label: label[0])
    places = spread(np.array([(height - bottom) / (top - bottom) for height, _, _ in drawn]), LABEL_GAP)
    for place, (_, text, colour) in zip(places, drawn, strict=True):
        axes.annotate(
            text, (1, place), (5, 0), "axes fraction", "offset points", va="center", color=colour, fontsize=8.4
        )


def spread(places: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Moves increasing places apart to `gap`, each run of close ones around its own middle."""
    groups = [[place] for place in places]
    position = 0
    while position + 1 < len(groups):
        left, right = groups[position], groups[position + 1]
        if np.mean(right) - np.mean(left) < gap * (len(left) + len(right)) / 2:
            groups[position : position + 2] = [left + right]
            position = max(0, position - 1)
        else:
            position += 1
    centred = [np.mean(group) + gap * (np.arange(len(group)) - (len(group) - 1) / 2) for group in groups]
    return np.concatenate(centred) if centred else places


def nested_intervals(levels: Sequence[float]) -> list[tuple[int, int]]:
    """Quantile indices of the widest interval and of the one nearest to 50 %, widest first."""
    pairs = [(lower, len(levels) - 1 - lower) for lower in range(len(levels) // 2)]
    half = sorted(pairs, key=lambda pair: abs(levels[pair[1]] - levels[pair[0]] - 0.5))[:1]
    return pairs[:1] + [pair for pair in half if pair not in pairs[:1]]


def utc_times(timestamps: ArrayLike) -> NDArray[np.datetime64]:
    """Unix seconds as what matplotlib draws on a time axis."""
    return np.asarray(timestamps, dtype=np.int64).astype("datetime64[s]")


def date_axis(axes: Axes) -> None:
    """Makes the horizontal axis one of dates, as short as they can be."""
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_xlabel("time (UTC)")


def last_finite(values: NDArray[np.float64]) -> float:
    """Last finite value; NaN where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else float("nan")


def name_above(axes: Axes, name: str, unit: str = "") -> None:
    """Names the vertical axis above it, where long names have room and nobody turns their head."""
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"
    axes.set_title(f"{short} ({unit})" if unit else short, loc="left", fontsize=8.8, color=LIGHT["muted"])
