"""Where a training stands, in memory and in its checkpoints."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.training.averaged_weights import AveragedWeights
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.resumable_callbacks import CallbackStates
from runnel.shared.training.train_step import TrainStep
from runnel.shared.training.variables import assign_variables, name_variables, read_variables

__all__ = ["Position", "ResumePoint", "require_finite"]


@dataclass(frozen=True)
class Position:
    """The part of a training that lives in the Python program; replaced as a whole, so that no interrupt splits it.

    Attributes:
        history: The finished epochs.
        first_step: The steps that were done when the current epoch began.
        callbacks: The state of each callback.
    """

    history: History = field(default_factory=History)
    first_step: int = 0
    callbacks: CallbackStates = field(default_factory=dict)


class ResumePoint:
    """Writes checkpoints of a training and reads the newest back.

    Args:
        step: The training step; owns the model, the optimizer and the metric sums.
        store: The checkpoints.
        carried: Variables besides, carried from one batch to the next.
        seconds_between_checkpoints: How much work a kill may cost at most.
        clock: Seconds from any beginning.

    Attributes:
        averaged: The averaged weights of the optimizer.
        position: Where the training stands.
    """

    def __init__(
        self,
        step: TrainStep,
        store: CheckpointStore,
        carried: Mapping[str, tf.Variable],
        seconds_between_checkpoints: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.averaged = AveragedWeights(step.model, step.optimizer)
        self.averaged.start()
        self.position = Position()
        self._step = step
        self._store = store
        self._seconds = seconds_between_checkpoints
        self._clock = clock
        self._saved_at = clock()
        self._variables = {
            **name_variables("model", step.model.variables),
            **name_variables("optimizer", step.optimizer.variables),
            **{f"carried/{name}": variable for name, variable in carried.items()},
            "metrics/steps": step.steps,
            "metrics/sums": step.sums,
        }
        self._names = {id(variable): name for name, variable in self._variables.items()}

    @property
    def epoch(self) -> int:
        """The current epoch, from 0."""
        return len(self.position.history.epochs)

    @property
    def batch(self) -> int:
        """How many batches of the current epoch are done; waits for the device."""
        return int(self._step.steps.numpy()) - self.position.first_step

    @property
    def due(self) -> bool:
        """Whether the last checkpoint is old enough for the next."""
        return self._clock() - self._saved_at >= self._seconds

    def load(self, report: Callable[[str], None]) -> None:
        """Goes to the newest intact checkpoint, if there is one, and reports where that is."""
        checkpoint = self._store.latest_valid(report)
        if checkpoint is None:
            return
        assign_variables(self._variables, checkpoint.arrays)
        self._step.names = list(checkpoint.state["metrics"])
        stored = checkpoint.state["position"]
        self.position = Position(History.of(checkpoint), stored["first_step"], stored["callbacks"])
        if not self.position.history.finished:
            report(f"continuing after step {checkpoint.step} (epoch {self.epoch + 1}, {self.batch} batches done)")

    @contextmanager
    def variables_held(self) -> Iterator[None]:
        """Undoes whatever the block does to the variables."""
        held = read_variables(self._variables)
        yield
        assign_variables(self._variables, held)

    def save(self) -> None:
        """Writes a checkpoint of this moment.

        Raises:
            InputError: If a weight is not finite; the checkpoints before stay as they are.
        """
        self.averaged.restore_raw()
        arrays = read_variables(self._variables)
        for weight in self._step.model.trainable_variables:
            largest = np.abs(arrays[self._names[id(weight)]]).max(initial=0)
            require_finite(f"the largest weight of {weight.path}", float(largest), self)
        history = self.position.history
        at_best = self.batch == 0 and history.best_epoch is not None and history.best_epoch == self.epoch - 1
        self._store.save(int(arrays["metrics/steps"]), arrays, self._state(), is_best=at_best)
        self._saved_at = self._clock()

    def _state(self) -> dict[str, Any]:
        return {
            "averages": {self._names[id(weight)]: self._names[id(average)] for weight, average in self.averaged.pairs},
            "metrics": self._step.names,
            "position": asdict(self.position),
        }


def require_finite(name: str, value: float, point: ResumePoint) -> None:
    """Raises InputError unless `value` is a finite number."""
    if not np.isfinite(value):
        raise InputError(
            f"{name} is {value} in epoch {point.epoch + 1}, after {point.batch} batches; expected a finite number; "
            "lower the learning rate, or look for extreme values in the data"
        )
