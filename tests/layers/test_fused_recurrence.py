import keras
import numpy as np
import pytest
import tensorflow as tf
from contracts.cases import random_weights

from runnel.shared.layers.fused_recurrence import run_recurrence

CELLS = {"simple_rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
BATCH, FEATURES, UNITS = 4, 3, 5


def noise(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def mask_of(length):
    """All valid, a hole, padding, and padding alone."""
    mask = np.ones((BATCH, length), bool)
    mask[1, 1:3], mask[2, length // 2 :], mask[3] = False, False, False
    return tf.constant(mask)


class Problem:
    """A stock layer, a sequence, and a weighted sum of all outputs at valid positions and of the final state."""

    def __init__(self, cell, length, masked):
        self.cell = cell
        cudnn = {} if cell == "simple_rnn" else {"use_cudnn": False}
        self.layer = CELLS[cell](UNITS, return_sequences=True, return_state=True, **cudnn)
        self.layer.build((None, None, FEATURES))
        random_weights(self.layer)
        self.inputs = noise(BATCH, length, FEATURES)
        self.state = [noise(BATCH, UNITS, seed=index + 1) for index in range(2 if cell == "lstm" else 1)]
        self.mask = mask_of(length) if masked else None
        self.weights = [variable.value for variable in self.layer.trainable_variables]

    def stock(self, inputs, mask, state):
        outputs, *final = self.layer(inputs, initial_state=state, mask=mask)
        return outputs, final

    def fused(self, inputs, mask, state, jit_compile=False):
        weights = [tf.cast(weight, inputs.dtype) for weight in self.weights]
        return run_recurrence(self.cell, inputs, mask, state, weights, jit_compile)

    def results(self, run):
        """Outputs at valid positions, final state and all gradients."""
        with tf.GradientTape() as tape:
            tape.watch([self.inputs, *self.state])
            outputs, final = run(self.inputs, self.mask, self.state)
            if self.mask is not None:
                outputs = tf.where(self.mask[..., None], outputs, tf.zeros_like(outputs))
            sums = [
                tf.reduce_sum(value * noise(*value.shape, seed=7 + index))
                for index, value in enumerate([outputs, *final])
            ]
            total = tf.add_n(sums)
        taken_by = [self.inputs, *self.state, *self.weights]
        return [outputs, *final, *tape.gradient(total, taken_by, unconnected_gradients="zero")]


def compiled(run):
    """As a graph of unknown batch and time."""

    def general(inputs, mask, state):
        spec = tf.TensorSpec([None, None, FEATURES], inputs.dtype)
        mask_spec = None if mask is None else tf.TensorSpec([None, None], tf.bool)
        states = [tf.TensorSpec([None, UNITS], value.dtype) for value in state]
        if mask is None:
            return tf.function(lambda x, s: run(x, None, s), input_signature=[spec, states])(inputs, state)
        return tf.function(run, input_signature=[spec, mask_spec, states])(inputs, mask, state)

    return general


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("length", [1, 7])
@pytest.mark.parametrize("cell", CELLS)
def test_values_state_and_gradients_are_those_of_the_stock_layer(cell, length, masked):
    problem = Problem(cell, length, masked)
    expected = problem.results(problem.stock)
    for run in (problem.fused, compiled(problem.fused)):
        for value, stock in zip(problem.results(run), expected, strict=True):
            np.testing.assert_allclose(value, stock, rtol=0, atol=1e-5 * max(1, np.abs(stock).max()))


@pytest.mark.parametrize("cell", CELLS)
def test_no_time_steps_pass_the_state_and_its_gradient_on(cell):
    problem = Problem(cell, 0, masked=True)
    states = len(problem.state)
    for run in (problem.fused, compiled(problem.fused)):
        outputs, *values = problem.results(run)
        assert outputs.shape == (BATCH, 0, UNITS)
        final, (by_inputs, *by_state), by_weights = values[:states], values[states : 2 * states + 1], values[-3:]
        assert by_inputs.shape == problem.inputs.shape
        for index in range(states):
            np.testing.assert_array_equal(final[index], problem.state[index])
            np.testing.assert_array_equal(by_state[index], noise(BATCH, UNITS, seed=8 + index))
        for gradient in by_weights:
            np.testing.assert_array_equal(gradient, np.zeros(gradient.shape))


@pytest.mark.parametrize("cell", CELLS)
def test_an_invalid_position_repeats_the_hidden_state_before_it(cell):
    problem = Problem(cell, 7, masked=True)
    outputs, final = problem.fused(problem.inputs, problem.mask, problem.state)
    np.testing.assert_array_equal(outputs[1, 1:3], np.repeat(outputs[1, :1], 2, axis=0))
    np.testing.assert_array_equal(outputs[3], np.repeat(problem.state[0][3:], 7, axis=0))
    np.testing.assert_array_equal(outputs[:, -1], final[0])


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_in_bfloat16_are_those_of_float32_up_to_its_rounding(cell):
    """Sums over thousands of positions, which bfloat16 with its 8 bits cannot add one by one."""
    problem = Problem(cell, 1, masked=False)
    problem.inputs, problem.state = noise(40, 100, FEATURES), [noise(40, UNITS) for _ in problem.state]

    def gradients(dtype):
        def run(inputs, mask, state):
            outputs, final = problem.fused(tf.cast(inputs, dtype), mask, [tf.cast(s, dtype) for s in state])
            assert {outputs.dtype, *(value.dtype for value in final)} == {dtype}
            return tf.cast(outputs, tf.float32), [tf.cast(value, tf.float32) for value in final]

        with tf.GradientTape() as tape:
            outputs, _ = run(problem.inputs, None, problem.state)
            loss = tf.reduce_mean((outputs - 0.3) ** 2)
        return tape.gradient(loss, problem.weights)

    for rounded, exact in zip(gradients(tf.bfloat16), gradients(tf.float32), strict=True):
        assert np.linalg.norm(rounded - exact) < 0.02 * np.linalg.norm(exact)


@pytest.mark.parametrize("cell", CELLS)
def test_the_loops_hold_one_product_each(cell):
    problem = Problem(cell, 7, masked=True)
    function = tf.function(lambda: problem.results(problem.fused)).get_concrete_function()
    bodies = [f for f in function.graph.as_graph_def().library.function if "_body_" in f.signature.name]
    assert len(bodies) == 2
    for body in bodies:
        assert [node.op for node in body.node_def].count("MatMul") == 1


@pytest.mark.parametrize("cell", CELLS)
def test_xla_compiles_both_loops_when_asked_and_changes_nothing_else(cell):
    problem = Problem(cell, 7, masked=True)

    def by_xla(inputs, mask, state):
        return problem.fused(inputs, mask, state, jit_compile=True)

    def compiled_functions(run):
        library = tf.function(lambda: problem.results(run)).get_concrete_function().graph.as_graph_def().library
        return [f.signature.name for f in library.function if f.attr["_XlaMustCompile"].b]

    names = compiled_functions(by_xla)
    assert [len([name for name in names if part in name]) for part in ("_forward", "_backward")] == [1, 1]
    assert compiled_functions(problem.fused) == []
    for value, plain in zip(problem.results(compiled(by_xla)), problem.results(problem.fused), strict=True):
        np.testing.assert_allclose(value, plain, rtol=0, atol=1e-5 * max(1, np.abs(plain).max()))
