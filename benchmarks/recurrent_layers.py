"""Time of a training step of one recurrent layer against the stock Keras layer and, if it is installed, PyTorch.

    python benchmarks/recurrent_layers.py [--cells lstm gru simple_rnn] [--shape B T F U] [--repeats 10] [--xla]
        [--results]

A training step is values, and gradients by the inputs and all weights. Every figure is the least of the repeats, taken
in turns in one process, because other programs slow some turns down. The time of the processor counts what all threads
did. `--xla` compares with the same layer whose loops XLA compiles, in place of the others. `--results` writes what was
measured into RESULTS.md beside this file.
"""

import argparse
import importlib
import importlib.util
import itertools
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from results import machine, record

from runnel.shared.layers.fused_recurrence import Cell, run_recurrence

SHAPES = ((64, 100, 128, 256), (64, 128, 128, 512), (16, 50, 40, 160))  # B, T, F, U
KERAS = {"simple_rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
TORCH = {"simple_rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
Run = Callable[[], Any]


def keras_step(cell: Cell, inputs: np.ndarray, units: int, fused: bool, jit_compile: bool = False) -> Run:
    """The stock layer on the CPU, or the same weights in `run_recurrence`, as it is or with loops that XLA compiles."""
    cudnn = {} if cell == "simple_rnn" else {"use_cudnn": False}
    layer = KERAS[cell](units, return_sequences=True, return_state=True, **cudnn)
    layer.build((None, None, inputs.shape[-1]))
    values = tf.constant(inputs)
    state = [tf.zeros([len(inputs), units])] * (2 if cell == "lstm" else 1)
    weights = [variable.value for variable in layer.trainable_variables]

    @tf.function(input_signature=[tf.TensorSpec([None, None, inputs.shape[-1]])])
    def step(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            if fused:
                copies = [tf.identity(weight) for weight in weights]
                outputs, _ = run_recurrence(cell, x, None, state, copies, jit_compile)
            else:
                outputs, *_ = layer(x, initial_state=state)
            loss = tf.reduce_sum(outputs**2)
        return tape.gradient(loss, [x, *weights])

    return lambda: step(values)[-1].numpy()


def torch_step(cell: Cell, inputs: np.ndarray, units: int) -> Run:
    """The layer of PyTorch of the same sizes."""
    torch = importlib.import_module("torch")
    layer = getattr(torch.nn, TORCH[cell])(inputs.shape[-1], units, batch_first=True)
    values = torch.tensor(inputs, requires_grad=True)

    def step() -> None:
        layer.zero_grad()
        values.grad = None
        (layer(values)[0] ** 2).sum().backward()

    return step


def measure(runs: Mapping[str, Run], repeats: int) -> dict[str, tuple[float, float]]:
    """Least milliseconds of the clock, and of the processor, by name."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for run in runs.values():
        run()  # compiles
    for _, (name, run) in itertools.product(range(repeats), runs.items()):
        wall, processor = time.perf_counter(), time.process_time()
        run()
        times[name].append((1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)))
    return {name: (min(wall for wall, _ in pairs), min(cpu for _, cpu in pairs)) for name, pairs in times.items()}


def compare(cell: Cell, shape: Sequence[int], repeats: int, xla: bool) -> dict[str, str]:
    """One row of the table: the layer against the others, or against itself as XLA compiles it."""
    batch, length, features, units = shape
    inputs = np.random.default_rng(0).normal(size=(batch, length, features)).astype(np.float32)
    runs = {"fused": keras_step(cell, inputs, units, True)}
    if xla:
        runs["XLA"] = keras_step(cell, inputs, units, True, jit_compile=True)
    else:
        runs["Keras"] = keras_step(cell, inputs, units, False)
    if not xla and importlib.util.find_spec("torch"):
        runs["PyTorch"] = torch_step(cell, inputs, units)
    times = measure(runs, repeats)
    wall, processor = times.pop("fused")
    sizes = " ".join(str(size) for size in shape)
    command = f"python benchmarks/recurrent_layers.py --cells {cell} --shape {sizes}{' --xla' if xla else ''}"
    row = {"command": command, "ms": f"{wall:.1f}"}
    for peer, (peer_wall, peer_processor) in times.items():
        row[f"{peer}, ms"] = f"{peer_wall:.1f}"
        row[f"{peer}, ratio"] = f"{peer_wall / wall:.2f}"
        row[f"{peer}, ratio of processor time"] = f"{peer_processor / processor:.2f}"
    return row


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=[*KERAS], default=[*KERAS])
    parser.add_argument("--shape", type=int, nargs=4, metavar=("B", "T", "F", "U"), help="default: three shapes")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--xla", action="store_true", help="compare with the same layer compiled by XLA, alone")
    parser.add_argument("--results", action="store_true", help="write the rows into RESULTS.md")
    options = parser.parse_args(arguments)
    for cell, shape in itertools.product(options.cells, [options.shape] if options.shape else SHAPES):
        row = compare(cell, shape, options.repeats, options.xla) | {"machine": machine()}
        print("; ".join(f"{name}: {value}" for name, value in row.items()), flush=True)
        if options.results:
            record("recurrent-layers-xla" if options.xla else "recurrent-layers", row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
