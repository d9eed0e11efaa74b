"""The training loop of every application."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import keras
import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.resumable_callbacks import ResumableCallbacks
from runnel.shared.training.resume_point import Position, ResumePoint, require_finite
from runnel.shared.training.train_step import Loss, TrainStep
from runnel.shared.training.without_autotuning import without_autotuning

__all__ = ["fit"]

_logger = logging.getLogger(__name__)

# Reading a loss waits for the device: it is done every so many batches, and before each checkpoint.
_BATCHES_BETWEEN_READINGS = 20


def fit(
    *,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    loss: Loss,
    batches: Callable[[int], tf.data.Dataset],
    validate: Callable[[], Mapping[str, float]],
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
    store: CheckpointStore,
    monitor: str = "val_loss",
    carried: Mapping[str, tf.Variable] = MappingProxyType({}),
    seconds_between_checkpoints: float = 60.0,
    clock: Callable[[], float] = time.monotonic,
    report: Callable[[str], None] = _logger.warning,
) -> History:
    """Trains a model, going on from the newest intact checkpoint of `store` if there is one.

    A run that was killed at any moment and is continued with the same arguments ends with the same weights, bit for
    bit, as one that ran through. For that, `model` is built with a seed, `batches` and `loss` draw no random number
    that is not in the model's seed state or a function of the epoch, and the machine is the same.

    The model ends with the raw weights of the last step; for the best, `load_weights(model, store.best(report),
    averaged=optimizer.use_ema)`.

    Args:
        model: A built model.
        optimizer: Clips by its own `global_clipnorm`. With `use_ema` validation sees the averaged weights.
        loss: From a batch to (scalar loss, scalar metrics by name); calls the model with `training=True` and adds
            `model.losses` where it has some. Logged is the mean over the batches of an epoch.
        batches: From an epoch, counted from 0, to its batches: the same batches whenever it is called, and the same
            `element_spec` in every epoch.
        validate: Scores the model as it stands; its names get the prefix `val_` in the logs.
        epochs: How many epochs the whole run has.
        callbacks: Standard Keras callbacks; EarlyStopping may end the run. They get the running means every 20
            batches and no logs in between. The epoch that a resumed run goes on with begins for them again.
        store: The checkpoints: one every `seconds_between_checkpoints`, after every epoch and at Ctrl-C.
        monitor: The entry of the logs that makes an epoch the best; lower is better.
        carried: Variables that `loss` carries from batch to batch, by name, such as the recurrent state of a language
            model under truncated backpropagation; whoever resets them does so in `on_epoch_begin`.
        seconds_between_checkpoints: How much work a kill may cost.
        clock: Seconds from any beginning.
        report: Called with a line about a damaged checkpoint, and one about where the run goes on.

    Returns:
        The logs of every epoch, those before the resume included. For a finished run: at once.

    Raises:
        InputError: If the loss, the monitored value or a weight is not finite, there is no batch, or the checkpoint
            is of another model.
        KeyboardInterrupt: On Ctrl-C, after a checkpoint has been written.
        ValueError: If the logs hold no `monitor`, or a callback cannot be resumed.
    """
    first = batches(0)
    step = TrainStep(model, optimizer, loss, first.element_spec)
    point = ResumePoint(step, store, carried, seconds_between_checkpoints, clock)
    hooks = ResumableCallbacks(callbacks, model, epochs, batches=_count(first))
    point.load(report)
    if not point.position.history.finished:
        _Loop(step, point, hooks, batches, validate, monitor, epochs).run()
    return point.position.history


@dataclass(frozen=True)
class _Loop:
    step: TrainStep
    point: ResumePoint
    callbacks: ResumableCallbacks
    batches: Callable[[int], tf.data.Dataset]
    validate: Callable[[], Mapping[str, float]]
    monitor: str
    epochs: int

    def run(self) -> None:
        self.step.model.stop_training = False
        try:
            self._begin()
            self._train()
        finally:
            self.callbacks.hooks.on_train_end()

    def _begin(self) -> None:
        position = self.point.position
        self.callbacks.begin(position.history.epochs, position.callbacks)
        if self.point.batch:
            with self.point.variables_held():
                self.callbacks.hooks.on_epoch_begin(self.point.epoch)
            self.callbacks.restore(position.callbacks)

    def _train(self) -> None:
        try:
            while not self.point.position.history.finished:
                self._train_batches()
                self._end_epoch()
        except KeyboardInterrupt:
            self.point.save()
            raise

    def _train_batches(self) -> None:
        hooks, start = self.callbacks.hooks, self.point.batch
        if start == 0:
            hooks.on_epoch_begin(self.point.epoch)
        rest = without_autotuning(self.batches(self.point.epoch).skip(start))
        for index, batch in enumerate(rest, start):
            hooks.on_train_batch_begin(index)
            self.step(batch, first=index == 0)
            done = index + 1
            hooks.on_train_batch_end(index, {} if done % _BATCHES_BETWEEN_READINGS else self._means(done))
            self.point.position = replace(self.point.position, callbacks=self.callbacks.states())
            if self.point.due:
                self._means(done)
                self.point.save()
            if self.step.model.stop_training:
                break

    def _end_epoch(self) -> None:
        logs = self._epoch_logs()
        self.callbacks.hooks.on_epoch_end(self.point.epoch, logs)
        finished = bool(self.step.model.stop_training) or self.point.epoch + 1 >= self.epochs
        history = self.point.position.history.with_epoch(logs, logs[self.monitor], finished)
        self.point.position = Position(history, int(self.step.steps.numpy()), self.callbacks.states())
        self.point.save()

    def _epoch_logs(self) -> dict[str, float]:
        logs = self._means(self.point.batch)
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.step.optimizer.learning_rate))
        with self.point.averaged:
            scores = self.validate()
        logs |= {f"val_{name}": float(value) for name, value in scores.items()}
        if self.monitor not in logs:
            raise ValueError(f"received monitor={self.monitor!r}; expected one of {', '.join(sorted(logs))}")
        require_finite(self.monitor, logs[self.monitor], self.point)
        return logs

    def _means(self, batches: int) -> dict[str, float]:
        """Reads the running means and makes sure that the training has not diverged."""
        if batches == 0:
            raise InputError(
                "the training data give no batch; expected at least one an epoch; give more data or smaller batches"
            )
        means = self.step.means(batches)
        require_finite("loss", means["loss"], self.point)
        return means


def _count(dataset: tf.data.Dataset) -> int | None:
    count = int(dataset.cardinality())
    return count if count >= 0 else None
