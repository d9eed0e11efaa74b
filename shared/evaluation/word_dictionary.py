"""The baseline that looks up every word by itself, in a dictionary learnt from pairs of sentences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["WordDictionary", "fit_word_dictionary"]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SPACED_TOKEN = re.compile(r"(\s*)(\w+|[^\w\s])")
_FEWEST = 0.5  # words of the target for one of the source, on average, below which it is translated by nothing


@dataclass(frozen=True)
class WordDictionary:
    """A word of the target, or nothing, for each of the source; marks are words, too.

    Attributes:
        entries: for each known word its most probable translation; "" where that is nothing.
    """

    entries: dict[str, str]

    def translate(self, text: str) -> str:
        """Puts the translation of each word in its place; an unknown word stays as it is."""

        def in_place(match: re.Match[str]) -> str:
            space, word = match.groups()
            translation = self.entries.get(word, word)
            return space + translation if translation else ""

        return _SPACED_TOKEN.sub(in_place, text).strip()


def fit_word_dictionary(sources: Sequence[str], targets: Sequence[str], rounds: int = 6) -> WordDictionary:
    """Learns which words translate which: IBM model 1 (Brown et al. 1993, section 4), by expectation maximisation.

    A word of the target comes from one of the source, or from nothing. A word of the source from which less than half a
    word comes on average is translated by nothing.

    Args:
        sources: N texts.
        targets: of each its translation.
        rounds: of expectation maximisation, at least one.

    Raises:
        ValueError: no pair, or no round.
    """
    if not sources or len(sources) != len(targets) or rounds < 1:
        raise ValueError(
            f"received {len(sources)} sources, {len(targets)} targets, {rounds} rounds; expected as many targets as "
            "sources, and one of each at least"
        )
    source_ids, source_words = _numbered(sources, "nothing at all")
    target_ids, target_words = _numbered(targets)
    pairs = [np.meshgrid([0, *s], t, indexing="ij") for s, t in zip(source_ids, target_ids, strict=True)]
    source = np.concatenate([s.ravel() for s, _ in pairs])
    target = np.concatenate([t.ravel() for _, t in pairs])
    # Each word of each target shares one count among the words of its source.
    place = np.concatenate([np.tile(np.arange(t.shape[1]), t.shape[0]) for _, t in pairs])
    sizes = np.array([t.shape[1] for _, t in pairs])
    place += np.repeat(np.cumsum(sizes) - sizes, [t.size for _, t in pairs])
    kinds, kind = np.unique(source * len(target_words) + target, return_inverse=True)
    kind_source, kind_target = np.divmod(kinds, len(target_words))
    probability = np.ones(len(kinds))
    for _ in range(rounds):
        weight = probability[kind]
        weight /= np.bincount(place, weight)[place]
        count = np.bincount(kind, weight, len(kinds))
        probability = count / np.bincount(kind_source, count)[kind_source]
    best = np.lexsort([kind_target, -probability, kind_source])
    firsts = best[np.unique(kind_source[best], return_index=True)[1]]
    occurrences = np.bincount(np.concatenate(source_ids), minlength=len(source_words))
    words_from = np.bincount(kind_source, count, len(source_words))
    entries = dict.fromkeys(source_words[1:], "")
    for one, number in zip(firsts, kind_source[firsts], strict=True):
        if number and words_from[number] >= _FEWEST * occurrences[number]:
            entries[source_words[number]] = target_words[kind_target[one]]
    return WordDictionary(entries)


def _numbered(texts: Sequence[str], *words: str) -> tuple[list[NDArray[np.int64]], list[str]]:
    """The words of each text as numbers, and the words of the numbers, those given first."""
    numbers = {word: number for number, word in enumerate(words)}
    ids = [[numbers.setdefault(word, len(numbers)) for word in _TOKEN.findall(text)] for text in texts]
    return [np.array(row, np.int64) for row in ids], list(numbers)
