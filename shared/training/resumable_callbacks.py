"""Standard Keras callbacks that go on where a killed run left them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np

__all__ = ["CallbackStates", "ResumableCallbacks"]

CallbackStates: TypeAlias = Mapping[str, Mapping[str, Any]]

# EarlyStopping and its kin turn the sign of `min_delta` when they first run: that is set-up, not progress.
_SET_UP = {"min_delta"}


class ResumableCallbacks:
    """A `keras.callbacks.CallbackList` with a state to save.

    The state of a callback is every plain attribute (number, text, flag, None) that has changed since
    `on_train_begin`, the hook with which Keras callbacks reset themselves. CSV logs need no state: the history in the
    checkpoint is the truth, and they are written anew from it, without the rows that came after.

    Args:
        callbacks: The callbacks, in the order in which they run.
        model: The model that they see.
        epochs: Passed on to them as `params`.
        batches: Batches in an epoch, passed on as `params["steps"]`; None if unknown.

    Attributes:
        hooks: The `CallbackList`, for the hooks inside an epoch.

    Raises:
        ValueError: If an EarlyStopping would restore the best weights: it keeps them in memory, where a kill loses
            them.
    """

    def __init__(
        self, callbacks: Sequence[keras.callbacks.Callback], model: keras.Model, epochs: int, batches: int | None
    ) -> None:
        if any(getattr(callback, "restore_best_weights", False) for callback in callbacks):
            raise ValueError("received restore_best_weights=True; expected False: load_weights(store.best()) instead")
        self.hooks = keras.callbacks.CallbackList(list(callbacks), model=model, epochs=epochs, steps=batches)
        self._by_name = _unique_names(callbacks)
        self._initial: CallbackStates = {}

    def begin(self, epochs: Sequence[Mapping[str, float]], states: CallbackStates) -> None:
        """Runs `on_train_begin`, then brings the callbacks to where the earlier epochs left them.

        Args:
            epochs: The logs of the earlier epochs.
            states: What `states` returned after them.
        """
        logs = [item for item in self._by_name.values() if isinstance(item, keras.callbacks.CSVLogger)]
        for log in logs:
            Path(log.filename).unlink(missing_ok=True)
        self.hooks.on_train_begin()
        self._initial = self._attributes()
        for log in logs:
            for epoch, values in enumerate(epochs):
                log.on_epoch_end(epoch, dict(values))
        self.restore(states)

    def states(self) -> CallbackStates:
        """Returns what has changed since `on_train_begin`, as JSON can hold it."""
        return {
            name: {key: value for key, value in now.items() if self._initial[name].get(key, _ABSENT) != value}
            for name, now in self._attributes().items()
        }

    def restore(self, states: CallbackStates) -> None:
        """Sets what `states` returned; callbacks that have come or gone since are left alone."""
        for name in states.keys() & self._by_name.keys():
            for key, value in states[name].items():
                setattr(self._by_name[name], key, value)

    def _attributes(self) -> CallbackStates:
        return {name: _plain_attributes(callback) for name, callback in self._by_name.items()}


_ABSENT = object()


def _unique_names(callbacks: Sequence[keras.callbacks.Callback]) -> dict[str, keras.callbacks.Callback]:
    """Names callbacks by their class; the second of a class is `CLASS.1`."""
    named: dict[str, keras.callbacks.Callback] = {}
    for callback in callbacks:
        name = type(callback).__name__
        earlier = sum(type(other) is type(callback) for other in named.values())
        named[f"{name}.{earlier}" if earlier else name] = callback
    return named


def _plain_attributes(callback: keras.callbacks.Callback) -> dict[str, Any]:
    values = {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in vars(callback).items()
        if key not in _SET_UP
    }
    return {key: value for key, value in values.items() if value is None or isinstance(value, bool | int | float | str)}
