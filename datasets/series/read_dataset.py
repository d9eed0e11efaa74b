"""A prepared dataset of TensorFlow Datasets -> columns; ours by name, any other as tfds:NAME."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from runnel.datasets.builders.open_builder import open_builder, prepare_builder
from runnel.datasets.builders.read_splits import read_splits
from runnel.datasets.series.raw_table import RawTable
from runnel.shared.errors import InputError

__all__ = ["BUILDER_NAMES", "Dataset", "read_dataset"]

BUILDER_NAMES = ("pump_sensors", "seattle_weather_daily", "sp500_daily")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dataset in memory.

    Attributes:
        table: Its columns, one split after the other.
        splits: Name and number of rows of each split, in the order of the rows.
        time_column: The time, if the builder says it.
        targets: What to forecast, if the builder says it.
        label: Says which rows are anomalous, if the builder says it.
    """

    table: RawTable
    splits: tuple[tuple[str, int], ...]
    time_column: str | None
    targets: tuple[str, ...]
    label: str | None


def read_dataset(name: str, folder: Path) -> Dataset:
    """Prepares a dataset if it is not there yet, and reads it.

    Args:
        name: One of `BUILDER_NAMES`, or `tfds:NAME` for any dataset whose examples are flat scalars.
        folder: Where prepared data is kept.

    Raises:
        InputError: No such dataset, its package is not installed, it cannot be prepared or read, or it is not flat.
    """
    name = name.removeprefix("tfds:") if name.removeprefix("tfds:") in BUILDER_NAMES else name
    builder = open_builder(name, BUILDER_NAMES, folder)
    _refuse_nested(name, builder.info.features)
    prepare_builder(name, builder, folder, quiet=name in BUILDER_NAMES)
    parts = read_splits(name, builder)
    rows = [(split, len(next(iter(part.values())))) for split, part in parts.items()]
    columns = {
        feature: _to_arrow(np.concatenate([part[feature] for part in parts.values()]))
        for feature in builder.info.features
    }
    metadata = builder.info.metadata if isinstance(builder.info.metadata, dict) else {}
    return Dataset(
        table=RawTable(name, columns, np.arange(1, sum(count for _, count in rows) + 1)),
        splits=tuple(rows),
        time_column=metadata.get("time_column"),
        targets=tuple(metadata.get("targets", ())),
        label=metadata.get("label"),
    )


def _refuse_nested(name: str, features: Any) -> None:
    """Refuses examples that are anything but a flat dict of scalars."""
    if not hasattr(features, "items"):
        raise InputError(f"{name} holds no named features; expected a table of numbers; take another dataset")
    for key, feature in features.items():
        if hasattr(feature, "items") or feature.shape != ():
            raise InputError(
                f"{name}: feature '{key}' is not a scalar; expected examples of flat scalars; "
                "write the values you need to CSV or Parquet and give that file"
            )


def _to_arrow(column: np.ndarray) -> Any:
    """Returns one feature as an Arrow array; bytes become text."""
    if column.dtype == object:
        return pa.chunked_array([pa.array([value.decode(errors="replace") for value in column])])
    return pa.chunked_array([pa.array(column)])
