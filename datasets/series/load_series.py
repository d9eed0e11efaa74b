"""A source named on the command line -> series: one of our datasets, any of TFDS, or a CSV or Parquet file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from runnel.datasets.builders.data_folder import data_folder
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.series.build_series import build_series, refuse_useless_columns
from runnel.datasets.series.choose_columns import choose_columns
from runnel.datasets.series.parse_labels import parse_labels
from runnel.datasets.series.parse_numbers import parse_numbers
from runnel.datasets.series.parse_timestamps import Timestamps, parse_timestamps
from runnel.datasets.series.raw_table import RawTable
from runnel.datasets.series.read_dataset import BUILDER_NAMES, Dataset, read_dataset
from runnel.datasets.series.read_table import read_table
from runnel.datasets.series.series_table import SeriesTable, fingerprint_of
from runnel.shared.errors import InputError

__all__ = ["check_csv_options", "load_series"]

_DELIMITER_WORDS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|"}


def load_series(
    source: str | Path,
    *,
    time_column: str | None = None,
    targets: Sequence[str] = (),
    features: Sequence[str] = (),
    series_id: str | None = None,
    label: str | None = None,
    require_label: bool = True,
    decimal: str | None = None,
    delimiter: str | None = None,
) -> SeriesTable:
    """Reads the series of a source and checks that something can be learned from them.

    Args:
        source: One of `BUILDER_NAMES`, `tfds:NAME`, or the path of a CSV or Parquet file.
        time_column: The column with the time; None takes the dataset's own, or the only column of dates.
        targets: The columns to forecast; empty takes the dataset's own, or the only column of numbers.
        features: The columns to read beside the targets; empty takes all columns of numbers.
        series_id: The column that tells the series of a table apart; None for a single series.
        label: The column that says which rows are anomalous; None takes the dataset's own, if it has one.
        require_label: Refuses a source without that column, instead of reading it without labels.
        decimal: The decimal mark of a CSV file, "." or ","; None finds it out.
        delimiter: The character between the values of a CSV file, or its name; None finds it out.

    Raises:
        InputError: The source cannot be used; the message names row and column and says how to mend it.
    """
    decimal, delimiter = check_csv_options(decimal, delimiter)
    dataset = _open(str(source), decimal or delimiter)
    table = dataset.table if dataset else _read_file(source, delimiter)
    label = label or (dataset.label if dataset else None)
    choice = choose_columns(
        table,
        time_column=time_column or (dataset.time_column if dataset else None),
        targets=targets or (dataset.targets if dataset else ()),
        features=features,
        series_id=series_id,
        label=label if require_label or label in table.columns else None,
    )
    values = parse_numbers(table, choice.columns, decimal)
    times = parse_timestamps(table, choice.time_column)
    series = build_series(
        table,
        times,
        values,
        series_id_column=choice.series_id_column,
        single_id=table.source.removeprefix("tfds:") if dataset else Path(source).stem,
        faults=parse_labels(table, choice.label_column) if choice.label_column else None,
        sort=dataset is not None,  # TFDS shuffles what it prepares.
    )
    refuse_useless_columns(table, choice.columns, choice.targets, values, series)
    return SeriesTable(
        columns=choice.columns,
        targets=choice.targets,
        series=series,
        time_column=choice.time_column,
        series_id_column=choice.series_id_column,
        label_column=choice.label_column,
        split_starts=_split_starts(dataset, times) if dataset else None,
        fingerprint=fingerprint_of(choice.columns, series, with_ids=choice.series_id_column is not None),
        notes=tuple(table.notes),
    )


def check_csv_options(decimal: str | None, delimiter: str | None) -> tuple[str | None, str | None]:
    """Returns the two options of CSV files as single characters.

    Raises:
        InputError: A mark that no CSV file has.
    """
    if decimal not in (None, ".", ","):
        raise InputError(f"--decimal is '{decimal}'; expected '.' or ','")
    delimiter = _DELIMITER_WORDS.get(delimiter, delimiter) if delimiter is not None else None
    if delimiter is not None and (len(delimiter) != 1 or delimiter.isalnum() or delimiter in '".\r\n'):
        raise InputError(f"--delimiter is '{delimiter}'; expected one character, or comma, semicolon, tab or bar")
    return decimal, delimiter


def _open(source: str, csv_option: str | None) -> Dataset | None:
    """Returns the dataset that the source names, or None if it names a file."""
    if not is_dataset_name(source, BUILDER_NAMES):
        return None
    if csv_option:
        raise InputError(f"--decimal and --delimiter describe a CSV file, and {source} is a dataset; leave them out")
    return read_dataset(source, data_folder())


def _read_file(source: str | Path, delimiter: str | None) -> RawTable:
    """Reads a file; a word that is no file was perhaps meant for a dataset."""
    if not Path(source).exists() and Path(source).name == str(source) and not Path(source).suffix:
        names = ", ".join(BUILDER_NAMES)
        raise InputError(
            f"'{source}' is neither a file here nor a dataset; expected a path, tfds:NAME, or one of {names}"
        )
    return read_table(source, delimiter)


def _split_starts(dataset: Dataset, times: Timestamps) -> tuple[int, int] | None:
    """Returns where validation and test begin, if the dataset has them one after the other in time."""
    if [name for name, rows in dataset.splits if rows] != ["train", "validation", "test"]:
        return None
    train, validation, test = np.split(times.seconds, np.cumsum([rows for _, rows in dataset.splits])[:-1])
    if not (train.max() < validation.min() and validation.max() < test.min()):
        dataset.table.notes.append("the dataset's own splits overlap in time and were not used")
        return None
    return int(validation.min()), int(test.min())
