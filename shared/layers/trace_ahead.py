"""What a graph will call more than once, as loops do, traced before: its outputs are known, and it is traced once."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

__all__ = ["trace_ahead"]


def trace_ahead(
    function: Callable, inputs: Mapping[str, tf.TensorSpec], state: Mapping[str, tf.Tensor | tf.TensorSpec]
) -> Any:
    """A function of (inputs, state) traced outside of the graph that is being built.

    Args:
        function: maps (inputs, state) to (outputs, state); it must not close over tensors of that graph.
        inputs: what it will be given.
        state: of the shapes and dtypes that it will be given.

    Returns:
        The traced function; `structured_outputs` tells the shapes and dtypes of what it gives.
    """
    states = {name: tf.TensorSpec(value.shape, value.dtype) for name, value in state.items()}
    with tf.init_scope():
        return tf.function(function, autograph=False).get_concrete_function(dict(inputs), states)
