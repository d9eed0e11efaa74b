"""Text cut into words, punctuation and paragraph ends, a piece at a time, inside the graph."""

import tensorflow as tf

from runnel.shared.preprocessing.typed_word import (
    read_typed_word,
    split_typed_word,
    typed_word_size,
    write_typed_word,
)
from runnel.shared.preprocessing.utf8 import TAIL_SIZE, decode_utf8
from runnel.shared.preprocessing.word_pattern import ONE_TOKEN, WHITESPACE

__all__ = ["END_MARK", "SPACE_MARK", "WordSplitter"]

Tensors = dict[str, tf.Tensor]

END_MARK = "</p>"
SPACE_MARK = "▁"

_SEPARATOR = b"\xff"  # in no valid UTF-8
_NOTHING, _SPACE, _NEW_PARAGRAPH = 0, 1, 3  # of `gap`; 2 is whitespace with one newline


class WordSplitter(tf.Module):
    r"""Splits text into tokens: a word, apostrophes and hyphens within it included, or any other character by itself.

    A token after whitespace, or at the start of a text or paragraph, is given with "▁" before it. A run of whitespace
    with two or more newlines (\n alone counts) is one token "</p>". A word at the end of the text waits in the state
    until something shows that it is complete; any cutting of a text gives the same tokens.

    Args:
        longest_word: characters of the longest word that matters; a longer one may be given as some other word that
            is longer than that.
    """

    def __init__(self, longest_word: int) -> None:
        super().__init__()
        self.longest_word = longest_word

    def initial_state(self, batch_size: tf.Tensor | int) -> Tensors:
        """The state before any text.

        Args:
            batch_size: int32 scalar.

        Returns:
            `tail` int32 [B, 3], bytes of an incomplete character; `word` int32 [B, longest_word + 2], code points of
            the word being typed; both padded with zeros. `gap` int32 [B], what stands between the last token and the
            next: 0 nothing, 1 whitespace, 2 whitespace with one newline, 3 an end mark, or the text just begins.
        """
        return {
            "tail": tf.zeros([batch_size, TAIL_SIZE], tf.int32),
            "word": tf.zeros([batch_size, typed_word_size(self.longest_word)], tf.int32),
            "gap": tf.fill([batch_size], _NEW_PARAGRAPH),
        }

    def step(self, text: tf.Tensor, state: Tensors) -> tuple[tf.RaggedTensor, Tensors]:
        """Takes the next piece of text.

        Args:
            text: string [B], any bytes.
            state: as `initial_state` or the step before gave it.

        Returns:
            the tokens that this piece completes, string [B, None], and the state.
        """
        text, tail = decode_utf8(text, state["tail"])
        complete, word = split_typed_word(tf.strings.join([read_typed_word(state["word"]), text]))
        tokens, gap = _split(complete, state["gap"])
        return tokens, {"tail": tail, "word": write_typed_word(word, self.longest_word), "gap": gap}

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The tokens of whole documents, string [B, None], each with exactly one end mark at its end.

        Args:
            texts: string [B], any bytes.
        """
        batch = tf.shape(texts)[0]
        tokens, _ = self.step(tf.strings.join([texts, tf.fill([batch], "\n\n")]), self.initial_state(batch))
        is_blank = tf.cast(tokens.row_lengths() == 0, tf.int64)
        mark_of_blank = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.reduce_sum(is_blank)], END_MARK), is_blank, validate=False
        )
        return tf.concat([tokens, mark_of_blank], axis=1)


def _split(text: tf.Tensor, gap: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
    """Tokens string [B, None] of texts [B] that follow a gap int32 [B], and the gap int32 [B] after them."""
    # The first piece of each row is empty: it stands for what came before. N pieces in all.
    pieces = tf.strings.split(tf.strings.regex_replace(text, ONE_TOKEN, _SEPARATOR + rb"\0"), _SEPARATOR)
    flat, splits = pieces.values, pieces.row_splits
    before = tf.scatter_nd(splits[:-1, None], gap, tf.shape(flat, tf.int64))  # [N], zero elsewhere
    is_space = tf.strings.regex_full_match(flat, f"{WHITESPACE}+")
    after, is_end = _widen_gap(_previous(before), flat)
    after = tf.where(is_space, after, before)
    mark = tf.where(_previous(after) == _NOTHING, "", SPACE_MARK)
    tokens = tf.where(is_space, END_MARK, tf.strings.join([mark, flat]))
    is_token = tf.where(is_space, is_end, flat != "")
    counts = tf.pad(tf.cumsum(tf.cast(is_token, tf.int64)), [[1, 0]])
    tokens = tf.RaggedTensor.from_row_splits(
        tf.boolean_mask(tokens, is_token), tf.gather(counts, splits), validate=False
    )
    return tokens, tf.gather(after, splits[1:] - 1)


def _widen_gap(gap: tf.Tensor, whitespace: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The gap int32 [N] after whitespace [N] that follows a gap [N], and where an end mark is due, bool [N]."""
    newlines = tf.strings.length(tf.strings.regex_replace(whitespace, r"[^\n]+", ""))
    newlines += tf.cast(gap == _SPACE + 1, tf.int32)
    has_mark = gap == _NEW_PARAGRAPH
    widened = tf.where(has_mark, _NEW_PARAGRAPH, _SPACE + tf.minimum(newlines, 2))
    return widened, (widened == _NEW_PARAGRAPH) & ~has_mark


def _previous(values: tf.Tensor) -> tf.Tensor:
    """Values [N] one place later, with zero in front."""
    return tf.pad(values, [[1, 0]])[:-1]
