"""The simplest language model: the most frequent tokens, whatever came before."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MostFrequentWord", "fit_most_frequent_word"]


@dataclass(frozen=True, eq=False)
class MostFrequentWord:
    """A baseline that always expects the tokens which were most frequent in training.

    Attributes:
        shares: float64 [V], share of each token id among the training tokens; sums to 1. Read-only.
    """

    shares: NDArray[np.float64]

    def probabilities(self, context: ArrayLike) -> NDArray[np.float64]:
        """Gives the shares [V] for any context; 0 for a token that did not occur."""
        del context
        return self.shares


def fit_most_frequent_word(sequences: Iterable[ArrayLike], vocabulary: int) -> MostFrequentWord:
    """Counts tokens.

    Args:
        sequences: int [T] each, token ids.
        vocabulary: number of token ids, V.

    Returns:
        The fitted baseline.

    Raises:
        ValueError: there is no token, or an id is not in the vocabulary.
    """
    tokens = np.concatenate([np.zeros(0, np.int64), *(np.asarray(one, np.int64) for one in sequences)])
    if not len(tokens):
        raise ValueError("the sequences hold no token; give at least one")
    if not 0 <= tokens.min() <= tokens.max() < vocabulary:
        raise ValueError(f"token ids are {tokens.min()} to {tokens.max()}; the vocabulary has 0 to {vocabulary - 1}")
    shares = np.bincount(tokens, minlength=vocabulary) / len(tokens)
    shares.flags.writeable = False
    return MostFrequentWord(shares)
