"""Recurrences written in NumPy from their textbook equations, one sequence at a time, in double precision.

Shapes: x [F] and h [U] of one time step; kernel W [F, gates x U], recurrent kernel R [U, gates x U].
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray
Cell = Callable[[Array, Sequence[Array], Sequence[Array]], tuple[Array, ...]]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def simple_rnn(x: Array, state: Sequence[Array], weights: Sequence[Array]) -> tuple[Array, ...]:
    """Elman 1990: hidden_new = tanh(W [input, hidden_old] + b)."""
    (hidden,), (kernel, recurrent, bias) = state, weights
    joined = np.concatenate([kernel, recurrent]).T  # [U, F + U], the W of the equation
    return (np.tanh(joined @ np.concatenate([x, hidden]) + bias),)


def lstm(x: Array, state: Sequence[Array], weights: Sequence[Array]) -> tuple[Array, ...]:
    """Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; gates stored as i, f, g, o.

    c_new = f * c + i * g,   h_new = o * tanh(c_new),   i, f, o = sigmoid(W [x, h] + b),   g = tanh(W [x, h] + b)
    """
    (hidden, cell), (kernel, recurrent, bias) = state, weights
    i, f, g, o = np.split(x @ kernel + hidden @ recurrent + bias, 4)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def gru(x: Array, state: Sequence[Array], weights: Sequence[Array]) -> tuple[Array, ...]:
    """Cho et al. 2014, eq. 5 to 8, with the reset gate where cuDNN has it; gates stored as z, r, candidate.

    h_new = z * h + (1 - z) * candidate,   z, r = sigmoid(W x + R h + b)
    The textbook's candidate is tanh(W x + R (r * h) + b). cuDNN's is tanh(W x + b + r * (R h + b')): one product R h
    then serves all three gates, at the price of a bias b' of its own. With r = 1 and b' = 0 the two are the same.
    """
    (hidden,), (kernel, recurrent, (bias, recurrent_bias)) = state, weights
    z, r, candidate = np.split(x @ kernel + bias, 3)
    z_h, r_h, candidate_h = np.split(hidden @ recurrent + recurrent_bias, 3)
    z = sigmoid(z + z_h)
    return (z * hidden + (1 - z) * np.tanh(candidate + sigmoid(r + r_h) * candidate_h),)


CELLS: dict[str, Cell] = {"simple_rnn": simple_rnn, "gru": gru, "lstm": lstm}


def run_cell(
    cell: str, inputs: Array, weights: Sequence[Any], state: Sequence[Array] | None = None
) -> tuple[Array, tuple[Array, ...]]:
    """Inputs [T, F] to hidden states [T, U] and the last state."""
    weights = [np.asarray(weight, np.float64) for weight in weights]
    units = weights[1].shape[0]
    carried = tuple(state) if state is not None else (np.zeros(units),) * (2 if cell == "lstm" else 1)
    outputs = []
    for x in inputs.astype(np.float64):
        carried = CELLS[cell](x, carried, weights)
        outputs.append(carried[0])
    return np.stack(outputs), carried


def run_stack(cell: str, inputs: Array, layers: Sequence[Sequence[Any]], residual: bool) -> tuple[Array, list[tuple]]:
    """Layers one above the other; `residual` adds a layer's input to its output where the widths are equal."""
    outputs, states = inputs.astype(np.float64), []
    for weights in layers:
        hidden, state = run_cell(cell, outputs, weights)
        outputs = hidden + outputs if residual and hidden.shape == outputs.shape else hidden
        states.append(state)
    return outputs, states


def running_normalization(
    values: Array, decay: float, prior_scale: Sequence[float], prior_weight: float
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Decayed mean and scale of values [T, F], from their definition as weighted sums over all that came before.

    The k-th last known value weighs decay^k. mean = sum(w x) / sum(w), s = sum(w (x - mean)^2),
    scale^2 = (s + p * prior_scale^2) / (sum(w) + p) with p = prior_weight * decay^(number of known values).
    """
    mean, squares, weight, prior = (np.zeros(values.shape) for _ in range(4))
    for time, feature in np.ndindex(values.shape):
        past = values[: time + 1, feature].astype(np.float64)
        known = past[np.isfinite(past)]
        weights = decay ** np.arange(len(known))[::-1]
        weight[time, feature], prior[time, feature] = weights.sum(), prior_weight * decay ** len(known)
        if len(known):
            mean[time, feature] = np.average(known, weights=weights)
            squares[time, feature] = weights @ (known - mean[time, feature]) ** 2
    scale = np.sqrt((squares + prior * np.square(prior_scale)) / (weight + prior))
    outputs = {"normalized": (values - mean) / scale, "mean": mean, "scale": scale}
    last = {"weight": weight[-1], "mean": mean[-1], "squares": squares[-1], "prior_weight": prior[-1]}
    return outputs, last


def causal_convolution(frames: Array, kernel: Array, bias: Array, stride: int, activation: str) -> tuple[Array, Array]:
    """Frames [T, F, C] to outputs [T, F', U] and the last frames [K - 1, F, C]; kernel [K, L, C, U].

    out(t, g, u) = activation(b(u) + sum over i, j, c of W(i, j, c, u) x(t - (K - 1) + i, g * stride - left + j, c)),
    where x is 0 outside, F' = ceil(F / stride), and left is half, rounded down, of the zeros that the bands need.
    """
    time, bands, _ = frames.shape
    reach, width, _, filters = kernel.shape
    output_bands = -(-bands // stride)
    left = max((output_bands - 1) * stride + width - bands, 0) // 2
    x = np.pad(frames.astype(np.float64), [(reach - 1, 0), (left, width), (0, 0)])
    outputs = np.zeros((time, output_bands, filters))
    for t, g, u in np.ndindex(outputs.shape):
        seen = x[t : t + reach, g * stride : g * stride + width]
        outputs[t, g, u] = bias[u] + np.sum(seen * kernel[..., u])
    return (np.tanh(outputs) if activation == "tanh" else np.maximum(outputs, 0)), x[time:, left : left + bands]
