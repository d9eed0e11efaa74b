"""The columns of a source before anything is known about their meaning."""

import difflib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runnel.shared.errors import InputError

__all__ = ["MISSING_WORDS", "RawTable", "listed", "shorten"]

MISSING_WORDS = ("", "-", "--", "?", "#n/a", "n/a", "na", "nan", "none", "null")
_SHOWN_NAMES = 12


@dataclass(frozen=True, eq=False)
class RawTable:
    """Columns as read: text for CSV, typed for Parquet and prepared datasets; N rows.

    Attributes:
        source: Name of the file or dataset, for messages.
        columns: Arrow array [N] by column name, in the order of the source.
        rows: int64 [N], the number of each row in the source (CSV: the header is row 1).
        unnamed: Columns without a name in the source; they bear a made-up one and are never taken for a feature.
        notes: What the reader found out, a sentence each; later stages add theirs.
    """

    source: str
    columns: dict[str, Any]
    rows: np.ndarray
    unnamed: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    def text(self, name: str) -> Any:
        """Returns a text column as Arrow strings [N], trimmed, with every spelling of "missing" as null."""
        return _clean(self.columns[name])

    def sample(self, name: str, size: int) -> Any:
        """Returns up to `size` values of a text column, spread evenly over it; missing ones left out."""
        column = self.columns[name]
        found = pc.drop_null(_clean(_spread(column, size)))
        return found if len(found) or len(column) <= size else _spread(pc.drop_null(_clean(column)), size)

    def is_text(self, name: str) -> bool:
        """Says whether the column holds text, numbers written as text included."""
        return bool(pa.types.is_string(self.columns[name].type))

    def cell(self, name: str, index: int) -> str:
        """Returns where a cell stands and what it holds, for a message."""
        value = shorten(str(self.columns[name][index].as_py()))
        return f"{self.source}: row {self.rows[index]}, column '{name}' holds '{value}'"

    def require(self, name: str, option: str) -> None:
        """Checks that a column is there.

        Args:
            name: The column that somebody asked for.
            option: Where the name came from (`--target`), for the message.

        Raises:
            InputError: There is no such column; the message lists those there are.
        """
        if name in self.columns:
            return
        near = difflib.get_close_matches(name, self.columns, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"name one of these with {option}"
        raise InputError(
            f"{self.source} has no column '{name}' ({option}); its columns are {listed(self.columns)}; {hint}"
        )


def _clean(column: Any) -> Any:
    """Returns text trimmed, with every spelling of "missing" as null."""
    trimmed = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(MISSING_WORDS))
    return pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)


def _spread(column: Any, size: int) -> Any:
    """Returns up to `size` values, spread evenly."""
    indices = np.linspace(0, max(len(column) - 1, 0), min(len(column), size)).astype(np.int64)
    return column.take(pa.array(indices))


def listed(names: Any) -> str:
    """Returns the names in one line, cut after the first dozen."""
    shown = [f"'{name}'" for name in names]
    if not shown:
        return "none"
    more = len(shown) - _SHOWN_NAMES
    return ", ".join(shown[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def shorten(text: str, length: int = 40) -> str:
    """Returns the text in one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
