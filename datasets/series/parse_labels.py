"""A column that says which rows are anomalous -> the kind of each row's fault."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runnel.datasets.series.raw_table import RawTable
from runnel.shared.errors import InputError

__all__ = ["ANOMALY", "parse_labels"]

ANOMALY = "anomaly"  # the kind of a row that is marked without a kind

_NORMAL = ("", "0", "false", "no", "normal", "ok", "none")
_MARKED = ("1", "true", "yes")
_MOST_KINDS = 50


def parse_labels(table: RawTable, name: str) -> np.ndarray:
    """Reads labels: 0 and 1, true and false, yes and no, or the name of a fault where there is one.

    Args:
        table: The columns as read.
        name: The column with the labels.

    Returns:
        str [N]: "" for a normal row, else the kind of its fault, `ANOMALY` where only 1, true or yes stands.

    Raises:
        InputError: The column holds measurements instead, or marks every row.
    """
    kinds = np.array([_kind(text) for text in _texts(table, name)], dtype=np.str_)
    found = sorted(set(kinds.tolist()) - {""})
    if any(_is_fraction(kind) for kind in found) or len(found) > _MOST_KINDS:
        shown = next((kind for kind in found if _is_fraction(kind)), found[0])
        raise InputError(
            f"{table.source}: column '{name}' holds {len(found)} different values, '{shown}' among them; expected 0 "
            "or 1, or the name of a fault where there is one; name another column with --label"
        )
    if len(kinds) and (kinds != "").all():
        raise InputError(
            f"{table.source}: column '{name}' marks every row as anomalous; expected some normal rows (0, or empty); "
            "name another column with --label"
        )
    return kinds


def _texts(table: RawTable, name: str) -> list[str]:
    """The cells as text, "" where missing."""
    column = table.columns[name]
    if table.is_text(name):
        text = table.text(name)
    elif pa.types.is_floating(column.type):
        whole = np.nan_to_num(column.to_numpy())
        text = pa.array([f"{value:.0f}" if value == np.round(value) else str(value) for value in whole])
    else:
        text = pc.cast(column, pa.string())
    return ["" if value is None else str(value) for value in text.to_pylist()]


def _kind(text: str) -> str:
    word = text.strip().lower().removesuffix(".0")
    if word in _NORMAL:
        return ""
    return ANOMALY if word in _MARKED else text.strip()


def _is_fraction(kind: str) -> bool:
    try:
        return not float(kind).is_integer()
    except ValueError:
        return False
