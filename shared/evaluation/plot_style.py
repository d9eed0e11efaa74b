"""The one style of all plots, applied while they are made and while they are drawn."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

from runnel.shared.evaluation.palette import LIGHT

__all__ = ["plot_style"]

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.8,
    "text.parse_math": False,
    "text.color": LIGHT["ink"],
    "axes.edgecolor": LIGHT["muted"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.formatter.use_mathtext": False,
    "grid.color": LIGHT["rule"],
    "grid.linewidth": 0.8,
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "ytick.major.size": 0,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "path.simplify_threshold": 0.3,
    "svg.fonttype": "none",
    "svg.hashsalt": "runnel",
}


@contextmanager
def plot_style() -> Iterator[None]:
    """Sets matplotlib to the style of the project, whatever the caller's settings are, and leaves those as they were.

    Drawing needs it as well as making: matplotlib reads settings again when it lays out ticks. Missing glyphs raise no
    warning, because the text of a report is drawn by the reader's browser, which has fonts of its own.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
