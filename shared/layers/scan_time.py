"""A loop over time for recurrences that no stock layer offers."""

from collections.abc import Callable, Mapping

import tensorflow as tf

from runnel.shared.layers.trace_ahead import trace_ahead

__all__ = ["scan_time"]

Tensors = dict[str, tf.Tensor]


def scan_time(
    step: Callable[[Tensors, Tensors], tuple[Tensors, Tensors]], sequences: Mapping[str, tf.Tensor], state: Tensors
) -> tuple[Tensors, Tensors]:
    """Applies `step` to every time step in turn.

    A static length of one runs `step` once, without a loop; zero time steps give empty outputs and the given state.

    Args:
        step: maps ({name: [B, ...]} of one time step, state) to (outputs {name: [B, ...]}, state of the same shapes).
        sequences: {name: [B, T, ...]}, all of the same B and T.
        state: {name: [B, ...]}, the state before the first time step.

    Returns:
        outputs {name: [B, T, ...]} and the state after the last time step.
    """
    first = next(iter(sequences.values()))
    if first.shape[1] == 1:
        outputs, state = step({name: values[:, 0] for name, values in sequences.items()}, dict(state))
        return {name: values[:, None] for name, values in outputs.items()}, state

    batch, length = tf.shape(first)[0], tf.shape(first)[1]
    rows = {name: tf.TensorSpec([v.shape[0], *v.shape[2:]], v.dtype) for name, v in sequences.items()}
    traced = trace_ahead(step, rows, state)
    arrays = {
        # A first entry, later overwritten, tells the shape when there are no time steps.
        name: tf.TensorArray(spec.dtype, tf.maximum(length, 1), element_shape=[None, *spec.shape[1:]]).write(
            0, tf.zeros([batch, *spec.shape[1:]], spec.dtype)
        )
        for name, spec in traced.structured_outputs[0].items()
    }

    def body(time: tf.Tensor, arrays: dict, state: Tensors) -> tuple:
        outputs, new_state = traced({name: values[:, time] for name, values in sequences.items()}, state)
        arrays = {name: array.write(time, outputs[name]) for name, array in arrays.items()}
        return time + 1, arrays, {name: tf.ensure_shape(new_state[name], state[name].shape) for name in state}

    _, arrays, state = tf.while_loop(
        lambda time, *_: time < length, body, (tf.constant(0), arrays, dict(state)), maximum_iterations=length
    )
    return {name: _to_batch_major(array.stack()[:length]) for name, array in arrays.items()}, state


def _to_batch_major(values: tf.Tensor) -> tf.Tensor:
    return tf.transpose(values, [1, 0, *range(2, values.shape.rank)])
