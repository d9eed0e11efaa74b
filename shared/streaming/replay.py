"""Drives a stream model, in memory or loaded from an export, over pieces of input."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["replay", "start"]

State = dict[str, tf.Tensor]


def start(module: Any, batch: int) -> State:
    """The state before any input, as the `state_*` inputs of `step`.

    Args:
        module: what `tf.saved_model.load` gives, or `Servable.module`.
        batch: number of sessions.
    """
    return dict(module.initial_state(batch_size=tf.constant(batch, tf.int32)))


def replay(
    module: Any, pieces: Iterable[Mapping[str, Any]], state: State
) -> Iterator[tuple[dict[str, np.ndarray], State]]:
    """Sends pieces one after the other and carries the state.

    Args:
        module: what `tf.saved_model.load` gives, or `Servable.module`.
        pieces: inputs of `step` besides the state.
        state: where to start, as from `start`.

    Yields:
        for each piece its results, and the state after it.
    """
    for piece in pieces:
        outputs = module.step(**{name: tf.convert_to_tensor(value) for name, value in piece.items()}, **state)
        state = {name: outputs[name] for name in state}
        yield {name: value.numpy() for name, value in outputs.items() if name not in state}, state
