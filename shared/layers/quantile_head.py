"""The output layer of a probabilistic forecaster: quantiles that cannot cross."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import keras
import numpy as np
import tensorflow as tf

__all__ = ["QuantileHead", "quantile_levels"]


def quantile_levels(count: int = 19) -> tuple[float, ...]:
    """`count` levels (odd) evenly spread inside (0, 1), the median in the middle: 0.05 to 0.95 for 19."""
    if count < 1 or count % 2 == 0:
        raise ValueError(
            f"Received {count} quantile levels; expected an odd number, so that the median is one of them."
        )
    return tuple(round(index / (count + 1), 6) for index in range(1, count + 1))


@keras.saving.register_keras_serializable(package="runnel")
class QuantileHead(keras.layers.Layer):
    """Maps features to quantiles of Y targets at H horizons.

    A dense layer gives the median and positive distances between neighbouring levels; sums of those distances outward
    from the median give the other quantiles, so no two ever cross. Before training the quantiles are those of a
    standard normal distribution.

    Args:
        horizon: H.
        targets: Y.
        levels: Q rising quantile levels, symmetric around the median.
    """

    def __init__(self, horizon: int, targets: int, levels: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon, self.targets, self.levels = horizon, targets, [float(level) for level in levels]
        self.side = len(self.levels) // 2
        # A small start keeps the first forecasts close to the standard normal.
        self.dense = keras.layers.Dense(
            horizon * targets * len(self.levels),
            kernel_initializer=keras.initializers.VarianceScaling(0.01),
            bias_initializer=self._normal_bias,
            dtype=self.dtype_policy,
            name="dense",
        )

    def _normal_bias(self, shape: Any, dtype: Any = None) -> Any:  # noqa: ARG002 - Keras passes the shape
        quantiles = np.array([NormalDist().inv_cdf(level) for level in self.levels])
        distances = np.diff(quantiles)  # rising levels
        below, above = distances[: self.side][::-1], distances[self.side :]
        bias = np.concatenate([[0.0], np.log(np.expm1(below)), np.log(np.expm1(above))])  # inverse softplus
        return tf.constant(np.tile(bias, self.horizon * self.targets), dtype or "float32")

    def build(self, input_shape: tuple) -> None:
        """Creates the dense layer."""
        self.dense.build(input_shape)

    def call(self, inputs: Any) -> Any:
        """[B, T, U] to quantiles [B, T, H, Y, Q], rising along Q."""
        shape = tf.shape(inputs)
        raw = tf.reshape(self.dense(inputs), [shape[0], shape[1], self.horizon, self.targets, len(self.levels)])
        median, below, above = raw[..., :1], raw[..., 1 : 1 + self.side], raw[..., 1 + self.side :]
        below = tf.cumsum(tf.nn.softplus(below), axis=-1)
        above = tf.cumsum(tf.nn.softplus(above), axis=-1)
        return tf.concat([median - below[..., ::-1], median, median + above], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"horizon": self.horizon, "targets": self.targets, "levels": self.levels}
