"""The report page: what was measured, in one HTML file that opens anywhere and asks the network for nothing.

    sections = (Section("Errors", (Table(...), Plot(...))),)
    write_report(Report("Forecasting", ("The model beats ...",), sections), Path("report.html"))

The page is a function of its arguments alone: the same report gives the same bytes. All text is the user's or the
caller's and is escaped; column names with `<` or `&` appear as they are.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

from jinja2 import Environment, StrictUndefined
from matplotlib.figure import Figure

from runnel.shared.evaluation.inline_svg import figure_to_svg
from runnel.shared.evaluation.palette import DARK, LIGHT
from runnel.shared.storage.atomic_write import write_atomic

__all__ = [
    "Code",
    "Item",
    "KeyFigures",
    "Note",
    "Plot",
    "Report",
    "Section",
    "Table",
    "Text",
    "format_cell",
    "render_report",
    "write_report",
]

Cell = str | int | float | None


@dataclass(frozen=True)
class Text:
    """Paragraphs, with an empty line between them."""

    body: str
    kind: ClassVar[str] = "text"

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs, without the empty lines."""
        return [part.strip() for part in self.body.split("\n\n") if part.strip()]


@dataclass(frozen=True)
class Note:
    """A sentence that must not be missed, such as a verdict or a limit."""

    body: str
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class KeyFigures:
    """The few numbers a reader came for: (name, value, what to compare it with); values are formatted as in a table."""

    figures: Sequence[tuple[str, Cell, str]]
    kind: ClassVar[str] = "key_figures"


@dataclass(frozen=True)
class Table:
    """Rows under a header.

    Attributes:
        header: column names, units included.
        rows: cells; numbers are aligned right and get four significant digits, NaN and None become a dash. Give text
            where another format is wanted.
        caption: what the table shows; "" leaves it out.
        highlight: indices of the rows to set in bold, such as the model among its baselines.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    highlight: Sequence[int] = ()
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise ValueError(f"table row {number} has {len(row)} cells; the header has {len(self.header)}")


@dataclass(frozen=True)
class Plot:
    """A matplotlib figure, best from `runnel.shared.evaluation.plots`, whose colours follow light and dark.

    Attributes:
        figure: what to draw.
        caption: what the reader should see in it; also read to those who cannot see it.
    """

    figure: Figure
    caption: str
    kind: ClassVar[str] = "plot"


@dataclass(frozen=True)
class Code:
    """Commands or sample output, shown as they are."""

    body: str
    caption: str = ""
    kind: ClassVar[str] = "code"


Item = Text | Note | KeyFigures | Table | Plot | Code


@dataclass(frozen=True)
class Section:
    """Items under a heading."""

    title: str
    items: Sequence[Item]


@dataclass(frozen=True)
class Report:
    """A whole page.

    Attributes:
        title: the heading.
        summary: what a reader who stops here should know, a sentence or two each.
        sections: the rest, in order.
        footer: provenance such as version, data fingerprint or date; the page holds no date but what is given here.
    """

    title: str
    summary: Sequence[str]
    sections: Sequence[Section]
    footer: str = ""


def write_report(report: Report, path: Path) -> None:
    """Writes the page as UTF-8, whole or not at all.

    Args:
        report: what to write.
        path: file to write; missing parent folders are made.
    """
    write_atomic(path, render_report(report))


def render_report(report: Report) -> str:
    """Renders the page: HTML with its style sheet and plots inside.

    Args:
        report: what to render.

    Returns:
        The page; the same for the same report.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = format_cell
    environment.filters["unbroken"] = _unbroken
    environment.filters["svg"] = figure_to_svg
    environment.tests["numeric"] = lambda cell: cell is None or isinstance(cell, int | float)
    source = files("runnel.shared.evaluation").joinpath("report.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source).render(report=report, light=LIGHT, dark=DARK)


def format_cell(cell: Cell) -> str:
    """Formats a cell: text as it is, whole numbers with thousands set apart, others with four significant digits.

    Args:
        cell: what a table holds.

    Returns:
        Text for a reader; a dash where there is no number.
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "\N{EN DASH}"
    if isinstance(cell, str | bool):
        return str(cell)
    size = abs(float(f"{cell:.4g}"))
    if math.isinf(size):
        return "infinite" if cell > 0 else "-infinite"
    if isinstance(cell, int) or 1000 <= size < 1e15:
        return f"{cell:,.0f}"
    return f"{cell:#.4g}" if 1e-4 <= size < 1000 else f"{cell:.4g}"


def _unbroken(text: str) -> str:
    """Keeps "1.2 %" and "0.3 .. 2.1" on one line."""
    text = re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)
    return re.sub(r"(?<=\d) \.\. (?=[-\d])", "\N{NO-BREAK SPACE}..\N{NO-BREAK SPACE}", text)
