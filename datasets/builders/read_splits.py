"""A prepared dataset -> its splits in memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from runnel.shared.errors import InputError

__all__ = ["SPLITS", "read_splits"]

SPLITS = ("train", "validation", "test")


def read_splits(name: str, builder: Any, features: Sequence[str] | None = None) -> dict[str, dict[str, np.ndarray]]:
    """Reads train, validation and test as far as there are any, else all splits.

    Args:
        name: What the user called the dataset, for messages.
        builder: The builder of a prepared dataset; what is read of it has one shape in all examples.
        features: The features to read; None reads all.

    Returns:
        For each split, its features [N, ...] by name.

    Raises:
        InputError: The prepared files are damaged.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    present = [split for split in SPLITS if split in builder.info.splits] or sorted(builder.info.splits)
    is_part = features is not None and set(features) != set(builder.info.features)
    decoders = tfds.decode.PartialDecoding(dict.fromkeys(features or (), True)) if is_part else None
    try:
        # One batch for a whole split: some twenty times faster than tfds.as_dataframe.
        return {
            split: tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1, decoders=decoders)) for split in present
        }
    except (tf.errors.OpError, OSError) as error:
        raise InputError(
            f"{name}: the prepared data in {builder.data_dir} is damaged ({type(error).__name__}); "
            "delete that folder and try again"
        ) from error
