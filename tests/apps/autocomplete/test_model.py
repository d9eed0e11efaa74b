import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.autocomplete.config import Advanced, Config
from runnel.apps.autocomplete.model import build_model, next_token_logits
from runnel.shared.layers.explicit_state import initial_state

TOKENS = 11
CONFIG = Config(advanced=Advanced(embedding=4, units=6, depth=2, dropout=0.5, embedding_dropout=0.5))


def network(**options: Any) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = build_model(dataclasses.replace(CONFIG, **options), TOKENS)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(scale=0.5, size=weight.shape) for weight in model.get_weights()])
    return model


def run(model: keras.Model, token_ids: np.ndarray, state: Any = None, **options: Any) -> tuple[np.ndarray, Any]:
    state = initial_state(model.layers, len(token_ids)) if state is None else state
    inputs = {"token_ids": tf.constant(token_ids), "mask": tf.ones(token_ids.shape, tf.bool), "state": state}
    outputs, state = model(inputs, **options)
    return next_token_logits(model, outputs["context"]).numpy(), state


def tokens(batch: int, length: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, TOKENS, (batch, length)).astype(np.int32)


@pytest.mark.parametrize("cell", ["simple_rnn", "gru", "lstm"])
def test_two_windows_with_the_state_carried_are_one_of_double_length(cell: str) -> None:
    model, ids = network(cell=cell), tokens(3, 14)
    whole, final = run(model, ids)
    first, state = run(model, ids[:, :7])
    second, state = run(model, ids[:, 7:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-5)
    assert ("cell_0" in state) == (cell == "lstm")
    for name, value in final.items():
        np.testing.assert_allclose(state[name], value, atol=1e-5, err_msg=name)
    forgotten, _ = run(model, ids[:, 7:])
    assert np.abs(forgotten - second).max() > 1e-2


def test_logits_come_from_the_weights_that_embed() -> None:
    model = network()
    context = np.random.default_rng(2).normal(size=(2, 3, 4)).astype(np.float32)
    embeddings, bias = model.get_layer("embedding").get_weights()
    np.testing.assert_allclose(next_token_logits(model, context), context @ embeddings.T + bias, atol=1e-5)
    assert sum(TOKENS in weight.shape for weight in model.get_weights()) == 2  # tied: no matrix of its own


def test_dropout_drops_the_same_units_all_along_a_window() -> None:
    layers = [layer for layer in network()._flatten_layers() if isinstance(layer, keras.layers.Dropout)]
    rates = [layer.rate for layer in layers]
    assert len(rates) >= 4
    for layer in layers:
        dropped = np.asarray(layer(tf.ones([2, 9, 50]), training=True)) == 0
        assert dropped.any()
        assert (dropped == dropped[:, :1]).all()
        assert (dropped[0] != dropped[1]).any()


def test_dropout_is_for_training_alone() -> None:
    model, ids = network(), tokens(2, 5)
    np.testing.assert_array_equal(run(model, ids)[0], run(model, ids, training=False)[0])
    assert np.abs(run(model, ids)[0] - run(model, ids, training=True)[0]).max() > 1e-3


def test_inputs_are_named() -> None:
    names = {tensor.name for tensor in tf.nest.flatten(network().inputs)}
    assert {"token_ids", "mask"} <= names
    assert all(name.startswith("state_") for name in names - {"token_ids", "mask"})
