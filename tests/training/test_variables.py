import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.training.checkpoint import Checkpoint
from runnel.shared.training.variables import assign_variables, load_weights, name_variables, read_variables


def one_weight_model() -> keras.Model:
    inputs = keras.Input([1])
    return keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))


def test_named_values_come_back() -> None:
    variables = name_variables("a", [tf.Variable([1.0, 2.0]), keras.Variable(3, dtype="int64")])
    arrays = read_variables(variables)
    assert list(arrays) == ["a/0", "a/1"]
    variables["a/0"].assign([0.0, 0.0])
    np.testing.assert_array_equal(arrays["a/0"], [1.0, 2.0])
    assign_variables(variables, arrays)
    np.testing.assert_array_equal(variables["a/0"].numpy(), [1.0, 2.0])
    assert variables["a/1"].numpy() == 3


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a/0": np.ones(2)}, r"nothing for a/1; expected \(\)"),
        ({"a/0": np.ones(3), "a/1": np.ones([])}, r"\(3,\) for a/0; expected \(2,\)"),
        ({"a/0": np.ones(2), "a/1": np.ones([]), "a/2": np.ones([])}, r"\(\) for a/2; expected nothing"),
    ],
)
def test_other_variables_are_refused_and_none_is_changed(arrays: dict[str, np.ndarray], message: str) -> None:
    variables = name_variables("a", [tf.Variable([7.0, 8.0]), tf.Variable(9.0)])
    with pytest.raises(InputError, match=message):
        assign_variables(variables, arrays)
    np.testing.assert_array_equal(variables["a/0"].numpy(), [7.0, 8.0])


def test_raw_or_averaged_weights_are_loaded() -> None:
    arrays = {"model/0": np.full([1, 1], 2.0), "optimizer/0": np.int64(0), "optimizer/1": np.full([1, 1], 3.0)}
    checkpoint = Checkpoint(1, arrays, {"averages": {"model/0": "optimizer/1"}}, is_best=True)
    model = one_weight_model()
    load_weights(model, checkpoint, averaged=False)
    assert model.get_weights()[0].item() == 2.0
    load_weights(model, checkpoint, averaged=True)
    assert model.get_weights()[0].item() == 3.0


def test_averages_that_were_not_kept_are_refused() -> None:
    checkpoint = Checkpoint(1, {"model/0": np.ones([1, 1])}, {"averages": {}}, is_best=True)
    with pytest.raises(ValueError, match="averaged=True for a run without use_ema"):
        load_weights(one_weight_model(), checkpoint, averaged=True)
