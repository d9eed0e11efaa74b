"""An n-gram language model with interpolated modified Kneser-Ney smoothing: what a recurrent one has to beat.

Chen and Goodman 1999, "An empirical study of smoothing techniques for language modeling". With h a context of k - 1
tokens and h' the same without its first token,

    p(w | h) = (c(h w) - D(c(h w))) / sum_v c(h v) + gamma(h) p(w | h'),

where c is the number of times an n-gram occurs for k = order, and the number of different tokens before it for shorter
ones; D takes one of three discounts, by whether c is 1, 2 or more; and gamma(h) gives what was
taken away to the shorter context. Below one token stands the uniform distribution, so that no probability is zero. A
sequence has start symbols in front of it, which are never predicted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["KneserNey", "fit_kneser_ney"]

_FALLBACK = (0.5, 1.0, 1.5)  # discounts where n-grams are too few to fit them; the same as KenLM's discount_fallback


@dataclass(frozen=True, eq=False)
class _Level:
    """The n-grams of one length.

    Attributes:
        keys: int64 [M], sorted: number of the context (its place among the n-grams one shorter) * (V + 1) + last token.
        share: float64 [M], discounted count over the sum of counts of the context.
        backoff: float64 [C], gamma of each context; 1 where nothing was seen to follow.
    """

    keys: NDArray[np.int64]
    share: NDArray[np.float64]
    backoff: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KneserNey:
    """A fitted n-gram model over the token ids 0 to V - 1; made by `fit_kneser_ney`.

    Attributes:
        vocabulary: V, the number of token ids.
        levels: the n-grams of 1, 2, .. order tokens.
    """

    vocabulary: int
    levels: Sequence[_Level]

    @property
    def order(self) -> int:
        """The n of the n-grams: a token and the order - 1 tokens before it."""
        return len(self.levels)

    def probabilities(self, context: ArrayLike) -> NDArray[np.float64]:
        """Gives the distribution of the token after a context.

        Args:
            context: int [T], the tokens since the start of the sequence, or at least the last order - 1 of them: a
                shorter context, an empty one included, stands at the start of a sequence.

        Returns:
            float64 [V], each above 0; sums to 1.

        Raises:
            ValueError: the context is not one-dimensional, or an id is not in the vocabulary.
        """
        tokens = _checked(np.asarray(context)[-self.order :], self.vocabulary)  # quick for a long context too
        contexts = self._numbers(_padded(tokens, self.order, self.vocabulary))[:, -1]
        distribution = np.full(self.vocabulary, 1 / self.vocabulary)
        for level, number in zip(self.levels, contexts, strict=False):  # numbers has one more, of the longest n-grams
            if number < 0:
                break  # a longer context was not seen either
            first = number * (self.vocabulary + 1)
            low, high = np.searchsorted(level.keys, (first, first + self.vocabulary))
            distribution *= level.backoff[number]
            distribution[level.keys[low:high] - first] += level.share[low:high]
        return distribution

    def log_probabilities(self, sequence: ArrayLike) -> NDArray[np.float64]:
        """Gives the natural logarithm of the probability of each token after those before it.

        Args:
            sequence: int [T], from the start of a sequence.

        Returns:
            float64 [T], in nats, finite.

        Raises:
            ValueError: the sequence is not one-dimensional, or an id is not in the vocabulary.
        """
        tokens = _checked(sequence, self.vocabulary)
        numbers = self._numbers(_padded(tokens, self.order, self.vocabulary))
        contexts, grams = numbers[:-1, self.order - 1 : -1], numbers[1:, self.order :]  # [order, T]
        result = np.full(len(tokens), 1 / self.vocabulary)
        for level, context, gram in zip(self.levels, contexts, grams, strict=True):
            backoff = np.where(context >= 0, level.backoff[context], 1.0)
            result = backoff * result + np.where(gram >= 0, level.share[gram], 0.0)
        return np.log(result)

    def _numbers(self, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the n-gram of 0, 1, .. order tokens that ends at each token: [T] -> [order + 1, T]; -1 = unseen."""
        numbers = [np.zeros_like(tokens)]
        for level in self.levels:
            wanted = _keys(numbers[-1], tokens, self.vocabulary)  # negative, so not found, after a new context
            place = np.minimum(np.searchsorted(level.keys, wanted), len(level.keys) - 1)
            numbers.append(np.where(level.keys[place] == wanted, place, -1))
        return np.stack(numbers)


def fit_kneser_ney(sequences: Iterable[ArrayLike], vocabulary: int, order: int = 4) -> KneserNey:
    """Counts the n-grams of some sequences, and smooths them.

    Args:
        sequences: int [T] each, token ids of texts that do not follow each other; an empty one is passed over.
        vocabulary: number of token ids, V; those that do not occur get a probability too.
        order: n of the n-grams, 1 or more; 1 looks at no context.

    Returns:
        The fitted model.

    Raises:
        ValueError: there is no token, an id is not in the vocabulary, or the order is below 1.
    """
    if order < 1:
        raise ValueError(f"order is {order}; give 1 or more")
    padded = [_padded(tokens, order, vocabulary) for one in sequences if len(tokens := _checked(one, vocabulary))]
    if not padded:
        raise ValueError("the sequences hold no token; give at least one")
    counted = _counted(np.concatenate(padded), vocabulary, order)
    contexts = [1, *(len(keys) for keys, _ in counted)]
    levels = [_smoothed(*one, size, vocabulary) for one, size in zip(counted, contexts, strict=False)]
    return KneserNey(vocabulary, tuple(levels))


def _counted(
    tokens: NDArray[np.int64], vocabulary: int, order: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The keys of the n-grams of 1, 2, .. order tokens, and their counts; 0 for what ends with a start symbol.

    Where a sequence begins, n-grams may reach into the one before it: these end with a start symbol, and no n-gram of
    tokens has them as its context.
    """
    counted: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    shorter = np.zeros_like(tokens)  # for each token the number of the n-gram, one shorter, that ends at it
    for length in range(1, order + 1):
        keys, places, ending = np.unique(_keys(shorter, tokens, vocabulary), return_index=True, return_inverse=True)
        predicted = keys % (vocabulary + 1) < vocabulary
        if length > 1:  # each n-gram counts once for its part without the first token
            size = len(counted[-1][0])
            counted[-1] = (counted[-1][0], np.bincount(shorter[places[predicted]], minlength=size))
        counted.append((keys, np.where(predicted, np.bincount(ending), 0)))
        shorter = ending
    return counted


def _smoothed(keys: NDArray[np.int64], counts: NDArray[np.int64], contexts: int, vocabulary: int) -> _Level:
    """The n-grams of one length with their discounts taken away and given to their contexts."""
    context = keys // (vocabulary + 1)
    discount = _discounts(counts)[np.minimum(counts, 3)]
    total, held = (np.bincount(context, part, minlength=contexts) for part in (counts, discount))
    seen = np.maximum(total, 1)
    return _Level(keys, (counts - discount) / seen[context], np.where(total > 0, held / seen, 1.0))


def _discounts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """What is taken from a count of 0 (nothing), 1, 2 and 3 or more (Chen and Goodman 1999, modified Kneser-Ney)."""
    one, two, three, four = (np.count_nonzero(counts == count) for count in (1, 2, 3, 4))
    if one and two and three:
        common = one / (one + 2 * two)
        fitted = [1 - 2 * common * two / one, 2 - 3 * common * three / two, 3 - 4 * common * four / three]
        if min(fitted) > 0:
            return np.array([0.0, *fitted])
    return np.array([0.0, *_FALLBACK])


def _keys(shorter: NDArray[np.int64], tokens: NDArray[np.int64], vocabulary: int) -> NDArray[np.int64]:
    """Keys of the n-grams that end at each token, from the numbers of those one shorter that end at each token."""
    return np.roll(shorter, 1) * (vocabulary + 1) + tokens


def _padded(tokens: NDArray[np.int64], order: int, vocabulary: int) -> NDArray[np.int64]:
    """Start symbols, whose id is V, before the tokens of a sequence."""
    return np.concatenate([np.full(order, vocabulary), tokens])


def _checked(tokens: ArrayLike, vocabulary: int) -> NDArray[np.int64]:
    array = np.asarray(tokens)
    if array.ndim != 1:
        raise ValueError(f"token ids have shape {array.shape}; give one sequence, [T]")
    if len(array) and not 0 <= array.min() <= array.max() < vocabulary:
        raise ValueError(f"token ids are {array.min()} to {array.max()}; the vocabulary has 0 to {vocabulary - 1}")
    return array.astype(np.int64)
