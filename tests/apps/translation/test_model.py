import dataclasses
import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.translation.config import Advanced, Config
from runnel.apps.translation.model import build_model, next_token_logits, start_state

TOKENS, B, S, T = 11, 3, 5, 4
CONFIG = Config(advanced=Advanced(embedding=4, units=6, depth=1, dropout=0.4, embedding_dropout=0.4))
COMBINATIONS = [
    (attention, encoder) for attention in ("additive", "none") for encoder in ("unidirectional", "bidirectional")
]
EVERYONE = [(*combination, cell) for combination in COMBINATIONS for cell in ("simple_rnn", "gru", "lstm")]

Inputs = dict[str, Any]


@functools.cache
def network(attention: Any = "additive", encoder: Any = "unidirectional", cell: Any = "gru", depth: int = 1) -> Any:
    keras.utils.set_random_seed(0)
    advanced = dataclasses.replace(CONFIG.advanced, depth=depth)
    config = dataclasses.replace(CONFIG, attention=attention, encoder=encoder, cell=cell, advanced=advanced)
    model = build_model(config, TOKENS, use_cudnn=False)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(scale=0.5, size=weight.shape) for weight in model.get_weights()])
    return model


def inputs(model: keras.Model, seed: int = 1) -> Inputs:
    """Of unequal lengths, 5, 2 and 3 of the source, 4, 1 and 3 of the target; all of the source is visible."""
    random = np.random.default_rng(seed)
    source_mask = np.arange(S) < np.array([[5], [2], [3]])
    batch = {
        "source_ids": random.integers(0, TOKENS, (B, S)).astype(np.int32),
        "source_mask": source_mask,
        "target_ids": random.integers(0, TOKENS, (B, T)).astype(np.int32),
        "target_mask": np.arange(T) < np.array([[4], [1], [3]]),
        "visible": np.broadcast_to(source_mask[:, None], (B, T, S)),
    }
    return of_model(model, batch)


def of_model(model: keras.Model, batch: Inputs) -> Inputs:
    """Without what a model has no input for, and with a fresh state."""
    taken = {name: tf.constant(value) for name, value in batch.items() if name != "state"}
    if "bridge" in {layer.name for layer in model.layers}:
        taken.pop("visible", None)
    return {**taken, "state": start_state(model, len(batch["source_ids"]))}


def logits(model: keras.Model, batch: Inputs, **options: Any) -> np.ndarray:
    return next_token_logits(model, model(batch, **options)["context"]).numpy()


@pytest.mark.parametrize(("attention", "encoder", "cell"), EVERYONE)
def test_teacher_forcing_equals_step_by_step(attention: str, encoder: str, cell: str) -> None:
    """By the parts of the network: the encoder, the bridge, and the decoder for one token after the other."""
    model = network(attention, encoder, cell)
    batch = inputs(model)
    embedding, encode, decode = (model.get_layer(name) for name in ("embedding", "encoder", "decoder"))
    source = {"embedded": embedding(batch["source_ids"]), "mask": batch["source_mask"]}
    encoded, after = encode({**source, "state": start_state(encode, B)})
    if attention == "none":
        assert encoded == {}
        state = model.get_layer("bridge")(after)
    else:
        state = start_state(decode, B)
    found = []
    for place in range(T):
        now = slice(place, place + 1)
        token = {"embedded": embedding(batch["target_ids"][:, now]), "mask": batch["target_mask"][:, now]}
        visible = {"visible": batch["visible"][:, now]} if "visible" in batch else {}
        outputs, state = decode({**token, **encoded, **visible, "state": state})
        found.append(next_token_logits(model, outputs["context"]).numpy())
    expected, mask = logits(model, batch), batch["target_mask"].numpy()
    assert expected.shape == (B, T, TOKENS)
    np.testing.assert_allclose(np.concatenate(found, axis=1)[mask], expected[mask], atol=1e-5)
    assert expected[mask].std(axis=0).min() > 1e-2


@pytest.mark.parametrize(("attention", "encoder"), COMBINATIONS)
def test_padding_and_other_rows_change_nothing(attention: str, encoder: str) -> None:
    model = network(attention, encoder)
    batch = inputs(model)
    expected, mask = logits(model, batch), batch["target_mask"].numpy()
    other = inputs(model, seed=2)
    garbage = {
        **batch,
        **{
            f"{side}_ids": tf.where(batch[f"{side}_mask"], batch[f"{side}_ids"], other[f"{side}_ids"]) for side in SIDES
        },
    }
    np.testing.assert_allclose(logits(model, garbage)[mask], expected[mask], atol=1e-6)
    for row in range(B):
        lengths = [int(tf.reduce_sum(tf.cast(batch[f"{side}_mask"][row], tf.int32))) for side in SIDES]
        alone = {name: value[row : row + 1] for name, value in batch.items() if name != "state"}
        alone |= {f"source_{name}": alone[f"source_{name}"][:, : lengths[0]] for name in ("ids", "mask")}
        alone |= {f"target_{name}": alone[f"target_{name}"][:, : lengths[1]] for name in ("ids", "mask")}
        if "visible" in alone:
            alone["visible"] = alone["visible"][:, : lengths[1], : lengths[0]]
        np.testing.assert_allclose(logits(model, of_model(model, alone))[0], expected[row, : lengths[1]], atol=1e-5)


SIDES = ("source", "target")


@pytest.mark.parametrize(("attention", "encoder"), COMBINATIONS)
def test_a_row_of_padding_alone_is_legal(attention: str, encoder: str) -> None:
    model = network(attention, encoder)
    batch = inputs(model)
    nothing = {
        name: tf.concat([value[:2], tf.zeros_like(value[2:])], axis=0) if value.dtype == tf.bool else value
        for name, value in batch.items()
        if name != "state"
    }
    found = logits(model, of_model(model, nothing))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:2], logits(model, batch)[:2], atol=1e-5)


def changed_by_each_source_token(model: keras.Model, visible: np.ndarray) -> np.ndarray:
    """How much each target's logits change with each source token alone, float [S, T]; all T and S are valid."""
    random = np.random.default_rng(3)
    source_ids = np.tile(random.integers(0, TOKENS, S), (S + 1, 1)).astype(np.int32)
    source_ids[np.arange(S), np.arange(S)] = (source_ids[0] + 1) % TOKENS
    batch = {
        "source_ids": source_ids,
        "source_mask": np.ones((S + 1, S), bool),
        "target_ids": np.tile(random.integers(0, TOKENS, T), (S + 1, 1)).astype(np.int32),
        "target_mask": np.ones((S + 1, T), bool),
        "visible": np.broadcast_to(visible, (S + 1, T, S)),
    }
    found = logits(model, of_model(model, batch))
    return np.abs(found[:-1] - found[-1]).max(axis=2)


@pytest.mark.parametrize(("attention", "encoder"), COMBINATIONS)
def test_every_word_of_the_source_counts_for_every_one_of_the_translation(attention: str, encoder: str) -> None:
    assert changed_by_each_source_token(network(attention, encoder), np.ones((T, S), bool)).min() > 1e-4


# === Translation before a sentence ends ===


def test_words_that_have_not_come_yet_change_nothing() -> None:
    """What is written when two words of the source have come is the same whatever comes third: wait-k is causal."""
    read = np.array([2, 3, 4, 5])  # tokens of the source that have come, for each of the target
    visible = np.arange(S) < read[:, None]
    changes = changed_by_each_source_token(network(depth=2), visible)
    np.testing.assert_array_equal(changes > 1e-5, visible.T)
    assert changes[~visible.T].max() < 1e-6


def test_attention_adds_up_to_one_over_what_is_visible() -> None:
    model = network()
    batch = inputs(model)
    visible = batch["visible"].numpy()
    visible[0, 0] = [True, False, True, False, False]
    visible[0, 1] = False
    weights = model({**batch, "visible": tf.constant(visible)})["attention"].numpy()
    assert weights.shape == (B, T, S)
    np.testing.assert_allclose(weights.sum(axis=2), visible.any(axis=2), atol=1e-6)
    assert (weights[~visible] == 0).all()
    assert (weights[visible] > 0).all()


# === Weights, dropout, names ===


def test_logits_come_from_the_weights_that_embed_both_languages() -> None:
    model = network()
    context = np.random.default_rng(2).normal(size=(2, 3, 4)).astype(np.float32)
    embeddings, bias = model.get_layer("embedding").get_weights()
    np.testing.assert_allclose(next_token_logits(model, context), context @ embeddings.T + bias, atol=1e-5)
    assert sum(TOKENS in weight.shape for weight in model.get_weights()) == 2  # tied: no matrix of its own


@pytest.mark.parametrize(("attention", "encoder"), COMBINATIONS)
def test_dropout_is_for_training_alone_and_the_same_all_along_a_sentence(attention: str, encoder: str) -> None:
    model = network(attention, encoder)
    batch = inputs(model)
    np.testing.assert_array_equal(logits(model, batch), logits(model, batch, training=False))
    assert np.abs(logits(model, batch) - logits(model, batch, training=True)).max() > 1e-3
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Dropout)]
    assert len([layer for layer in layers if layer.rate == 0.4]) >= 5
    for layer in layers:
        dropped = np.asarray(layer(tf.ones([2, 9, 50]), training=True)) == 0
        assert dropped.any()
        assert (dropped == dropped[:, :1]).all()


@pytest.mark.parametrize(("attention", "encoder"), COMBINATIONS)
def test_saved_and_loaded_it_is_the_same(attention: str, encoder: str, tmp_path: Path) -> None:
    model = network(attention, encoder, "lstm")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, inputs(loaded)), logits(model, inputs(model)))


def test_inputs_are_named() -> None:
    names = {tensor.name for tensor in tf.nest.flatten(network().inputs)}
    tokens = {"source_ids", "source_mask", "target_ids", "target_mask", "visible"}
    assert tokens < names
    assert all(name.startswith("state_") for name in names - tokens)
    assert "visible" not in {tensor.name for tensor in tf.nest.flatten(network("none").inputs)}


def test_every_cell_and_depth_has_the_state_that_it_needs() -> None:
    for cell, kinds in (("simple_rnn", {"hidden"}), ("lstm", {"hidden", "cell"})):
        model = network("additive", "bidirectional", cell, depth=2)
        names = {f"encoder_{way}{kind}_{place}" for way in ("", "backward_") for kind in kinds for place in (0, 1)}
        names |= {f"{part}_{kind}_0" for part in ("first", "upper") for kind in kinds}
        assert start_state(model, 2).keys() == names
        assert all(value.shape == (2, 6) for value in start_state(model, 2).values())
    assert "first_hidden_0" not in start_state(network("none"), 1)  # the bridge says how the decoder begins
