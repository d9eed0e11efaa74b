"""Which words of a vocabulary begin with what has been typed."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from runnel.shared.preprocessing.vocabulary import token_table

__all__ = ["WordCandidates"]

_DISCOUNT = 0.75  # absolute, as in n-gram smoothing: a rare word that begins so is one of the vocabulary itself


class WordCandidates(tf.Module):
    """Finds the tokens whose word begins with a prefix: a range in the alphabetical order of all words.

    Args:
        surfaces: the V words as text, most frequent first; one word may occur several times.
        is_candidate: bool [F, V]: tokens that may be suggested in each of F forms.
    """

    def __init__(self, surfaces: Sequence[str], is_candidate: np.ndarray) -> None:
        super().__init__()
        words = sorted({surfaces[index] for index in np.flatnonzero(is_candidate.any(axis=0)).tolist()})
        ranks = {word: rank for rank, word in enumerate(words)}
        rank_of_token = np.array([ranks.get(surface, -1) for surface in surfaces], np.int32)
        self.ranks = tf.constant(np.where(is_candidate, rank_of_token, -1))  # [F, V]
        numbers, ranges = _prefix_ranges(words)
        self.ranges = tf.constant([*ranges, (0, 0)], tf.int32)  # the last one is that of an unknown prefix
        self.prefixes = token_table(numbers, len(ranges))
        is_rare = np.isin(words, list(surfaces[: len(surfaces) // 2]), invert=True)
        self.rare_before = tf.constant(np.append(0, np.cumsum(is_rare)), tf.float32)  # by alphabetical rank

    def __call__(self, prefix: tf.Tensor, form: tf.Tensor) -> tf.Tensor:
        """Which tokens complete a prefix.

        Args:
            prefix: string [B]; every word begins with an empty one.
            form: int32 [B], which of the forms is due.

        Returns:
            bool [B, V].
        """
        low, high = self._range(prefix)
        ranks = tf.gather(self.ranks, form)
        return (ranks >= low) & (ranks < high)

    def unknown_share(self, prefix: tf.Tensor) -> tf.Tensor:
        """The share of unknown words that begin with a prefix, as far as the rarer half of the vocabulary tells.

        Args:
            prefix: string [B].

        Returns:
            float32 [B, 1]; 1 for an empty prefix.
        """
        low, high = self._range(prefix)
        rare = tf.gather(self.rare_before, high) - tf.gather(self.rare_before, low)
        share = tf.maximum(rare - _DISCOUNT, 0.0) / tf.maximum(self.rare_before[-1], 1.0)
        return tf.where(prefix[:, None] == "", 1.0, share)

    def _range(self, prefix: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The first alphabetical rank of the words that begin with each prefix, and the one after the last: [B, 1]."""
        return tuple(tf.split(tf.gather(self.ranges, self.prefixes.lookup(prefix)), 2, axis=1))


def _prefix_ranges(words: list[str]) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """Number of every prefix of sorted words, and the range [low, high) of the words that begin with each."""
    first: dict[str, int] = {"": 0}
    last: dict[str, int] = {"": -1}
    for rank, word in enumerate(words):
        for end in range(len(word) + 1):
            first.setdefault(word[:end], rank)
            last[word[:end]] = rank
    return {prefix: number for number, prefix in enumerate(first)}, [
        (first[prefix], last[prefix] + 1) for prefix in first
    ]
