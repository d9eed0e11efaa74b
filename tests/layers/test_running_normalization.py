from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.layers.explicit_state import state_inputs
from runnel.shared.layers.running_normalization import RunningNormalization


def column(*values):
    return np.array(values, np.float32)[None, :, None]


def test_without_decay_and_prior_it_is_the_mean_and_deviation_so_far():
    layer = RunningNormalization(1.0, [1.0], prior_weight=0.0)
    normalized, mean, scale, state = layer(column(1, 3, 8))
    np.testing.assert_allclose(mean[0, :, 0], [1, 2, 4], rtol=1e-6)
    np.testing.assert_allclose(scale[0, 1:, 0], [1, np.sqrt(26 / 3)], rtol=1e-6)  # 26 = 9 + 1 + 16
    np.testing.assert_allclose(normalized[0, :, 0], [0, 1, 4 / np.sqrt(26 / 3)], rtol=1e-6)
    assert state["weight"].numpy().item() == 3


def test_the_prior_gives_the_first_scale_and_fades():
    layer = RunningNormalization(0.5, [10.0], prior_weight=3.0)
    _, _, scale, state = layer(column(7, 7, 7))
    # p = 1.5, 0.75, 0.375; w = 1, 1.5, 1.75; the squares are 0.
    expected = [100 * 1.5 / 2.5, 100 * 0.75 / 2.25, 100 * 0.375 / 2.125]
    np.testing.assert_allclose(scale[0, :, 0], np.sqrt(expected), rtol=1e-6)
    assert state["prior_weight"].numpy().item() == 0.375


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_stays_and_changes_no_statistics(missing):
    layer = RunningNormalization(0.9, [1.0, 1.0])
    inputs = np.array([[[1, 5], [missing, 6], [3, missing]]], np.float32)
    normalized, mean, _, state = layer(inputs)
    np.testing.assert_array_equal(np.isfinite(normalized[0]), [[True, True], [False, True], [True, False]])
    np.testing.assert_array_equal(normalized[0, 1, 0], missing)
    np.testing.assert_array_equal(mean[0, 1, 0], mean[0, 0, 0])
    np.testing.assert_allclose(state["weight"], [[1.9, 1.9]], rtol=1e-6)


def test_a_level_never_seen_before_comes_out_the_same():
    layer = RunningNormalization(0.95, [1.0])
    inputs = np.random.default_rng(0).normal(size=(1, 50, 1)).astype(np.float32)
    near, far = (layer(inputs + level)[0] for level in (0, 4096))
    # The first value is its own mean, wherever that is.
    np.testing.assert_allclose(far, near, atol=1e-3)


@pytest.mark.parametrize("prior_weight", [0.0, 4.0])
def test_a_constant_stream_is_never_divided_by_nothing(prior_weight):
    layer = RunningNormalization(0.5, [0.0], prior_weight)
    inputs = tf.constant(np.full((1, 300, 1), 3e4, np.float32))  # 0.5^300 is 0 in float32
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        normalized, _, scale, _ = tf.function(layer)(inputs)
        loss = tf.reduce_sum(normalized)
    assert np.all(scale > 0)
    np.testing.assert_array_equal(normalized, np.zeros_like(inputs))
    assert np.all(np.isfinite(tape.gradient(loss, inputs)))


def test_normalized_values_are_zero_where_the_mask_is_false():
    layer = RunningNormalization(0.9, [1.0])
    normalized, _, _, state = layer(column(1, np.nan, 5), mask=np.array([[True, False, False]]))
    np.testing.assert_array_equal(normalized[0, 1:, 0], [0, 0])
    assert state["mean"].numpy().item() == 1


@pytest.mark.parametrize("decay", [0, -0.5, 1.01])
def test_decay_has_bounds(decay):
    with pytest.raises(ValueError, match=f"decay={decay}"):
        RunningNormalization(decay, [1.0])


def test_a_saved_model_reloads(tmp_path: Path):
    layer = RunningNormalization(0.9, [2.0, 3.0], 5.0, name="normalization")
    inputs, state = keras.Input((None, 2), name="inputs"), state_inputs(layer)
    normalized, mean, scale, final = layer(inputs, initial_state=state)
    model = keras.Model({"inputs": inputs, "state": state}, {"n": normalized, "m": mean, "s": scale, "state": final})
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.get_layer("normalization").get_config() == layer.get_config()
    data = {"inputs": tf.random.stateless_normal((2, 5, 2), [0, 0]), "state": layer.initial_state(2)}
    keras.tree.map_structure(np.testing.assert_array_equal, model(data), reloaded(data))
