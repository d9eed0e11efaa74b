"""Types a text into a model, key by key, and notes what it suggested before each key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.shared.evaluation.typing_metrics import TypedWords
from runnel.shared.preprocessing.word_splitter import END_MARK, SPACE_MARK, WordSplitter
from runnel.shared.streaming.replay import replay, start

__all__ = ["Passage", "passages", "type_passages"]

_LONGEST_WORD = 40


@dataclass(frozen=True)
class Passage:
    """A stretch of text and the words in it.

    Attributes:
        text: what is typed.
        tokens: of the whole passage, as `WordSplitter` gives them.
        words: for each word the number of its token, and its first character's place in the text.
    """

    text: str
    tokens: tuple[str, ...]
    words: tuple[tuple[int, int], ...]

    def surface(self, word: int) -> str:
        """The text of a word of `words`."""
        return self.tokens[self.words[word][0]].removeprefix(SPACE_MARK)


def passages(text: str, count: int) -> list[Passage]:
    """Cuts a text at spaces into about `count` passages of equal length."""
    length = max(len(text) // count, 1)
    pieces, begin = [], 0
    while begin < len(text):
        end = begin + length
        while end < len(text) and not text[end - 1].isspace():
            end += 1
        pieces.append(text[begin:end].strip())
        begin = end
    return [_passage(piece) for piece in pieces if piece]


def type_passages(module: Any, typed: Sequence[Passage]) -> TypedWords:
    """Types all passages at once, each in a session of its own, one key after the other.

    Args:
        module: has `initial_state` and `step` (see `replay`).
        typed: what to type.

    Returns:
        at which rank each word of each passage stood before each of its keys.
    """
    longest = max(len(passage.text) for passage in typed)
    keys = [np.array([passage.text[at : at + 1].encode() for passage in typed], object) for at in range(-1, longest)]
    keys[0] = np.array([b""] * len(typed), object)  # before the first key
    shown = [results["suggestions"] for results, _ in replay(module, _pieces(keys), start(module, len(typed)))]
    return TypedWords.from_ranks(
        [
            [_rank(shown[begin + at][row], passage.surface(word)) for at in range(len(passage.surface(word)))]
            for row, passage in enumerate(typed)
            for word, (_, begin) in enumerate(passage.words)
        ]
    )


def _passage(text: str) -> Passage:
    tokens = tuple(token.decode() for token in WordSplitter(_LONGEST_WORD).split(tf.constant([text])).values.numpy())
    words, at = [], 0
    for number, token in enumerate(tokens[:-1]):  # the last is the end mark
        surface = token.removeprefix(SPACE_MARK) or token
        found = -1 if token == END_MARK else text.find(surface, at)
        if found < 0:  # an end mark within
            continue
        at = found + len(surface)
        if surface[0].isalnum() or surface[0] == "_":
            words.append((number, found))
    return Passage(text, tokens, tuple(words))


def _pieces(keys: Sequence[np.ndarray]) -> Any:
    return ({"text": key} for key in keys)


def _rank(suggestions: np.ndarray, surface: str) -> int:
    """The place of a word in a list [K], -1 where it is not there."""
    found = np.flatnonzero(suggestions == surface.encode())
    return int(found[0]) if len(found) else -1
