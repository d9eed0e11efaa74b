import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from preprocessing.text_pieces import JOINERS, LETTERS, properties, split_into_tokens, valid_texts

from runnel.shared.preprocessing.typed_word import has_outgrown, read_typed_word, split_typed_word, write_typed_word


def split(text):
    before, word = (part[0].numpy().decode() for part in split_typed_word(tf.constant([text])))
    assert before + word == text
    return word


def remember(word, longest_word):
    code_points = write_typed_word(tf.constant([word]), longest_word)
    assert code_points.shape == (1, longest_word + 2)
    assert code_points.dtype == tf.int32
    return read_typed_word(code_points)[0].numpy().decode()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", ""),
        ("The qui", "qui"),
        ("The ", ""),
        ("a, b.", ""),
        ("I don't", "don't"),
        ("I don'", "don'"),
        ("I don''", ""),
        ("well-known-", "well-known-"),
        ("--", ""),
        ("a--b", "b"),
        ("'tis", "tis"),
        ("one\ntwo", "two"),
        ("😀cafe\u0301", "cafe\u0301"),
        ("x\0y", "y"),
        ("état\u2019s", "état\u2019s"),
    ],
)
def test_the_word_that_may_still_grow(text, word):
    assert split(text) == word


@properties
@given(valid_texts)
def test_it_is_the_last_token_and_a_joiner(text):
    tokens = [token.removeprefix("▁") for token in split_into_tokens(text + ".")[:-2]]  # without "." and "</p>"
    expected = ""
    if text.endswith(tuple(LETTERS)):
        expected = tokens[-1]
    elif text.endswith(tuple(JOINERS)) and text[:-1].endswith(tuple(LETTERS)):
        expected = tokens[-2] + tokens[-1]
    assert split(text) == expected


class TestState:
    @given(st.text(LETTERS + JOINERS, max_size=6))
    @properties
    def test_short_words_come_back(self, word):
        assert remember(word, longest_word=4) == word
        code_points = write_typed_word(tf.constant([word]), 4)
        np.testing.assert_array_equal(code_points, [[*map(ord, word), *[0] * (6 - len(word))]])

    @pytest.mark.parametrize(
        ("word", "expected"),
        [
            ("abcdef", "abcdef"),
            ("abcdefg", "xxxxxg"),
            ("a-b-c-d-", "xxxxx-"),
            ("日本語日本語日本語", "xxxxx語"),
            ("é" * 9, "xxxxxé"),
        ],
    )
    def test_longer_words_have_a_stand_in_of_constant_size(self, word, expected):
        assert remember(word, longest_word=4) == expected

    def test_which_words_are_too_long(self):
        code_points = write_typed_word(tf.constant(["", "abcd", "abcd-", "abcdef", "abcdefg"]), 4)
        np.testing.assert_array_equal(has_outgrown(code_points), [False, False, False, True, True])

    def test_an_empty_batch(self):
        code_points = write_typed_word(tf.constant([], tf.string), 4)
        assert code_points.shape == (0, 6)
        assert read_typed_word(code_points).shape == (0,)
