"""Normalisation by a decayed mean and scale that the layer learns from the stream itself."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from runnel.shared.layers.scan_time import scan_time

__all__ = ["RunningNormalization"]

State = dict[str, Any]

_SMALLEST_SCALE = 1e-6  # as a share of the prior scale
_SMALLEST_PRIOR = 1e-12  # float32 still holds its square times that of the share


@keras.saving.register_keras_serializable(package="runnel")
class RunningNormalization(keras.layers.Layer):
    """Subtracts a decayed mean and divides by a decayed scale, per feature, both carried in the state.

    The statistics at a time step contain that step and everything before it, so nothing looks ahead, and they are the
    same whether a sequence comes whole, in chunks or step by step. A missing value (NaN) leaves its feature's
    statistics as they are and stays NaN. The update is West's (1979) weighted incremental mean and variance with
    weights that decay by `decay` a step:

        w = decay * w' + 1,   mean = mean' + (x - mean') / w,   s = decay * s' + (x - mean') * (x - mean)

    The scale is sqrt((s + p * prior_scale^2) / (w + p)), where p starts at `prior_weight` and decays likewise, so that
    the first values of a stream are not divided by nothing.

    Args:
        decay: weight of the past after one more value, in (0, 1]; 1 never forgets.
        prior_scale: [F], the expected scale of each feature, from the training split.
        prior_weight: how many values the prior counts for at the start of a stream.
    """

    def __init__(self, decay: float, prior_scale: Sequence[float], prior_weight: float = 4.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 < decay <= 1:
            raise ValueError(f"Received decay={decay}; expected a number above 0 and at most 1.")
        self.supports_masking = True
        self.decay, self.prior_weight = decay, prior_weight
        self.prior_scale = [float(scale) for scale in prior_scale]
        self.prior_variance = [max(scale, _SMALLEST_PRIOR) ** 2 for scale in self.prior_scale]

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch dimension, of the state."""
        features = len(self.prior_scale)
        return dict.fromkeys(("weight", "mean", "squares", "prior_weight"), (features,))

    def initial_state(self, batch_size: Any) -> State:
        """The statistics before the first value."""
        state = {name: tf.zeros((batch_size, *shape)) for name, shape in self.state_shapes.items()}
        return state | {"prior_weight": state["prior_weight"] + self.prior_weight}

    def build(self, inputs_shape: tuple, **_: Any) -> None:
        """Has no weights."""

    def call(self, inputs: Any, mask: Any = None, initial_state: State | None = None) -> tuple[Any, Any, Any, State]:
        """Normalises a sequence or a chunk of one.

        Args:
            inputs: [B, T, F], NaN where a value is missing.
            mask: bool [B, T]; positions with False change no statistics and give zeros.
            initial_state: the state to start from.

        Returns:
            normalized [B, T, F] (NaN where the input is), mean [B, T, F], scale [B, T, F], and the state.
        """
        state = self.initial_state(tf.shape(inputs)[0]) if initial_state is None else initial_state
        mask = tf.ones(tf.shape(inputs)[:2], tf.bool) if mask is None else mask

        def step(row: State, state: State) -> tuple[State, State]:
            normalized, mean, scale, state = self.step(row["inputs"], state, row["mask"])
            return {"normalized": normalized, "mean": mean, "scale": scale}, state

        outputs, state = scan_time(step, {"inputs": inputs, "mask": mask}, state)
        return outputs["normalized"], outputs["mean"], outputs["scale"], state

    def step(self, inputs_t: Any, state: State, mask: Any = None) -> tuple[Any, Any, Any, State]:
        """Normalises one time step [B, F]; rows where `mask` [B] is False give zeros and keep their state."""
        counts = tf.math.is_finite(inputs_t) if mask is None else mask[:, None] & tf.math.is_finite(inputs_t)
        weight = self.decay * state["weight"] + 1
        deviation = tf.where(counts, inputs_t - state["mean"], 0.0)
        mean = state["mean"] + deviation / weight
        squares = self.decay * state["squares"] + deviation * (tf.where(counts, inputs_t, 0.0) - mean)
        updated = {
            "weight": weight,
            "mean": mean,
            "squares": squares,
            "prior_weight": self.decay * state["prior_weight"],
        }
        state = {name: tf.where(counts, updated[name], state[name]) for name in self.state_shapes}
        scale = self._scale(state)
        # Only known values are divided: a NaN under a `where` makes the gradient of the scale NaN.
        known = (tf.where(counts, inputs_t, state["mean"]) - state["mean"]) / scale
        normalized = tf.where(counts, known, inputs_t)
        return (normalized if mask is None else tf.where(mask[:, None], normalized, 0.0)), state["mean"], scale, state

    def _scale(self, state: State) -> Any:
        variance = (state["squares"] + state["prior_weight"] * self.prior_variance) / tf.maximum(
            state["weight"] + state["prior_weight"], 1e-12
        )
        # Bounded before the root, whose slope at zero has no end.
        return tf.sqrt(tf.maximum(variance, _SMALLEST_SCALE**2 * tf.constant(self.prior_variance)))

    def compute_mask(self, *_: Any, **__: Any) -> None:
        """Masks are passed explicitly: nothing is attached to the outputs."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "decay": self.decay,
            "prior_scale": self.prior_scale,
            "prior_weight": self.prior_weight,
        }
