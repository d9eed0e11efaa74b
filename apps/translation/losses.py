"""What the network is trained to: the next subword, without being quite sure of it; padding never counts."""

import keras
import tensorflow as tf

from runnel.apps.translation.model import next_token_logits

__all__ = ["right_share", "smoothed_cross_entropy"]


def smoothed_cross_entropy(
    network: keras.Model, context: tf.Tensor, targets: tf.Tensor, mask: tf.Tensor, smoothing: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Losses of the valid tokens (Szegedy et al. 2016, arXiv 1512.00567, section 7).

    With l the logits, y the target and s the smoothing, the loss is -log p(y) + s (l(y) - mean(l)). Both terms of the
    smoothing are products with single embeddings: no second pass over the vocabulary.

    Args:
        network: what `build_model` gives.
        context: float [B, T, E], of its outputs.
        targets: int32 [B, T].
        mask: bool [B, T], which tokens are valid; there must be one.
        smoothing: share of the probability that is spread evenly over the vocabulary.

    Returns:
        two scalars: the mean loss in nats a token, and the same without smoothing.
    """
    context, targets = tf.boolean_mask(context, mask), tf.boolean_mask(targets, mask)  # [N, E], [N]
    logits = next_token_logits(network, context)  # [N, V]
    plain = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
    if smoothing == 0:
        return plain, plain
    embedding = network.get_layer("embedding")
    weights, bias = (tf.convert_to_tensor(values) for values in (embedding.embeddings, embedding.bias))  # [V, E], [V]
    of_target = tf.reduce_sum(context * tf.gather(weights, targets), axis=1) + tf.gather(bias, targets)
    mean = tf.linalg.matvec(context, tf.reduce_mean(weights, axis=0)) + tf.reduce_mean(bias)
    return plain + smoothing * tf.reduce_mean(of_target - mean), plain


def right_share(network: keras.Model, context: tf.Tensor, targets: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """The share of the valid tokens that are the most probable ones; arguments as for `smoothed_cross_entropy`."""
    logits = next_token_logits(network, tf.boolean_mask(context, mask))
    is_right = tf.argmax(logits, axis=-1, output_type=tf.int32) == tf.boolean_mask(targets, mask)
    return tf.reduce_mean(tf.cast(is_right, tf.float32))
