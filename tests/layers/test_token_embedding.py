from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from runnel.shared.layers.token_embedding import TokenEmbedding

EMBEDDINGS = np.array([[1, 0], [0, 2], [3, 1]], np.float32)
BIAS = np.array([0.5, 0, -1], np.float32)


def embedding() -> TokenEmbedding:
    layer = TokenEmbedding(3, 2, name="embedding")
    layer.build((None, None))
    layer.set_weights([EMBEDDINGS, BIAS])
    return layer


def test_one_set_of_weights_embeds_and_gives_logits() -> None:
    layer = embedding()
    np.testing.assert_array_equal(layer(np.array([[2, 0]])), [[[3, 1], [1, 0]]])
    logits = layer(np.array([[[2.0, 1.0]]], np.float32), reverse=True)
    np.testing.assert_allclose(logits, [[[2.5, 2, 6]]])
    assert [tuple(weight.shape) for weight in layer.weights] == [(3, 2), (3,)]


def test_both_uses_have_a_share_in_the_gradient() -> None:
    layer = embedding()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(layer(np.array([1])), reverse=True))  # (0, 2) . (e0 + e1 + e2) + biases
    of_embeddings, of_bias = tape.gradient(loss, [weight.value for weight in layer.weights])
    expected = np.full((3, 2), [0, 2], np.float32)  # each row, as weights of the softmax
    expected[1] += EMBEDDINGS.sum(axis=0)  # the row that was looked up
    np.testing.assert_allclose(tf.convert_to_tensor(of_embeddings), expected)
    np.testing.assert_allclose(of_bias, [1, 1, 1])


def test_before_training_every_token_is_about_as_probable() -> None:
    keras.utils.set_random_seed(0)
    layer = TokenEmbedding(1000, 16)
    layer.build((None, None))
    embeddings, bias = layer.get_weights()
    assert 0.09 < embeddings.std() < 0.11
    assert not bias.any()


def test_a_saved_model_reloads_with_its_bias(tmp_path: Path) -> None:
    """Without one warning, which would say that weights had been left at their initial values."""
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, embedding()(inputs))
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").get_layer("embedding")
    assert layer.get_config() == model.get_layer("embedding").get_config()
    np.testing.assert_array_equal(layer.get_weights()[0], EMBEDDINGS)
    np.testing.assert_array_equal(layer.get_weights()[1], BIAS)
