import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.streaming.run_in_blocks import run_in_blocks

BLOCK = 4


def running_sum(rows, state):
    """Sums over time, and how many rows each call saw beside them."""
    total = state["total"][:, None] + tf.cumsum(rows["x"], axis=1)
    length = tf.shape(rows["x"])[1]
    outputs = {"total": total, "call_length": tf.fill([tf.shape(rows["x"])[0], length], length)}
    return outputs, {"total": state["total"] + tf.reduce_sum(rows["x"], axis=1), "rows": state["rows"] + length}


def state_of(batch):
    return {"total": tf.zeros([batch, 2]), "rows": tf.zeros([batch], tf.int32)}


def numbers(batch, time):
    return np.random.default_rng(0).normal(size=(batch, time, 2)).astype(np.float32)


@tf.function(input_signature=[tf.TensorSpec([None, None, 2])])
def blocked(x):
    return run_in_blocks(running_sum, {"x": x}, state_of(tf.shape(x)[0]), BLOCK)


@pytest.mark.parametrize("time", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 2])
@pytest.mark.parametrize("batch", [1, 3])
def test_equals_one_call(batch, time):
    x = numbers(batch, time)
    outputs, state = blocked(x)
    np.testing.assert_allclose(outputs["total"], np.cumsum(x, axis=1), atol=1e-5)
    np.testing.assert_allclose(state["total"], x.sum(axis=1), atol=1e-5)
    assert state["rows"].numpy().tolist() == [time] * batch


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_no_time_steps_give_empty_outputs_and_the_same_state(batch):
    outputs, state = blocked(numbers(batch, 0))
    assert outputs["total"].shape == (batch, 0, 2)
    assert outputs["call_length"].shape == (batch, 0)
    assert outputs["call_length"].dtype == tf.int32
    np.testing.assert_array_equal(state["total"], np.zeros((batch, 2)))


def test_no_call_sees_more_rows_than_a_block():
    outputs, _ = blocked(numbers(1, 3 * BLOCK + 2))
    assert outputs["call_length"][0].numpy().tolist() == [BLOCK] * 3 * BLOCK + [2, 2]


def test_one_time_step_comes_with_a_static_length():
    lengths = []

    def advance(rows, state):
        lengths.append(rows["x"].shape[1])
        return {"x": rows["x"]}, state

    @tf.function(input_signature=[tf.TensorSpec([None, None, 2])])
    def run(x):
        return run_in_blocks(advance, {"x": x}, {"total": tf.zeros([1])}, BLOCK)[0]["x"]

    run(numbers(1, 1))
    assert 1 in lengths
    assert None in lengths


def test_the_static_branch_is_the_one_that_runs():
    def advance(rows, state):
        static = rows["x"].shape[1] == 1
        return {"static": tf.fill(tf.shape(rows["x"])[:2], static)}, state

    @tf.function(input_signature=[tf.TensorSpec([None, None, 2])])
    def run(x):
        return run_in_blocks(advance, {"x": x}, {"total": tf.zeros([1])}, BLOCK)[0]["static"]

    assert run(numbers(1, 1)).numpy().tolist() == [[True]]
    assert run(numbers(1, 2)).numpy().tolist() == [[False, False]]


def test_without_a_branch_of_its_own_one_time_step_gives_the_same():
    lengths = []

    def advance(rows, state):
        lengths.append(rows["x"].shape[1])
        return running_sum(rows, state)

    @tf.function(input_signature=[tf.TensorSpec([None, None, 2])])
    def run(x):
        return run_in_blocks(advance, {"x": x}, state_of(tf.shape(x)[0]), BLOCK, often_one=False)

    for time in (0, 1, BLOCK + 1):
        (outputs, state), (expected, expected_state) = run(numbers(2, time)), blocked(numbers(2, time))
        np.testing.assert_array_equal(outputs["total"], expected["total"])
        np.testing.assert_array_equal(state["total"], expected_state["total"])
    assert lengths == [None]


@pytest.mark.parametrize("time", [0, 1, BLOCK + 1])
def test_length_known_when_the_graph_is_made(time):
    x = numbers(2, time)
    outputs, _ = tf.function(lambda x: run_in_blocks(running_sum, {"x": x}, state_of(2), BLOCK))(x)
    np.testing.assert_allclose(outputs["total"], np.cumsum(x, axis=1), atol=1e-5)


def test_eager_call():
    x = numbers(2, BLOCK + 1)
    outputs, _ = run_in_blocks(running_sum, {"x": tf.constant(x)}, state_of(2), BLOCK)
    np.testing.assert_allclose(outputs["total"], np.cumsum(x, axis=1), atol=1e-5)


def test_several_sequences_of_different_shapes_and_kinds():
    def advance(rows, state):
        return {"sum": rows["values"] * tf.cast(rows["weight"], tf.float32)[..., None]}, state

    values, weights = numbers(2, 9), np.arange(18).reshape(2, 9)
    sequences = {"values": tf.constant(values), "weight": tf.constant(weights)}
    outputs, _ = run_in_blocks(advance, sequences, {"none": tf.zeros([2])}, BLOCK)
    np.testing.assert_allclose(outputs["sum"], values * weights[..., None], rtol=1e-6)


def test_a_state_that_changes_its_shape_is_refused():
    def advance(rows, state):
        return {"x": rows["x"]}, {"total": tf.concat([state["total"], state["total"]], axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None, None, 2])])
    def run(x):
        return run_in_blocks(advance, {"x": x}, {"total": tf.zeros([1, 2])}, BLOCK)

    with pytest.raises(ValueError, match="shape"):
        run(numbers(1, 2))
