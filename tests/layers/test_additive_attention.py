from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from contracts.cases import random_weights

from runnel.shared.layers.additive_attention import AdditiveAttention

BATCH, TIME, SOURCE, UNITS, WIDTH, MEMORY = 3, 4, 5, 3, 6, 2


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def built(**options):
    layer = AdditiveAttention(WIDTH, **options)
    layer.build((None, None, UNITS))
    random_weights(layer)
    return layer


def example(time=TIME, source=SOURCE, batch=BATCH):
    return noise(batch, time, UNITS), noise(batch, source, WIDTH, seed=1), noise(batch, source, MEMORY, seed=2)


VISIBLE = np.random.default_rng(3).random((BATCH, TIME, SOURCE)) < 0.5
VISIBLE[:, :, 4] = False  # nobody sees the last position
VISIBLE[1, 2] = False  # a query that sees nothing
VISIBLE[2] = False  # a row that sees nothing


def attend(queries, keys, memory, visible, weights):
    """Bahdanau et al. 2015, appendix A.1.2: e_ij = v . tanh(W s_i + U h_j), a_i = softmax(e_i), c_i = sum a_ij h_j.

    W has a bias; U h_j is the key; one query at a time, over the positions alone that it sees.
    """
    kernel, bias, vector = (np.asarray(weight, np.float64) for weight in weights)
    contexts = np.zeros((*queries.shape[:2], memory.shape[2]))
    shares = np.zeros(visible.shape)
    for row, time in np.ndindex(queries.shape[:2]):
        seen = np.flatnonzero(visible[row, time])
        energies = [vector[:, 0] @ np.tanh(queries[row, time] @ kernel + bias + keys[row, place]) for place in seen]
        total = sum(np.exp(energy) for energy in energies)
        for place, energy in zip(seen, energies, strict=True):
            shares[row, time, place] = np.exp(energy) / total
            contexts[row, time] += shares[row, time, place] * memory[row, place]
    return contexts, shares


def test_it_equals_the_equations():
    layer, inputs = built(), example()
    expected_contexts, expected_weights = attend(*inputs, VISIBLE, layer.get_weights())
    for answer in (layer, tf.function(layer, autograph=False)):
        contexts, weights = answer(*inputs, VISIBLE)
        np.testing.assert_allclose(contexts, expected_contexts, atol=1e-6)
        np.testing.assert_allclose(weights, expected_weights, atol=1e-6)


def test_two_positions_by_hand():
    """v . tanh(q + k) is 0 and ln 3 where v = ln 3 / tanh 1, q = 1, k = -1 and 0: the weights are 1/4 and 3/4."""
    layer = AdditiveAttention(1)
    layer.build((None, None, 1))
    layer.set_weights([np.ones((1, 1)), np.zeros(1), np.full((1, 1), np.log(3) / np.tanh(1))])
    inputs = ([[[1.0]]], [[[-1.0], [0.0]]], [[[8.0], [4.0]]], [[[True, True]]])
    contexts, weights = layer(*map(np.array, inputs))
    np.testing.assert_allclose(weights, [[[0.25, 0.75]]], rtol=1e-6)
    np.testing.assert_allclose(contexts, [[[5.0]]], rtol=1e-6)


def test_where_nothing_is_visible_everything_is_zero():
    contexts, weights = built()(*example(), VISIBLE)
    np.testing.assert_array_equal(weights[~VISIBLE], 0)
    np.testing.assert_array_equal(contexts[~VISIBLE.any(axis=2)], 0)
    np.testing.assert_allclose(np.sum(weights, axis=2), VISIBLE.any(axis=2), atol=1e-6)


def gradients(layer, inputs):
    inputs = [tf.constant(value) for value in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        contexts, weights = layer(*inputs, VISIBLE)
        ramp = tf.reshape(tf.range(tf.size(contexts), dtype=tf.float32), tf.shape(contexts))
        total = tf.reduce_sum(ramp * contexts) + tf.reduce_sum(weights**2)
    variables = [variable.value for variable in layer.trainable_variables]
    return contexts, weights, tape.gradient(total, [*inputs, *variables])


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 1e30])
def test_what_nobody_sees_changes_neither_results_nor_gradients(garbage):
    layer, (queries, keys, memory) = built(), example()
    unseen = ~VISIBLE.any(axis=1)
    clean, spoiled = (
        [queries, *(np.where(unseen[..., None], np.float32(value), values) for values in (keys, memory))]
        for value in (0, garbage)
    )
    expected, found = gradients(layer, clean), gradients(layer, spoiled)
    assert all(np.any(gradient) for gradient in expected[2])  # by each input and each weight
    keras.tree.map_structure(np.testing.assert_array_equal, found, expected)
    assert all(np.isfinite(gradient).all() for gradient in found[2])
    for gradient in found[2][1:3]:  # of keys and memory
        np.testing.assert_array_equal(gradient[unseen], 0)


@pytest.mark.parametrize("garbage", [np.nan, np.inf])
def test_a_query_gives_no_weight_to_what_others_see(garbage):
    layer, (queries, keys, memory) = built(), example()
    visible = np.broadcast_to(np.tri(TIME, SOURCE, dtype=bool), VISIBLE.shape)  # query i sees the first i + 1
    expected_contexts, expected_weights = layer(queries, keys, memory, visible)
    keys[:, 2:], memory[:, 2:] = garbage, 1e30
    contexts, weights = layer(queries, keys, memory, visible)
    np.testing.assert_array_equal(weights[:, :2], expected_weights[:, :2])
    np.testing.assert_array_equal(contexts[:, :2], expected_contexts[:, :2])


@pytest.mark.parametrize(("time", "source"), [(0, 5), (4, 0), (0, 0)])
def test_no_queries_and_no_positions(time, source):
    layer, visible = built(), np.ones((BATCH, time, source), bool)
    graph = tf.function(
        layer,
        input_signature=[tf.TensorSpec([None, None, width]) for width in (UNITS, WIDTH, MEMORY)]
        + [tf.TensorSpec([None, None, None], tf.bool)],
        autograph=False,
    )
    for answer in (layer, graph):
        contexts, weights = answer(*example(time, source), visible)
        np.testing.assert_array_equal(contexts, np.zeros((BATCH, time, MEMORY)))
        assert weights.shape == (BATCH, time, source)


def test_a_query_alone_gets_what_it_gets_among_others():
    layer, (queries, keys, memory) = built(), example()
    contexts, weights = layer(queries, keys, memory, VISIBLE)
    for time in range(TIME):
        alone = slice(time, time + 1)
        context, weight = layer(queries[:, alone], keys, memory, VISIBLE[:, alone])
        np.testing.assert_allclose(context, contexts[:, alone], atol=1e-6)
        np.testing.assert_allclose(weight, weights[:, alone], atol=1e-6)


def test_a_row_alone_and_more_padding_give_the_same():
    layer, (queries, keys, memory) = built(), example()
    contexts, weights = layer(queries, keys, memory, VISIBLE)
    for row in range(BATCH):
        one = slice(row, row + 1)
        padded = (np.pad(v[one], [(0, 0), (0, 3), (0, 0)], constant_values=np.nan) for v in (keys, memory))
        context, weight = layer(queries[one], *padded, np.pad(VISIBLE[one], [(0, 0), (0, 0), (0, 3)]))
        np.testing.assert_allclose(context, contexts[one], atol=1e-6)
        np.testing.assert_allclose(weight[..., :SOURCE], weights[one], atol=1e-6)
        np.testing.assert_array_equal(weight[..., SOURCE:], 0)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_stays_near_and_finite(policy):
    layer, exact = built(dtype=policy), built()
    contexts, weights, found = gradients(Float32(layer), example())
    expected = exact(*example(), VISIBLE)
    np.testing.assert_allclose(contexts, expected[0], atol=0.03)
    np.testing.assert_allclose(weights, expected[1], atol=0.03)
    assert all(np.isfinite(gradient).all() for gradient in found)
    assert layer(*example(), VISIBLE)[0].dtype == layer.compute_dtype


class Float32:
    def __init__(self, layer):
        self.layer, self.trainable_variables = layer, layer.trainable_variables

    def __call__(self, *inputs):
        return [tf.cast(value, tf.float32) for value in self.layer(*inputs)]


def symbolic(time, source):
    return [
        keras.Input((time, UNITS), name="queries"),
        keras.Input((source, WIDTH), name="keys"),
        keras.Input((source, MEMORY), name="memory"),
        keras.Input((time, source), dtype="bool", name="visible"),
    ]


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(("time", "source"), [(None, None), (1, None), (7, 5)])
def test_symbolic_shapes(time, source, policy):
    contexts, weights = AdditiveAttention(WIDTH, dtype=policy)(*symbolic(time, source))
    assert contexts.shape == (None, time, MEMORY)
    assert weights.shape == (None, time, source)
    assert contexts.dtype == weights.dtype == ("bfloat16" if "bfloat16" in policy else "float32")


def test_masks_are_explicit_alone():
    inputs = symbolic(None, None)
    inputs[0] = keras.layers.Masking()(inputs[0])
    contexts, weights = AdditiveAttention(WIDTH)(*inputs)
    assert [getattr(value, "_keras_mask", None) for value in (contexts, weights)] == [None, None]


def test_a_saved_model_reloads(tmp_path: Path):
    layer, inputs = AdditiveAttention(WIDTH, name="attention"), symbolic(None, None)
    model = keras.Model(inputs, layer(*inputs))
    random_weights(layer)
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.get_layer("attention").get_config() == layer.get_config()
    assert layer.get_config()["width"] == WIDTH
    for found, expected in zip(reloaded([*example(), VISIBLE]), model([*example(), VISIBLE]), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_width_below_one_is_refused():
    with pytest.raises(ValueError, match="0"):
        AdditiveAttention(0)
