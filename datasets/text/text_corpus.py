"""Text in memory, split for training."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["TextCorpus", "fingerprint_of"]


@dataclass(frozen=True, eq=False)
class TextCorpus:
    """The text of one source.

    Attributes:
        name: Name of the dataset, the file or the folder.
        splits: The documents of "train", "validation" and "test", each split with at least one word.
        fingerprint: sha256 of the documents and their splits, in hexadecimal.
        notes: What the reader found out or left out, a sentence each, for the user to see.
    """

    name: str
    splits: Mapping[str, tuple[str, ...]]
    fingerprint: str
    notes: tuple[str, ...] = ()


def fingerprint_of(splits: Mapping[str, tuple[str, ...]]) -> str:
    """Returns the sha256 of documents by split; the same content in another file gives the same."""
    digest = hashlib.sha256()
    for split, documents in splits.items():
        for text in documents:
            data = text.encode()
            digest.update(f"{split} {len(data)}\n".encode() + data)
    return digest.hexdigest()
