"""Plots of translation, made and drawn like those of `plots.py`."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from runnel.shared.evaluation.palette import LIGHT
from runnel.shared.evaluation.plot_axes import WIDTH, name_above, one_axes
from runnel.shared.evaluation.plots import styled

__all__ = ["attention_map", "quality_by_lag"]

_CELL = 0.22  # inches a row


@styled
def attention_map(source: Sequence[str], target: Sequence[str], weights: ArrayLike) -> Figure:
    """Draws how much of each token of a source was seen when each token of its translation was written.

    Args:
        source: S tokens, from left to right.
        target: T tokens, from top to bottom.
        weights: float [T, S], in [0, 1]; the larger, the larger the square.

    Returns:
        The figure.

    Raises:
        ValueError: the weights are not [T, S].
    """
    shares = np.asarray(weights, np.float64)
    if shares.shape != (len(target), len(source)):
        raise ValueError(f"received weights {shares.shape} of {len(target)} x {len(source)} tokens; give [T, S]")
    figure, axes = one_axes(1.0 + _CELL * len(target))
    rows, columns = np.indices(shares.shape)
    largest = (0.8 * 72 * min(_CELL, (WIDTH - 1.5) / max(len(source), 1))) ** 2  # square points
    axes.scatter(columns, rows, s=largest * shares, marker="s", color=LIGHT["blue"], linewidths=0)
    axes.set_xticks(
        range(len(source)), [_plain(token) for token in source], rotation=55, ha="left", rotation_mode="anchor"
    )
    axes.set_yticks(range(len(target)), [_plain(token) for token in target])
    axes.set_xlim(-0.6, len(source) - 0.4)
    axes.set_ylim(len(target) - 0.4, -0.6)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=True, linewidth=0.3)
    return figure


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
    """
    behind, quality = np.asarray(lags, np.float64), np.asarray(scores, np.float64)
    figure, axes = one_axes(2.6)
    axes.axhline(whole, color=LIGHT["muted"], linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate("whole sentences", (1, whole), (-4, 4), ("axes fraction", "data"), "offset points",
                  ha="right", color=LIGHT["muted"], fontsize=8.4)  # fmt: skip
    axes.plot(behind, quality, "o-", color=LIGHT["blue"])
    for name, lag, score in zip(names, behind, quality, strict=True):
        axes.annotate(name, (lag, score), (7, -11), textcoords="offset points", color=LIGHT["blue"], fontsize=8.4)
    axes.set_xlabel("average lag behind the speaker, words")
    axes.margins(0.1, 0.15)
    name_above(axes, metric)
    return figure


def _plain(token: str) -> str:
    """A token that is never read as a formula."""
    return token.replace("$", r"\$")
