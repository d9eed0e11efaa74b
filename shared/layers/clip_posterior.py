"""One answer for a whole clip, from the posteriors of its frames."""

from typing import Any

import tensorflow as tf

from runnel.shared.layers.posterior_smoother import PosteriorSmoother

__all__ = ["ClipPosterior"]

State = dict[str, Any]


class ClipPosterior(tf.Module):
    """What the frames of a clip say together, each as far as it is not silence.

    Silence, the last class, has the least smoothed posterior that it had in the clip: it is all silence only if no
    stretch of it is anything else. The other classes share the rest by the mean of the frames' posteriors, where a
    frame counts with the probability that it is not silence. Before the first frame, it is silence for certain.

    Args:
        smoothing: frames to average over, at least 1.
        classes: C.
    """

    def __init__(self, smoothing: int, classes: int) -> None:
        super().__init__(name="clip_posterior")
        self.smoother = PosteriorSmoother(smoothing, classes)
        self.classes = classes

    def initial_state(self, batch_size: Any) -> State:
        """The state of the smoother, `said` float32 [B, C - 1], weighted sums, and `silence` float32 [B]."""
        return self.smoother.initial_state(batch_size) | {
            "said": tf.zeros([batch_size, self.classes - 1]),
            "silence": tf.ones([batch_size]),
        }

    def step(self, probabilities: tf.Tensor, frame_count: tf.Tensor, state: State) -> State:
        """The state after any number of further frames.

        Args:
            probabilities: float32 [B, M, C].
            frame_count: int32 [B], how many of the M frames are valid; these come first.
            state: see `initial_state`.
        """
        smoothed, heard = self.smoother.step(probabilities, frame_count, state)
        valid = tf.sequence_mask(frame_count, tf.shape(smoothed)[1])
        silence = tf.reduce_min(tf.where(valid, smoothed[..., -1], 1.0), axis=1)
        silence = tf.minimum(silence, 1.0)  # of no frames at all, the least is infinite
        words = tf.where(valid[..., None], probabilities[..., :-1], 0.0)  # [B, M, C - 1]
        weight = tf.reduce_sum(words, axis=2, keepdims=True)
        return heard | {
            "said": state["said"] + tf.reduce_sum(weight * words, axis=1),
            "silence": tf.minimum(state["silence"], silence),
        }

    def result(self, state: State) -> tf.Tensor:
        """The posteriors float32 [B, C] of the clip up to here."""
        silence = state["silence"][:, None]
        share = tf.math.divide_no_nan(state["said"], tf.reduce_sum(state["said"], axis=1, keepdims=True))
        # Where nothing was said at all, the other classes have nothing to share.
        silence = tf.where(tf.reduce_sum(share, axis=1, keepdims=True) > 0, silence, 1.0)
        return tf.concat([(1 - silence) * share, silence], axis=1)
