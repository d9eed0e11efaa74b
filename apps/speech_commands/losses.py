"""What the network is trained to: the right class at every frame, and the right word in every slot as a whole."""

import tensorflow as tf

__all__ = ["frame_loss", "word_loss"]

_SMALLEST = 1e-6  # posterior whose logarithm is still taken


def frame_loss(logits: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Nats a frame, over the frames that have a target.

    Args:
        logits: float32 [B, M, C].
        targets: int32 [B, M]; -1 where any class is right.
    """
    known = tf.cast(targets >= 0, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets, 0), logits)
    return tf.reduce_sum(known * losses) / tf.maximum(tf.reduce_sum(known), 1.0)


def word_loss(logits: tf.Tensor, targets: tf.Tensor, slots: int) -> tf.Tensor:
    """Nats a word, when the frames of its slot are put together as `ClipPosterior` does it.

    Args:
        logits: float32 [B, M, C]; the last class is silence.
        targets: int32 [B, M], one class besides silence in each slot, or none.
        slots: into which the M frames are divided evenly.
    """
    classes = logits.shape[-1]
    words = tf.reshape(tf.nn.softmax(logits)[..., :-1], [tf.shape(logits)[0] * slots, -1, classes - 1])
    targets = tf.reshape(targets, tf.shape(words)[:2])
    word = tf.reduce_max(tf.where(targets == classes - 1, -1, targets), axis=1)  # [B * slots], -1 without a word
    said = tf.reduce_sum(tf.reduce_sum(words, axis=2, keepdims=True) * words, axis=1)  # [B * slots, C - 1]
    share = said / (tf.reduce_sum(said, axis=1, keepdims=True) + _SMALLEST)
    has_word = tf.cast(word >= 0, tf.float32)
    losses = -tf.math.log(tf.gather(share, tf.maximum(word, 0), batch_dims=1) + _SMALLEST)
    return tf.reduce_sum(has_word * losses) / tf.maximum(tf.reduce_sum(has_word), 1.0)
