"""What a training has reached, epoch by epoch."""

from dataclasses import dataclass, replace

from runnel.shared.training.checkpoint import Checkpoint

__all__ = ["History"]


@dataclass(frozen=True)
class History:
    """What a training has reached.

    Attributes:
        epochs: The logs of each finished epoch: training means, `learning_rate`, and validation under `val_`.
        best_epoch: The epoch, from 0, with the lowest monitored value; None before the first.
        best_value: That value.
        finished: Whether the last epoch is done or a callback has stopped the training.
    """

    epochs: tuple[dict[str, float], ...] = ()
    best_epoch: int | None = None
    best_value: float | None = None
    finished: bool = False

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "History":
        """What a checkpoint that `fit` wrote says of the epochs before it."""
        stored = checkpoint.state["position"]["history"]
        return cls(**{**stored, "epochs": tuple(stored["epochs"])})

    @property
    def rows(self) -> list[dict[str, float]]:
        """The logs of each epoch with its number, from 1, as `epoch`."""
        return [{"epoch": number, **logs} for number, logs in enumerate(self.epochs, 1)]

    def with_epoch(self, logs: dict[str, float], value: float, finished: bool) -> "History":
        """Returns the history with one more epoch, whose monitored value is `value`."""
        history = replace(self, epochs=(*self.epochs, logs), finished=finished)
        if self.best_value is None or value < self.best_value:
            history = replace(history, best_epoch=len(self.epochs), best_value=value)
        return history
