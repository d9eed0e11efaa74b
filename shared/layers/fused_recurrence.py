"""LSTM, GRU and simple recurrence for training on a CPU: few large products instead of many small ones.

A stock layer multiplies its inputs by the kernel inside its loop over time, and the gradient of that loop adds a whole
gradient of each weight per time step. Here the product with the inputs is one for the whole sequence, and so is each
gradient of a weight; the loops hold only what depends on the time step before, and XLA can compile them.

Shapes: B batch, T time, F features, U units, G = 4U (lstm), 3U (gru) or U (simple_rnn) gates; inside, time comes first.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import tensorflow as tf

__all__ = ["Cell", "run_recurrence"]

Cell = Literal["simple_rnn", "gru", "lstm"]
Tensors = tuple[tf.Tensor, ...]


def run_recurrence(
    cell: Cell,
    inputs: tf.Tensor,
    mask: tf.Tensor | None,
    state: Sequence[tf.Tensor],
    weights: Sequence[tf.Tensor],
    jit_compile: bool = False,
) -> tuple[tf.Tensor, Tensors]:
    """Runs one recurrent layer over a sequence: the equations and weights of the stock layer, and faster gradients.

    They are of the first order. For values alone the stock layer takes as long and keeps nothing for the gradients.

    Args:
        cell: `lstm`, `gru` (reset gate after the recurrent product) or `simple_rnn`.
        inputs: float [B, T, F]; T may be 0 where nothing is compiled. Finite also at invalid positions.
        mask: bool [B, T], True at valid positions, which may stand anywhere; None for all valid.
        state: (hidden [B, U], and for `lstm` cell [B, U]) to start from.
        weights: kernel [F, G], recurrent kernel [U, G] and bias [G] (`gru`: [2, G]), of the dtype of the inputs.
        jit_compile: whether XLA compiles the loops, anew for each shape of the inputs.

    Returns:
        hidden states [B, T, U], at an invalid position the one before it; and the state after the last time step.
    """
    mask = None if mask is None else tf.transpose(mask)[..., None]  # [T, B, 1]
    forward, backward = _loops(jit_compile)

    @tf.custom_gradient
    def run(inputs: Any, kernel: Any, recurrent_kernel: Any, bias: Any, *state: Any) -> tuple[Tensors, Callable]:
        gates = _input_gates(cell, inputs, kernel, bias)
        hidden, final, kept = forward(cell, mask, gates, recurrent_kernel, bias, state)

        def gradient(by_outputs: Any, *by_final: Any) -> tuple:
            by_gates, by_state = backward(cell, mask, kept, recurrent_kernel, by_outputs, by_final)
            by_gates = [_flat(values) for values in by_gates]
            return (
                tf.reshape(tf.matmul(by_gates[0], kernel, transpose_b=True), tf.shape(inputs)),
                tf.matmul(_flat(inputs), by_gates[0], transpose_a=True),
                tf.matmul(_flat(hidden[:-1]), by_gates[-1], transpose_a=True),
                tf.reshape(tf.concat([_sum_rows(values) for values in by_gates], axis=0), bias.shape),
                *by_state,
            )

        return (hidden[1:], *final), gradient

    hidden, *final = run(tf.transpose(inputs, [1, 0, 2]), *weights, *state)
    outputs = tf.transpose(hidden, [1, 0, 2])
    outputs.set_shape([*inputs.shape[:2], weights[1].shape[0]])
    for after, before in zip(final, state, strict=True):
        after.set_shape(before.shape)
    return outputs, tuple(final)


@functools.cache
def _loops(jit_compile: bool) -> tuple[Callable, Callable]:
    """`_forward` and `_backward`, by themselves or as XLA compiles them."""
    if not jit_compile:
        return _forward, _backward
    return tf.function(_forward, jit_compile=True), tf.function(_backward, jit_compile=True)


def _input_gates(cell: Cell, inputs: Any, kernel: Any, bias: Any) -> tf.Tensor:
    """[T, B, F] to [T, B, G]: a product of two matrices, because the bias is fused with no other."""
    product = tf.nn.bias_add(tf.matmul(_flat(inputs), kernel), bias[0] if cell == "gru" else bias)
    return tf.reshape(product, [*tf.unstack(tf.shape(inputs)[:2]), kernel.shape[1]])


def _flat(values: tf.Tensor) -> tf.Tensor:
    """[T, B, N] to [T x B, N]."""
    return tf.reshape(values, [-1, values.shape[2]])


def _sum_rows(values: tf.Tensor) -> tf.Tensor:
    """[N, G] to [1, G], as a product: several times faster than a sum, and in bfloat16 it adds in float32."""
    return tf.matmul(tf.ones([1, tf.shape(values)[0]], values.dtype), values)


def _forward(
    cell: Cell, mask: Any, gates: Any, kernel: Any, bias: Any, state: Tensors
) -> tuple[tf.Tensor, Tensors, Tensors]:
    """Hidden states [T + 1, B, U], the initial one first; the final state; what `_backward` needs, as many of each."""
    length = tf.shape(gates)[0]
    arrays = tf.TensorArray(gates.dtype, length, element_shape=[None, kernel.shape[1]]).unstack(gates)
    hidden = _array(length, state[0], at=0)
    kept = tuple(_array(length, state[0], at=length) for _ in range(_KEPT[cell]))

    def body(time: Any, before: Tensors, hidden: Any, kept: tuple) -> tuple:
        recurrent_gates = tf.matmul(before[0], kernel)
        if cell == "gru":
            recurrent_gates = tf.nn.bias_add(recurrent_gates, bias[1])
        after, values = _FORWARD[cell](arrays.read(time), recurrent_gates, *before)
        after = _where_valid(mask, time, after, before)
        kept = tuple(array.write(time, value) for array, value in zip(kept, values, strict=True))
        return time + 1, after, hidden.write(time + 1, after[0]), kept

    _, final, hidden, kept = tf.while_loop(
        lambda time, *_: time < length, body, (0, tuple(state), hidden, kept), maximum_iterations=length
    )
    return hidden.stack(), final, tuple(array.stack() for array in kept)


def _backward(
    cell: Cell, mask: Any, kept: Tensors, kernel: Any, by_outputs: Any, by_final: Tensors
) -> tuple[list[tf.Tensor], Tensors]:
    """Gradients by the gates, [T, B, G] each: those of the input and, if others, of the hidden state; by the state."""
    length = tf.shape(by_outputs)[0]
    transposed = tf.transpose(kernel)  # once: a product with transpose_b=True takes up to three times as long
    arrays = tf.TensorArray(by_outputs.dtype, length, element_shape=[None, kernel.shape[0]]).unstack(by_outputs)
    no_gates = tf.zeros([tf.shape(by_outputs)[1], kernel.shape[1]], kernel.dtype)
    count = 2 if cell == "gru" else 1
    by_gates = tuple(_array(length, no_gates, at=length) for _ in range(count))

    def body(time: Any, by_after: Tensors, by_gates: tuple) -> tuple:
        by_after = (by_after[0] + arrays.read(time), *by_after[1:])
        changed = _where_valid(mask, time, by_after, tuple(tf.zeros_like(value) for value in by_after))
        gradients, by_before = _BACKWARD[cell](changed, *(values[time] for values in kept))
        by_before = (by_before[0] + tf.matmul(gradients[-1], transposed), *by_before[1:])
        by_before = _where_valid(mask, time, by_before, by_after)
        return time - 1, by_before, tuple(a.write(time, g) for a, g in zip(by_gates, gradients, strict=True))

    _, by_state, by_gates = tf.while_loop(
        lambda time, *_: time >= 0, body, (length - 1, tuple(by_final), by_gates), maximum_iterations=length
    )
    return [array.stack()[:-1] for array in by_gates], by_state


def _where_valid(mask: Any, time: Any, new: Tensors, old: Tensors) -> Tensors:
    """New values where the time step is valid, else old ones; of the static shapes of the old, as a loop needs them."""
    if mask is not None:
        new = tuple(tf.where(mask[time], after, before) for after, before in zip(new, old, strict=True))
    for after, before in zip(new, old, strict=True):
        after.set_shape(before.shape)
    return new


def _array(length: Any, value: tf.Tensor, at: Any) -> tf.TensorArray:
    """For T + 1 values [B, N], of which one is there: as T may be 0 and B unknown, an empty array cannot be stacked."""
    array = tf.TensorArray(value.dtype, length + 1, element_shape=[None, value.shape[1]], clear_after_read=False)
    return array.write(at, value)


# === Equations of a time step; `x` and `h`: the products with input and hidden state, of all gates, biases included ===


def _lstm(x: Any, h: Any, _: Any, cell: Any) -> tuple[Tensors, Tensors]:
    """Gers et al. 2000: c = f * c_before + i * g, h = o * tanh(c), and i, f, o = sigmoid(x + h), g = tanh(x + h)."""
    i, f, g, o = tf.split(x + h, 4, axis=-1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    new_cell = f * cell + i * g
    squashed = tf.tanh(new_cell)
    return (o * squashed, new_cell), (i, f, g, o, squashed, cell)


def _lstm_gradient(by_after: Tensors, i: Any, f: Any, g: Any, o: Any, squashed: Any, cell: Any) -> tuple:
    by_hidden, by_cell = by_after
    by_cell += by_hidden * o * (1 - squashed * squashed)
    by_i, by_f = by_cell * g * i * (1 - i), by_cell * cell * f * (1 - f)
    by_g, by_o = by_cell * i * (1 - g * g), by_hidden * squashed * o * (1 - o)
    return (tf.concat([by_i, by_f, by_g, by_o], axis=-1),), (tf.zeros_like(by_hidden), by_cell * f)


def _gru(x: Any, h: Any, hidden: Any) -> tuple[Tensors, Tensors]:
    """Cho et al. 2014: h = z * h_before + (1 - z) * n, and z, r = sigmoid(x + h), n = tanh(x + r * h) as in cuDNN."""
    (x_z, x_r, x_n), (h_z, h_r, h_n) = tf.split(x, 3, axis=-1), tf.split(h, 3, axis=-1)
    z, r = tf.sigmoid(x_z + h_z), tf.sigmoid(x_r + h_r)
    n = tf.tanh(x_n + r * h_n)
    return (z * hidden + (1 - z) * n,), (z, r, n, h_n, hidden)


def _gru_gradient(by_after: Tensors, z: Any, r: Any, n: Any, h_n: Any, hidden: Any) -> tuple:
    (by_hidden,) = by_after
    by_z = by_hidden * (hidden - n) * z * (1 - z)
    by_n = by_hidden * (1 - z) * (1 - n * n)
    by_r = by_n * h_n * r * (1 - r)
    return (tf.concat([by_z, by_r, by_n], axis=-1), tf.concat([by_z, by_r, by_n * r], axis=-1)), (by_hidden * z,)


def _simple_rnn(x: Any, h: Any, _: Any) -> tuple[Tensors, Tensors]:
    """Elman 1990: h = tanh(x + h)."""
    hidden = tf.tanh(x + h)
    return (hidden,), (hidden,)


def _simple_rnn_gradient(by_after: Tensors, hidden: Any) -> tuple:
    (by_hidden,) = by_after
    return (by_hidden * (1 - hidden * hidden),), (tf.zeros_like(by_hidden),)


_FORWARD: dict[Cell, Callable] = {"simple_rnn": _simple_rnn, "gru": _gru, "lstm": _lstm}
_BACKWARD: dict[Cell, Callable] = {"simple_rnn": _simple_rnn_gradient, "gru": _gru_gradient, "lstm": _lstm_gradient}
_KEPT: dict[Cell, int] = {"simple_rnn": 1, "gru": 5, "lstm": 6}  # values of a time step that its gradient needs
