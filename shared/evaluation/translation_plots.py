"""Plots of translation, made and drawn like those of `plots.py`."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike

from runnel.shared.evaluation.palette import LIGHT
from runnel.shared.evaluation.plot_axes import label_right, name_above, one_axes
from runnel.shared.evaluation.plots import styled

__all__ = ["attention_map", "quality_by_lag"]

_CELL = 0.22  # inches a row
_LONGEST_TOKEN = 16  # characters that are shown
_FONT_SIZE = 8.8
_CONTROLS = {code: 0x2400 + code for code in range(32)}  # as the pictures of them, which make no new line


@styled
def attention_map(source: Sequence[str], target: Sequence[str], weights: ArrayLike) -> Figure:
    """Draws how much of each token of a source was seen when each token of its translation was written.

    Args:
        source: S tokens, from left to right; long ones are cut.
        target: T tokens, from top to bottom; long ones are cut.
        weights: float [T, S], in [0, 1]; the larger, the larger the square.

    Returns:
        The figure.

    Raises:
        ValueError: the weights are not [T, S].
    """
    shares = np.asarray(weights, np.float64)
    if shares.shape != (len(target), len(source)):
        raise ValueError(f"received weights {shares.shape} of {len(target)} x {len(source)} tokens; give [T, S]")
    figure, axes = one_axes(_CELL * len(target) + 4)  # room for any labels until their height is known
    axes.set_xlim(-0.6, len(source) - 0.4)
    axes.set_ylim(len(target) - 0.4, -0.6)
    axes.set_yticks(range(len(target)), [_shown(token) for token in target])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=True, linewidth=0.3)
    column = _write_above(figure, axes, [_shown(token) for token in source])
    rows, columns = np.indices(shares.shape)
    largest = (0.8 * min(72 * _CELL, column)) ** 2  # square points
    axes.scatter(columns, rows, s=largest * shares, marker="s", color=LIGHT["blue"], linewidths=0)
    figure.draw_without_rendering()
    tallest = max((label.get_window_extent().height for label in axes.get_xticklabels()), default=0.0)
    figure.set_figheight(_CELL * (len(target) + 1) + tallest / figure.dpi)
    return figure


def _write_above(figure: Figure, axes: Axes, tokens: Sequence[str]) -> float:
    """Names the columns, inclined where there is room, else upright and small enough; gives their width in points."""
    places = range(len(tokens))
    axes.set_xticks(places, tokens, rotation=90)
    figure.draw_without_rendering()
    (left, _), (right, _) = axes.transData.transform([(0, 0), (1, 0)])
    column = float(right - left) * 72 / figure.dpi
    if column > 2 * _FONT_SIZE:  # some of it will be lost to the last token, which leans out
        axes.set_xticks(places, tokens, rotation=55, ha="left", rotation_mode="anchor")
    else:
        axes.set_xticks(places, tokens, rotation=90, fontsize=min(_FONT_SIZE, 0.95 * column))
    return column


@styled
def quality_by_lag(names: Sequence[str], lags: ArrayLike, scores: ArrayLike, *, whole: float, metric: str) -> Figure:
    """Draws the quality of translations against how far they lag behind the speaker.

    Args:
        names: what each of K points is called, such as its k.
        lags: float [K], words of the source.
        scores: float [K].
        whole: the score of whole sentences, drawn as a line.
        metric: what the scores are.

    Returns:
        The figure.

    Raises:
        ValueError: the numbers of names, lags and scores differ.
    """
    behind, quality = np.asarray(lags, np.float64), np.asarray(scores, np.float64)
    if not (len(names),) == behind.shape == quality.shape:
        raise ValueError(
            f"received {len(names)} names, lags {behind.shape} and scores {quality.shape}; give [K] of each"
        )
    figure, axes = one_axes(2.6)
    axes.axhline(whole, color=LIGHT["muted"], linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(behind, quality, "o-", color=LIGHT["blue"])
    axes.set_xlabel("average lag behind the speaker, words")
    axes.margins(0.18, 0.15)  # room for the name of the last point
    name_above(axes, metric)
    label_right(axes, [(whole, "whole sentences", LIGHT["muted"])])
    figure.draw_without_rendering()  # then it is known where the points are
    taken: list[Bbox] = []
    for name, lag, score in zip(names, behind, quality, strict=True):
        taken.append(_name_point(axes, name, (lag, score), taken))
    return figure


def _name_point(axes: Axes, name: str, point: tuple[float, float], taken: Sequence[Bbox]) -> Bbox:
    """Writes a name below a point to the right, or above it to the left where there is another; gives its place."""
    label = axes.annotate(name, point, (7, -11), textcoords="offset points", color=LIGHT["blue"], fontsize=8.4)
    if label.get_window_extent().count_overlaps(taken):
        label.xyann = (-7, 5)
        label.set_horizontalalignment("right")
    return label.get_window_extent()


def _shown(token: str) -> str:
    """A token as it is written beside a map."""
    short = token if len(token) <= _LONGEST_TOKEN else token[: _LONGEST_TOKEN - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return short.translate(_CONTROLS)
