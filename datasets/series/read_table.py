"""A file of rows -> columns; finds out whether it is Parquet or CSV from its first bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from runnel.datasets.series.raw_table import RawTable, shorten
from runnel.datasets.series.read_csv import read_csv
from runnel.shared.errors import InputError

__all__ = ["read_table"]

_NOT_A_TABLE = {
    b"PK\x03\x04": "a spreadsheet or zip file; save the sheet as CSV, or unpack the file",
    b"\x1f\x8b": "a gzip file; unpack it",
    b"BZh": "a bzip2 file; unpack it",
    b"\x28\xb5\x2f\xfd": "a zstd file; unpack it",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet; save the sheet as CSV",
}


def read_table(path: str | Path, delimiter: str | None = None) -> RawTable:
    """Reads a CSV or Parquet file.

    Args:
        path: The file.
        delimiter: The character between the values of a CSV file; None finds it out.

    Returns:
        The columns: text for CSV, typed for Parquet.

    Raises:
        InputError: The file is not there, is a folder, is empty, is truncated or is no table.
    """
    path = Path(path)
    data = _read_bytes(path)
    if data.startswith(b"PAR1") or (path.suffix.lower() in {".parquet", ".pq"} and data):
        return _read_parquet(data, str(path))
    for magic, what in _NOT_A_TABLE.items():
        if data.startswith(magic):
            raise InputError(f"{path} is {what}; a CSV or Parquet file was expected")
    return read_csv(data, str(path), delimiter)


def _read_bytes(path: Path) -> bytes:
    """Returns the content of the file."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected one CSV or Parquet file; name the file inside it")
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there; expected a CSV or Parquet file; check the path") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); expected a CSV or Parquet file") from error


def _read_parquet(data: bytes, source: str) -> RawTable:
    """Reads a Parquet file; row 1 is its first row of values."""
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{source} is not a complete Parquet file ({shorten(str(error), 80)}); write or copy it again"
        ) from error
    _check_names(table.column_names, source)
    if table.num_rows == 0:
        raise InputError(f"{source} has columns but no rows; at least one row of values was expected")
    columns = {name: _plain(table.column(name)) for name in table.column_names}
    unnamed = tuple(name for name in columns if name.startswith("__index_level_"))
    return RawTable(source, columns, np.arange(1, table.num_rows + 1), unnamed)


def _check_names(names: list[str], source: str) -> None:
    """Refuses two columns of one name, which Parquet allows."""
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{source} has {names.count(name)} columns called '{name}'; rename all but one")


def _plain(column: Any) -> Any:
    """Returns a column without dictionary encoding and with one kind of text."""
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = pc.cast(column, pa.string())
    return pc.fill_null(column, "") if pa.types.is_string(column.type) else column
