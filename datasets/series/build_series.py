"""Parsed columns -> series: one for each id, in order of time, checked."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from runnel.datasets.series.parse_timestamps import Timestamps
from runnel.datasets.series.raw_table import RawTable
from runnel.datasets.series.series_table import Series
from runnel.shared.errors import InputError

__all__ = ["build_series", "refuse_useless_columns"]

_SENTINELS = (-999.0, -9999.0, -99999.0)


def build_series(
    table: RawTable,
    times: Timestamps,
    values: np.ndarray,
    *,
    series_id_column: str | None,
    single_id: str,
    faults: np.ndarray | None = None,
    sort: bool = False,
) -> tuple[Series, ...]:
    """Cuts rows into series.

    Args:
        table: The columns as read, for ids and messages.
        times: Timestamps of the N rows.
        values: float64 [N, F].
        series_id_column: The column with the ids, None for a single series.
        single_id: Id of the single series.
        faults: str [N], what is wrong in each row; None where nobody says.
        sort: Puts the rows of each series in order of time (for a source whose order means nothing).

    Returns:
        The series, in the order in which the source first names them.

    Raises:
        InputError: An id is missing, or a series has two rows of one time or rows out of order.
    """
    codes, ids = _ids_of(table, series_id_column, single_id)
    order = np.lexsort((times.seconds, codes)) if sort else np.argsort(codes, kind="stable")
    _check_order(table, times, codes, ids, order)
    stamps, numbers = times.seconds[order], values[order].astype(np.float32)
    ends = np.cumsum(np.bincount(codes, minlength=len(ids)))[:-1]
    kinds = [None] * len(ids) if faults is None else np.split(faults[order], ends)
    parts = zip(ids, np.split(stamps, ends), np.split(numbers, ends), kinds, strict=True)
    return tuple(
        Series(name, at.copy(), rows.copy(), None if kind is None else kind.copy()) for name, at, rows, kind in parts
    )


def _ids_of(table: RawTable, column: str | None, single_id: str) -> tuple[np.ndarray, list[str]]:
    """Returns the number of each row's series, and the ids by number."""
    if column is None:
        return np.zeros(len(table.rows), np.int64), [single_id]
    text = table.text(column) if table.is_text(column) else pc.cast(table.columns[column], "string")
    codes, ids = pd.factorize(text.to_pandas())
    if (codes < 0).any():
        row = table.rows[int((codes < 0).argmax())]
        raise InputError(
            f"{table.source}: row {row} has no series id in column '{column}'; fill it in or delete the row"
        )
    return codes, [str(name) for name in ids]


def _check_order(table: RawTable, times: Timestamps, codes: np.ndarray, ids: list[str], order: np.ndarray) -> None:
    """Refuses, in the first row that breaks it, anything but strictly increasing times in each series."""
    stamps, series = times.seconds[order], codes[order]
    broken = np.flatnonzero((series[1:] == series[:-1]) & (stamps[1:] <= stamps[:-1])) + 1
    if not len(broken):
        return
    at = broken[np.argmin(order[broken])]
    index = int(order[at])
    earlier = np.flatnonzero((codes[:index] == codes[index]) & (times.seconds[:index] == times.seconds[index]))
    of_series = f" of series '{ids[codes[index]]}'" if len(ids) > 1 else ""
    if len(earlier) or stamps[at] == stamps[at - 1]:
        twin = int(earlier[0]) if len(earlier) else int(order[at - 1])
        raise InputError(_same_time(table, times, min(twin, index), max(twin, index), of_series, len(ids) > 1))
    raise InputError(
        f"{table.source}: row {table.rows[index]}{of_series} ({_show(stamps[at])}) is earlier than row "
        f"{table.rows[order[at - 1]]} ({_show(stamps[at - 1])}) before it; expected rows in order of time; "
        "sort the file by time (a local time that goes back in autumn: give it its offset, or UTC)"
    )


def _same_time(table: RawTable, times: Timestamps, first: int, second: int, of_series: str, many: bool) -> str:
    """Returns the message for two rows of one time."""
    both = f"{table.source}: rows {table.rows[first]} and {table.rows[second]}{of_series}"
    if times.has_fractions:
        return f"{both} fall into one second ({_show(times.seconds[first])}); expected one row a second; thin them"
    mend = "delete one" if many else "delete one, or name the column that tells several series apart with --series-id"
    return f"{both} have the same time ({_show(times.seconds[first])}); expected one row a time; {mend}"


def _show(seconds: np.int64) -> str:
    """Returns Unix seconds as an ISO date and time."""
    return str(np.datetime64(int(seconds), "s")).replace("T", " ").removesuffix(" 00:00:00")


def refuse_useless_columns(
    table: RawTable, columns: Sequence[str], targets: Sequence[str], values: np.ndarray, series: Sequence[Series]
) -> None:
    """Refuses columns from which nothing can be learned; notes numbers that look like a mark for "missing".

    Args:
        table: The source, for messages.
        columns: Names of the F columns, targets first.
        targets: The columns to forecast.
        values: float64 [N, F].
        series: The series cut from them.

    Raises:
        InputError: A column has no value or one value only, or a series has no value of a target.
    """
    for index, name in enumerate(columns):
        mend = "choose another --target" if name in targets else f"leave '{name}' out: list the others with --features"
        known = values[~np.isnan(values[:, index]), index].astype(np.float32)
        if not len(known):
            raise InputError(f"{table.source}: column '{name}' has no value in any row; expected numbers; {mend}")
        if known.min() < known.max():
            _note_sentinel(table, name, known)
        elif len(values) > 1:
            raise InputError(
                f"{table.source}: column '{name}' has the value {known[0]:g} in every row that has any; "
                f"expected one that changes; {mend}"
            )
    for one in series:
        for index, name in enumerate(targets):
            if np.isnan(one.values[:, index]).all():
                raise InputError(
                    f"{table.source}: series '{one.series_id}' has no value of '{name}' in any row; "
                    "expected some; delete its rows, or choose another --target"
                )


def _note_sentinel(table: RawTable, name: str, known: np.ndarray) -> None:
    """Notes a lowest value such as -9999 that stands far from all others."""
    lowest = known.min()
    if lowest in _SENTINELS and (known[known > lowest].min() > lowest / 2):
        count = int((known == lowest).sum())
        table.notes.append(
            f"column '{name}' holds {lowest:g} in {count} row{'s' * (count > 1)}, taken as a number; "
            "leave those values empty if it marks missing ones"
        )
