"""Types a text into a model, key by key, and notes what it suggested before each key."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.shared.evaluation.typing_metrics import TypedWords
from runnel.shared.preprocessing.word_splitter import END_MARK, SPACE_MARK, WordSplitter
from runnel.shared.streaming.replay import replay, start

__all__ = ["Passage", "passages", "type_passages", "typed_words"]

_LONGEST_WORD = 40
_MOST_PASSAGES = 32
_BEFORE = 2_000
_REACH = 200  # text may have no whitespace at all
_WORD_START = re.compile(r"(?<!\S)\S")


@dataclass(frozen=True)
class Passage:
    """A stretch of text and the words in it.

    Attributes:
        before: what stands before it, as far as it is read first.
        text: what is typed then.
        tokens: those that `text` completes, as `WordSplitter` gives them.
        words: for each word the number of its token, and its first character's place in `text`.
    """

    before: str
    text: str
    tokens: tuple[str, ...]
    words: tuple[tuple[int, int], ...]

    def surface(self, word: int) -> str:
        """The text of a word of `words`."""
        return self.tokens[self.words[word][0]].removeprefix(SPACE_MARK)


def passages(text: str, characters: int, shortest: int = 4_000) -> list[Passage]:
    """Takes stretches of equal length out of a text, spread evenly over it.

    The text is cut into as many parts of equal length, of each of which the end is taken, from the start of a word on.

    Args:
        text: the whole text.
        characters: length of all stretches together.
        shortest: length of a stretch, unless the text is shorter: what is known at its beginning is soon a small part.
    """
    total = min(characters, len(text))
    count = min(max(total // shortest, 1), _MOST_PASSAGES)
    ends = [len(text) * number // count for number in range(1, count + 1)]
    begins = [(len(text) * number - total) // count for number in range(1, count + 1)]
    splitter = WordSplitter(_LONGEST_WORD)
    found = []
    for begin, end in zip(
        (_word_start(text, at) for at in begins), (_word_start(text, at) for at in ends), strict=True
    ):
        follows = text[max(begin - 1, 0) : begin].isspace()  # no word is cut in two here
        before = text[_word_start(text, max(begin - _BEFORE, 0)) : begin] if follows else ""
        if text[begin:end].strip():
            found.append(_passage(splitter, before, text[begin:end]))
    return found


def type_passages(module: Any, typed: Sequence[Passage], shown: int) -> TypedWords:
    """Types all passages at once, each in a session of its own, one key after the other.

    Args:
        module: has `initial_state` and `step` (see `replay`).
        typed: what to type; what stands before it is given in one piece.
        shown: how many of the suggestions count.

    Returns:
        at which rank each word of each passage stood before each of its keys.
    """
    longest = max(len(passage.text) for passage in typed)
    keys = [np.array([passage.text[at : at + 1].encode() for passage in typed], object) for at in range(longest)]
    pieces = [np.array([passage.before.encode() for passage in typed], object), *keys]
    results = replay(module, ({"text": piece} for piece in pieces), start(module, len(typed)))
    lists = [result["suggestions"][:, :shown] for result, _ in results]  # [B, K] before each key, and after the last
    return typed_words(
        typed,
        [
            [_rank(lists[begin + at][row], passage.surface(word)) for at in range(len(passage.surface(word)))]
            for row, passage in enumerate(typed)
            for word, (_, begin) in enumerate(passage.words)
        ],
    )


def typed_words(typed: Sequence[Passage], ranks: Sequence[Sequence[int]]) -> TypedWords:
    """Puts together where the words of passages stood and the keys that the whole text of the passages takes.

    Args:
        typed: the passages.
        ranks: for each word of each passage its rank before each of its characters.
    """
    places, followed, typed_before = [], [], 0
    for passage in typed:
        for word, (_, begin) in enumerate(passage.words):
            end = begin + len(passage.surface(word))
            places.append(typed_before + begin)
            followed.append(passage.text[end : end + 1].isspace())
        typed_before += len(passage.text)
    begins = np.array(places, np.int32)
    keys = np.diff(begins, append=np.int32(typed_before))
    keys[:1] += begins[:1]  # what stands before the first word
    return TypedWords.from_ranks(ranks, followed, keys)


def _word_start(text: str, at: int) -> int:
    """The first place from `at` on where something follows whitespace or the text begins; `at` if that is far away."""
    found = _WORD_START.search(text, at, at + _REACH)
    return found.start() if found else at


def _passage(splitter: WordSplitter, before: str, text: str) -> Passage:
    _, state = splitter.step(tf.constant([before]), splitter.initial_state(1))
    tokens = tuple(token.decode() for token in splitter.step(tf.constant([text]), state)[0].values.numpy())
    words, at = [], 0
    for number, token in enumerate(tokens):
        surface = token.removeprefix(SPACE_MARK) or token
        found = -1 if token == END_MARK else text.find(surface, at)
        if found < 0:  # an end mark
            continue
        at = found + len(surface)
        if surface[0].isalnum() or surface[0] == "_":
            words.append((number, found))
    return Passage(before, text, tokens, tuple(words))


def _rank(suggestions: np.ndarray, surface: str) -> int:
    """The place of a word in a list [K], -1 where it is not there."""
    found = np.flatnonzero(suggestions == surface.encode())
    return int(found[0]) if len(found) else -1
