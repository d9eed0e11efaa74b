"""Rows of CSV as they arrive, one line at a time: a slip costs a value or a row, never the stream."""

import contextlib
import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from runnel.datasets.series.load_series import check_csv_options
from runnel.datasets.series.parse_numbers import parse_numbers
from runnel.datasets.series.parse_timestamps import find_time_column, parse_timestamps
from runnel.datasets.series.raw_table import RawTable, listed, shorten
from runnel.shared.errors import InputError

__all__ = ["LiveRow", "read_live_rows"]

_SOURCE = "standard input"
_DELIMITERS = (",", ";", "\t", "|")
_YEAR_FIRST = re.compile(r"(\d{4})([-/])(\d\d)\2(\d\d)(?!\d)")
_PLAIN = re.compile(r"[+-]?\d{1,20}(?:\.\d*)?")
_LAST_SECOND = 62_135_596_800  # from 1970 back to the year 1, and well before the year 9999 ends


@dataclass(frozen=True, eq=False)
class LiveRow:
    """One row.

    Attributes:
        series_id: Value of the series-id column, empty where there is none.
        timestamp: Unix seconds UTC.
        values: float32 [F], NaN where missing.
    """

    series_id: str
    timestamp: int
    values: np.ndarray


class _SlipError(Exception):
    """A row that cannot be used."""


@dataclass(frozen=True)
class _Layout:
    """Where the columns stand in a line."""

    delimiter: str
    header: Sequence[str]
    columns: Sequence[str]
    series_id_column: str | None
    decimal: str | None


def read_live_rows(
    lines: Iterable[str],
    columns: Sequence[str],
    time_column: str | None,
    series_id_column: str | None,
    *,
    decimal: str | None = None,
    delimiter: str | None = None,
    complain: Callable[[str], None],
) -> Iterator[LiveRow]:
    """Reads the header at once, then each row when it is asked for.

    A value that is no number counts as missing; a row that cannot be used otherwise is left out.

    Args:
        lines: A line of column names, then rows.
        columns: Names of the F value columns, in the order of the values.
        time_column: The column with the time; None, or one that is not there, takes the only column of dates.
        series_id_column: The column that tells series apart, if there is one.
        decimal: The decimal mark; None finds it out value by value.
        delimiter: The character between values; None finds it out from the header.
        complain: Called with a line about each slip.

    Raises:
        InputError: The header lacks a column, or no column of the first row holds a time.
    """
    decimal, delimiter = check_csv_options(decimal, delimiter)
    lines = iter(lines)
    layout = _read_header(next(lines, ""), columns, series_id_column, decimal, delimiter)
    return _rows(lines, layout, time_column if time_column in layout.header else None, complain)


def _read_header(
    line: str, columns: Sequence[str], series_id_column: str | None, decimal: str | None, delimiter: str | None
) -> _Layout:
    headers = {each: _names(line, each) for each in ([delimiter] if delimiter else _DELIMITERS)}
    best = max(headers, key=lambda each: len(set(columns) & set(headers[each])))
    header = headers[best]
    wanted = (*columns, *([] if series_id_column is None else [series_id_column]))
    missing = [name for name in wanted if header.count(name) != 1]
    if missing:
        raise InputError(
            f"{_SOURCE} begins with '{shorten(line, 80)}'; expected a line of column names, among them "
            f"{listed(wanted)} and a time, once each; {listed(missing)} is not"
        )
    return _Layout(best, header, columns, series_id_column, decimal)


def _names(line: str, delimiter: str) -> list[str]:
    return [" ".join(name.split()) for name in _split(line.removeprefix("\ufeff"), delimiter)]


def _split(line: str, delimiter: str) -> list[str]:
    """The values of one line; a quote that is never closed ends with it."""
    return next(csv.reader([line], delimiter=delimiter), [])


def _rows(
    lines: Iterator[str], layout: _Layout, time_column: str | None, complain: Callable[[str], None]
) -> Iterator[LiveRow]:
    for number, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            table = _table(line, number, layout)
            time_column = time_column or _find_time(table, layout)
            timestamp = _time_of(table, time_column)
        except _SlipError as slip:
            complain(f"{slip}; row left out")
            continue
        values = [_number(table, name, layout.decimal, complain) for name in layout.columns]
        series_id = "" if layout.series_id_column is None else table.columns[layout.series_id_column][0].as_py()
        yield LiveRow(series_id, timestamp, np.array(values, np.float32))


def _table(line: str, number: int, layout: _Layout) -> RawTable:
    try:
        cells = _split(line, layout.delimiter)
    except csv.Error as error:
        raise _SlipError(f"{_SOURCE}: row {number} cannot be read as CSV ({error})") from error
    if len(cells) != len(layout.header):
        raise _SlipError(f"{_SOURCE}: row {number} has {len(cells)} values; expected {len(layout.header)}")
    columns = {name: pa.chunked_array([[cell.strip()]]) for name, cell in zip(layout.header, cells, strict=True)}
    return RawTable(_SOURCE, columns, np.array([number]))


def _find_time(table: RawTable, layout: _Layout) -> str:
    others = {name: column for name, column in table.columns.items() if name not in layout.columns}
    return find_time_column(RawTable(_SOURCE, others, table.rows), layout.series_id_column)


def _time_of(table: RawTable, time_column: str) -> int:
    text = table.columns[time_column][0].as_py()
    if _YEAR_FIRST.match(text):  # fifty times faster than what a whole column may need
        with contextlib.suppress(ValueError):
            time = datetime.fromisoformat(_YEAR_FIRST.sub(r"\1-\3-\4", text, count=1))
            return math.floor(time.replace(tzinfo=time.tzinfo or UTC).timestamp())
    try:
        seconds = int(parse_timestamps(table, time_column).seconds[0])
    except InputError as error:
        raise _SlipError(str(error)) from error
    if abs(seconds) > _LAST_SECOND:
        raise _SlipError(f"{table.cell(time_column, 0)}, which is not a time between the years 1 and 9999")
    return seconds


def _number(table: RawTable, name: str, decimal: str | None, complain: Callable[[str], None]) -> float:
    text = table.columns[name][0].as_py()
    if decimal != "," and _PLAIN.fullmatch(text):
        return float(text)
    try:
        return float(parse_numbers(table, [name], decimal)[0, 0])
    except InputError as error:
        complain(f"{error}; counted as missing")
        return np.nan
