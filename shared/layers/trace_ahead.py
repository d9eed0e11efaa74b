"""What a loop will call, traced before the loop: its outputs are known, and its body need not be traced again."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

__all__ = ["trace_ahead"]


def trace_ahead(function: Callable, sequences: Mapping[str, tf.TensorSpec], state: Mapping[str, tf.Tensor]) -> Any:
    """A function of (sequences, state) traced outside of the graph that is being built.

    Args:
        function: maps (sequences, state) to (outputs, state); it must not close over tensors of that graph.
        sequences: what it will be given.
        state: of the shapes that it will be given.

    Returns:
        The traced function; `structured_outputs` tells the shapes and dtypes of what it gives.
    """
    states = {name: tf.TensorSpec(value.shape, value.dtype) for name, value in state.items()}
    with tf.init_scope():
        return tf.function(function, autograph=False).get_concrete_function(dict(sequences), states)
