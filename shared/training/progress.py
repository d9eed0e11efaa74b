"""Progress for people: a bar at a terminal, one plain line an epoch in a pipe."""

from collections.abc import Mapping
from typing import Any

import keras
import rich.progress
from rich.console import Console

__all__ = ["Progress"]


class Progress(keras.callbacks.Callback):
    """Shows how a training goes on.

    Args:
        console: Where to; standard error if not given. A console that is no terminal gets no bar.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self._console = console or Console(stderr=True)
        self._bar = _bar(self._console)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Puts the bar up."""
        self._bar = _bar(self._console)
        self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Starts the bar of an epoch."""
        self._bar.add_task(f"epoch {epoch + 1}/{self.params['epochs']}", total=self.params["steps"], losses="")

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Moves the bar, and shows the means so far when there are some."""
        for task in self._bar.task_ids:
            self._bar.update(task, completed=batch + 1)
            if logs:
                self._bar.update(task, losses=_text(logs))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Replaces the bar of the epoch by a line."""
        for task in list(self._bar.tasks):
            line = f"{task.description}  {_text(logs or {})}  {task.elapsed or 0:.1f} s"
            self._console.print(line, highlight=False, soft_wrap=True)
            self._bar.remove_task(task.id)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Takes the bar down."""
        self._bar.stop()


def _bar(console: Console) -> rich.progress.Progress:
    return rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeRemainingColumn(),
        rich.progress.TextColumn("{task.fields[losses]}"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _text(logs: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
