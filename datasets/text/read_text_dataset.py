"""A prepared dataset of TensorFlow Datasets -> documents; ours by name, any other as tfds:NAME."""

from pathlib import Path
from typing import Any

from runnel.datasets.builders.open_builder import open_builder, prepare_builder
from runnel.datasets.builders.read_splits import SPLITS, read_splits
from runnel.shared.errors import InputError

__all__ = ["BUILDER_NAMES", "read_text_dataset"]

BUILDER_NAMES = ("python_reference", "tiny_shakespeare_plays")
_SHOWN_FEATURES = 8


def read_text_dataset(name: str, folder: Path) -> dict[str, list[str]]:
    """Prepares a dataset if it is not there yet, and reads its text.

    Args:
        name: One of `BUILDER_NAMES`, or `tfds:NAME` for any dataset with exactly one text feature.
        folder: Where prepared data is kept.

    Returns:
        The documents of train, validation and test as far as there are any, one an example; blank ones are left out. A
        dataset without a split called "train" has all its text in "train".

    Raises:
        InputError: No such dataset, it cannot be prepared or read, it has not exactly one text feature, or no text.
    """
    name = name.removeprefix("tfds:") if name.removeprefix("tfds:") in BUILDER_NAMES else name
    builder = open_builder(name, BUILDER_NAMES, folder)
    feature = _text_feature(name, builder.info.features)
    prepare_builder(name, builder, folder, quiet=name in BUILDER_NAMES)
    splits = {split: _texts(part[feature]) for split, part in read_splits(name, builder, [feature]).items()}
    if "train" not in splits:
        splits = {"train": [text for documents in splits.values() for text in documents]}
    if not splits["train"]:
        raise InputError(f"{name} holds no text in '{feature}' to train on; expected some; take another dataset")
    return {split: splits[split] for split in SPLITS if splits.get(split)}


def _text_feature(name: str, features: Any) -> str:
    """Returns the name of the only text feature."""
    import tensorflow_datasets as tfds

    items = dict(features.items()) if hasattr(features, "items") else {}
    found = [key for key, feature in items.items() if isinstance(feature, tfds.features.Text)]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} text features ({_listed(found)})" if found else f"no text feature among {_listed(items)}"
    raise InputError(
        f"{name} has {what}; expected exactly one; write the text you want to a .txt file and give that file"
    )


def _listed(names: Any) -> str:
    """Returns the first names in one line."""
    shown = [f"'{name}'" for name in names]
    more = len(shown) - _SHOWN_FEATURES
    return (", ".join(shown[:_SHOWN_FEATURES]) or "none") + (f" and {more} more" if more > 0 else "")


def _texts(values: Any) -> list[str]:
    """Returns the examples of a split as text with plain line ends."""
    texts = (value.decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n") for value in values)
    return [text for text in texts if text.strip()]
