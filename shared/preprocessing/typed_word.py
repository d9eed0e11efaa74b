"""The word being typed: the last one of a text that may still grow, kept in a state of constant size."""

from typing import Any

import tensorflow as tf

from runnel.shared.preprocessing.word_pattern import TYPED_WORD

__all__ = ["has_outgrown", "read_typed_word", "split_typed_word", "typed_word_size", "write_typed_word"]


def split_typed_word(text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Cuts off the word that reaches the end of each text, and a joiner after it.

    Args:
        text: string [B], valid UTF-8.

    Returns:
        string [B], what comes before the word, and string [B], the word, empty where there is none.
    """
    word = tf.strings.regex_replace(text, rf"(?s)\A.*?({TYPED_WORD})?\z", r"\1")
    before = tf.strings.length(text) - tf.strings.length(word)
    return tf.strings.substr(text, tf.zeros_like(before), before), word


def typed_word_size(longest_word: int) -> int:
    """Characters that the state has room for: the longest word, a joiner after it, and one more to tell longer ones."""
    return longest_word + 2


def write_typed_word(word: tf.Tensor, longest_word: int) -> tf.Tensor:
    """Code points of a word, or of its stand-in where it has outgrown the state.

    The stand-in is as long as the state, longer than any known word, and ends with the word's own last character:
    whatever comes next, it is split in the same places as the word.

    Args:
        word: string [B], valid UTF-8.
        longest_word: characters of the longest word that matters.

    Returns:
        int32 [B, longest_word + 2], padded with zeros.
    """
    size = typed_word_size(longest_word)
    word = tf.strings.regex_replace(word, rf"(?s)\A.{{{size},}}(.)\z", "x" * (size - 1) + r"\1")
    code_points = tf.strings.unicode_transcode(word, "UTF-8", "UTF-32-BE")
    return tf.io.decode_raw(code_points, tf.int32, little_endian=False, fixed_length=4 * size)


def read_typed_word(word: Any) -> tf.Tensor:
    """The text, string [B], of code points int32 [B, N] padded with zeros."""
    batch, size = tf.unstack(tf.shape(word))
    text = tf.raw_ops.UnicodeEncode(
        input_values=tf.reshape(word, [-1]), input_splits=tf.range(batch + 1) * size, output_encoding="UTF-8"
    )
    return tf.strings.regex_replace(text, r"\x00+\z", "", replace_global=False)


def has_outgrown(word: tf.Tensor) -> tf.Tensor:
    """Where code points int32 [B, N] fill the state: bool [B]. Such a word is too long, or a stand-in for one."""
    return word[:, -1] > 0
