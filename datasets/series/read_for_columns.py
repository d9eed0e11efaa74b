"""Rows for a model that exists already: the columns are given, and nothing has to be learnable."""

from collections.abc import Sequence
from pathlib import Path

from runnel.datasets.series.build_series import build_series
from runnel.datasets.series.choose_columns import choose_columns
from runnel.datasets.series.load_series import check_csv_options
from runnel.datasets.series.parse_numbers import parse_numbers
from runnel.datasets.series.parse_timestamps import parse_timestamps
from runnel.datasets.series.read_table import read_table
from runnel.datasets.series.series_table import Series

__all__ = ["read_for_columns"]


def read_for_columns(
    path: str | Path,
    columns: Sequence[str],
    time_column: str | None,
    series_id_column: str | None,
    *,
    decimal: str | None = None,
    delimiter: str | None = None,
) -> tuple[Series, ...]:
    """Reads from a CSV or Parquet file the columns that an export was trained on.

    Columns of one value or of none are accepted: a file to predict from may be short.

    Args:
        path: The file.
        columns: Targets and features, in the order of the export's manifest.
        time_column: The column with the time; if it is None or not there, the only column of dates.
        series_id_column: The column that tells series apart; None for a single series.
        decimal: The decimal mark of a CSV file; None finds it out.
        delimiter: The character between the values of a CSV file; None finds it out.

    Returns:
        The series; values float32 [T, F] with F in the order of `columns`.

    Raises:
        InputError: As `load_series`.
    """
    decimal, delimiter = check_csv_options(decimal, delimiter)
    table = read_table(path, delimiter)
    choice = choose_columns(
        table,
        time_column=time_column if time_column in table.columns else None,
        targets=columns,
        features=columns,
        series_id=series_id_column,
    )
    values = parse_numbers(table, choice.columns, decimal)
    times = parse_timestamps(table, choice.time_column)
    return build_series(table, times, values, series_id_column=choice.series_id_column, single_id=Path(path).stem)
