"""Series: timestamps and numbers in memory, ready for windows."""

import hashlib
from dataclasses import dataclass

import numpy as np

__all__ = ["Series", "SeriesTable", "fingerprint_of"]


@dataclass(frozen=True, eq=False)
class Series:
    """One series, in order of time; T rows, F columns.

    Attributes:
        series_id: The value of the series-id column, or the name of the file or dataset.
        timestamps: int64 [T], Unix seconds UTC, strictly increasing.
        values: float32 [T, F], NaN where a value is missing.
        faults: str [T], what is wrong in each row, "" where nothing is; None where nobody says.
    """

    series_id: str
    timestamps: np.ndarray
    values: np.ndarray
    faults: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Locks the arrays: everybody who holds the series sees the same numbers."""
        for array in (self.timestamps, self.values, self.faults):
            if array is not None:
                array.setflags(write=False)

    def take(self, rows: slice) -> "Series":
        """Returns some of the rows, in their order."""
        faults = None if self.faults is None else self.faults[rows]
        return Series(self.series_id, self.timestamps[rows], self.values[rows], faults)


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """The series of one source, with the columns they share.

    Attributes:
        columns: Names of the F value columns, targets first.
        targets: Names of the columns to forecast; the first entries of `columns`.
        series: The series, in the order in which the source first names them.
        time_column: Name of the column that held the timestamps.
        series_id_column: Name of the column that told the series apart, None for a single series.
        split_starts: Timestamps at which validation and test begin; None where the source does not say.
        fingerprint: sha256 of columns, series ids, timestamps, values and faults, in hexadecimal.
        notes: What the reader found out or left out, a sentence each, for the user to see.
        label_column: Name of the column that says which rows are anomalous; None where none does.
    """

    columns: tuple[str, ...]
    targets: tuple[str, ...]
    series: tuple[Series, ...]
    time_column: str
    series_id_column: str | None
    split_starts: tuple[int, int] | None
    fingerprint: str
    notes: tuple[str, ...] = ()
    label_column: str | None = None


def fingerprint_of(columns: tuple[str, ...], series: tuple[Series, ...], *, with_ids: bool = False) -> str:
    """Returns the sha256 of what the series hold; the same content in another file gives the same.

    Args:
        columns: Names of the value columns, in order.
        series: The series, in order.
        with_ids: Whether the ids are content (they came from a column) or the name of a file.
    """
    digest = hashlib.sha256(repr(tuple(columns)).encode())
    for one in series:
        digest.update(repr((one.series_id if with_ids else "", one.values.shape)).encode())
        digest.update(one.timestamps.astype("<i8").tobytes())
        # One bit pattern for every missing value.
        digest.update(np.where(np.isnan(one.values), np.float32(np.nan), one.values).astype("<f4").tobytes())
        if one.faults is not None:
            digest.update("\n".join(one.faults.tolist()).encode())
    return digest.hexdigest()
