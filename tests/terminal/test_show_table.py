import csv
import io

import pytest
from rich.console import Console

from runnel.shared.terminal import show_table as module
from runnel.shared.terminal.show_table import csv_line, show_table

CELLS = ["plain", "", "a,b", 'say "x"', "two\nlines", "carriage\rreturn", " space "]


def test_a_line_of_csv_reads_back():
    assert next(csv.reader(io.StringIO(csv_line(CELLS), newline=""))) == CELLS
    assert csv_line(["a", "b"]) == "a,b"


def test_in_a_pipe_the_table_is_csv():
    said = []
    show_table(["name", "[b]"], [["x", "1"], ["a,b", "2"]], said.append)
    assert said == ["name,[b]", "x,1", '"a,b",2']


def test_at_a_terminal_the_cells_stand_as_they_are(monkeypatch: pytest.MonkeyPatch):
    screen = io.StringIO()
    monkeypatch.setattr(module, "Console", lambda: Console(file=screen, force_terminal=True, width=60))
    show_table(["name", "[bold]"], [["[/b]", "[red]1"]], pytest.fail)
    assert all(cell in screen.getvalue() for cell in ("name", "[bold]", "[/b]", "[red]1"))
