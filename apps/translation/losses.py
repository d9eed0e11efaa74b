"""What the network is trained to: the next subword, without being quite sure of it; padding never counts."""

import keras
import tensorflow as tf

from runnel.apps.translation.model import next_token_logits

__all__ = ["smoothed_cross_entropy"]


def smoothed_cross_entropy(
    network: keras.Model, context: tf.Tensor, targets: tf.Tensor, mask: tf.Tensor, smoothing: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Losses of the valid tokens (Szegedy et al. 2016, arXiv 1512.00567, section 7).

    Args:
        network: what `build_model` gives.
        context: float [B, T, E], of its outputs.
        targets: int32 [B, T].
        mask: bool [B, T], which tokens are valid; there must be one.
        smoothing: share of the probability that is spread evenly over the vocabulary.

    Returns:
        three scalars: the mean loss in nats a token, the same without smoothing, and the share of tokens that were the
        most probable ones.
    """
    logits = next_token_logits(network, tf.boolean_mask(context, mask))  # [N, V]
    targets = tf.boolean_mask(targets, mask)
    normalizer = tf.reduce_logsumexp(logits, axis=-1)
    plain = normalizer - tf.gather(logits, targets, batch_dims=1)
    spread = normalizer - tf.reduce_mean(logits, axis=-1)
    is_right = tf.argmax(logits, axis=-1, output_type=tf.int32) == targets
    loss = tf.reduce_mean((1 - smoothing) * plain + smoothing * spread)
    return loss, tf.reduce_mean(plain), tf.reduce_mean(tf.cast(is_right, tf.float32))
