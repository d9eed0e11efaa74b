import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.streaming.repetition_guard import PADDING, block_repeated_ngrams, only_token

VOCABULARY = 4
NEVER = -np.inf


def repeating_tokens(history, order):
    """The tokens after which the last `order` tokens would have stood in this list before."""
    repeating = set()
    for token in range(VOCABULARY):
        longer = [*history, token]
        latest = longer[len(longer) - order :]
        earlier = [longer[begin : begin + order] for begin in range(len(longer) - order)]
        if len(longer) >= order and latest in earlier:
            repeating.add(token)
    return repeating


def blocked(history, order):
    """Which tokens may not follow each of some histories, the shorter of which are padded."""
    length = max(map(len, history))
    padded = np.array([[PADDING] * (length - len(row)) + row for row in history], np.int32).reshape(len(history), -1)
    log_probabilities = -np.random.default_rng(0).random((len(history), VOCABULARY)).astype(np.float32)
    found = block_repeated_ngrams(tf.constant(log_probabilities), tf.constant(padded), order).numpy()
    kept = found != NEVER
    np.testing.assert_array_equal(found[kept], log_probabilities[kept])
    return [set(np.flatnonzero(row).tolist()) for row in ~kept]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_random_histories_as_in_plain_python(order):
    random, seen = np.random.default_rng(order), 0
    for batch in range(30):
        tokens = 1 + batch % VOCABULARY
        history = [random.integers(0, tokens, random.integers(0, 20)).tolist() for _ in range(8)]
        expected = [repeating_tokens(row, order) for row in history]
        assert blocked(history, order) == [row if len(row) < VOCABULARY else set() for row in expected]
        seen += sum(map(len, expected))
    assert seen > 50


@pytest.mark.parametrize(
    ("history", "order", "expected"),
    [
        ([], 1, set()),
        ([2], 1, {2}),
        ([2, 0, 2], 1, {0, 2}),
        ([2], 2, set()),
        ([1, 2, 1], 2, {2}),
        ([1, 2, 1, 3, 1], 2, {2, 3}),
        ([1, 1], 2, {1}),
        ([1, 1], 3, set()),
        ([1, 1, 1], 3, {1}),
        ([0, 1, 2, 0, 1], 3, {2}),
        ([0, 1, 2, 0], 3, set()),
        ([0, 1, 2, 3, 0, 1, 2], 4, {3}),
        ([0, 1], 4, set()),  # shorter than the n-gram
    ],
)
@pytest.mark.parametrize("others", [[], [[3, 1, 3, 2, 1, 0, 1, 2, 1, 3]]])
def test_hand_values(history, order, expected, others):
    assert blocked([history, *others], order)[0] == expected


def test_order_zero_blocks_nothing():
    assert blocked([[1, 1, 1, 1]], 0) == [set()]


def test_a_row_in_which_everything_would_be_blocked_stays():
    assert blocked([[0, 1, 2, 3], [0, 1, 2]], 1) == [set(), {0, 1, 2}]
    log_probabilities = np.array([[-1, -2, NEVER, NEVER], [-1, -2, -3, NEVER]], np.float32)
    found = block_repeated_ngrams(log_probabilities, tf.constant([[0, 1], [0, 1]]), 1)
    # In the first row what is left is impossible anyway.
    np.testing.assert_array_equal(found, [[-1, -2, NEVER, NEVER], [NEVER, NEVER, -3, NEVER]])


@pytest.mark.parametrize("order", [0, 1, 3])
def test_in_a_graph_without_rows_and_without_history(order):
    specs = [tf.TensorSpec([None, None]), tf.TensorSpec([None, None], tf.int32)]
    graph = tf.function(
        lambda scores, history: block_repeated_ngrams(scores, history, order), input_signature=specs, autograph=False
    )
    assert graph(np.zeros((0, VOCABULARY), np.float32), np.zeros((0, 5), np.int32)).shape == (0, VOCABULARY)
    none = graph(np.zeros((2, VOCABULARY), np.float32), np.zeros((2, 0), np.int32))
    np.testing.assert_array_equal(none, np.zeros((2, VOCABULARY)))
    some = graph(np.zeros((1, VOCABULARY), np.float32), np.array([[2, 2, 2]], np.int32))
    np.testing.assert_array_equal(some, [[0, 0, NEVER if order else 0, 0]])


@pytest.mark.parametrize("token_id", [2, [2, 0, 3]])
def test_only_one_token_is_possible_in_some_rows(token_id):
    log_probabilities = np.log(np.random.default_rng(0).dirichlet(np.ones(VOCABULARY), 3)).astype(np.float32)
    log_probabilities[2, 2:] = NEVER  # possible there, too
    found = only_token(tf.constant(log_probabilities), tf.constant([True, False, True]), token_id).numpy()
    np.testing.assert_array_equal(found[1], log_probabilities[1])
    np.testing.assert_array_equal(found[0], [NEVER, NEVER, 0, NEVER])
    np.testing.assert_array_equal(found[2], [NEVER, NEVER, 0, NEVER] if token_id == 2 else [NEVER, NEVER, NEVER, 0])


def test_only_one_token_in_no_rows():
    found = only_token(tf.zeros([0, VOCABULARY]), tf.zeros([0], tf.bool), 1)
    assert found.shape == (0, VOCABULARY)
