"""What the network is trained to: the right class at every frame, and every word as a whole."""

import tensorflow as tf

__all__ = ["ANY_CLASS", "NO_COMMAND", "frame_loss", "word_loss"]

ANY_CLASS, NO_COMMAND = -1, -2  # targets of frames that may be any class, and any but a command

_SMALLEST = 1e-6  # posterior whose logarithm is still taken


def frame_loss(logits: tf.Tensor, targets: tf.Tensor, confusion_weight: float = 0.0) -> tf.Tensor:
    """Nats a frame, over the frames that have a target.

    A frame of an unknown word, or of babble, counts more, the more it is taken for a command: the few words that are
    taken for one with confidence are the false alarms, and decide how high the thresholds are. Like the focal loss (Lin
    et al. 2017, arXiv 1708.02002, equation 4), of these frames alone, and without a gradient of the weight.

    Args:
        logits: float32 [B, M, C]; the last two classes are unknown words and silence.
        targets: int32 [B, M], a class, `ANY_CLASS` or `NO_COMMAND`.
        confusion_weight: how many times more such a frame counts that is a command for sure.
    """
    known = tf.cast(targets != ANY_CLASS, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(targets, 0), logits)
    by_command = tf.reduce_logsumexp(logits, axis=2) - tf.reduce_logsumexp(logits[..., -2:], axis=2)
    losses = tf.where(targets == NO_COMMAND, by_command, losses)
    is_unknown = (targets == NO_COMMAND) | (targets == logits.shape[2] - 2)
    confusion = tf.where(is_unknown, 1 - tf.exp(-by_command), 0.0)  # posterior of all commands together
    losses *= 1 + confusion_weight * tf.stop_gradient(confusion)
    return tf.reduce_sum(known * losses) / tf.maximum(tf.reduce_sum(known), 1.0)


def word_loss(logits: tf.Tensor, words: tf.Tensor, segment: tf.Tensor) -> tf.Tensor:
    """Nats a word, when its frames are put together as `ClipPosterior` does it.

    Args:
        logits: float32 [B, M, C]; the last class is silence.
        words: int32 [B, S], the class of each word; -1 where there is none.
        segment: int32 [B, M], the word that a frame belongs to.
    """
    posteriors = tf.nn.softmax(logits)[..., :-1]
    weighted = tf.reduce_sum(posteriors, axis=2, keepdims=True) * posteriors
    of_word = tf.one_hot(segment, words.shape[1], dtype=logits.dtype)  # [B, M, S]
    said = tf.matmul(of_word, weighted, transpose_a=True)  # [B, S, C - 1]
    share = said / (tf.reduce_sum(said, axis=2, keepdims=True) + _SMALLEST)
    has_word = tf.cast(words >= 0, tf.float32)
    losses = -tf.math.log(tf.gather(share, tf.maximum(words, 0), batch_dims=2) + _SMALLEST)
    return tf.reduce_sum(has_word * losses) / tf.maximum(tf.reduce_sum(has_word), 1.0)
