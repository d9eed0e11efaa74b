import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.layers.scan_time import scan_time


def step(row, state):
    total = state["total"] + row["x"]
    return {"total": total, "even": total % 2 == 0, "name": tf.strings.as_string(total)}, {"total": total}


def scan(x, static_time=None, batch=2):
    function = tf.function(
        lambda x, total: scan_time(step, {"x": x}, {"total": total}),
        input_signature=[tf.TensorSpec([None, static_time], tf.int64), tf.TensorSpec([None], tf.int64)],
    )
    return function.get_concrete_function(), (tf.constant(x, tf.int64), tf.constant([10] * batch, tf.int64))


@pytest.mark.parametrize("static_time", [None, 3])
def test_outputs_of_any_dtype_and_the_last_state(static_time):
    function, arguments = scan([[1, 2, 3], [0, 0, 1]], static_time)
    for outputs, state in (function(*arguments), scan_time(step, {"x": arguments[0]}, {"total": arguments[1]})):
        np.testing.assert_array_equal(outputs["total"], [[11, 13, 16], [10, 10, 11]])
        np.testing.assert_array_equal(outputs["even"], [[False, False, True], [True, True, False]])
        np.testing.assert_array_equal(outputs["name"], [[b"11", b"13", b"16"], [b"10", b"10", b"11"]])
        np.testing.assert_array_equal(state["total"], [16, 11])


@pytest.mark.parametrize("static_time", [None, 0])
@pytest.mark.parametrize("batch", [0, 2])
def test_no_time_steps_give_empty_outputs_and_the_given_state(static_time, batch):
    function, arguments = scan(np.zeros((batch, 0)), static_time, batch)
    outputs, state = function(*arguments)
    assert {name: (value.shape, value.dtype) for name, value in outputs.items()} == {
        "total": ((batch, 0), tf.int64),
        "even": ((batch, 0), tf.bool),
        "name": ((batch, 0), tf.string),
    }
    np.testing.assert_array_equal(state["total"], [10] * batch)


@pytest.mark.parametrize(("static_time", "loops"), [(1, 0), (None, 1), (2, 1)])
def test_only_a_static_length_of_one_is_free_of_loops(static_time, loops):
    function, _ = scan(np.zeros((2, 1)), static_time)
    assert [op.type for op in function.graph.get_operations()].count("While") + [
        op.type for op in function.graph.get_operations()
    ].count("StatelessWhile") == loops


def test_one_time_step_through_both_ways():
    results = [function(*arguments) for function, arguments in (scan([[1], [2]], 1), scan([[1], [2]], None))]
    np.testing.assert_array_equal(results[0][0]["total"], results[1][0]["total"])
    np.testing.assert_array_equal(results[0][1]["total"], results[1][1]["total"])


def test_gradients_flow_through_time():
    def product(row, state):
        value = state["value"] * row["x"]
        return {"value": value}, {"value": value}

    x, start = tf.constant([[2.0, 3.0, 5.0]]), tf.constant([7.0])
    with tf.GradientTape() as tape:
        tape.watch([x, start])
        outputs, state = tf.function(lambda x, start: scan_time(product, {"x": x}, {"value": start}))(x, start)
        loss = tf.reduce_sum(outputs["value"][:, :2]) + state["value"][0]
    by_x, by_start = tape.gradient(loss, [x, start])
    np.testing.assert_allclose(by_x, [[7 + 21 + 105, 14 + 70, 42]])
    np.testing.assert_allclose(by_start, [2 + 6 + 30])


def test_a_step_may_use_tensors_around_it():
    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def scaled(x):
        factor = tf.reduce_max(x)

        def step(row, state):
            return {"y": factor * row["x"]}, state

        return scan_time(step, {"x": x}, {})

    outputs, _ = scaled(np.array([[1, 2, 4]], np.float32))
    np.testing.assert_array_equal(outputs["y"], [[4, 8, 16]])
