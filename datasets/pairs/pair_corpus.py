"""Pairs of texts in memory, split for training."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["PairCorpus", "Pairs", "fingerprint_of"]


@dataclass(frozen=True)
class Pairs:
    """Texts, each with the text to make of it.

    Attributes:
        sources: What is read, such as English sentences.
        targets: What is to be written for each, such as their French translations.

    Raises:
        ValueError: The two differ in number.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.targets):
            raise ValueError(f"{len(self.sources)} sources and {len(self.targets)} targets; expected as many")

    def __len__(self) -> int:
        return len(self.sources)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(self.sources, self.targets, strict=True)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Pairs":
        """Returns the pairs given as (source, target)."""
        listed = list(pairs)
        return cls(*zip(*listed, strict=True)) if listed else cls((), ())


@dataclass(frozen=True, eq=False)
class PairCorpus:
    """The pairs of one source of data.

    Attributes:
        name: Name of the dataset, the file or the folder.
        splits: The pairs of "train", "validation" and "test", at least one in each, and of any other split that a
            dataset has. No source of train is in another split, and none of validation in one after it.
        fingerprint: sha256 of the pairs and their splits, in hexadecimal.
        notes: What the reader found out or left out, a sentence each, for the user to see.
    """

    name: str
    splits: Mapping[str, Pairs]
    fingerprint: str
    notes: tuple[str, ...] = ()


def fingerprint_of(splits: Mapping[str, Pairs]) -> str:
    """Returns the sha256 of pairs by split; the same content in another file gives the same."""
    digest = hashlib.sha256()
    for split, pairs in splits.items():
        for pair in pairs:
            source, target = (text.encode() for text in pair)
            digest.update(f"{split} {len(source)} {len(target)}\n".encode() + source + target)
    return digest.hexdigest()
