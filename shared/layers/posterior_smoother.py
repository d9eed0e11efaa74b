"""Posteriors averaged over the latest frames of a stream."""

from typing import Any

import tensorflow as tf

__all__ = ["PosteriorSmoother"]

State = dict[str, Any]


class PosteriorSmoother(tf.Module):
    """The mean of the last S frames; at the beginning of a stream, of the frames there are.

    Every window is summed from its own frames, never from a running sum, so that no rounding error is carried on and a
    frame's mean depends on nothing but its window.

    Source: Chen, Parada & Heigold 2014, "Small-footprint keyword spotting using deep neural networks", equation 1.

    Args:
        smoothing: S, at least 1.
        classes: C.
    """

    def __init__(self, smoothing: int, classes: int) -> None:
        super().__init__(name="posterior_smoother")
        if smoothing < 1:
            raise ValueError(f"Received smoothing={smoothing}; expected at least 1 frame.")
        self.smoothing, self.classes = smoothing, classes

    def initial_state(self, batch_size: Any) -> State:
        """No frame yet: `posteriors` float32 [B, S - 1, C], the latest last, and `frames` int64 [B], those so far."""
        return {
            "posteriors": tf.zeros([batch_size, self.smoothing - 1, self.classes]),
            "frames": tf.zeros([batch_size], tf.int64),
        }

    def step(self, probabilities: tf.Tensor, frame_count: tf.Tensor, state: State) -> tuple[tf.Tensor, State]:
        """Smooths any number of further frames.

        Args:
            probabilities: float32 [B, M, C].
            frame_count: int32 [B], how many of the M frames are valid; these come first.
            state: see `initial_state`.

        Returns:
            the means float32 [B, M, C], zeros beyond `frame_count`, and the state.
        """
        length = tf.shape(probabilities)[1]
        valid = tf.sequence_mask(frame_count, length)[..., None]  # [B, M, 1]
        # Zeros instead of what stands in the padding, which may be NaN.
        history = tf.concat([state["posteriors"], tf.where(valid, probabilities, 0.0)], axis=1)
        mean = tf.nn.avg_pool1d(history, self.smoothing, 1, "VALID")  # [B, M, C]; the frames before the first are zeros
        position = state["frames"][:, None] + tf.range(1, length + 1, dtype=tf.int64)
        filled = tf.cast(tf.minimum(position, self.smoothing), tf.float32)  # [B, M]
        latest = frame_count[:, None] + tf.range(self.smoothing - 1)
        return tf.where(valid, mean * (self.smoothing / filled)[..., None], 0.0), {
            "posteriors": tf.gather(history, latest, axis=1, batch_dims=1),
            "frames": state["frames"] + tf.cast(frame_count, tf.int64),
        }
