"""Long inputs in pieces of bounded size, so that memory does not grow with their length."""

from collections.abc import Callable, Mapping

import tensorflow as tf

from runnel.shared.layers.trace_ahead import trace_ahead

__all__ = ["run_in_blocks"]

Tensors = dict[str, tf.Tensor]


def run_in_blocks(
    advance: Callable[[Tensors, Tensors], tuple[Tensors, Tensors]],
    sequences: Mapping[str, tf.Tensor],
    state: Tensors,
    block: int,
    *,
    often_one: bool = True,
) -> tuple[Tensors, Tensors]:
    """Calls `advance` on consecutive blocks of at most `block` time steps and concatenates what it gives.

    A single time step may go through its own branch with a static length of one, which layers run without a loop.

    Args:
        advance: maps ({name: [B, N, ...]}, state) to (outputs {name: [B, N, ...]}, state), for any N >= 0.
        sequences: {name: [B, T, ...]}.
        state: {name: [B, ...]}.
        block: the largest N.
        often_one: whether a single time step comes so often that it is worth a second copy of what `advance` makes; not
            asked where the length is static.

    Returns:
        outputs {name: [B, T, ...]} and the state after the last time step.
    """
    first = next(iter(sequences.values()))
    length = tf.shape(first)[1]

    def one_step() -> tuple[Tensors, Tensors]:
        return advance(_with_length_one(sequences), dict(state))

    def in_blocks() -> tuple[Tensors, Tensors]:
        specs = {name: tf.TensorSpec([v.shape[0], None, *v.shape[2:]], v.dtype) for name, v in sequences.items()}
        traced = trace_ahead(advance, specs, state)

        def body(start: tf.Tensor, outputs: Tensors, state: Tensors) -> tuple:
            piece = {name: values[:, start : start + block] for name, values in sequences.items()}
            new_outputs, new_state = traced(piece, state)
            outputs = {name: tf.concat([outputs[name], new_outputs[name]], axis=1) for name in outputs}
            return start + block, outputs, new_state

        batch, given = tf.shape(first)[0], traced.structured_outputs[0]
        empty = {name: tf.zeros([batch, 0, *spec.shape[2:]], spec.dtype) for name, spec in given.items()}
        growing = {name: tf.TensorShape([None, None, *spec.shape[2:]]) for name, spec in given.items()}
        _, outputs, final_state = tf.while_loop(
            lambda start, *_: start < length,
            body,
            (tf.constant(0), empty, dict(state)),
            shape_invariants=(tf.TensorShape([]), growing, {name: value.shape for name, value in state.items()}),
        )
        return outputs, final_state

    if first.shape[1] == 1:
        return one_step()
    if first.shape[1] is None and often_one:
        return tf.cond(tf.equal(length, 1), one_step, in_blocks)
    return in_blocks()


def _with_length_one(sequences: Mapping[str, tf.Tensor]) -> Tensors:
    """The same tensors, said to have one time step, so that layers take their path without a loop."""
    return {name: tf.ensure_shape(v, [v.shape[0], 1, *v.shape[2:]]) for name, v in sequences.items()}
