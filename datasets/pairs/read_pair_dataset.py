"""A prepared dataset of TensorFlow Datasets -> pairs; ours by name, any other as tfds:NAME."""

from pathlib import Path
from typing import Any

from runnel.datasets.builders.open_builder import open_builder, prepare_builder
from runnel.datasets.builders.read_splits import SPLITS
from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.usable_pairs import ASCII_WHITESPACE
from runnel.shared.errors import InputError

__all__ = ["BUILDER_NAMES", "read_pair_dataset"]

BUILDER_NAMES = ("phrasebook", "tatoeba_english_french", "multi30k_english_french")
_DIRECTIONS = (("en", "fr"), ("english", "french"))  # Always this way round.
_SHOWN_FEATURES = 8


def read_pair_dataset(name: str, folder: Path, notes: list[str]) -> dict[str, Pairs]:
    """Prepares a dataset if it is not there yet, and reads its pairs.

    Args:
        name: One of `BUILDER_NAMES`, or `tfds:NAME` for any dataset with a Translation of two languages or of English
            and French among others, or with exactly two text features. Direction: English to French where there are
            both, else from the first to the second.
        folder: Where prepared data is kept.
        notes: Takes a sentence about the direction where it is a guess, and about blank texts.

    Returns:
        The pairs of train, validation and test as far as there are any, and of all other splits of a dataset of ours. A
        dataset without a split called "train" has all its pairs in "train".

    Raises:
        InputError: No such dataset, it cannot be prepared or read, it has other features, or no pairs to train on.
    """
    import tensorflow as tf

    name = name.removeprefix("tfds:") if name.removeprefix("tfds:") in BUILDER_NAMES else name
    is_ours = name in BUILDER_NAMES
    builder = open_builder(name, BUILDER_NAMES, folder)
    path = _text_features(name, builder.info.features, notes)
    prepare_builder(name, builder, folder, quiet=is_ours)
    wanted = SPLITS + tuple(sorted(set(builder.info.splits) - set(SPLITS))) if is_ours else SPLITS
    present = {split: split for split in wanted if split in builder.info.splits}
    try:
        splits = {
            split: _pairs(builder, part, *path)
            for split, part in (present if "train" in present else {"train": "all"}).items()
        }
    except (tf.errors.OpError, OSError) as error:
        raise InputError(
            f"{name}: the prepared data in {builder.data_dir} is damaged ({type(error).__name__}); "
            "delete that folder and try again"
        ) from error
    usable = {split: Pairs.of(pair for pair in pairs if all(pair)) for split, pairs in splits.items()}
    blank = sum(map(len, splits.values())) - sum(map(len, usable.values()))
    if not usable["train"]:
        raise InputError(f"{name} holds no pairs of text to train on; expected some; take another dataset")
    if blank:
        notes.append(f"{name}: left out {blank:,} pair{'s' * (blank != 1)} with nothing on one side")
    return {split: pairs for split, pairs in usable.items() if pairs}


def _text_features(name: str, features: Any, notes: list[str]) -> tuple[tuple[str, ...], str, str]:
    """Returns the names of source and target, after the path to both: empty, or the Translation that holds them."""
    import tensorflow_datasets as tfds

    items = dict(features.items()) if hasattr(features, "items") else {}
    nested = [key for key, feature in items.items() if isinstance(feature, tfds.features.Translation)]
    path = (nested[0],) if len(nested) == 1 else ()
    texts = [
        key for key, feature in (items[path[0]] if path else items).items() if isinstance(feature, tfds.features.Text)
    ]
    for source, target in _DIRECTIONS:
        if source in texts and target in texts:
            return path, source, target
    if len(texts) == 2:
        notes.append(f"{name}: '{texts[0]}' is read as the source and '{texts[1]}' as its target")
        return path, texts[0], texts[1]
    raise InputError(
        f"{name} has {len(texts)} text features, of {_listed(texts if path else items)}; expected two, or 'en' and "
        "'fr' among them; write the pairs to a .tsv file and give that file"
    )


def _listed(names: Any) -> str:
    """Returns the first names in one line."""
    shown = [f"'{name}'" for name in names]
    more = len(shown) - _SHOWN_FEATURES
    return (", ".join(shown[:_SHOWN_FEATURES]) or "none") + (f" and {more} more" if more > 0 else "")


def _pairs(builder: Any, split: str, path: tuple[str, ...], source: str, target: str) -> Pairs:
    """Reads a split, in one batch: some twenty times faster than example by example."""
    import tensorflow_datasets as tfds

    features, chosen = builder.info.features, dict.fromkeys(path or (source, target), True)
    is_whole = isinstance(features, tfds.features.Translation) or set(features) == set(chosen)
    decoders = None if is_whole else tfds.decode.PartialDecoding(chosen)  # It reads no part of a Translation.
    values = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1, decoders=decoders))
    values = values[path[0]] if path else values
    return Pairs(_stripped(values[source]), _stripped(values[target]))


def _stripped(values: Any) -> tuple[str, ...]:
    """Returns the examples of a feature as text."""
    return tuple(value.decode(errors="replace").strip(ASCII_WHITESPACE) for value in values)
