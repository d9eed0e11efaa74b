import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.speech_commands.config import PRESETS, Advanced, Config
from runnel.apps.speech_commands.model import build_model
from runnel.shared.layers.explicit_state import initial_state

BANDS, CLASSES = 12, 5
CONFIG = Config(advanced=Advanced(bands=BANDS, units=6, depth=2, filters=3, dropout=0.1))
MEAN, SCALE = [-3.0] * BANDS, [2.0] * BANDS


def network(config: Config = CONFIG, **options: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_model(dataclasses.replace(config, **options), CLASSES, MEAN, SCALE)


def run(model: keras.Model, features: np.ndarray, state: Any = None, **options: Any) -> tuple[np.ndarray, Any]:
    state = initial_state(model.layers, len(features)) if state is None else state
    inputs = {"features": tf.constant(features), "mask": tf.ones(features.shape[:2], tf.bool), "state": state}
    outputs, state = model(inputs, **options)
    return outputs["logits"].numpy(), state


def frames(batch: int, length: int) -> np.ndarray:
    return np.random.default_rng(1).normal(-3, 2, (batch, length, BANDS)).astype(np.float32)


@pytest.mark.parametrize("cell", ["simple_rnn", "gru", "lstm"])
def test_two_windows_with_the_state_carried_are_one_of_double_length(cell: str) -> None:
    model, features = network(cell=cell), frames(3, 14)
    whole, final = run(model, features)
    first, state = run(model, features[:, :6])
    second, state = run(model, features[:, 6:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-5)
    for name, value in final.items():
        np.testing.assert_allclose(state[name], value, atol=1e-5, err_msg=name)
    forgotten, _ = run(model, features[:, 6:])
    assert np.abs(forgotten - second).max() > 1e-3


def test_features_are_taken_relative_to_the_statistics_of_the_training() -> None:
    features = frames(2, 5)
    plain = build_model(CONFIG, CLASSES, [0.0] * BANDS, [1.0] * BANDS)
    fitted = network()
    plain.set_weights(fitted.get_weights())
    np.testing.assert_allclose(run(plain, (features + 3) / 2)[0], run(fitted, features)[0], atol=1e-5)


def test_dropout_is_for_training_alone_and_the_same_all_along_a_window() -> None:
    model, features = network(), frames(2, 7)
    np.testing.assert_array_equal(run(model, features)[0], run(model, features, training=False)[0])
    assert np.abs(run(model, features)[0] - run(model, features, training=True)[0]).max() > 1e-3
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dropout)]
    assert len(layers) == 3  # before, between and after the recurrent layers
    for layer in layers:
        dropped = np.asarray(layer(tf.ones([2, 9, 50]), training=True)) == 0
        assert dropped.any()
        assert (dropped == dropped[:, :1]).all()


def test_the_default_has_less_than_half_a_million_parameters() -> None:
    bands = PRESETS["default"].advanced.bands
    model = build_model(PRESETS["default"], 14, [0.0] * bands, [1.0] * bands)
    assert model.count_params() < 500_000


def test_inputs_are_named() -> None:
    names = {tensor.name for tensor in tf.nest.flatten(network().inputs)}
    assert {"features", "mask"} <= names
    assert all(name.startswith("state_") for name in names - {"features", "mask"})
