"""The state of a functional model: the union of what its layers carry."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras

__all__ = ["initial_state", "part_of", "state_inputs", "with_prefix"]


def initial_state(layers: Iterable[keras.layers.Layer], batch_size: Any) -> dict[str, Any]:
    """The state of every layer that has one, as one flat dict, each tensor with the batch first.

    Args:
        layers: for example `model.layers`; layers without `initial_state` are passed over.
        batch_size: an integer or an int32 scalar.

    Raises:
        ValueError: two layers use the same name.
    """
    state: dict[str, Any] = {}
    for layer in layers:
        own = layer.initial_state(batch_size) if hasattr(layer, "initial_state") else {}
        if shared_names := state.keys() & own.keys():
            raise ValueError(
                f"Layer {layer.name} repeats the state names {sorted(shared_names)}; expected unique names."
            )
        state |= own
    return state


def state_inputs(*layers: keras.layers.Layer) -> dict[str, keras.KerasTensor]:
    """Symbolic inputs for the state of these layers, named after it."""
    return {
        name: keras.Input(value.shape[1:], dtype=value.dtype.name, name=f"state_{name}")
        for name, value in initial_state(layers, 1).items()
    }


def with_prefix(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a part, to be carried in that of the whole as `PREFIX_NAME`."""
    return {f"{prefix}_{name}": value for name, value in state.items()}


def part_of(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The state of a part, as `with_prefix` was given it."""
    begin = f"{prefix}_"
    return {name.removeprefix(begin): value for name, value in state.items() if name.startswith(begin)}
