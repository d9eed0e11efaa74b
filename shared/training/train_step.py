"""One training step on the device, and the running means of its losses."""

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import tensorflow as tf

__all__ = ["Loss", "TrainStep"]

Loss: TypeAlias = Callable[[Any], tuple[tf.Tensor, dict[str, tf.Tensor]]]


class TrainStep:
    """Gradient, update and metric sums of one batch, as a single graph.

    All of a step happens in one call of the graph: an interrupt of the Python program falls before a step or after it,
    never inside, so the variables always agree with `steps`.

    Args:
        model: A built model.
        optimizer: Its optimizer; built here if it is not.
        loss: From a batch to (scalar loss, scalar metrics by name), the model called with `training=True`.
        element_spec: Of the batches. The graph is traced once, for exactly this: traced from the batches that happen
            to come first, a resumed run could end up with other kernels, and other roundings, than a run in one piece.

    Attributes:
        names: What `sums` holds, "loss" first; empty before the first batch.
        steps: Steps done, int64 [].
        sums: Sums over the batches of the epoch, float64 [len(names)].
    """

    def __init__(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: Loss, element_spec: object
    ) -> None:
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        self.model = model
        self.optimizer = optimizer
        self.names: list[str] = []
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.sums = tf.Variable(tf.zeros([0], tf.float64), shape=[None], trainable=False)
        self._loss = loss
        self._graph = tf.function(self._step, input_signature=[element_spec, tf.TensorSpec([], tf.bool)])

    def __call__(self, batch: object, first: bool) -> None:
        """Trains on one batch without waiting for the device.

        Args:
            batch: An element of the dataset.
            first: Whether it is the first of its epoch, with which the sums begin anew.
        """
        self._graph(batch, tf.constant(first))

    def means(self, batches: int) -> dict[str, float]:
        """Reads the means over the first `batches` batches of the epoch; waits for the device."""
        return dict(zip(self.names, (self.sums.numpy() / batches).tolist(), strict=True))

    def _step(self, batch: Any, first: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            loss, metrics = self._loss(batch)
        weights = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self.names = ["loss", *sorted(metrics)]
        values = tf.stack([tf.cast(value, tf.float64) for value in (loss, *(metrics[key] for key in sorted(metrics)))])
        self.sums.assign(tf.cond(first, lambda: values, lambda: self.sums + values))
        self.steps.assign_add(1)
