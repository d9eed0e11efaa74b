import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.layers.explicit_state import initial_state, part_of, state_inputs, with_prefix
from runnel.shared.layers.recurrent_stack import RecurrentStack
from runnel.shared.layers.running_normalization import RunningNormalization


def layers():
    return [RunningNormalization(0.9, [1.0, 1.0], 4.0), keras.layers.Dense(3), RecurrentStack("lstm", 5)]


def test_one_flat_state_of_all_layers_that_have_one():
    state = initial_state(layers(), 2)
    assert {name: tuple(value.shape) for name, value in state.items()} == {
        **dict.fromkeys(("weight", "mean", "squares", "prior_weight"), (2, 2)),
        **dict.fromkeys(("hidden_0", "cell_0"), (2, 5)),
    }
    np.testing.assert_array_equal(state["prior_weight"], np.full((2, 2), 4.0))


def test_the_batch_may_be_known_only_in_the_graph():
    built = layers()
    function = tf.function(lambda size: initial_state(built, size), input_signature=[tf.TensorSpec([], tf.int32)])
    state = function(tf.constant(3))
    assert {value.shape[0] for value in state.values()} == {3}
    assert initial_state(layers(), 0)["hidden_0"].shape == (0, 5)


def test_two_layers_with_the_same_names_are_refused():
    with pytest.raises(ValueError, match=r"upper repeats the state names \['hidden_0'\]"):
        initial_state([RecurrentStack("gru", 5), RecurrentStack("gru", 5, name="upper")], 1)


def test_inputs_are_named_after_the_state():
    inputs = state_inputs(*layers())
    assert inputs.keys() == initial_state(layers(), 1).keys()
    assert {value.name for value in inputs.values()} == {f"state_{name}" for name in inputs}
    assert inputs["hidden_0"].shape == (None, 5)
    assert inputs["hidden_0"].dtype == "float32"


def test_a_part_is_found_again_among_others() -> None:
    inner = {"a": 1, "tail_b": 2}
    whole = {"a": 0, "tailor": 3} | with_prefix("tail", inner)
    assert whole == {"a": 0, "tailor": 3, "tail_a": 1, "tail_tail_b": 2}
    assert part_of(whole, "tail") == inner
    assert part_of(whole, "head") == {}
