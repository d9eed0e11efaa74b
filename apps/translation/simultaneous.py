"""Sentences translated while they are being spoken: what comes, and how far behind the speaker it comes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.shared.streaming.replay import replay, start

__all__ = ["Spoken", "interpret", "source_words"]

_SENTENCES_AT_ONCE = 64
_WHITESPACE = re.compile(r"[ \t\n\v\f\r]+")


@dataclass(frozen=True)
class Spoken:
    """A sentence that was translated as it came.

    Attributes:
        translation: all that was committed.
        delays: for each word of it, how many words of the source had come.
        source_words: how many those are in all.
    """

    translation: str
    delays: tuple[int, ...]
    source_words: int


def source_words(text: str) -> list[str]:
    """The words of a text as the stream counts them."""
    return [word for word in _WHITESPACE.split(text) if word]


def interpret(module: Any, texts: Sequence[str], wait_k: int) -> list[Spoken]:
    """Sends sentences word by word and notes when each word of the translation comes.

    Args:
        module: has `initial_state` and `step` (see `replay`).
        texts: with a word each, at least.
        wait_k: words to wait for; 0: for the whole sentence.
    """
    order = np.argsort([len(source_words(text)) for text in texts], kind="stable")
    spoken: dict[int, Spoken] = {}
    for begin in range(0, len(texts), _SENTENCES_AT_ONCE):
        chosen = order[begin : begin + _SENTENCES_AT_ONCE].tolist()
        spoken |= dict(zip(chosen, _interpret_batch(module, [texts[one] for one in chosen], wait_k), strict=True))
    return [spoken[place] for place in range(len(texts))]


def _interpret_batch(module: Any, texts: Sequence[str], wait_k: int) -> list[Spoken]:
    words = [source_words(text) for text in texts]
    state = start(module, len(texts))
    state["state_wait_k"] = tf.fill([len(texts)], wait_k)
    committed, delays = [""] * len(texts), [list[int]() for _ in texts]
    pieces = [
        {
            "text": np.array([_piece(row, place) for row in words], object),
            "final": np.array([place == len(row) - 1 for row in words]),
        }
        for place in range(max(map(len, words)))
    ]
    for place, (results, _) in enumerate(replay(module, pieces, state)):
        for row, added in enumerate(results["committed"]):
            text = added.decode()
            committed[row] += text
            delays[row] += [min(place + 1, len(words[row]))] * len(text.split())
    return [Spoken(*one) for one in zip(committed, map(tuple, delays), map(len, words), strict=True)]


def _piece(words: Sequence[str], place: int) -> str:
    """The word in a place, with the separator that completes it, unless the sentence ends there."""
    if place >= len(words):
        return ""
    return words[place] + (" " if place < len(words) - 1 else "")
