import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.translation.config import Advanced, Config
from runnel.apps.translation.losses import right_share, smoothed_cross_entropy
from runnel.apps.translation.model import build_model

TOKENS, WIDTH = 13, 5


@pytest.fixture(scope="module")
def network() -> keras.Model:
    config = Config(attention="none", advanced=Advanced(units=4, embedding=WIDTH, depth=1))
    model = build_model(dataclasses.replace(config, cell="simple_rnn"), TOKENS)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def batch() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    context, targets = random.normal(size=(3, 6, WIDTH)), random.integers(0, TOKENS, (3, 6))
    return context.astype(np.float32), targets.astype(np.int32), np.arange(6) < np.array([[6], [2], [3]])


def by_hand(
    network: keras.Model, context: np.ndarray, targets: np.ndarray, mask: np.ndarray, smoothing: float
) -> tuple[float, float, float]:
    """Cross-entropy with (1 - s) one-hot + s / V, and with one-hot targets, and how many are the most probable."""
    embeddings, bias = (weight.numpy().astype(np.float64) for weight in network.get_layer("embedding").weights)
    smoothed, plain, right = [], [], []
    for row, place in np.argwhere(mask):
        logits = embeddings @ context[row, place] + bias
        log_probabilities = logits - np.log(np.exp(logits).sum())
        asked = np.full(TOKENS, smoothing / TOKENS)
        asked[targets[row, place]] += 1 - smoothing
        smoothed.append(-(asked * log_probabilities).sum())
        plain.append(-log_probabilities[targets[row, place]])
        right.append(logits.argmax() == targets[row, place])
    return float(np.mean(smoothed)), float(np.mean(plain)), float(np.mean(right))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_losses_by_the_formula(network: keras.Model, batch: tuple, smoothing: float) -> None:
    smoothed, plain = smoothed_cross_entropy(network, *map(tf.constant, batch), smoothing)
    expected = by_hand(network, *batch, smoothing)
    assert float(smoothed) == pytest.approx(expected[0], rel=1e-5)
    assert float(plain) == pytest.approx(expected[1], rel=1e-5)


def test_the_share_that_is_right(network: keras.Model, batch: tuple) -> None:
    context, targets, mask = batch
    embeddings, bias = (weight.numpy() for weight in network.get_layer("embedding").weights)
    targets = targets.copy()
    targets[0, :4] = (context[0, :4] @ embeddings.T + bias).argmax(axis=1)
    expected = by_hand(network, context, targets, mask, 0.0)[2]
    assert expected >= 4 / 11
    assert float(right_share(network, *map(tf.constant, (context, targets, mask)))) == pytest.approx(expected)


def test_padding_changes_nothing(network: keras.Model, batch: tuple) -> None:
    context, targets, mask = batch
    garbage = np.where(mask[..., None], context, np.float32("nan"))
    wider = tuple(
        np.pad(values, [(0, 1), (0, 3), *[(0, 0)] * (values.ndim - 2)]) for values in (garbage, targets, mask)
    )
    for smoothing in (0.0, 0.2):
        plain, padded = (smoothed_cross_entropy(network, *map(tf.constant, one), smoothing) for one in (batch, wider))
        np.testing.assert_allclose(padded, plain, rtol=1e-6)
    assert float(right_share(network, *map(tf.constant, wider))) == float(
        right_share(network, *map(tf.constant, batch))
    )


def test_gradients_are_those_of_the_formula(network: keras.Model, batch: tuple) -> None:
    """The smoothing's two products with single embeddings are derived as the formula is."""
    context, targets, mask = map(tf.constant, batch)
    embedding = network.get_layer("embedding")

    def formula() -> tf.Tensor:
        logits = tf.boolean_mask(context, mask) @ tf.transpose(embedding.embeddings) + embedding.bias
        asked = 0.7 * tf.one_hot(tf.boolean_mask(targets, mask), TOKENS) + 0.3 / TOKENS
        return -tf.reduce_mean(tf.reduce_sum(asked * tf.nn.log_softmax(logits), axis=1))

    losses = (lambda: smoothed_cross_entropy(network, context, targets, mask, 0.3)[0], formula)
    found, expected = [], []
    for loss, gradients in zip(losses, (found, expected), strict=True):
        with tf.GradientTape() as tape:
            tape.watch(context)
            value = loss()
        gradients += map(
            tf.convert_to_tensor, tape.gradient(value, [context, embedding.embeddings.value, embedding.bias.value])
        )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
