"""The baseline that looks up every word by itself, in a dictionary learnt from pairs of sentences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["WordDictionary", "fit_word_dictionary"]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SPACE_BEFORE = re.compile(r" (?=[^\w\s])")


@dataclass(frozen=True)
class WordDictionary:
    """A word of the target for each of the source.

    Attributes:
        entries: for each known word its most probable translation; "" where that is no word.
    """

    entries: dict[str, str]

    def translate(self, text: str) -> str:
        """Puts the translation of each word in its place; an unknown word stays as it is."""
        words = [self.entries.get(word, word) for word in _TOKEN.findall(text)]
        return _SPACE_BEFORE.sub("", " ".join(word for word in words if word))


def fit_word_dictionary(sources: Sequence[str], targets: Sequence[str], rounds: int = 6) -> WordDictionary:
    """Learns which words translate which: IBM model 1 (Brown et al. 1993, section 4), by expectation maximisation.

    Args:
        sources: N texts.
        targets: of each its translation.
        rounds: of expectation maximisation.

    Raises:
        ValueError: no pair.
    """
    if not sources or len(sources) != len(targets):
        raise ValueError(f"received {len(sources)} sources, {len(targets)} targets; expected as many, one at least")
    source_ids, source_words = _numbered(sources, ["<nothing>"])
    target_ids, target_words = _numbered(targets, [])
    source_ids = [[0, *ids] for ids in source_ids]  # a word of the target may come from nothing
    pairs = [np.meshgrid(s, t, indexing="ij") for s, t in zip(source_ids, target_ids, strict=True)]
    source = np.concatenate([s.ravel() for s, _ in pairs])
    target = np.concatenate([t.ravel() for _, t in pairs])
    # Each word of each target shares one count among the words of its source.
    place = np.concatenate([np.tile(np.arange(t.shape[1]), t.shape[0]) for _, t in pairs])
    sizes = np.array([t.shape[1] for _, t in pairs])
    place += np.repeat(np.cumsum(sizes) - sizes, [t.size for _, t in pairs])
    kinds, kind = np.unique(source.astype(np.int64) * len(target_words) + target, return_inverse=True)
    kind_source, kind_target = np.divmod(kinds, len(target_words))
    probability = np.ones(len(kinds))
    for _ in range(rounds):
        weight = probability[kind]
        weight /= np.bincount(place, weight)[place]
        count = np.bincount(kind, weight, len(kinds))
        probability = count / np.bincount(kind_source, count)[kind_source]
    best = np.lexsort([kind_target, -probability, kind_source])
    firsts = best[np.unique(kind_source[best], return_index=True)[1]]
    entries = {source_words[kind_source[one]]: target_words[kind_target[one]] for one in firsts if kind_source[one]}
    return WordDictionary(entries)


def _numbered(texts: Sequence[str], words: list[str]) -> tuple[list[list[int]], list[str]]:
    """The words of each text as numbers, and the words of the numbers, those given first."""
    numbers = {word: number for number, word in enumerate(words)}
    ids = [[numbers.setdefault(word, len(numbers)) for word in _TOKEN.findall(text)] for text in texts]
    return ids, list(numbers)
