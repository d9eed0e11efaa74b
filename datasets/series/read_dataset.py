"""A prepared dataset of TensorFlow Datasets -> columns; ours by name, any other as tfds:NAME."""

import contextlib
import importlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from runnel.datasets.series.raw_table import RawTable, shorten
from runnel.shared.errors import InputError

__all__ = ["BUILDER_NAMES", "Dataset", "read_dataset"]

BUILDER_NAMES = ("seattle_weather_daily", "sp500_daily")
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dataset in memory.

    Attributes:
        table: Its columns, one split after the other.
        splits: Name and number of rows of each split, in the order of the rows.
        time_column: The time, if the builder says it.
        targets: What to forecast, if the builder says it.
    """

    table: RawTable
    splits: tuple[tuple[str, int], ...]
    time_column: str | None
    targets: tuple[str, ...]


def read_dataset(name: str, folder: Path) -> Dataset:
    """Prepares a dataset if it is not there yet, and reads it.

    Args:
        name: One of `BUILDER_NAMES`, or `tfds:NAME` for any dataset whose examples are flat scalars.
        folder: Where prepared data is kept.

    Raises:
        InputError: No such dataset, its package is not installed, it cannot be prepared or read, or it is not flat.
    """
    name = name.removeprefix("tfds:") if name.removeprefix("tfds:") in BUILDER_NAMES else name
    builder = _our_builder(name, folder) if name in BUILDER_NAMES else _tfds_builder(name, folder)
    _refuse_nested(name, builder.info.features)
    _prepare(name, builder, folder, quiet=name in BUILDER_NAMES)
    parts = _read_splits(name, builder)
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
    )


def _our_builder(name: str, folder: Path) -> Any:
    """Returns one of our builders; importing its class is what registers it."""
    module = importlib.import_module(f"runnel.datasets.{name}.{name}_dataset_builder")
    return module.Builder(data_dir=folder)


def _tfds_builder(name: str, folder: Path) -> Any:
    """Returns a builder of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name.removeprefix("tfds:"), data_dir=folder)
    except (tfds.core.DatasetNotFoundError, ValueError, ImportError) as error:
        raise InputError(
            f"{name} is no dataset that TensorFlow Datasets can open ({shorten(str(error), 100)}); expected tfds:NAME "
            f"with a name of its catalogue, one of {', '.join(BUILDER_NAMES)}, or a file"
        ) from error


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


def _prepare(name: str, builder: Any, folder: Path, *, quiet: bool) -> None:
    """Generates the dataset in the folder, unless it is there."""
    if builder.data_path.exists():
        return
    _check_writable(folder)
    with _without_progress() if quiet else contextlib.nullcontext():
        try:
            builder.download_and_prepare()
        except InputError:
            raise
        except Exception as error:  # A builder runs code of its own: network, parsers, disks.
            if not builder.data_path.exists():  # Otherwise another process was first: read what it wrote.
                raise InputError(
                    f"{name} could not be prepared in {folder} ({type(error).__name__}: {shorten(str(error), 100)}); "
                    "check network and disk, or give a file"
                ) from error
            builder.info.read_from_directory(builder.data_dir)


def _check_writable(folder: Path) -> None:
    """Refuses a folder in which nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise InputError(f"{folder} cannot be written; prepared data goes there; set RUNNEL_DATA_DIR to another folder")


@contextlib.contextmanager
def _without_progress() -> Iterator[None]:
    """Keeps TensorFlow Datasets' messages and bars from the terminal: our data takes a second."""
    from tensorflow_datasets.core.utils import tqdm_utils

    active = tqdm_utils._active
    tqdm_utils.display_progress_bar(False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tqdm_utils.display_progress_bar(active)


def _read_splits(name: str, builder: Any) -> dict[str, dict[str, np.ndarray]]:
    """Returns the features [N] of train, validation and test as far as there are any, else of all splits."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    present = [split for split in _SPLITS if split in builder.info.splits] or sorted(builder.info.splits)
    try:
        # One batch for a whole split: some twenty times faster than tfds.as_dataframe.
        return {split: tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1)) for split in present}
    except (tf.errors.OpError, OSError) as error:
        raise InputError(
            f"{name}: the prepared data in {builder.data_dir} is damaged ({type(error).__name__}); "
            "delete that folder and try again"
        ) from error


def _to_arrow(column: np.ndarray) -> Any:
    """Returns one feature as an Arrow array; bytes become text."""
    if column.dtype == object:
        return pa.chunked_array([pa.array([value.decode(errors="replace") for value in column])])
    return pa.chunked_array([pa.array(column)])
