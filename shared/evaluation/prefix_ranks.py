"""Where a word stands among the suggestions that a distribution over a vocabulary makes while the word is typed."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["PrefixRanks"]


class PrefixRanks:
    """Ranks of words among those that begin with the characters typed so far.

    Only words count, that is surfaces whose first character is a letter, a mark, a digit or an underscore. Token ids of
    one surface are one candidate with the sum of their probabilities. Equal probabilities rank by the lowest token id.

    Args:
        surfaces: the text of each of V token ids, without what marks a space before it; "" for special tokens.
    """

    def __init__(self, surfaces: Sequence[str]) -> None:
        self._vocabulary = len(surfaces)
        self._ids = np.array([number for number, text in enumerate(surfaces) if _is_word(text)], dtype=np.int64)
        words, first, place = np.unique(
            np.array([surfaces[number] for number in self._ids], dtype=object), return_index=True, return_inverse=True
        )
        self._words: list[str] = words.tolist()  # [U], by code points
        self._precedence = first  # [U], grows with the lowest token id of each word
        self._place = place  # for each of `_ids` the place of its word

    def ranks(self, probabilities: ArrayLike, surface: str, k: int) -> list[int]:
        """Ranks a word after each of its proper prefixes has been typed, the empty one first.

        Args:
            probabilities: float [V], of each token id; they need not sum to 1.
            surface: the word that is being typed.
            k: number of suggestions shown, 1 or more.

        Returns:
            For 0, 1, .. n - 1 of the n characters (code points) typed: the number of words with that prefix that are
            suggested before this one, or -1 where it is not among the first k, as is a word that has no token id.

        Raises:
            ValueError: `probabilities` does not hold one number a token id or holds NaN, or `k` is below 1.
        """
        shares = np.asarray(probabilities, dtype=np.float64)
        if shares.shape != (self._vocabulary,):
            raise ValueError(f"probabilities have shape {shares.shape}; give one a token id, [{self._vocabulary}]")
        if np.isnan(shares).any():
            raise ValueError("a probability is NaN; a word without one cannot be ranked")
        if k < 1:
            raise ValueError(f"k is {k}; give 1 or more suggestions")
        own = bisect_left(self._words, surface)
        if own == len(self._words) or self._words[own] != surface:
            return [-1] * len(surface)
        totals = np.zeros(len(self._words))
        np.add.at(totals, self._place, shares[self._ids])
        ranks: list[int] = []
        for typed in range(len(surface)):
            if ranks and ranks[-1] == 0:  # stays first: a longer prefix has no new candidates
                ranks.append(0)
                continue
            rank = self._rank(totals, own, surface[:typed])
            ranks.append(rank if rank < k else -1)
        return ranks

    def _rank(self, totals: NDArray[np.float64], own: int, prefix: str) -> int:
        """The number of words with this prefix that stand before one of them."""
        length = len(prefix)
        low = bisect_left(self._words, prefix)
        high = bisect_right(self._words, prefix, lo=low, key=lambda word: word[:length])
        rivals = totals[low:high]
        tied = (rivals == totals[own]) & (self._precedence[low:high] < self._precedence[own])
        return int(np.count_nonzero(tied | (rivals > totals[own])))


def _is_word(text: str) -> bool:
    """Whether a token begins with a word character: a letter, a mark, a digit or an underscore."""
    return text != "" and (text[0] == "_" or unicodedata.category(text[0])[0] in "LMN")
