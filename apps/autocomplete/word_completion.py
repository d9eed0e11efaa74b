"""Suggestions and continuations of a model whose tokens are words."""

import tensorflow as tf

from runnel.apps.autocomplete.next_token_model import NextTokenModel
from runnel.shared.preprocessing.word_tokenizer import WordTokenizer
from runnel.shared.streaming.decode import decode
from runnel.shared.streaming.decode_strategies import Strategy
from runnel.shared.streaming.stream_model import Tensors

__all__ = ["WordCompletion"]


class WordCompletion(tf.Module):
    """Completes words by what the vocabulary holds.

    Args:
        tokenizer: from text to words.
        model: from words to the probabilities of the next one.
        suggestions: K.
    """

    def __init__(self, tokenizer: WordTokenizer, model: NextTokenModel, suggestions: int) -> None:
        super().__init__(name="word_completion")
        self.tokenizer, self.model, self.suggestions = tokenizer, model, suggestions

    def suggest(self, typed: Tensors, state: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        """The best words that begin with what is typed of one, or the best next words.

        Args:
            typed: the tokenizer's state.
            state: the model's.

        Returns:
            suggestions string [B, K], best first, "" where there are no more, and their probabilities [B, K] given that
            a word stands here that begins so, known or unknown.
        """
        expected = self.model.probabilities(state)
        known = tf.where(self.tokenizer.candidates(typed), expected, 0.0)
        unknown = expected[:, self.tokenizer.unknown_id, None] * self.tokenizer.unknown_share(typed)  # [B, 1]
        probabilities = tf.math.divide_no_nan(known, tf.reduce_sum(known, axis=1, keepdims=True) + unknown)
        missing = max(self.suggestions - self.tokenizer.size, 0)
        scores, best = tf.math.top_k(tf.pad(probabilities, [[0, 0], [0, missing]]), self.suggestions)
        surfaces = tf.pad(self.tokenizer.surfaces, [[0, missing]], constant_values="")
        return tf.where(scores > 0, tf.gather(surfaces, best), ""), scores

    def generate(self, typed: Tensors, state: Tensors, strategy: Strategy, max_tokens: tf.Tensor) -> tf.Tensor:
        """What follows the text so far, string [B]: first the rest of the word being typed.

        A word that nothing in the vocabulary begins with is taken as complete.

        Args:
            typed: the tokenizer's state.
            state: the model's.
            strategy: how to choose words.
            max_tokens: int32 scalar, words and marks at most.
        """
        space, typed, state = self._complete_unknown_words(typed, state)
        prefix, candidates = self.tokenizer.current_word(typed), self.tokenizer.candidates(typed)
        after_space = typed["gap"] > 0  # [B]
        known = tf.range(self.tokenizer.size) != self.tokenizer.unknown_id
        next_word = known & (self.tokenizer.is_spaced | ~after_space[:, None])  # [B, V]
        first = tf.where((prefix == "")[:, None], next_word, candidates)

        decoded = decode(
            strategy,
            _log(tf.where(first, self.model.probabilities(state), 0.0)),
            lambda token_ids, state: self._advance(token_ids, state, known),
            state,
            max_tokens,
            self.tokenizer.end_id,
        )
        text = self.tokenizer.decode(decoded.token_ids[:, 0], decoded.length[:, 0])
        text = tf.where(after_space | (prefix != ""), tf.strings.regex_replace(text, r"\A ", ""), text)
        text = tf.strings.join([space, _without_prefix(text, prefix)])
        return tf.where(decoded.length[:, 0] > 0, text, "")

    def _advance(self, token_ids: tf.Tensor, state: Tensors, known: tf.Tensor) -> tuple[tf.Tensor, Tensors]:
        state = self.model.step(token_ids, state)
        return _log(tf.where(known, self.model.probabilities(state), 0.0)), state

    def _complete_unknown_words(self, typed: Tensors, state: Tensors) -> tuple[tf.Tensor, Tensors, Tensors]:
        """A space [B] after each word that no word of the vocabulary begins with, and the states after it."""
        has_candidates = tf.reduce_any(self.tokenizer.candidates(typed), axis=1)
        space = tf.where(has_candidates | (self.tokenizer.current_word(typed) == ""), "", " ")
        token_ids, typed = self.tokenizer.step(space, typed)
        mask = tf.sequence_mask(token_ids.row_lengths(), tf.cast(token_ids.bounding_shape(1), tf.int64))
        return space, typed, self.model.advance(token_ids.to_tensor(), mask, state)


def _log(probabilities: tf.Tensor) -> tf.Tensor:
    """Logarithms, -inf for 0."""
    return tf.math.log(probabilities)


def _without_prefix(text: tf.Tensor, prefix: tf.Tensor) -> tf.Tensor:
    """Texts [B] without the prefixes [B] that they begin with; an empty text stays."""
    cut = tf.minimum(tf.strings.length(prefix), tf.strings.length(text))
    return tf.strings.substr(text, cut, tf.strings.length(text) - cut)
