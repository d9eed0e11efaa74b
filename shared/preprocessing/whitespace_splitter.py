"""Text cut into words at whitespace, a piece at a time, inside the graph."""

from typing import Any

import tensorflow as tf

from runnel.shared.preprocessing.utf8 import TAIL_SIZE, decode_utf8
from runnel.shared.preprocessing.vocabulary import REPLACEMENT_CHARACTER

__all__ = ["WHITESPACE", "WhitespaceSplitter"]

Tensors = dict[str, tf.Tensor]

WHITESPACE = r"\t\n\v\f\r "  # for a class of characters; any other space, such as U+00A0, is part of a word
_MOST_REPETITIONS = 1000  # that a regular expression of TensorFlow (RE2) can ask for


class WhitespaceSplitter(tf.Module):
    """Splits text into words, which are what stands between whitespace; any cutting of a text gives the same words.

    A word is complete at the next whitespace, or at the end of the text. One that is too long is cut.

    Args:
        longest_word: characters after which a word is cut, 1 to 1000.

    Raises:
        ValueError: another length.
    """

    state_names = ("tail", "word")

    def __init__(self, longest_word: int) -> None:
        super().__init__()
        if not 1 <= longest_word <= _MOST_REPETITIONS:
            raise ValueError(f"Received longest_word={longest_word}; expected 1 to {_MOST_REPETITIONS}.")
        self.longest_word = longest_word

    def initial_state(self, batch_size: Any) -> Tensors:
        """The state before any text.

        Returns:
            `tail` int32 [B, 3], bytes of an incomplete character, padded with zeros; `word` int32 [B, longest_word],
            the code points of the word that is not complete yet, plus one, padded with zeros.
        """
        return {
            "tail": tf.zeros([batch_size, TAIL_SIZE], tf.int32),
            "word": tf.zeros([batch_size, self.longest_word], tf.int32),
        }

    def step(self, text: tf.Tensor, final: tf.Tensor, state: Tensors) -> tuple[tf.RaggedTensor, Tensors]:
        """Takes the next piece of text.

        Args:
            text: string [B], any bytes.
            final: bool [B], whether the text ends here: an incomplete character becomes U+FFFD, the last word is
                complete, and the state is the initial one.
            state: as `initial_state` or the step before gave it.

        Returns:
            the words that this piece completes, string [B, None], valid UTF-8, and the state.
        """
        text, tail = decode_utf8(text, state["tail"])
        cut_off = tf.where(final & (tail[:, 0] > 0), REPLACEMENT_CHARACTER, "")
        text = tf.strings.join([_read(state["word"]), text, cut_off, tf.where(final, " ", "")])
        text = tf.strings.regex_replace(text, f"([^{WHITESPACE}]{{{self.longest_word}}})", r"\1 ")
        waiting = tf.strings.regex_replace(text, f"(?s)\\A.*[{WHITESPACE}]", "")
        complete = tf.strings.length(text) - tf.strings.length(waiting)
        words = tf.strings.split(tf.strings.substr(text, tf.zeros_like(complete), complete))
        return words, {
            "tail": tf.where(final[:, None], 0, tail),
            "word": _write(waiting, self.longest_word),
        }

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The words of whole texts, string [B, None].

        Args:
            texts: string [B], any bytes.
        """
        batch = tf.shape(texts)[0]
        return self.step(texts, tf.ones([batch], tf.bool), self.initial_state(batch))[0]


def _read(word: tf.Tensor) -> tf.Tensor:
    """The text, string [B], of code points plus one, int32 [B, N], padded with zeros."""
    lengths = tf.reduce_sum(tf.cast(word > 0, tf.int32), axis=1)
    return tf.strings.unicode_encode(tf.RaggedTensor.from_tensor(word - 1, lengths), "UTF-8")


def _write(text: tf.Tensor, size: int) -> tf.Tensor:
    """The inverse of `_read`, int32 [B, size]."""
    code_points = tf.strings.unicode_decode(text, "UTF-8")
    return code_points.to_tensor(-1, shape=[None, size]) + 1
