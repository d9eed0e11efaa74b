"""Which column is the time, which tell the series apart, which are forecast and which are only read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runnel.datasets.series.parse_numbers import looks_numeric
from runnel.datasets.series.parse_timestamps import find_time_column
from runnel.datasets.series.raw_table import RawTable, listed
from runnel.shared.errors import InputError

__all__ = ["ColumnChoice", "choose_columns"]


@dataclass(frozen=True)
class ColumnChoice:
    """The role of each column that is used.

    Attributes:
        time_column: Holds the timestamps.
        series_id_column: Tells the series apart; None for a single series.
        targets: The columns to forecast.
        columns: All value columns, targets first.
        label_column: Says which rows are anomalous; None where none does.
    """

    time_column: str
    series_id_column: str | None
    targets: tuple[str, ...]
    columns: tuple[str, ...]
    label_column: str | None = None


def choose_columns(
    table: RawTable,
    *,
    time_column: str | None = None,
    targets: Sequence[str] = (),
    features: Sequence[str] = (),
    series_id: str | None = None,
    label: str | None = None,
) -> ColumnChoice:
    """Gives every column its role, as asked for or found out.

    Args:
        table: The columns as read.
        time_column: The time; None takes the only column of dates.
        targets: What to forecast; empty takes the only numeric column.
        features: What to read beside the targets; empty takes every numeric column.
        series_id: The column that tells series apart; None for a single series.
        label: The column that says which rows are anomalous, if there is one; no feature.

    Raises:
        InputError: A column is not there, has two roles, or a role cannot be found out.
    """
    asked = {
        "--time-column": [time_column],
        "--series-id": [series_id],
        "--label": [label],
        "--target": targets,
        "--features": features,
    }
    for option, names in asked.items():
        for name in names:
            if name is not None:
                table.require(name, option)
    time_column = time_column or find_time_column(table, series_id)
    _refuse_repeats(table, asked | {"--time-column": [time_column]})
    numeric = _numeric_columns(table, {time_column, series_id, label}) if not (targets and features) else []
    chosen = tuple(targets) or _only_target(table, numeric)
    columns = (*chosen, *(name for name in features or numeric if name not in chosen))
    return ColumnChoice(time_column, series_id, chosen, columns, label)


def _refuse_repeats(table: RawTable, asked: Mapping[str, Sequence[str | None]]) -> None:
    """Refuses a column with two roles; a target may be listed among the features."""
    roles: dict[str, str] = {}
    for option, listing in asked.items():
        names = [name for name in listing if name is not None]
        for index, name in enumerate(names):
            earlier = option if name in names[:index] else roles.get(name)
            if earlier and (earlier, option) != ("--target", "--features"):
                where = f"twice in {option}" if earlier == option else f"by {earlier} and by {option}"
                raise InputError(f"{table.source}: column '{name}' is named {where}; expected one role; name it once")
            roles[name] = option


def _numeric_columns(table: RawTable, others: set[str | None]) -> list[str]:
    """Returns the columns that hold numbers and have a name, and notes which were left out."""
    candidates = [name for name in table.columns if name not in others]
    numeric = [name for name in candidates if name not in table.unnamed and looks_numeric(table, name)]
    left_out = [name for name in candidates if name not in numeric]
    if left_out:
        table.notes.append(f"left out, for they hold no numbers or have no name: {listed(left_out)}")
    return numeric


def _only_target(table: RawTable, numeric: list[str]) -> tuple[str, ...]:
    """Returns the only numeric column."""
    if len(numeric) == 1:
        return (numeric[0],)
    if not numeric:
        raise InputError(f"{table.source} has no column of numbers; its columns are {listed(table.columns)}; add one")
    raise InputError(
        f"{table.source} has {len(numeric)} columns of numbers; expected to know which to forecast; "
        f"name one or more with --target: {listed(numeric)}"
    )
