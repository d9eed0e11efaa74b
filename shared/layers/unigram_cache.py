"""A cache of the latest tokens of a stream: what was used lately becomes more probable, without training."""

from typing import Any

import tensorflow as tf

__all__ = ["UnigramCache"]

_EMPTY = -1


class UnigramCache(tf.Module):
    """Mixes the frequencies of the latest tokens into the probabilities of a language model.

    With n of C places filled, p(token) = (1 - w n / C) p_model(token) + w count(token) / C: an empty cache changes
    nothing, and a full one weighs w.

    Source: Grave, Cisse & Joulin 2017, arXiv 1711.02604 (unbounded cache), as in its equation 4 but with a bounded
    memory and the plain unigram frequencies of Kuhn & De Mori 1990.

    Args:
        places: C, the number of tokens remembered.
        weight: w, the share of the full cache, at least 0 and below 1.
    """

    def __init__(self, places: int, weight: float) -> None:
        super().__init__(name="unigram_cache")
        self.places, self.weight = places, weight

    def initial_state(self, batch_size: Any) -> tf.Tensor:
        """An empty cache: int32 [B, C], the latest token last."""
        return tf.fill([batch_size, self.places], _EMPTY)

    def remember(self, token_ids: tf.Tensor, mask: tf.Tensor, cache: tf.Tensor) -> tf.Tensor:
        """The cache [B, C] after further tokens.

        Args:
            token_ids: int32 [B, N].
            mask: bool [B, N]; valid positions come first.
            cache: [B, C].
        """
        length = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)  # [B]
        history = tf.concat([cache, token_ids], axis=1)  # [B, C + N]
        return tf.gather(history, length[:, None] + tf.range(self.places), axis=1, batch_dims=1)

    def mix(self, probabilities: tf.Tensor, cache: tf.Tensor) -> tf.Tensor:
        """Probabilities [B, V] of the next token, those of the cache mixed in."""
        tokens = tf.shape(probabilities)[1]
        filled = tf.cast(cache != _EMPTY, probabilities.dtype)  # [B, C]
        rows = tf.broadcast_to(tf.range(tf.shape(cache)[0])[:, None], tf.shape(cache))
        places = tf.stack([rows, tf.maximum(cache, 0)], axis=-1)  # [B, C, 2]
        counts = tf.scatter_nd(places, filled, [tf.shape(cache)[0], tokens])  # [B, V]
        own = 1 - self._share * tf.reduce_sum(filled, axis=1, keepdims=True)
        return own * probabilities + self._share * counts

    def mix_along(self, log_probabilities: tf.Tensor, token_ids: tf.Tensor, cache: tf.Tensor) -> tf.Tensor:
        """Log probabilities [B, N] of tokens in a row, each with the cache as it stands before it.

        Args:
            log_probabilities: [B, N], the model's, of these tokens; however low, what is given is finite too.
            token_ids: int32 [B, N].
            cache: [B, C], before the first of them.
        """
        history = tf.concat([cache, token_ids], axis=1)  # [B, C + N]
        ahead = tf.range(tf.shape(history)[1]) - tf.range(tf.shape(token_ids)[1])[:, None]  # [N, C + N]
        remembered = (ahead >= 0) & (ahead < self.places) & (history != _EMPTY)[:, None]  # [B, N, C + N]
        same = remembered & (history[:, None] == token_ids[:, :, None])
        counts, filled = (tf.reduce_sum(tf.cast(x, log_probabilities.dtype), axis=2) for x in (same, remembered))
        own = tf.math.log1p(-self._share * filled) + log_probabilities
        return tf.reduce_logsumexp(tf.stack([own, tf.math.log(self._share * counts)]), axis=0)

    @property
    def _share(self) -> float:
        """What one token remembered weighs."""
        return self.weight / self.places
