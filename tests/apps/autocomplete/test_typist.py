from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.apps.autocomplete.typist import Passage, passages, type_passages


class Parrot:
    """Suggests the same words whatever is typed, and the number of bytes typed so far as the last of them."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.texts: list[list[bytes]] = []

    def initial_state(self, batch_size: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"state_count": tf.zeros([batch_size], tf.int32)}

    def step(self, text: tf.Tensor, state_count: tf.Tensor) -> dict[str, Any]:
        self.texts.append(text.numpy().tolist())
        count = state_count + tf.strings.length(text)
        words = tf.tile(tf.constant([self.words]), [tf.shape(text)[0], 1])
        return {"suggestions": tf.concat([words, tf.strings.as_string(count)[:, None]], axis=1), "state_count": count}


def surfaces(passage: Passage) -> list[str]:
    return [passage.surface(word) for word in range(len(passage.words))]


def ranks(module: Any, *texts: str) -> tuple[list[list[int]], list[int]]:
    typed = type_passages(module, [piece for text in texts for piece in passages(text, 1)])
    return [row[:length].tolist() for row, length in zip(typed.ranks, typed.length, strict=True)], typed.length.tolist()


# === Passages ===


def test_a_passage_knows_its_words_and_their_places() -> None:
    (passage,) = passages("I don't know,\n(really) 7-fold!\n\nYes: naïve_x.", 1)
    assert surfaces(passage) == ["I", "don't", "know", "really", "7-fold", "Yes", "naïve_x"]
    for word, (token, begin) in enumerate(passage.words):
        assert passage.text[begin:].startswith(passage.surface(word))
        assert passage.tokens[token].removeprefix("▁") == passage.surface(word)
    assert [begin for _, begin in passage.words] == [0, 2, 8, 15, 23, 32, 37]


def test_passages_are_about_equal_cut_at_spaces_and_lose_no_word() -> None:
    text = " ".join(f"word{number}" for number in range(200))
    pieces = passages(text, 8)
    assert 6 <= len(pieces) <= 8
    assert " ".join(piece.text for piece in pieces) == text
    lengths = [len(piece.text) for piece in pieces]
    assert max(lengths[:-1]) - min(lengths[:-1]) < 8


def test_short_and_blank_texts() -> None:
    assert passages("", 4) == passages(" \n\n ", 4) == []
    assert [piece.text for piece in passages("one word", 50)] == ["one", "word"]


def test_a_mark_of_ours_in_the_text_is_text() -> None:
    """ "▁" shows where a space was, and "</p>" a blank line: both may be typed too."""
    (passage,) = passages("a▁b ▁ c\n\n<p>d e</p> e", 1)
    assert surfaces(passage) == ["a", "b", "c", "p", "d", "e", "p", "e"]
    assert [begin for _, begin in passage.words] == [0, 2, 6, 10, 12, 14, 17, 20]


def test_a_word_too_long_to_be_known_counts_too() -> None:
    (passage,) = passages(f"one {'y' * 100} two", 1)
    assert surfaces(passage) == ["one", "y" * 100, "two"]


# === Ranks ===


def test_ranks_by_hand() -> None:
    """Before "the" nothing is typed; the fourth suggestion is the count of bytes: "10" is typed after 10 of them."""
    found, lengths = ranks(Parrot("the", "fox", "é"), "the fox é 10 dog")
    assert lengths == [3, 3, 1, 2, 3]
    assert found == [[0, 0, 0], [1, 1, 1], [2], [-1, -1], [-1, -1, -1]]
    assert ranks(Parrot("x"), "abcdefgh 9") == ([[-1] * 8, [1]], [8, 1])


def test_every_key_is_typed_once_into_a_session_of_its_own() -> None:
    module = Parrot("the")
    ranks(module, "ab ç", "x\n")
    columns: Sequence[Sequence[bytes]] = list(zip(*module.texts, strict=True))
    assert columns == [(b"", b"a", b"b", b" ", "ç".encode()), (b"", b"x", b"", b"", b"")]


def test_what_was_suggested_later_does_not_count() -> None:
    """The word is listed from the second key on: never at its first character."""

    class Late(Parrot):
        def step(self, text: tf.Tensor, state_count: tf.Tensor) -> dict[str, Any]:
            outputs = super().step(text, state_count)
            late = tf.where(outputs["state_count"] >= 2, "word", "")[:, None]
            return outputs | {"suggestions": late}

    found, _ = ranks(Late("x"), "word")
    assert found == [[-1, -1, 0, 0]]
    assert np.shape(found) == (1, 4)
