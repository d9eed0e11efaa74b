from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from contracts.cases import random_weights

from runnel.shared.layers.causal_convolution import CausalConvolution
from runnel.shared.layers.explicit_state import state_inputs


def built(filters=3, bands=7, channels=1, **options):
    layer = CausalConvolution(filters, bands, channels, **options)
    layer.build()
    random_weights(layer)
    return layer


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_values_worked_by_hand():
    layer = CausalConvolution(1, bands=3, kernel=(2, 3), name="front")
    layer.build()
    before, now = [[0, 10, 0]], [[1, 2, 3]]  # the weights of the frame before and of this one, over three bands
    layer.set_weights([np.array(before + now, np.float32)[..., None, None], np.array([-4], np.float32)])
    outputs, state = layer(np.array([[[1, 0, 2], [0, 1, 0]]], np.float32))
    # Frame 0: 2 * 1 + 3 * 0, 1 * 1 + 2 * 0 + 3 * 2, 1 * 0 + 2 * 2. Frame 1: 3, 2, 1 and ten times frame 0. Then -4.
    np.testing.assert_array_equal(outputs[0, :, :, 0], [[0, 3, 0], [10 - 1, 0, 20 - 3]])
    np.testing.assert_array_equal(state["front_frames"][0, :, :, 0], [[0, 1, 0]])


@pytest.mark.parametrize("bands", [7, 8, 40])
@pytest.mark.parametrize(("width", "stride"), [(8, 1), (8, 4), (3, 2), (3, 3), (1, 1)])
def test_over_the_bands_it_pads_as_tensorflow_does(bands, width, stride):
    layer = built(bands=bands, kernel=(1, width), strides=(1, stride), activation=None)
    inputs = noise(2, 3, bands)
    outputs, state = layer(inputs)
    kernel, bias = layer.get_weights()
    expected = tf.nn.conv2d(inputs[..., None], kernel, [1, 1, stride, 1], "SAME") + bias
    assert outputs.shape == (2, 3, layer.output_bands, 3)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert state[f"{layer.name}_frames"].shape == (2, 0, bands, 1)  # one frame alone needs none before it


def test_a_layer_starts_as_if_zeros_stood_before():
    layer = built(kernel=(4, 3), channels=2)
    inputs = noise(2, 5, 7, 2)
    padded = np.concatenate([np.zeros((2, 3, 7, 2), np.float32), inputs], axis=1)
    np.testing.assert_allclose(layer(inputs)[0], layer(padded)[0][:, 3:], atol=1e-5)


def test_the_state_holds_the_last_valid_frames():
    layer = built(kernel=(4, 3), name="front")
    inputs, mask = noise(3, 5, 7), np.arange(5) < np.array([[5], [2], [0]])
    _, state = layer(np.where(mask[..., None], inputs, np.nan), mask)
    expected = np.zeros((3, 3, 7, 1), np.float32)
    expected[0, :, :, 0], expected[1, 1:, :, 0] = inputs[0, 2:], inputs[1, :2]
    np.testing.assert_array_equal(state["front_frames"], expected)


@pytest.mark.parametrize("kernel", [(1, 3), (4, 3)])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("batch", "time"), [(2, 0), (0, 3), (0, 0)])
def test_nothing_gives_nothing_and_keeps_the_state(kernel, masked, batch, time):
    layer = built(kernel=kernel, strides=(1, 2), name="front")
    state = {"front_frames": tf.constant(noise(batch, kernel[0] - 1, 7, 1))}
    variables = [variable.value for variable in layer.trainable_variables]
    mask = tf.ones([batch, time], tf.bool) if masked else None
    inputs = tf.zeros([batch, time, 7])
    for call in (layer, tf.function(layer, autograph=False)):
        with tf.GradientTape() as tape:
            outputs, after = call(inputs, mask=mask, initial_state=state)
            loss = tf.reduce_sum(outputs)
        assert outputs.shape == (batch, time, 4, 3)
        np.testing.assert_array_equal(after["front_frames"], state["front_frames"])
        for gradient in tape.gradient(loss, variables, unconnected_gradients="zero"):
            np.testing.assert_array_equal(gradient, np.zeros(gradient.shape))


def test_outputs_are_zeros_where_the_mask_is_false():
    layer = built(activation="sigmoid")
    outputs, _ = layer(noise(1, 4, 7), mask=np.array([[True, True, False, False]]))
    assert np.all(outputs[:, :2] > 0)
    np.testing.assert_array_equal(outputs[:, 2:], np.zeros((1, 2, 7, 3)))


def test_half_precision_keeps_its_dtype():
    layer = built(dtype="mixed_float16", name="front")
    outputs, state = layer(noise(2, 3, 7))
    assert outputs.dtype == state["front_frames"].dtype == layer.initial_state(1)["front_frames"].dtype == tf.float16
    assert layer.convolution.kernel.dtype == "float32"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": 0, "bands": 4}, "'filters': 0"),
        ({"filters": 1, "bands": 0}, "'bands': 0"),
        ({"filters": 1, "bands": 4, "kernel": (0, 3)}, "'kernel': 0"),
        ({"filters": 1, "bands": 4, "strides": (1, 0)}, "'strides': 0"),
        ({"filters": 1, "bands": 4, "strides": (2, 1)}, r"strides=\(2, 1\); expected 1 as the first"),
        ({"filters": 1, "bands": 4, "strides": (1, 4)}, "below 4, the bands"),
        ({"filters": 1, "bands": 9, "kernel": (5, 2), "strides": (1, 3)}, "at most 2, the kernel's width"),
    ],
)
def test_sizes_have_bounds(options, message):
    with pytest.raises(ValueError, match=message):
        CausalConvolution(**options)


def test_a_saved_model_with_two_layers_reloads(tmp_path: Path):
    first = CausalConvolution(2, bands=7, kernel=(3, 4), strides=(1, 2), name="first")
    second = CausalConvolution(3, first.output_bands, channels=2, kernel=(2, 2), activation="tanh", name="second")
    inputs = {
        "features": keras.Input((None, 7), name="features"),
        "mask": keras.Input((None,), dtype="bool", name="mask"),
        "state": state_inputs(first, second),
    }
    hidden, first_state = first(inputs["features"], inputs["mask"], {"first_frames": inputs["state"]["first_frames"]})
    outputs, second_state = second(hidden, inputs["mask"], {"second_frames": inputs["state"]["second_frames"]})
    assert outputs.shape == (None, None, 4, 3)
    model = keras.Model(inputs, {"outputs": outputs, "state": first_state | second_state})
    random_weights(model)
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    for name in ("first", "second"):
        assert reloaded.get_layer(name).get_config() == model.get_layer(name).get_config()
    state = first.initial_state(2) | second.initial_state(2)
    data = {"features": tf.constant(noise(2, 5, 7)), "mask": tf.sequence_mask([5, 2], 5), "state": state}
    keras.tree.map_structure(np.testing.assert_array_equal, model(data), reloaded(data))
