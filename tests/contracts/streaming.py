"""The streaming contract (rows 1 to 7 of the design), once, for layers, applications and exports.

Each check is a plain function of a `Stream` and an `Example`, and fails with an AssertionError. Outputs are compared at
valid positions; those named in `Stream.final` hold only what is known after the last time step of a call.
"""

import io
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from runnel.shared.export.verify import ranked_distance

Tensors = Mapping[str, Any]
Results = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]  # outputs, state
Twin = Callable[[Mapping[str, np.ndarray]], Results]

TOLERANCE = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-10}  # relative to the output scale
RANKED = {"suggestions": "scores"}  # lists of text, best first, that may differ where their scores tie


class Stream(Protocol):
    """What carries a state over time, seen through tensors whose first two dimensions are batch and time.

    Text joins by one byte, audio by one sample, a time step: an adapter puts them together.
    """

    @property
    def final(self) -> Collection[str]:
        """Names of the outputs without a time dimension."""

    def initial_state(self, batch: int) -> Tensors:
        """The state before anything, each tensor [batch, ...]."""

    def run(self, inputs: Tensors, mask: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        """Any number of time steps, none included: inputs [B, T, ...], mask bool [B, T], valid positions first."""

    def step(self, inputs_t: Tensors, mask_t: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        """One time step: inputs [B, ...], mask bool [B]."""


@dataclass(frozen=True)
class Example:
    """A padded batch: inputs [B, T, ...], and how many valid time steps stand first in each row."""

    inputs: Mapping[str, np.ndarray]
    lengths: Sequence[int]

    @property
    def rows(self) -> int:
        return len(self.lengths)

    @property
    def time(self) -> int:
        return next(iter(self.inputs.values())).shape[1]

    @property
    def mask(self) -> np.ndarray:
        return np.arange(self.time) < np.asarray(self.lengths)[:, None]

    def piece(self, begin: int, end: int) -> "Example":
        """The time steps `begin` .. `end`."""
        lengths = [min(max(length - begin, 0), end - begin) for length in self.lengths]
        return Example({name: values[:, begin:end] for name, values in self.inputs.items()}, lengths)

    def row(self, row: int) -> "Example":
        """One row without its padding."""
        length = self.lengths[row]
        return Example({name: values[row : row + 1, :length] for name, values in self.inputs.items()}, [length])

    def with_garbage(self, where: np.ndarray) -> "Example":
        """Values that nobody could want at positions [B, T]."""
        spoiled = {name: np.array(values) for name, values in self.inputs.items()}
        for values in spoiled.values():
            values[where] = _garbage(values.dtype)
        return Example(spoiled, self.lengths)


class Compiled:
    """A stream whose functions are graphs that know neither the batch nor the time."""

    def __init__(self, stream: Stream, example: Example) -> None:
        self.final, self.initial_state = stream.final, stream.initial_state
        sequences = {name: _spec(values, 2) for name, values in example.inputs.items()}
        steps = {name: _spec(values[:, 0], 1) for name, values in example.inputs.items()}
        state = {name: _spec(value, 1) for name, value in stream.initial_state(1).items()}
        mask = tf.TensorSpec([None, None], tf.bool)
        self.run = tf.function(stream.run, input_signature=[sequences, mask, state])
        self.step = tf.function(stream.step, input_signature=[steps, tf.TensorSpec([None], tf.bool), state])


# === 1 ===


def check_whole_equals_steps(stream: Stream, example: Example) -> None:
    """Row 1: a whole sequence gives what its time steps give one by one, values and final state."""
    steps = _steps(stream, example.with_garbage(~example.mask))
    _assert_same(steps, _whole(stream, example), example.mask, stream.final)


def check_functions_equal_eager(stream: Stream, compiled: Compiled, example: Example) -> None:
    """Row 1: the same in eager mode and in `tf.function` with unknown batch and time."""
    for piece in (example, example.piece(0, 1), example.piece(0, 0), example.row(0)):
        _assert_same(_whole(compiled, piece), _whole(stream, piece), piece.mask, stream.final)
    _assert_same(_steps(compiled, example.piece(0, 3)), _whole(stream, example.piece(0, 3)), None, stream.final)


def check_gradients(stream: Stream, example: Example, variables: Sequence[tf.Variable], by_inputs: bool = True) -> None:
    """Row 1 for layers: whole sequence and time steps give the same gradients; row 3: NaN under the mask spoils none.

    Gradients of a weighted sum of all float outputs and states, by the variables and, where `by_inputs`, by the inputs
    and the initial state.
    """
    expected = _gradients(stream, example, variables, by_inputs, _run_whole)
    scale = max(np.abs(gradient).max() for gradient in expected.values())
    assert np.isfinite(scale)
    assert scale > 0, "nothing depends on what the gradient is taken by"
    for gradients in (
        _gradients(stream, example, variables, by_inputs, _run_steps),
        _gradients(stream, example.with_garbage(~example.mask), variables, by_inputs, _run_whole),
        _gradients(stream, example.with_garbage(~example.mask), variables, by_inputs, _run_steps),
    ):
        for name, gradient in expected.items():
            np.testing.assert_allclose(gradients[name], gradient, rtol=0, atol=1e-5 * scale, err_msg=name)


# === 2 ===


def check_any_chunking(stream: Stream, example: Example) -> None:
    """Row 2: pieces of 1, 2 and 7 time steps, ragged ones, empty ones among them."""
    ragged = [0, *sorted({0, 1, example.time // 3, example.time - 1, example.time})]
    for cuts in (*(range(0, example.time, size) for size in (1, 2, 7)), ragged, [0, 0, 0]):
        check_chunks(stream, example, cuts)


def check_chunks(stream: Stream, example: Example, cuts: Iterable[int]) -> None:
    """Row 2: the pieces between these cuts, and the last one up to the end, give what the whole gives."""
    edges = [*cuts, example.time]
    pieces = (example.piece(begin, end) for begin, end in itertools.pairwise(edges))
    _assert_same(_chunks(stream, pieces, example.rows), _whole(stream, example), example.mask, stream.final)


# === 3 ===


def check_padding(stream: Stream, example: Example) -> None:
    """Row 3: garbage at invalid positions and more padding change nothing; a row may be padding alone."""
    assert 0 in example.lengths, "the example has no fully padded row"
    expected = _whole(stream, example)
    spoiled = example.with_garbage(~example.mask)
    _assert_same(_whole(stream, spoiled), expected, example.mask, stream.final)

    longer = Example({name: np.concatenate([v, v[:, :5]], 1) for name, v in example.inputs.items()}, example.lengths)
    outputs, state = _whole(stream, longer.with_garbage(~longer.mask))
    outputs = {name: v if name in stream.final else v[:, : example.time] for name, v in outputs.items()}
    _assert_same((outputs, state), expected, example.mask, stream.final)

    empty = example.lengths.index(0)
    for name, value in stream.initial_state(example.rows).items():
        np.testing.assert_array_equal(state[name][empty], np.asarray(value)[empty], err_msg=name)


# === 4 ===


def check_rows_do_not_leak(stream: Stream, example: Example) -> None:
    """Row 4: a row gives the same alone, among others, among garbage, and after its state moved to another batch."""
    outputs, state = _whole(stream, example)
    for row in range(example.rows):
        alone = example.row(row)
        expected = (_row(outputs, row, alone.time, stream.final), _row(state, row))
        _assert_same(_whole(stream, alone), expected, alone.mask, stream.final)

        others = np.arange(example.rows) != row
        spoiled = example.with_garbage(np.repeat(others[:, None], example.time, axis=1))
        among = _whole(stream, Example(spoiled.inputs, [example.time if o else alone.time for o in others]))
        among = (_row(among[0], row, alone.time, stream.final), _row(among[1], row))
        _assert_same(among, expected, alone.mask, stream.final)
    _check_states_can_be_gathered(stream, example, (outputs, state))


def _check_states_can_be_gathered(stream: Stream, example: Example, expected: Results) -> None:
    middle = example.time // 2
    order = np.arange(example.rows)[::-1]
    _, state = _whole(stream, example.piece(0, middle))
    rest = example.piece(middle, example.time)
    gathered = Example({name: v[order] for name, v in rest.inputs.items()}, [rest.lengths[row] for row in order])
    outputs, state = _whole(stream, gathered, {name: value[order] for name, value in state.items()})
    outputs, state = ({name: value[order] for name, value in values.items()} for values in (outputs, state))
    tail = {name: value if name in stream.final else value[:, middle:] for name, value in expected[0].items()}
    _assert_same((outputs, state), (tail, expected[1]), rest.mask, stream.final)


# === 5 ===


def check_causality(stream: Stream, example: Example) -> None:
    """Row 5: garbage from some time on changes no output before it."""
    expected, _ = _whole(stream, example)
    for time in (1, example.time // 2, example.time - 1):
        future = np.repeat(np.arange(example.time)[None] >= time, example.rows, axis=0)
        outputs, _ = _whole(stream, example.with_garbage(future & example.mask))
        past = {name: values[:, :time] for name, values in outputs.items() if name not in stream.final}
        wanted = {name: expected[name][:, :time] for name in past}
        _assert_same((past, {}), (wanted, {}), example.mask[:, :time], stream.final)


# === 6 ===


def check_state_form(stream: Stream, example: Example) -> None:
    """Row 6: names, shapes and dtypes of the state stay, with the batch first, however long the stream runs."""
    form = _form(stream.initial_state(example.rows))
    assert all(shape[:1] == (example.rows,) for shape, _ in form.values()), form
    state: Tensors = stream.initial_state(example.rows)
    for begin, end in ((0, 0), (0, 1), (0, example.time), *[(0, 7)] * 20):
        piece = example.piece(begin, end)
        _, state = stream.run(*_arguments(piece), state)
        assert _form(state) == form


def check_state_survives_serialisation(stream: Stream, example: Example) -> None:
    """Row 6: a state that goes through bytes in the middle of a stream continues as if nothing had happened."""
    middle = example.time // 2
    _, state = _whole(stream, example.piece(0, middle))
    file = io.BytesIO()
    np.savez(file, **state)
    with np.load(io.BytesIO(file.getvalue())) as loaded:
        restored = {name: loaded[name] for name in loaded.files}
    rest = example.piece(middle, example.time)
    _assert_same(_whole(stream, rest, restored), _whole(stream, rest, state), rest.mask, stream.final, tolerance=0)


# === 7 ===


def check_twin(stream: Stream, example: Example, twin: Twin) -> None:
    """Row 7: each row equals an independent NumPy implementation of the equations, which knows no padding."""
    outputs, state = _whole(stream, example)
    for row, length in enumerate(example.lengths):
        if length:
            expected = twin({name: values[row, :length] for name, values in example.inputs.items()})
            actual = (_row(outputs, row, length, stream.final), _row(state, row))
            actual = tuple({name: value[0] for name, value in values.items()} for values in actual)
            _assert_close(actual[0], {name: expected[0][name] for name in actual[0]})
            _assert_close(actual[1], {name: expected[1][name] for name in actual[1]})


ROWS: tuple[Callable[[Stream, Example], None], ...] = (
    check_whole_equals_steps,
    check_any_chunking,
    check_padding,
    check_rows_do_not_leak,
    check_causality,
    check_state_form,
    check_state_survives_serialisation,
)
"""What holds for every stream; gradients, twins and eager mode need more than a stream and an example."""


def _arguments(example: Example) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
    return {name: tf.constant(values) for name, values in example.inputs.items()}, tf.constant(example.mask)


def _run_whole(stream: Stream, inputs: Tensors, mask: Any, state: Tensors) -> tuple[Tensors, Tensors]:
    return stream.run(inputs, mask, state)


def _run_steps(stream: Stream, inputs: Tensors, mask: Any, state: Tensors) -> tuple[Tensors, Tensors]:
    outputs = []
    for time in range(mask.shape[1]):
        output, state = stream.step({name: values[:, time] for name, values in inputs.items()}, mask[:, time], state)
        outputs.append(output)
    stacked = {name: tf.stack([output[name] for output in outputs], axis=1) for name in outputs[0]}
    return {name: outputs[-1][name] if name in stream.final else stacked[name] for name in stacked}, state


def _whole(stream: Stream, example: Example, state: Tensors | None = None) -> Results:
    state = stream.initial_state(example.rows) if state is None else state
    tensors = {name: tf.constant(value) for name, value in state.items()}
    return _arrays(_run_whole(stream, *_arguments(example), tensors))


def _steps(stream: Stream, example: Example) -> Results:
    return _arrays(_run_steps(stream, *_arguments(example), dict(stream.initial_state(example.rows))))


def _chunks(stream: Stream, pieces: Iterator[Example], rows: int) -> Results:
    outputs, state = [], dict(stream.initial_state(rows))
    for piece in pieces:
        output, state = stream.run(*_arguments(piece), state)
        outputs.append(output)
    joined = {
        name: outputs[-1][name] if name in stream.final else tf.concat([output[name] for output in outputs], axis=1)
        for name in outputs[0]
    }
    return _arrays((joined, state))


def _gradients(
    stream: Stream, example: Example, variables: Sequence[tf.Variable], by_inputs: bool, run: Callable
) -> dict[str, np.ndarray]:
    inputs, mask = _arguments(example)
    state = dict(stream.initial_state(example.rows))
    watched = {f"input {name}": v for name, v in inputs.items()} | {f"state {name}": v for name, v in state.items()}
    watched = {name: value for name, value in watched.items() if value.dtype.is_floating and by_inputs}
    sources = watched | {f"variable {index}": variable for index, variable in enumerate(variables)}
    with tf.GradientTape() as tape:
        tape.watch(list(watched.values()))
        outputs, final_state = run(stream, inputs, mask, state)
        outputs = {name: tf.where(_wide(mask, v), v, tf.zeros_like(v)) for name, v in outputs.items()}
        loss = sum(_weighted_sum(value) for values in (outputs, final_state) for value in values.values())
    gradients = tape.gradient(loss, sources, unconnected_gradients="zero")
    return {name: np.asarray(tf.convert_to_tensor(gradient)) for name, gradient in gradients.items()}


def _weighted_sum(values: tf.Tensor) -> Any:
    if not values.dtype.is_floating:
        return 0.0
    weights = tf.reshape(tf.cos(tf.range(tf.size(values), dtype=values.dtype)), tf.shape(values))
    return tf.reduce_sum(weights * tf.where(tf.math.is_finite(values), values, tf.zeros_like(values)))


def _arrays(results: tuple[Tensors, Tensors]) -> Results:
    outputs, state = ({name: np.asarray(value) for name, value in values.items()} for values in results)
    return outputs, state


def _assert_same(
    actual: Results, expected: Results, mask: np.ndarray | None, final: Collection[str], tolerance: float | None = None
) -> None:
    actual_outputs, expected_outputs = (
        {
            name: values
            if mask is None or name in final
            else np.where(_wide(mask, values), values, values.dtype.type())
            for name, values in results[0].items()
        }
        for results in (actual, expected)
    )
    _assert_close(actual_outputs, expected_outputs, tolerance)
    _assert_close(actual[1], expected[1], tolerance)


def _assert_close(actual: Tensors, expected: Tensors, tolerance: float | None = None) -> None:
    assert actual.keys() == expected.keys()
    for name, values in actual.items():
        wanted = expected[name]
        assert values.shape == wanted.shape, f"{name}: {values.shape}, expected {wanted.shape}"
        if name in RANKED and tolerance is None:
            by = RANKED[name]
            assert ranked_distance(values, wanted, actual[by], expected[by]) == 0, (
                f"{name}: {values}, expected {wanted}"
            )
            continue
        if values.dtype.kind != "f":
            np.testing.assert_array_equal(values, wanted, err_msg=name)
            continue
        relative = TOLERANCE[values.dtype.name] if tolerance is None else tolerance
        scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0)
        np.testing.assert_allclose(values, wanted, rtol=0, atol=relative * scale, equal_nan=True, err_msg=name)


def _row(values: Tensors, row: int, length: int | None = None, final: Collection[str] = ()) -> dict[str, np.ndarray]:
    return {
        name: value[row : row + 1] if length is None or name in final else value[row : row + 1, :length]
        for name, value in values.items()
    }


def _form(state: Tensors) -> dict[str, tuple]:
    return {name: (tuple(value.shape), value.dtype) for name, value in state.items()}


def _wide(mask: Any, values: Any) -> Any:
    """The mask [B] or [B, T] with as many dimensions as the values that it selects from."""
    return mask[(...,) + (None,) * (len(values.shape) - len(mask.shape))]


def _garbage(dtype: np.dtype) -> Any:
    if dtype.kind == "f":
        return np.nan
    return np.iinfo(dtype).max if dtype.kind in "iu" else dtype.type()


def _spec(values: Any, unknown: int) -> tf.TensorSpec:
    return tf.TensorSpec([None] * unknown + list(values.shape[unknown:]), values.dtype)
