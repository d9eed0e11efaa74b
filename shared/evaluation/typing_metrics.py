"""How much a list of suggestions helps somebody who types: recall, reciprocal rank and keys saved, word by word.

The words are those of a text, in its order. Neighbours depend on each other, so the intervals are those of a block
bootstrap over consecutive words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runnel.shared.evaluation.bootstrap import moving_block_bootstrap, paired_skill

__all__ = ["TypedWords", "compare_typing", "keys_saved", "recall_at", "reciprocal_rank", "typing_scores"]


@dataclass(frozen=True, eq=False)
class TypedWords:
    """Where N words stood among the suggestions while they were typed, in the order of the text.

    Attributes:
        ranks: int32 [N, J], rank of the word, 0 = best, among the suggestions shown after 0, 1, .. of its characters
            have been typed; -1 where it is not among them, and from the length of the word on.
        length: int32 [N], characters of each word, 1 to J.
        followed_by_space: bool [N], whether whitespace follows the word.
        keys: int32 [N], keys that the text takes from each word to the next: its characters and what stands between.
    """

    ranks: NDArray[np.int32]
    length: NDArray[np.int32]
    followed_by_space: NDArray[np.bool_]
    keys: NDArray[np.int32]

    def __post_init__(self) -> None:
        shapes = [array.shape for array in (self.length, self.followed_by_space, self.keys)]
        if self.ranks.ndim != 2 or any(shape != self.ranks.shape[:1] for shape in shapes):
            raise ValueError(
                f"ranks have shape {self.ranks.shape}; length, followed_by_space and keys have {shapes}; "
                "give [N, J] and [N] each"
            )
        longest = self.ranks.shape[1]
        if len(self.length) and not 1 <= self.length.min() <= self.length.max() <= longest:
            raise ValueError(
                f"words have {self.length.min()} to {self.length.max()} characters; ranks are given for 1 to {longest}"
            )
        if np.any(self.ranks[np.arange(longest) >= self.length[:, None]] != -1):
            raise ValueError("ranks go on after the last character of a word; give -1 there")
        if np.any(self.keys < self.length + self.followed_by_space):
            raise ValueError("a word has fewer keys than characters and space; give all keys from it to the next word")

    @classmethod
    def from_ranks(cls, ranks: Sequence[Sequence[int]], followed_by_space: ArrayLike, keys: ArrayLike) -> "TypedWords":
        """Puts words together from the ranks of each, one a character, such as `PrefixRanks.ranks` gives.

        Args:
            ranks: N sequences, of the length of each word.
            followed_by_space: bool [N].
            keys: int [N].
        """
        length = np.array([len(word) for word in ranks], dtype=np.int32)
        padded = np.full((len(ranks), max(length, default=1)), -1, dtype=np.int32)
        for row, word in enumerate(ranks):
            padded[row, : len(word)] = word
        return cls(padded, length, np.asarray(followed_by_space, np.bool_), np.asarray(keys, np.int32))


def recall_at(words: TypedWords, k: int) -> NDArray[np.float64]:
    """Says which words are among the first k suggestions before any of their characters is typed.

    Args:
        words: where the words stood.
        k: number of suggestions that count, 1 or more and not above the number shown.

    Returns:
        float64 [N]: 1 = among them, 0 = not.

    Raises:
        ValueError: `k` is below 1.
    """
    return _listed(words.ranks[:, 0], k).astype(np.float64)


def reciprocal_rank(words: TypedWords) -> NDArray[np.float64]:
    """Gives 1 / (1 + rank) of each word before any of its characters is typed.

    Its mean is the mean reciprocal rank (Voorhees 1999), cut off at the number of suggestions shown: a word that is not
    among them counts 0, so figures compare only for lists of one length.

    Args:
        words: where the words stood.

    Returns:
        float64 [N], in [0, 1].
    """
    first = words.ranks[:, 0]
    return np.where(first >= 0, 1 / (1.0 + np.maximum(first, 0)), 0.0)


def keys_saved(words: TypedWords, k: int) -> NDArray[np.int64]:
    """Counts the keys spared to somebody who accepts one of the first k suggestions as soon as it is right.

    Without help a word of n characters costs n keys, and one more for the space where one follows it. Accepted after j
    characters it costs j + 1: the last key accepts, and types the space too. A space that does not belong there goes by
    itself when the next mark is typed. So n - j keys are spared before a space and n - j - 1 elsewhere: nothing for the
    last character alone, which is typed as well as accepted.

    Args:
        words: where the words stood.
        k: number of suggestions shown to the typist, 1 or more.

    Returns:
        int64 [N], 0 to n for each word.

    Raises:
        ValueError: `k` is below 1.
    """
    listed = _listed(words.ranks, k)
    spared = words.length - np.argmax(listed, axis=1) - ~words.followed_by_space
    return np.where(listed.any(axis=1), spared, 0)


def typing_scores(
    words: TypedWords, k: int = 3, *, draws: int = 2000, seed: int = 0, confidence: float = 0.95
) -> dict[str, dict[str, float]]:
    """Scores suggestions over the words of a text.

    Args:
        words: where the words stood, in the order of the text.
        k: number of suggestions shown to the typist, 1 or more.
        draws: number of bootstrap samples.
        seed: seed of the draws; the same seed gives the same intervals.
        confidence: nominal coverage of the intervals, in (0, 1).

    Returns:
        Plain data, an `estimate` between 0 and 1 with `lower` and `upper` each (NaN where nothing was counted): `top1`
        and `topK` (for k = 3 `top3`), the share of words among the first suggestions before they are typed; `mrr`, the
        mean reciprocal rank; `keystroke_savings`, keys saved over all keys of the text.

    Raises:
        ValueError: `k` is below 1, or an option is out of range.
    """
    shares = {"top1": recall_at(words, 1), f"top{k}": recall_at(words, k), "mrr": reciprocal_rank(words)}
    scores = {
        name: moving_block_bootstrap(values, None, draws, seed, confidence).to_dict() for name, values in shares.items()
    }
    savings = paired_skill(words.keys - keys_saved(words, k), words.keys, None, draws, seed, confidence)
    scores["keystroke_savings"] = savings.interval.to_dict()
    return scores


def compare_typing(
    model: TypedWords,
    baseline: TypedWords,
    k: int = 3,
    *,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> dict[str, float]:
    """Compares the next-word recall of two sources of suggestions on the same words.

    Both are drawn with the same blocks, so what makes a passage hard for both does not widen the interval.

    Args:
        model: where the words stood among the suggestions of the model.
        baseline: where the same words stood among those of the baseline.
        k: number of suggestions that count, 1 or more.
        draws: number of bootstrap samples.
        seed: seed of the draws; the same seed gives the same interval.
        confidence: nominal coverage of the interval, in (0, 1).

    Returns:
        Plain data: the relative lead in top-k recall, recall of the model / recall of the baseline - 1, as `estimate`
        with `lower` and `upper`. 0 is a tie, 0.2 is 20 % ahead; infinite over a baseline that is never right.

    Raises:
        ValueError: the words are not the same, `k` is below 1, or an option is out of range.
    """
    if not (np.array_equal(model.length, baseline.length) and np.array_equal(model.keys, baseline.keys)):
        raise ValueError("the words of the model and the baseline differ in number or length; give both for the same")
    recalls = recall_at(model, k), recall_at(baseline, k)
    behind = paired_skill(*recalls, None, draws, seed, confidence).interval  # 1 - model / baseline
    return {"estimate": 0.0 - behind.estimate, "lower": 0.0 - behind.upper, "upper": 0.0 - behind.lower}


def _listed(ranks: NDArray[np.int32], k: int) -> NDArray[np.bool_]:
    if k < 1:
        raise ValueError(f"k is {k}; give 1 or more suggestions")
    return (ranks >= 0) & (ranks < k)
