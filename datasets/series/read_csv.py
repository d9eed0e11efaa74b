"""CSV bytes -> text columns: encoding, delimiter, header and ragged rows."""

import csv
import io
import re
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from runnel.datasets.series.raw_table import RawTable, shorten
from runnel.shared.errors import InputError

__all__ = ["read_csv"]

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS, _SAMPLE_ROWS = 1 << 18, 20
_NUMBER_OR_DATE = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?", re.IGNORECASE)


def read_csv(data: bytes, source: str, delimiter: str | None = None) -> RawTable:
    """Reads the bytes of a CSV file whose first row names the columns.

    Args:
        data: Content of the file.
        source: Name of the file, for messages.
        delimiter: The character between values; None finds it out among comma, semicolon, tab and bar.

    Returns:
        Every column as text. Rows without any value are left out; the others keep their number in the file.

    Raises:
        InputError: Empty, binary, header only, without header, ragged, or two columns of one name.
    """
    notes: list[str] = []
    text = _to_utf8(data, source, notes)
    head = text[:_SAMPLE_CHARACTERS].decode(errors="ignore")
    if not head.strip():
        raise InputError(f"{source} is empty; expected a row of column names and rows of values")
    delimiter = delimiter or _find_delimiter(head)
    header = _header_of(head, delimiter, source)
    columns, rows = _parse(text, header, delimiter, source)
    names, unnamed = _names_of(header, columns, source)
    return RawTable(source, {name: columns[index] for index, name in names.items()}, rows, unnamed, notes)


def _to_utf8(data: bytes, source: str, notes: list[str]) -> bytes:
    """Returns the content as UTF-8 without a byte order mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise InputError(f"{source} begins like UTF-16 text but is not; save it as UTF-8") from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        raise InputError(f"{source} is not text (it holds zero bytes); expected a CSV or Parquet file; save it as one")
    try:
        data.decode()
    except UnicodeDecodeError:
        notes.append(f"{source} is not UTF-8 and was read as latin-1")
        return data.decode("latin-1").encode()
    return data


def _find_delimiter(head: str) -> str:
    """Returns the delimiter that cuts the first rows most evenly, and among equals into most values."""

    def evenness(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in _first_rows(head, delimiter)]
        width, times = Counter(counts).most_common(1)[0]
        return (times / len(counts) if width > 1 else 0.0), width

    return max(_DELIMITERS, key=evenness)


def _first_rows(head: str, delimiter: str) -> list[list[str]]:
    """Returns the first rows as lists of values, blank ones left out."""
    rows = []
    try:
        for row in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter):
            if any(value.strip() for value in row):
                rows.append(row)
            if len(rows) > _SAMPLE_ROWS:
                break
    except csv.Error:  # A value beyond the limit of the csv module: judge by the rows before it.
        pass
    return rows[:_SAMPLE_ROWS] or [[head]]


def _header_of(head: str, delimiter: str, source: str) -> list[str]:
    """Returns the names in the first row, which may be blank."""
    first = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), [])
    header = [" ".join(name.split()) for name in first]
    if not any(header):
        raise InputError(f"{source}: row 1 is blank; it must name the columns; remove the lines above the names")
    if all(_NUMBER_OR_DATE.fullmatch(name) for name in header):
        raise InputError(
            f"{source}: row 1 holds values ('{shorten(delimiter.join(header))}') where column names were expected; "
            f"add a first row that names the columns, one of them the time, such as time,value"
        )
    if len(header) < 2:
        raise InputError(
            f"{source}: row 1 names one column ('{shorten(header[0])}'); expected a time and at least one number; "
            "name the character between the columns with --delimiter"
        )
    return header


def _parse(text: bytes, header: list[str], delimiter: str, source: str) -> tuple[list[Any], np.ndarray]:
    """Returns the columns as Arrow strings and the row numbers, header = row 1."""
    keys = [str(index) for index in range(len(header))]
    blank: list[int] = []
    ragged: list[str] = []

    def on_invalid(row: Any) -> str:
        if row.text.strip():  # An exception would be printed and lost inside pyarrow.
            found = f"{row.actual_columns} value{'s' * (row.actual_columns != 1)}"
            ragged.append(
                f"{source}: row {row.number} has {found} where row 1 names {len(header)} columns "
                f"('{shorten(row.text)}'); correct the row, or name the character between columns with --delimiter"
            )
            return "error"
        blank.append(row.number)
        return "skip"

    # One thread: only then does pyarrow count rows, and on two cores it is no slower.
    options = {
        "read_options": pacsv.ReadOptions(
            column_names=keys, skip_rows_after_names=1, use_threads=False, block_size=1 << 22
        ),
        "parse_options": pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=on_invalid
        ),
        "convert_options": pacsv.ConvertOptions(
            column_types=dict.fromkeys(keys, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    }
    try:
        table = pacsv.read_csv(pa.BufferReader(text), **options)
    except pa.ArrowInvalid as error:
        unread = f"{source} cannot be read as CSV ({shorten(str(error), 100)}); correct the file"
        raise InputError(ragged[0] if ragged else unread) from error
    rows = np.delete(np.arange(2, 2 + table.num_rows + len(blank)), np.array(blank, np.int64) - 2)
    _refuse_open_quote(table, rows, text, source)
    return _without_blank_rows([table.column(key) for key in keys], rows, source)


def _refuse_open_quote(table: Any, rows: np.ndarray, text: bytes, source: str) -> None:
    """Refuses a last value that begins with a quote and swallowed every line after it."""
    if len(rows) and text.count(b'"') % 2 and any("\n" in column[-1].as_py() for column in table.columns):
        raise InputError(f"{source}: row {rows[-1]} opens a quoted value that never ends; close or delete the quote")


def _without_blank_rows(columns: list[Any], rows: np.ndarray, source: str) -> tuple[list[Any], np.ndarray]:
    """Drops the rows in which every value is blank, as spreadsheets leave them."""
    filled = np.zeros(len(rows), bool)
    for column in columns:
        if filled.all():
            break
        filled |= pc.not_equal(pc.utf8_trim_whitespace(column), "").to_numpy(zero_copy_only=False)
    if not filled.any():
        raise InputError(f"{source} has a row of column names and no rows of values; at least one was expected")
    if filled.all():
        return columns, rows
    return [column.filter(pa.array(filled)) for column in columns], rows[filled]


def _names_of(header: list[str], columns: list[Any], source: str) -> tuple[dict[int, str], tuple[str, ...]]:
    """Returns the name of each column to keep by its index, and those that had none."""
    names, unnamed = {}, []
    for index, name in enumerate(header):
        if name and name in header[:index]:
            raise InputError(
                f"{source}: row 1 names two columns '{name}' (columns {header.index(name) + 1} and {index + 1}); "
                "rename one of them"
            )
        if not name and not pc.any(pc.not_equal(pc.utf8_trim_whitespace(columns[index]), "")).as_py():
            continue  # A delimiter at the end of every row.
        names[index] = name or f"column {index + 1}"
        if not name:
            unnamed.append(names[index])
    return names, tuple(unnamed)
