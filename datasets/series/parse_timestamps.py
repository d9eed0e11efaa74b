"""A column of dates, times or Unix epochs -> int64 Unix seconds UTC."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from runnel.datasets.series.raw_table import RawTable
from runnel.datasets.series.time_formats import DATE_FORMATS, swapped_order
from runnel.shared.errors import InputError

__all__ = ["Timestamps", "find_time_column", "parse_timestamps"]

_SAMPLE, _LARGE_SAMPLE = 40, 1000
_ISO = "ISO8601"
_MICROSECONDS = 1_000_000
_INTEGER = r"^[+-]?\d+(?:\.\d*)?$"
_TIME_WORDS = re.compile(r"time|date|epoch|stamp|unix|year|(?:^|_)(?:ts|day|dt)(?:$|_)", re.IGNORECASE)
# Largest absolute epoch that is still taken for seconds, milliseconds, microseconds; nanoseconds beyond.
_EPOCH_LIMITS = ((1e11, 1), (1e14, 10**3), (1e17, 10**6))


@dataclass(frozen=True, eq=False)
class Timestamps:
    """A parsed time column.

    Attributes:
        seconds: int64 [N], Unix seconds UTC; fractions of a second are cut off.
        has_fractions: Whether a fraction was cut off anywhere.
    """

    seconds: np.ndarray
    has_fractions: bool


def find_time_column(table: RawTable, series_id: str | None = None) -> str:
    """Returns the only column that holds times.

    Dates written as text win over integers; integers count when the column's name speaks of time (a volume of trades
    may look like Unix seconds).

    Args:
        table: The columns as read.
        series_id: The column that tells series apart, which is not looked at.

    Raises:
        InputError: No column or several columns hold times.
    """
    names = [name for name in table.columns if name != series_id]
    found = [name for name in names if _holds_dates(table, name)]
    found = found or [name for name in names if _TIME_WORDS.search(name) and _holds_epochs(table, name)]
    # Nothing but a name that speaks of time: let parse_timestamps say what is wrong with its values.
    found = found or [name for name in names if _TIME_WORDS.search(name) and table.is_text(name)]
    if len(found) == 1:
        return found[0]
    what = f"several columns hold dates: {', '.join(found)}" if found else "no column holds dates"
    raise InputError(
        f"{table.source}: {what}; expected one time column; "
        + (
            "name it with --time-column"
            if found
            else "add one (ISO dates such as 2020-01-31), or name it with --time-column"
        )
    )


def parse_timestamps(table: RawTable, name: str) -> Timestamps:
    """Converts a time column; a time without a zone is taken for UTC.

    Args:
        table: The columns as read.
        name: The time column.

    Raises:
        InputError: A time is missing, is not a date, or day and month cannot be told apart.
    """
    column = table.columns[name]
    missing = pc.is_null(table.text(name) if table.is_text(name) else column).to_numpy()
    if missing.any():
        row = table.rows[int(missing.argmax())]
        raise InputError(f"{table.source}: row {row} has no time in column '{name}'; fill it in or delete the row")
    if not table.is_text(name):
        return _from_typed(table, name)
    text = table.text(name)
    if pc.all(pc.match_substring_regex(text, _INTEGER)).as_py():
        return _from_integers(table, name, text)
    return _from_dates(table, name, text)


def _holds_dates(table: RawTable, name: str) -> bool:
    """Says whether at least half of a sample is dates, integers not counted."""
    if not table.is_text(name):
        kind = table.columns[name].type
        return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))
    sample = table.sample(name, _SAMPLE)
    if 2 * (pc.sum(pc.match_substring_regex(sample, _INTEGER)).as_py() or 0) >= len(sample):
        return False  # Numbers, or nothing at all.
    if not pc.any(pc.match_substring_regex(sample, r"\d")).as_py():
        return False  # Words; trying every format would take a while.
    return any(_fits_half(sample, each) for each in (_ISO, *DATE_FORMATS))


def _holds_epochs(table: RawTable, name: str) -> bool:
    """Says whether a column holds years, dates as 20200131 or Unix epochs after 1973."""
    if table.is_text(name):
        sample = table.sample(name, _SAMPLE)
        if len(sample) == 0 or not pc.all(pc.match_substring_regex(sample, _INTEGER)).as_py():
            return False
        values = pc.cast(sample, pa.float64()).to_numpy()
    elif pa.types.is_integer(table.columns[name].type):
        values = pc.drop_null(table.columns[name]).to_numpy().astype(np.float64)
    else:
        return False
    return bool(len(values)) and bool((values >= 1e8).all() or _is_compact(values) or _is_year(name, values))


def _is_compact(values: np.ndarray) -> bool:
    """Says whether at least half of the numbers read as dates of the years 1800 to 2199, written 20200131."""
    whole = values.astype(np.int64)
    year, month, day = whole // 10_000, whole // 100 % 100, whole % 100
    within = (year >= 1800) & (year < 2200) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(2 * (within & (whole == values)).sum() >= len(values))


def _is_year(name: str, values: np.ndarray) -> bool:
    """Says whether a column called year holds years."""
    return "year" in name.lower() and bool(((values >= 1000) & (values < 3000)).all())


def _from_integers(table: RawTable, name: str, text: Any) -> Timestamps:
    """Reads whole or decimal numbers written as text."""
    if pc.any(pc.match_substring(text, ".")).as_py():
        return _from_epochs(pc.cast(text, pa.float64()).to_numpy())
    try:
        values = pc.cast(pc.replace_substring_regex(text, r"^\+", ""), pa.int64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{table.source}: column '{name}' holds numbers too large for a time; give ISO dates"
        ) from error
    return _from_whole(table, name, values)


def _from_whole(table: RawTable, name: str, values: np.ndarray) -> Timestamps:
    """Reads int64 values: dates as 20200131, years, or an epoch in the unit that its size tells."""
    if _is_year(name, values):
        return Timestamps((values - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64), False)
    if _is_compact(values):
        days = pd.to_datetime(pd.Series(values).astype(str), format="%Y%m%d", errors="coerce", utc=True)
        _refuse_unread(table, name, days)
        return _from_pandas(days)
    return _from_epochs(values)


def _from_epochs(values: np.ndarray) -> Timestamps:
    """Reads int64 or float64 epochs; the largest tells the unit of all."""
    largest = np.abs(values.astype(np.float64)).max(initial=0)
    unit = next((unit for limit, unit in _EPOCH_LIMITS if largest < limit), 10**9)
    seconds = np.floor_divide(values, unit).astype(np.int64)
    return Timestamps(seconds, bool((np.mod(values, unit) != 0).any()))


def _from_typed(table: RawTable, name: str) -> Timestamps:
    """Reads a column of timestamps, dates or numbers from Parquet or a prepared dataset."""
    column, kind = table.columns[name], table.columns[name].type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        micros = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64()).to_numpy()
        return Timestamps(micros // _MICROSECONDS, bool((micros % _MICROSECONDS).any()))
    if pa.types.is_integer(kind):
        return _from_whole(table, name, pc.cast(column, pa.int64()).to_numpy())
    if pa.types.is_floating(kind):
        return _from_epochs(pc.cast(column, pa.float64()).to_numpy())
    raise InputError(f"{table.source}: column '{name}' holds {kind}; expected dates or Unix seconds as its time")


def _from_dates(table: RawTable, name: str, text: Any) -> Timestamps:
    """Reads dates written as text in the one format that fits the whole column."""
    readings = {each: _to_time(text, each) for each in _likely_formats(table, name)}
    _refuse_ambiguous(table, name, readings)
    best = min(readings.values(), key=lambda reading: reading.isna().sum())
    _refuse_unread(table, name, best)
    return _from_pandas(best)


def _likely_formats(table: RawTable, name: str) -> list[str]:
    """Returns the formats that fit a sample best; ISO alone where it fits, or where nothing does."""
    sample = table.sample(name, _SAMPLE)
    if _to_time(sample, _ISO).notna().all():
        return [_ISO]
    fitting = [each for each in (_ISO, *DATE_FORMATS) if _fits_half(sample, each)]
    large = table.sample(name, _LARGE_SAMPLE)
    failures = {each: int(_to_time(large, each).isna().sum()) for each in fitting}
    return [each for each in fitting if failures[each] == min(failures.values())] or [_ISO]


def _fits_half(sample: Any, time_format: str) -> bool:
    """Says whether at least half of the sample can be read."""
    return bool(2 * _to_time(sample, time_format).notna().sum() >= len(sample))


def _refuse_ambiguous(table: RawTable, name: str, readings: dict[str, pd.Series]) -> None:
    """Refuses a column that reads as a whole both day first and month first, with different results."""
    for each, reading in readings.items():
        other = readings.get(swapped_order(each)) if "%d" in each and "%m" in each else None
        if other is None or reading.isna().any() or other.isna().any():
            continue
        differs = (reading != other).to_numpy()
        if differs.any():
            index = int(differs.argmax())
            raise InputError(
                f"{table.cell(name, index)}, which may be {reading[index]:%d %B} or {other[index]:%d %B}, and no row "
                "of the column decides; write ISO dates (2020-01-31)"
            )


def _refuse_unread(table: RawTable, name: str, reading: pd.Series) -> None:
    """Refuses a column with a value that is no date."""
    bad = reading.isna().to_numpy()
    if bad.any():
        raise InputError(
            f"{table.cell(name, int(bad.argmax()))}, which is not a date, or not written like the others "
            "of the column; write ISO dates (2020-01-31 13:45)"
        )


def _to_time(text: Any, time_format: str) -> pd.Series:
    """Reads text under one format as UTC; NaT where it does not fit."""
    return pd.to_datetime(text.to_pandas(), format=time_format, utc=True, errors="coerce")


def _from_pandas(times: pd.Series) -> Timestamps:
    """Cuts pandas times down to seconds."""
    micros = times.dt.as_unit("us").astype("int64").to_numpy()
    return Timestamps(micros // _MICROSECONDS, bool((micros % _MICROSECONDS).any()))
