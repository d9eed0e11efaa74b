"""When what of the source may be seen: translation that begins k words after the speaker.

Source: Ma et al. 2019, arXiv 1810.08398 (wait-k); one model for all k as in Elbayad, Besacier & Verbeek 2020,
arXiv 2005.08595. Words count here, not subwords: the n-th word of the translation is written when n + k - 1 words of
the source are complete.
"""

import tensorflow as tf

from runnel.apps.translation.config import Config

__all__ = ["WHOLE", "draw_wait", "word_numbers"]

WHOLE = 0
"""Instead of a k: the whole sentence is read first."""


def draw_wait(epoch: int | tf.Tensor, step: tf.Tensor, config: Config) -> tf.Tensor:
    """The k of a batch, int32 scalar, a function of seed, epoch and step: `WHOLE`, or 1 to the longest wait."""
    advanced = config.advanced
    if not config.can_wait_k:
        return tf.constant(WHOLE)
    seeds = tf.random.split(tf.random.fold_in(tf.stack([advanced.seed, epoch]), step), 2)
    wait = tf.random.stateless_uniform([], seeds[0], 1, advanced.longest_wait + 1, tf.int32)
    return tf.where(tf.random.stateless_uniform([], seeds[1]) < advanced.whole_share, WHOLE, wait)


def word_numbers(is_word_start: tf.Tensor) -> tf.Tensor:
    """The number of the word, from 1, that each token belongs to, int32 [B, T]; from where words begin, bool [B, T].

    What comes before the first word belongs to it.
    """
    return tf.maximum(tf.cumsum(tf.cast(is_word_start, tf.int32), axis=1), 1)
