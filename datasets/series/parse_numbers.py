"""Text columns -> float64: decimal marks, thousands, missing values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runnel.datasets.series.raw_table import RawTable
from runnel.shared.errors import InputError

__all__ = ["looks_numeric", "parse_numbers"]

_SAMPLE, _VOTERS = 1000, 10_000
_LARGEST = 1e18
# Spaces, apostrophes and the mark that is not the decimal one may stand between groups of three digits.
_GROUPS = " '\u00a0\u202f\u2019"
_WORD = r"^(?i:[+-]?(?:inf|infinity)|true|false)$"


def _pattern(decimal: str, group: str) -> str:
    """Returns the regular expression of a number under one decimal mark."""
    digits = rf"(?:\d+|[1-9]\d{{0,2}}(?:[{group}{_GROUPS}]\d{{3}})+)"
    return rf"^[+-]?(?:{digits}(?:[{decimal}]\d*)?|[{decimal}]\d+)(?:[eE][+-]?\d+)?$"


_PATTERNS = {".": _pattern(".", ","), ",": _pattern(",", ".")}


def looks_numeric(table: RawTable, name: str) -> bool:
    """Says whether at least half of the values are numbers, judged on up to 1,000 of them.

    A column of numbers with a slip in it must stay a column of numbers, so that the slip is named.
    A column without any value counts as numeric for the same reason.
    """
    kind = table.columns[name].type
    if not table.is_text(name):
        return bool(_is_number_type(kind))
    sample = table.sample(name, _SAMPLE)
    good = _matches(sample, _PATTERNS["."]) | _matches(sample, _PATTERNS[","]) | _matches(sample, _WORD)
    return bool(2 * good.sum() >= len(sample))


def parse_numbers(table: RawTable, names: Sequence[str], decimal: str | None = None) -> np.ndarray:
    """Converts columns to numbers.

    Args:
        table: The columns as read.
        names: The F columns to convert.
        decimal: The decimal mark, "." or ","; None finds it out from all the columns together.

    Returns:
        float64 [N, F], NaN where a value is missing.

    Raises:
        InputError: A value is not a finite number, or the decimal mark cannot be told.
    """
    texts = {name: table.text(name) for name in names if table.is_text(name)}
    plain = {name: _cast(text) for name, text in texts.items()} if decimal != "," else {}
    if decimal is None:
        decimal = "." if all(values is not None for values in plain.values()) else _find_decimal(table, list(texts))
    if decimal == ",":
        plain = {}
    columns = []
    for name in names:
        values = plain.get(name)
        if values is None:
            values = _parse_text(table, name, texts[name], decimal) if name in texts else _typed(table, name)
        _check_finite(table, name, values)
        columns.append(values)
    return np.stack(columns, axis=1) if columns else np.zeros((len(table.rows), 0))


def _cast(text: Any) -> np.ndarray | None:
    """Returns plain numbers (a point, no groups), or None where a value is anything else."""
    try:
        return _to_numpy(pc.cast(text, pa.float64()))
    except pa.ArrowInvalid:
        return None


def _find_decimal(table: RawTable, names: list[str]) -> str:
    """Finds the decimal mark from the values that can be read in one way only; the majority decides.

    The minority is refused later, cell by cell, so nothing is misread.
    """
    for size in (_VOTERS, len(table.rows)):
        point, comma = np.sum([_votes(table.sample(name, size)) for name in names], axis=0)
        if comma > point:
            table.notes.append("the decimal mark is the comma")
            return ","
        if point > comma:
            return "."
    for name in names:
        text = table.text(name)
        either = _matches(text, ",") & _matches(text, _PATTERNS["."]) & _matches(text, _PATTERNS[","])
        if either.any():
            raise InputError(
                f"{table.cell(name, int(either.argmax()))}, which may be a fraction or thousands; give --decimal , "
                "if the comma begins the fraction, or --decimal . if it groups thousands"
            )
    return "."


def _votes(text: Any) -> tuple[int, int]:
    """Returns how many values are numbers only with a decimal point, and only with a decimal comma."""
    point, comma = _matches(text, _PATTERNS["."]), _matches(text, _PATTERNS[","])
    return int((point & ~comma).sum()), int((comma & ~point).sum())


def _parse_text(table: RawTable, name: str, text: Any, decimal: str) -> np.ndarray:
    """Converts one column under a known decimal mark."""
    unread = ~(_to_numpy(pc.is_null(text)) | _matches(text, _PATTERNS[decimal]))
    if unread.any():
        bad = unread & ~_matches(text, _WORD)
        if bad.any():
            index = int(bad.argmax())
            hint = _hint(name, text[index].as_py(), decimal)
            raise InputError(f"{table.cell(name, index)}, which is not a number{hint}")
        text = _replace_words(text)
    other = "," if decimal == "." else "."
    text = pc.replace_substring_regex(text, rf"[{other}{_GROUPS}]", "")
    return _to_numpy(pc.cast(pc.replace_substring(text, ",", "."), pa.float64()))


def _hint(name: str, value: str, decimal: str) -> str:
    """Says how to mend a value that is not a number."""
    other = "," if decimal == "." else "."
    if _matches(pa.array([value]), _PATTERNS[other]).any():
        return f" while the decimal mark is '{decimal}'; correct it, or give --decimal {other}"
    return f"; correct it, leave it empty if it is missing, or leave '{name}' out with --features"


def _replace_words(text: Any) -> Any:
    """Writes true and false as 1 and 0."""
    lower = pc.utf8_lower(text)
    text = pc.if_else(pc.fill_null(pc.equal(lower, "true"), False), "1", text)
    return pc.if_else(pc.fill_null(pc.equal(lower, "false"), False), "0", text)


def _typed(table: RawTable, name: str) -> np.ndarray:
    """Converts a column that has a type already."""
    column = table.columns[name]
    if not _is_number_type(column.type):
        raise InputError(f"{table.source}: column '{name}' holds {column.type}; expected numbers; leave it out")
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    return _to_numpy(pc.cast(column, pa.float64(), safe=False))


def _check_finite(table: RawTable, name: str, values: np.ndarray) -> None:
    """Refuses infinities, and numbers whose squares would become one in float32."""
    beyond = np.abs(values) >= _LARGEST
    if beyond.any():
        raise InputError(
            f"{table.cell(name, int(beyond.argmax()))}, which is infinite or beyond 1e18, what float32 can square; "
            "correct it, or leave it empty if it is missing"
        )


def _is_number_type(kind: Any) -> bool:
    """Says whether an Arrow type holds numbers or truth values."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
        or types.is_null(kind)
    )


def _matches(text: Any, pattern: str) -> np.ndarray:
    """Returns bool [N]: the value is there and matches."""
    return _to_numpy(pc.fill_null(pc.match_substring_regex(text, pattern), False))


def _to_numpy(array: Any) -> np.ndarray:
    """Returns an Arrow array as a NumPy array of its own; null becomes NaN."""
    return np.array(array.to_numpy(zero_copy_only=False) if isinstance(array, pa.Array) else array.to_numpy())
