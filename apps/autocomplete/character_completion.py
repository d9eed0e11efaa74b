"""Suggestions and continuations of a model whose tokens are characters."""

import tensorflow as tf

from runnel.apps.autocomplete.next_token_model import NextTokenModel
from runnel.shared.preprocessing.character_tokenizer import CharacterTokenizer
from runnel.shared.preprocessing.word_pattern import WORD_JOINER
from runnel.shared.streaming.decode import decode
from runnel.shared.streaming.decode_strategies import Beam, Strategy
from runnel.shared.streaming.stream_model import Tensors

__all__ = ["CharacterCompletion"]

_BEAM = 8
_LONGEST_REST = 24  # characters that a suggestion may add
_IMPOSSIBLE = float("-inf")


class CharacterCompletion(tf.Module):
    """Completes words character by character, those of the training text and others.

    The end of a word, or of a paragraph, is a token of the decode loop beyond the vocabulary.

    Args:
        tokenizer: from text to characters.
        model: from characters to the probabilities of the next one.
        suggestions: K.
    """

    def __init__(self, tokenizer: CharacterTokenizer, model: NextTokenModel, suggestions: int) -> None:
        super().__init__(name="character_completion")
        self.tokenizer, self.model, self.suggestions = tokenizer, model, suggestions
        self.end_id = tokenizer.size

    def suggest(self, typed: Tensors, state: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        """The best words that begin with what is typed of one, or the best next words.

        Args:
            typed: the tokenizer's state.
            state: the model's.

        Returns:
            suggestions string [B, K], best first, "" where there are no more, and their probabilities [B, K] given that
            a word stands here that begins so.
        """
        prefix = self.tokenizer.current_word(typed)
        first = self._of_word(self.model.probabilities(state), _ends_with_joiner(prefix), prefix == "")
        decoded = decode(
            Beam(max(self.suggestions, _BEAM)),
            tf.where(self.tokenizer.has_outgrown(typed)[:, None], _IMPOSSIBLE, first),
            self._advance_in_word,
            state,
            _LONGEST_REST + 1,
            self.end_id,
            self._end_in_time,
        )
        best = slice(self.suggestions)
        texts = self._texts(decoded.token_ids[:, best], decoded.length[:, best])
        scores = tf.exp(decoded.score[:, best])
        prefixes = tf.broadcast_to(prefix[:, None], tf.shape(texts))
        return tf.where(scores > 0, tf.strings.join([prefixes, texts]), ""), scores

    def generate(self, typed: Tensors, state: Tensors, strategy: Strategy, max_tokens: tf.Tensor) -> tf.Tensor:
        """What follows the text so far, string [B].

        Args:
            typed: the tokenizer's state.
            state: the model's.
            strategy: how to choose characters.
            max_tokens: int32 scalar, characters at most.
        """
        decoded = decode(
            strategy,
            self._of_paragraph(self.model.probabilities(state), self.tokenizer.is_after_newline(typed)),
            self._advance_in_paragraph,
            state,
            max_tokens,
            self.end_id,
        )
        return self._texts(decoded.token_ids, decoded.length)[:, 0]

    def _advance_in_word(self, token_ids: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        token_ids = tf.minimum(token_ids, self.end_id - 1)  # what follows an end is not used
        state = self.model.step(token_ids, state)
        after_joiner = tf.gather(self.tokenizer.is_joiner, token_ids)
        return self._of_word(self.model.probabilities(state), after_joiner, tf.zeros_like(after_joiner)), state

    def _end_in_time(self, log_probabilities: tf.Tensor, _: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """Where a word may grow no more, only its end is left: what has been cut is no word."""
        is_end = tf.range(self.end_id + 1) == self.end_id
        return tf.where(is_end | (position < _LONGEST_REST), log_probabilities, _IMPOSSIBLE)

    def _of_word(self, probabilities: tf.Tensor, after_joiner: tf.Tensor, at_start: tf.Tensor) -> tf.Tensor:
        """Log probabilities [R, V + 1] of how a word goes on, the last one of its end.

        Args:
            probabilities: [R, V].
            after_joiner: bool [R], where a letter has to follow.
            at_start: bool [R], where a letter has to follow and surely does.
        """
        is_letter, is_joiner = self.tokenizer.is_word_character, self.tokenizer.is_joiner
        inside = ~(after_joiner | at_start)[:, None]  # [R, 1]
        letters = tf.where(is_letter | (is_joiner & inside), probabilities, 0.0)
        others = tf.where(is_letter | is_joiner, 0.0, probabilities)
        end = tf.where(inside, tf.reduce_sum(others, axis=1, keepdims=True), 0.0)
        total = tf.where(at_start[:, None], tf.reduce_sum(letters, axis=1, keepdims=True), 1.0)
        return tf.math.log(tf.concat([tf.math.divide_no_nan(letters, total), end], axis=1))

    def _advance_in_paragraph(self, token_ids: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        token_ids = tf.minimum(token_ids, self.end_id - 1)
        state = self.model.step(token_ids, state)
        return self._of_paragraph(self.model.probabilities(state), token_ids == self.tokenizer.newline_id), state

    def _of_paragraph(self, probabilities: tf.Tensor, after_newline: tf.Tensor) -> tf.Tensor:
        """Log probabilities [R, V + 1] of how a paragraph goes on; a newline after a newline is its end."""
        tokens = tf.range(self.tokenizer.size)
        known = tf.where(tokens == self.tokenizer.unknown_id, 0.0, probabilities)
        is_newline = tokens == self.tokenizer.newline_id
        newline = tf.reduce_sum(tf.where(is_newline, known, 0.0), axis=1)
        end = tf.where(after_newline, newline, 0.0)[:, None]
        rest = tf.where(is_newline & after_newline[:, None], 0.0, known)
        return tf.math.log(tf.concat([rest, end], axis=1))

    def _texts(self, token_ids: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """Text [B, W] of token ids [B, W, N], length [B, W]."""
        shape = tf.shape(token_ids)
        flat = tf.minimum(tf.reshape(token_ids, [shape[0] * shape[1], shape[2]]), self.end_id - 1)
        return tf.reshape(self.tokenizer.decode(flat, tf.reshape(length, [-1])), shape[:2])


def _ends_with_joiner(words: tf.Tensor) -> tf.Tensor:
    """Whether each word [B] needs another letter."""
    return tf.strings.regex_full_match(words, f"(?s).*{WORD_JOINER}")
