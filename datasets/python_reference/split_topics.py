"""The help topics -> documents of train, validation and test, without a paragraph in two of them."""

import hashlib
from collections.abc import Mapping

from runnel.datasets.python_reference.unwrap_topic import unwrap_topic

__all__ = ["own_paragraphs", "split_topics"]

_HELD_OUT_SHARE = 0.05  # Of the characters, for validation and for test each.


def own_paragraphs(topics: Mapping[str, str]) -> dict[str, str]:
    """Gives each paragraph to the first topic that has it, for some topics hold the text of others.

    Args:
        topics: Text by name; the names are taken in alphabetical order.

    Returns:
        The cleaned text of each topic that keeps any, in that order; a blank line stands between paragraphs.
    """
    owner: dict[str, str] = {}
    documents = {}
    for name in sorted(topics):
        paragraphs = unwrap_topic(topics[name])
        kept = [paragraph for paragraph in paragraphs if owner.setdefault(_key(paragraph), name) == name]
        if kept:
            documents[name] = "\n\n".join(kept)
    return documents


def _key(paragraph: str) -> str:
    """Returns a paragraph without regard to its line breaks and indentation."""
    return " ".join(paragraph.split())


def split_topics(topics: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Splits the topics by their names, about 90, 5 and 5 % of the characters.

    In the order of the hashes of their names (neighbours in the alphabet are often alike), each topic goes to test if
    it still fits there, else to validation if it fits there, else to train.

    Args:
        topics: Text by name, as in `pydoc_data.topics`.

    Returns:
        Text by name for each split, in alphabetical order.
    """
    documents = own_paragraphs(topics)
    room = dict.fromkeys(("test", "validation"), _HELD_OUT_SHARE * sum(map(len, documents.values())))
    split_of = {}
    for name in sorted(documents, key=lambda name: hashlib.sha256(name.encode()).digest()):
        split_of[name] = next((split for split, left in room.items() if len(documents[name]) <= left), "train")
        if split_of[name] in room:
            room[split_of[name]] -= len(documents[name])
    return {
        split: {name: text for name, text in documents.items() if split_of[name] == split}
        for split in ("train", "validation", "test")
    }
