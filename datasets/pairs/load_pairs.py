"""A source named on the command line -> pairs of texts: one of our datasets, any of TFDS, a file, or a folder."""

from collections.abc import Mapping
from pathlib import Path

from runnel.datasets.builders.data_folder import data_folder
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.builders.read_splits import SPLITS
from runnel.datasets.pairs.pair_corpus import PairCorpus, Pairs, fingerprint_of
from runnel.datasets.pairs.read_pair_dataset import BUILDER_NAMES, read_pair_dataset
from runnel.datasets.pairs.read_pair_folder import read_pair_folder
from runnel.datasets.pairs.read_tsv import read_tsv
from runnel.datasets.pairs.split_by_source import SHARES, split_by_source
from runnel.shared.errors import InputError

__all__ = ["load_pairs"]

_SHOWN_CHARACTERS = 100


def load_pairs(source: str | Path) -> PairCorpus:
    """Reads the pairs of a source of data, in splits that share no source text with train.

    Splits that are there are taken as they are, less the pairs whose source an earlier one of train and validation
    holds. Those that are missing are cut from train by a hash of the source text: 5 % for validation, 5 % for test. A
    pair that is twice in train is kept once.

    Args:
        source: `phrasebook`, `tatoeba_english_french`, `multi30k_english_french`, `tfds:NAME`, or the path of a
            tab-separated file or of a folder.

    Raises:
        InputError: The source cannot be used, or it has too few pairs for three splits.
    """
    source, notes = str(source), list[str]()
    is_dataset = is_dataset_name(source, BUILDER_NAMES)
    given = read_pair_dataset(source, data_folder(), notes) if is_dataset else _read_own(source, notes)
    given = {**given, "train": _without_repeats(given["train"], notes)}
    missing = [split for split in SPLITS if split not in given]
    splits = _without_known_sources(_with_all_splits(given, missing, notes), notes)
    _refuse_too_few(source, given, splits, len(missing) + 1)
    name = source.removeprefix("tfds:") if is_dataset else Path(source).resolve().name
    return PairCorpus(name, splits, fingerprint_of(splits), tuple(notes))


def _read_own(source: str, notes: list[str]) -> dict[str, Pairs]:
    """Reads a file or folder; a word that is neither was perhaps meant for a dataset."""
    try:
        is_there = bool(source) and Path(source).exists()
    except (OSError, ValueError):  # A name too long, as when the text itself is given, or with a zero byte.
        is_there = False
    if not is_there:
        names, shown = ", ".join(BUILDER_NAMES), " ".join(source.split())[:_SHOWN_CHARACTERS]
        raise InputError(
            f"'{shown}' is neither a file or folder here nor a dataset of pairs; expected a path, tfds:NAME, "
            f"or one of {names}"
        )
    path = Path(source)
    return read_pair_folder(path, notes) if path.is_dir() else {"train": read_tsv(path, notes)}


def _without_repeats(train: Pairs, notes: list[str]) -> Pairs:
    """Keeps each pair once."""
    kept = Pairs.of(dict.fromkeys(train))
    if len(kept) < len(train):
        notes.append(f"left out of train, for they are there twice: {_counted(len(train) - len(kept))}")
    return kept


def _with_all_splits(given: Mapping[str, Pairs], missing: list[str], notes: list[str]) -> dict[str, Pairs]:
    """Returns train, validation, test and any others; the missing ones are cut from train."""
    splits = dict(given)
    if missing:
        notes.append(f"no split for {' and '.join(missing)}: taken from train by a hash of the source text")
        held_out = {split: SHARES[split] for split in missing}
        splits |= split_by_source(given["train"], {"train": 1 - sum(held_out.values()), **held_out})
    return {split: splits[split] for split in (*SPLITS, *(split for split in splits if split not in SPLITS))}


def _without_known_sources(splits: Mapping[str, Pairs], notes: list[str]) -> dict[str, Pairs]:
    """Drops from the splits after train what a model was trained on, and from those after validation what chose it."""
    kept = {"train": splits["train"]}
    known = set(splits["train"].sources)
    for split in list(splits)[1:]:
        kept[split] = Pairs.of(pair for pair in splits[split] if pair[0] not in known)
        dropped = len(splits[split]) - len(kept[split])
        if dropped:
            earlier = "train" if split == "validation" else "train or validation"
            notes.append(f"left out of {split}, for {earlier} holds the same source: {_counted(dropped)}")
        if split == "validation":
            known.update(kept[split].sources)
    return kept


def _refuse_too_few(source: str, given: Mapping[str, Pairs], splits: Mapping[str, Pairs], least: int) -> None:
    """Refuses splits from which nothing can be learned or measured."""
    for split in SPLITS:
        if splits[split]:
            continue
        if given.get(split):
            raise InputError(
                f"{source} has no pairs for {split} whose source is not in train too, out of {len(given[split]):,}; "
                "expected other ones; take that split away to have it cut from train"
            )
        count = len(set(given["train"].sources))
        raise InputError(
            f"{source} has too few pairs: none is left for {split} out of {count:,} different sources in train; "
            f"expected {least} or more; add pairs"
        )


def _counted(count: int) -> str:
    """Returns a number of pairs in words."""
    return f"{count:,} pair{'s' * (count != 1)}"
