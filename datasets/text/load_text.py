"""A source named on the command line -> text: one of our datasets, any of TFDS, a text file, or a folder of them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from runnel.datasets.builders.data_folder import data_folder
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.builders.read_splits import SPLITS
from runnel.datasets.text.drop_repeats import drop_repeats
from runnel.datasets.text.read_text_dataset import BUILDER_NAMES, read_text_dataset
from runnel.datasets.text.read_text_files import read_text_files
from runnel.datasets.text.split_documents import split_documents
from runnel.datasets.text.text_corpus import TextCorpus, fingerprint_of
from runnel.shared.errors import InputError

__all__ = ["load_text"]

_HELD_OUT_SHARE = 0.05  # Of the characters, for validation and for test each.
_ENOUGH_CHARACTERS = 2000  # From here on a twentieth of an ordinary text holds some words.
_SHOWN_CHARACTERS = 100
_WORD = re.compile(r"\w")


def load_text(source: str | Path) -> TextCorpus:
    """Reads the text of a source, in three splits that share no paragraph.

    The splits of a dataset are taken as they are; those that it lacks are cut from the end of its training text. A
    user's own text is cut into its first 90 % of the characters for train, then 5 % for validation and 5 % for test.

    Args:
        source: `python_reference`, `tiny_shakespeare_plays`, `tfds:NAME`, or the path of a text file or of a folder.

    Raises:
        InputError: The source cannot be used, or it is too little text for three splits.
    """
    source, notes = str(source), list[str]()
    is_dataset = is_dataset_name(source, BUILDER_NAMES)
    given = read_text_dataset(source, data_folder()) if is_dataset else _read_own(source, notes)
    missing = [split for split in SPLITS if split not in given]
    if missing and is_dataset:
        notes.append(f"{source} has no split for {' and '.join(missing)}: taken from the end of its training text")
    splits = _with_all_splits(given, missing, notes)
    _refuse_wordless(source, given, splits)
    name = source.removeprefix("tfds:") if is_dataset else Path(source).resolve().name
    return TextCorpus(name, splits, fingerprint_of(splits), tuple(notes))


def _read_own(source: str, notes: list[str]) -> dict[str, list[str]]:
    """Reads a file or folder; a word that is neither was perhaps meant for a dataset."""
    try:
        is_there = bool(source) and Path(source).exists()
    except OSError:  # A name too long, as when the text itself is given.
        is_there = False
    if not is_there:
        names, shown = ", ".join(BUILDER_NAMES), " ".join(source.split())[:_SHOWN_CHARACTERS]
        raise InputError(
            f"'{shown}' is neither a file or folder here nor a dataset of text; expected a path, tfds:NAME, "
            f"or one of {names}"
        )
    return {"train": read_text_files(Path(source), notes)}


def _with_all_splits(
    given: Mapping[str, Sequence[str]], missing: Sequence[str], notes: list[str]
) -> dict[str, tuple[str, ...]]:
    """Returns train, validation and test; those that are missing are cut from the end of train."""
    shares = {"train": 1 - _HELD_OUT_SHARE * len(missing)} | dict.fromkeys(missing, _HELD_OUT_SHARE)
    cut = {**given, **split_documents(given["train"], shares)}
    splits = drop_repeats({split: cut[split] for split in SPLITS}, missing, notes)
    return {split: tuple(documents) for split, documents in splits.items()}


def _refuse_wordless(source: str, given: Mapping[str, Sequence[str]], splits: Mapping[str, Sequence[str]]) -> None:
    """Refuses splits from which nothing can be learned or measured."""
    count = sum(len(text) for documents in given.values() for text in documents)
    for split, documents in splits.items():
        if any(_WORD.search(text) for text in documents):
            continue
        if count < _ENOUGH_CHARACTERS:
            raise InputError(
                f"{source} holds too little text: no word is left for {split} out of {count:,} characters; "
                f"expected {_ENOUGH_CHARACTERS:,} characters or more; add text"
            )
        raise InputError(
            f"{source} has no words for {split} that an earlier split does not hold too; expected text that does not "
            "repeat itself up to its end; add other text"
        )
