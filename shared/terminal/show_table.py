"""Answers for the user: a table at a terminal, lines of CSV in a pipe."""

import csv
import io
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

__all__ = ["csv_line", "show_table"]


def csv_line(cells: Sequence[str]) -> str:
    """One row of CSV without the end of the line; a cell with a newline is quoted."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # a cell with a character of the line's end is quoted
    return line.getvalue().removesuffix("\r\n")


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]], say: Callable[[str], None]) -> None:
    """Shows rows under a header.

    Args:
        header: names of the columns.
        rows: the cells, which are shown as they are.
        say: called with each line of CSV; not used at a terminal.
    """
    console = Console()
    if not console.is_terminal:
        for line in (header, *rows):
            say(csv_line(line))
        return
    table = Table(*map(escape, header))
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
