"""A small training with everything in it that a checkpoint must hold; trains in seconds."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.loop import fit
from runnel.shared.training.optimizer import build_optimizer

EXAMPLES, TIME, FEATURES, BATCH = 90, 6, 3, 8
BATCHES = 12  # the last holds two examples


class ToyProblem:
    """A GRU (or nothing) and a dense layer, dropout before it, AdamW, averaged weights, a carried variable."""

    def __init__(self, recurrent: bool = False, averaging: float = 0.9, epochs: int = 3) -> None:
        keras.utils.set_random_seed(1)
        draws = np.random.default_rng(1)
        self.inputs = draws.normal(size=(EXAMPLES, TIME, FEATURES)).astype("float32")
        self.targets = self.inputs.sum(axis=(1, 2), keepdims=True)[:, 0]
        self.epochs = epochs
        self.model = _recurrent_model() if recurrent else _dense_model()
        self.optimizer = build_optimizer(
            3e-3, epochs * BATCHES, warmup_steps=5, weight_decay=0.01, clip_norm=1.0, averaging=averaging
        )
        self.level = tf.Variable(0.0)

    def batches(self, epoch: int) -> tf.data.Dataset:
        def example(index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            row = tf.random.experimental.index_shuffle(index, [7, epoch], EXAMPLES - 1)
            return tf.gather(self.inputs, row), tf.gather(self.targets, row)

        return tf.data.Dataset.range(EXAMPLES).map(example).batch(BATCH)

    def loss(self, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        inputs, targets = batch
        error = self.model(inputs, training=True) + self.level - targets
        self.level.assign(0.9 * self.level + 0.1 * tf.reduce_mean(targets))
        return tf.reduce_mean(tf.square(error)), {"absolute": tf.reduce_mean(tf.abs(error))}

    def validate(self) -> dict[str, float]:
        outputs = self.model(self.inputs, training=False)
        return {"loss": float(tf.reduce_mean(tf.square(outputs - self.targets)))}

    def fit(self, folder: Path, **changes: Any) -> History:
        arguments: dict[str, Any] = {
            "model": self.model,
            "optimizer": self.optimizer,
            "loss": self.loss,
            "batches": self.batches,
            "validate": self.validate,
            "epochs": self.epochs,
            "callbacks": [],
            "store": CheckpointStore(folder),
            "carried": {"level": self.level},
            "report": lambda line: None,
        }
        return fit(**(arguments | changes))

    def digest(self) -> str:
        """SHA-256 of every number that training has made."""
        digest = hashlib.sha256()
        for variable in (*self.model.variables, *self.optimizer.variables, self.level):
            digest.update(variable.numpy().tobytes())
        return digest.hexdigest()


class Calls(keras.callbacks.Callback):
    """Calls a function at one hook, with the number of the call, from 0."""

    def __init__(self, hook: str, function: Callable[[int], None]) -> None:
        super().__init__()
        count = iter(range(10**9))

        def call(*positional: int, logs: Mapping[str, float] | None = None) -> None:
            function(next(count))

        setattr(self, hook, call)


def _recurrent_model() -> keras.Model:
    inputs = keras.Input([None, FEATURES])
    hidden = keras.layers.Dropout(0.2)(keras.layers.GRU(8)(inputs))
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))


def _dense_model() -> keras.Model:
    inputs = keras.Input([TIME, FEATURES])
    hidden = keras.layers.Dropout(0.2)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))
