import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
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


def whole(text: str) -> Passage:
    """A text as one passage."""
    (passage,) = passages(text, len(text), len(text))
    return passage


def surfaces(passage: Passage) -> list[str]:
    return [passage.surface(word) for word in range(len(passage.words))]


def ranks(module: Any, *texts: str) -> tuple[list[list[int]], list[int]]:
    typed = type_passages(module, [whole(text) for text in texts], 4)
    return [row[:length].tolist() for row, length in zip(typed.ranks, typed.length, strict=True)], typed.length.tolist()


# === Passages ===


def test_a_passage_knows_its_words_and_their_places() -> None:
    passage = whole("I don't know,\n(really) 7-fold!\n\nYes: naïve_x.")
    assert surfaces(passage) == ["I", "don't", "know", "really", "7-fold", "Yes", "naïve_x"]
    for word, (token, begin) in enumerate(passage.words):
        assert passage.text[begin:].startswith(passage.surface(word))
        assert passage.tokens[token].removeprefix("▁") == passage.surface(word)
    assert [begin for _, begin in passage.words] == [0, 2, 8, 15, 23, 32, 37]


def test_all_of_a_text_in_passages_that_follow_each_other() -> None:
    text = " ".join(f"word{number}" for number in range(200)) + "\n\n"
    pieces = passages(text, len(text), len(text) // 8)
    assert len(pieces) == 8
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text[0] == "w" and piece.text[-1].isspace() for piece in pieces)
    assert pieces[0].before == ""
    for earlier, later in itertools.pairwise(pieces):
        assert later.before == earlier.before + earlier.text
    lengths = [len(piece.text) for piece in pieces]
    assert max(lengths) - min(lengths) < 2 * len("word199 ")


def test_passages_are_the_ends_of_equal_parts() -> None:
    """Three stretches of 100 out of 1,800 characters end at 600, 1,200 and 1,800; words have nine characters."""
    text = "".join(f"word{number:04} " for number in range(200))
    pieces = passages(text, 300, 100)
    assert [text.index(piece.text) for piece in pieces] == [504, 1107, 1701]
    assert [text.index(piece.text) + len(piece.text) for piece in pieces] == [603, 1206, 1800]
    assert [piece.before for piece in pieces] == [text[:504], text[:1107], text[:1701]]


@pytest.mark.parametrize(
    ("length", "characters", "expected"),
    [(3_000, 8_000, 1), (7_999, 8_000, 1), (8_000, 8_000, 2), (18_000, 8_000, 2), (90_000, 40_000, 10)],
)
def test_passages_are_long(length: int, characters: int, expected: int) -> None:
    pieces = passages("abc " * (length // 4), characters)
    assert len(pieces) == expected
    assert sum(len(piece.text) for piece in pieces) == pytest.approx(min(length, characters), abs=4 * expected)


def test_there_are_at_most_32_passages() -> None:
    assert len(passages("abc " * 100, 400, 4)) == 32


def test_what_stands_before_a_passage_begins_with_a_word_too_and_is_bounded() -> None:
    text = "".join(f"word{number:04} " for number in range(600))
    (passage,) = passages(text, 1_000)
    assert passage.text == text[4401:]  # 4,400 is in a word
    assert passage.before == text[2403:4401]  # 2,401 is too


def test_short_and_blank_texts() -> None:
    assert passages("", 4) == passages(" \n\n ", 4) == []
    assert [piece.text for piece in passages("one word", 50)] == ["one word"]


def test_text_without_whitespace_is_cut_anywhere_and_begins_anew() -> None:
    pieces = passages("x" * 1_000 + " end", 1_004, 502)
    assert [(piece.before, len(piece.text)) for piece in pieces] == [("", 502), ("", 502)]
    assert surfaces(pieces[1]) == ["x" * 498]  # what does not end is no word


def test_a_mark_of_ours_in_the_text_is_text() -> None:
    """ "▁" shows where a space was, and "</p>" a blank line: both may be typed too."""
    passage = whole("a▁b ▁ c\n\n<p>d e</p> e\n")
    assert surfaces(passage) == ["a", "b", "c", "p", "d", "e", "p", "e"]
    assert [begin for _, begin in passage.words] == [0, 2, 6, 10, 12, 14, 17, 20]


def test_a_word_too_long_to_be_known_counts_too() -> None:
    passage = whole(f"one {'y' * 100} two\n")
    assert surfaces(passage) == ["one", "y" * 100, "two"]


# === Ranks ===


def test_ranks_by_hand() -> None:
    """Before "the" nothing is typed; the fourth suggestion is the count of bytes: "10" is typed after 10 of them."""
    found, lengths = ranks(Parrot("the", "fox", "é"), "the fox é 10 dog ")
    assert lengths == [3, 3, 1, 2, 3]
    assert found == [[0, 0, 0], [1, 1, 1], [2], [-1, -1], [-1, -1, -1]]
    assert ranks(Parrot("x"), "abcdefgh 9.") == ([[-1] * 8, [1]], [8, 1])


def test_every_key_is_typed_once_into_a_session_of_its_own() -> None:
    module = Parrot("the")
    ranks(module, "ab ç", "x\n")
    columns: Sequence[Sequence[bytes]] = list(zip(*module.texts, strict=True))
    assert columns == [(b"", b"a", b"b", b" ", "ç".encode()), (b"", b"x", b"\n", b"", b"")]


def test_what_stands_before_is_read_at_once_and_not_scored() -> None:
    """The last suggestion counts the bytes so far: "6" comes after six."""
    module = Parrot("zwei", "drei")
    (passage,) = passages("één zwei drei!", 5, 5)
    typed = type_passages(module, [passage], 3)
    assert [texts for (texts,) in module.texts] == ["één zwei ".encode(), b"d", b"r", b"e", b"i", b"!"]
    assert (typed.ranks.tolist(), typed.length.tolist()) == ([[1, 1, 1, 1]], [4])
    (numbered,) = passages("één 6 ", 2, 2)
    assert type_passages(module, [numbered], 3).ranks.tolist() == [[2]]


def test_suggestions_that_are_not_shown_do_not_count() -> None:
    lists = [type_passages(Parrot("a", "b", "c", "d"), [whole("c d e ")], shown).ranks for shown in (2, 3, 4)]
    assert [ranks[:, 0].tolist() for ranks in lists] == [[-1, -1, -1], [2, -1, -1], [2, 3, -1]]


def test_what_was_suggested_later_does_not_count() -> None:
    """The word is listed from the second key on: never at its first character."""

    class Late(Parrot):
        def step(self, text: tf.Tensor, state_count: tf.Tensor) -> dict[str, Any]:
            outputs = super().step(text, state_count)
            late = tf.where(outputs["state_count"] >= 2, "word", "")[:, None]
            return outputs | {"suggestions": late}

    found, _ = ranks(Late("x"), "word.")
    assert found == [[-1, -1, 0, 0]]
    assert np.shape(found) == (1, 4)


# === Keys ===


def test_the_keys_of_words_are_all_keys_of_the_text() -> None:
    text = "«I can't», said  Ada.\nYes(no"
    typed = type_passages(Parrot("x"), [whole(text), whole("?! .. "), whole(f"--{text}\n")], 1)
    assert typed.length.tolist() == [1, 5, 4, 3, 3, 1, 5, 4, 3, 3, 2]
    # «I, can't», said, Ada, "Yes(no" with a word that does not end, and all up to the next word; Yes and no
    assert typed.keys.tolist() == [3, 8, 6, 5, 6 + 6 + 3, 2, 8, 6, 5, 4, 3]
    assert typed.keys.sum() == len(text) + 6 + len(text) + 3
    assert typed.followed_by_space.tolist() == [True, False, True, False, False] * 2 + [True]
