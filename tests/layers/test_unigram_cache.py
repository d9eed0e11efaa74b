import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.layers.unigram_cache import UnigramCache

MODEL = tf.constant([[0.5, 0.2, 0.2, 0.1]])


def remembering(cache: UnigramCache, *token_ids: int) -> tf.Tensor:
    ids = tf.constant([token_ids], tf.int32, [1, len(token_ids)])
    return cache.remember(ids, tf.ones_like(ids, tf.bool), cache.initial_state(1))


def test_the_mix_of_three_tokens_by_hand() -> None:
    """Of four places three are filled, with 3, 1, 3: the cache weighs 0.4 * 3 / 4 = 0.3, a tenth a token."""
    cache = UnigramCache(4, 0.4)
    mixed = cache.mix(MODEL, remembering(cache, 3, 1, 3))
    np.testing.assert_allclose(mixed, [[0.35, 0.7 * 0.2 + 0.1, 0.14, 0.07 + 0.2]], rtol=1e-6)


def test_the_oldest_tokens_leave() -> None:
    cache = UnigramCache(3, 0.3)
    assert cache.initial_state(2).numpy().tolist() == [[-1, -1, -1]] * 2
    assert remembering(cache, 7).numpy().tolist() == [[-1, -1, 7]]
    assert remembering(cache, 5, 6, 7, 8).numpy().tolist() == [[6, 7, 8]]


def test_rows_remember_their_valid_tokens_alone() -> None:
    cache = UnigramCache(3, 0.3)
    ids = tf.constant([[1, 2, 9, 9], [9, 9, 9, 9], [3, 4, 5, 6]])
    mask = tf.sequence_mask([2, 0, 4], 4)
    state = cache.remember(ids, mask, tf.constant([[7, 8, 0]] * 3))
    assert state.numpy().tolist() == [[0, 1, 2], [7, 8, 0], [4, 5, 6]]


def test_an_empty_cache_and_a_weight_of_zero_change_nothing() -> None:
    empty, weightless = UnigramCache(4, 0.4), UnigramCache(4, 0.0)
    np.testing.assert_array_equal(empty.mix(MODEL, empty.initial_state(1)), MODEL)
    np.testing.assert_array_equal(weightless.mix(MODEL, remembering(weightless, 3, 3, 3, 3)), MODEL)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 20])
def test_probabilities_sum_to_one(count: int) -> None:
    cache = UnigramCache(5, 0.9)
    random = np.random.default_rng(count)
    probabilities = tf.constant(random.dirichlet(np.ones(6), size=1), tf.float32)
    mixed = cache.mix(probabilities, remembering(cache, *random.integers(0, 6, count).tolist())).numpy()
    assert mixed.sum() == pytest.approx(1, abs=1e-6)
    assert (mixed >= 0).all()


@pytest.mark.parametrize("before", [0, 2, 9])
def test_along_a_text_is_token_by_token(before: int) -> None:
    """Two rows of eleven tokens through a cache of four places, which is empty, half full or full at first."""
    cache, random = UnigramCache(4, 0.5), np.random.default_rng(before)
    past, ids = (tf.constant(random.integers(0, 5, (2, count)), tf.int32) for count in (before, 11))
    probabilities = tf.constant(random.dirichlet(np.ones(5), size=(2, 11)), tf.float32)  # [B, N, V]
    state = start = cache.remember(past, tf.ones_like(past, tf.bool), cache.initial_state(2))
    expected = []
    for place in range(11):
        token = ids[:, place : place + 1]
        expected.append(tf.gather(cache.mix(probabilities[:, place], state), token, axis=1, batch_dims=1))
        state = cache.remember(token, tf.ones_like(token, tf.bool), state)
    own = tf.gather(probabilities, ids, axis=2, batch_dims=2)
    along = cache.mix_along(tf.math.log(own), ids, start)
    np.testing.assert_allclose(along, tf.math.log(tf.concat(expected, axis=1)), rtol=1e-5, atol=1e-6)
    assert cache.mix_along(own[:, :0], ids[:, :0], start).shape == (2, 0)


def test_what_a_float_cannot_hold_stays_finite_along_a_text() -> None:
    """exp(-300) is 0 in float32: 2 was typed, and has the share of the cache; 5 was not."""
    cache = UnigramCache(4, 0.4)
    along = cache.mix_along(tf.constant([[-300.0, -300.0]]), tf.constant([[2, 5]]), remembering(cache, 2))
    np.testing.assert_allclose(along, [[np.log(0.1), np.log(0.8) - 300]], rtol=1e-6)


def test_any_cutting_remembers_the_same() -> None:
    cache = UnigramCache(4, 0.5)
    state = cache.initial_state(1)
    for piece in ([1, 2], [], [3], [4, 5, 6]):
        ids = tf.constant([piece], tf.int32, [1, len(piece)])
        state = cache.remember(ids, tf.ones_like(ids, tf.bool), state)
    np.testing.assert_array_equal(state, remembering(cache, 1, 2, 3, 4, 5, 6))
