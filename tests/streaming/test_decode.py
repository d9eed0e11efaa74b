import functools
import math

import numpy as np
import pytest
import tensorflow as tf
from streaming.toy_chain import END, FIRST, advance, as_arrays, logs, run, texts

from runnel.shared.streaming.decode import decode
from runnel.shared.streaming.decode_strategies import Beam, Greedy, Sampling

STRATEGIES = [Greedy(), Sampling(seed=3), Beam(3)]
NOTHING = [0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("max_tokens", [0, -1])
def test_zero_tokens_give_one_empty_hypothesis(strategy, max_tokens):
    decoded = run(strategy, max_tokens=max_tokens)
    assert decoded.token_ids.shape == (2, strategy.width, 0)
    assert decoded.length.tolist() == [[0] * strategy.width] * 2
    assert decoded.score.tolist() == [[0.0] + [-math.inf] * (strategy.width - 1)] * 2


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_rows(strategy):
    decoded = run(strategy, first=np.zeros([0, 4]))
    assert decoded.token_ids.shape == (0, strategy.width, 0)
    assert decoded.score.shape == (0, strategy.width)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_dtypes_and_form(strategy):
    decoded = run(strategy)
    assert decoded.token_ids.dtype == decoded.length.dtype == np.int32
    assert decoded.score.dtype == np.float32
    assert decoded.token_ids.shape == (2, strategy.width, decoded.length.max())
    padding = np.arange(decoded.length.max()) >= decoded.length[..., None]
    assert set(decoded.token_ids[padding].tolist()) <= {END}
    assert END not in decoded.token_ids[~padding]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_row_alone_gives_what_it_gives_in_a_batch(strategy):
    first = np.random.default_rng(0).dirichlet(np.ones(4), size=8)
    together = run(strategy, first=first)
    for row in range(8):
        alone = texts(run(strategy, first=first[row : row + 1]), 0)
        assert [tokens for tokens, _ in alone] == [tokens for tokens, _ in texts(together, row)]
        np.testing.assert_allclose([score for _, score in alone], together.score[row], rtol=1e-6)


def test_eager_equals_graph():
    for strategy in STRATEGIES:
        eager = decode(strategy, logs(FIRST), advance, {"position": tf.zeros([2], tf.int32)}, 4, END)
        tf.nest.map_structure(functools.partial(np.testing.assert_allclose, rtol=1e-6), eager, run(strategy))


# === How often the model runs ===


@pytest.fixture(scope="module")
def calls():
    """A function that counts the steps of a model in which token 0 goes on for ever, and all others end at once."""
    count = tf.Variable(0)

    def counting(token_ids, state):
        count.assign_add(1)
        sure = tf.where(token_ids == 0, 0, END)
        return tf.math.log(tf.one_hot(sure, 4)), state

    def call(strategy, first, max_tokens):
        count.assign(0)
        run(strategy, first=np.array(first), max_tokens=max_tokens, advance=counting)
        return int(count)

    return call


GOES_ON = [0.6, 0.2, 0.1, 0.1]
ENDS = [0.1, 0.1, 0.1, 0.7]


@pytest.mark.parametrize(
    ("first", "max_tokens", "expected"),
    [
        ([ENDS], 4, 0),  # ended by the first token, which needs no step
        ([GOES_ON], 0, 0),
        ([GOES_ON], 1, 0),
        ([GOES_ON], 4, 3),  # nothing is computed after the last token
        ([ENDS, GOES_ON], 4, 3),  # as long as any row goes on
        ([NOTHING], 4, 0),  # a dead end
    ],
)
def test_the_model_runs_only_when_a_token_is_needed(calls, first, max_tokens, expected):
    assert calls(Greedy(), first, max_tokens) == expected


def test_the_loop_ends_when_the_whole_beam_has_ended(calls):
    assert calls(Beam(4), [[0.0, 0.4, 0.3, 0.3]], 100) == 1
    assert calls(Beam(4), [GOES_ON], 100) == 99


# === The state follows its hypothesis ===


def path_advance(token_ids, state):
    """Keeps the tokens seen, as the digits of a number, and makes what follows depend on them."""
    path = state["path"] * 10 + token_ids + 1
    logits = tf.sin(tf.cast(path, tf.float32)[:, None] * tf.constant([[1.0, 2.0, 3.0, 4.0]]))
    return tf.nn.log_softmax(logits), {"path": path, "row": state["row"]}


def path_probabilities(tokens):
    path = int("".join(str(token + 1) for token in tokens))
    weights = np.exp(np.sin(path * np.array([1.0, 2.0, 3.0, 4.0])))
    return weights / weights.sum()


@functools.cache
def path_graph(strategy):
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([], tf.int32)])
    def graph(first, max_tokens):
        rows = tf.range(tf.shape(first)[0])
        state = {"path": tf.zeros_like(rows), "row": rows}
        return decode(strategy, first, path_advance, state, max_tokens, END)

    return lambda first, max_tokens: as_arrays(graph(logs(first), max_tokens))


@pytest.mark.parametrize("strategy", [Greedy(), Beam(2), Beam(5)])
def test_scores_are_those_of_the_tokens_along_their_own_path(strategy):
    decoded = path_graph(strategy)(FIRST, 4)
    for row in range(2):
        for tokens, score in texts(decoded, row):
            whole = tokens if len(tokens) == 4 else (*tokens, END)
            chances = [
                (path_probabilities(whole[:place]) if place else FIRST[row])[token] for place, token in enumerate(whole)
            ]
            assert score == pytest.approx(np.log(chances).sum(), abs=1e-4)


@pytest.mark.parametrize("max_tokens", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("strategy", [Greedy(), Sampling(seed=3), Beam(2), Beam(5)])
def test_the_state_that_is_given_back_is_that_of_each_hypothesis_before_its_last_token(strategy, max_tokens):
    decoded = path_graph(strategy)(FIRST, max_tokens)
    steps = min(max_tokens, decoded.length.max() + 1)  # one more, for the end mark
    for row, width in np.ndindex(decoded.score.shape):
        if np.isfinite(decoded.score[row, width]):
            tokens = texts(decoded, row)[width][0]
            given = [*tokens, *[END] * steps][: steps - 1]
            place = row * strategy.width + width
            assert decoded.state["path"][place] == sum(10**n * (token + 1) for n, token in enumerate(given[::-1]))
            assert decoded.state["row"][place] == row


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_state_of_no_tokens_is_the_one_before(strategy):
    decoded = path_graph(strategy)(FIRST, 0)
    assert decoded.state["path"].tolist() == [0] * 2 * strategy.width
    assert decoded.state["row"].tolist() == np.repeat([0, 1], strategy.width).tolist()


@pytest.mark.parametrize(
    ("max_tokens", "lengths", "paths"),
    [
        (9, [1, 3, 0], [144, 231, 444]),  # 1 2 0 END: all but the END; 0 END END and END END END for the others
        (3, [1, 3, 0], [14, 23, 44]),
        (2, [1, 2, 0], [1, 2, 4]),
        (1, [1, 1, 0], [0, 0, 0]),
    ],
)
def test_the_state_where_rows_end_at_different_steps(max_tokens, lengths, paths):
    script = tf.constant([[0, END, 2, 2], [1, 2, 0, END], [END, 2, 2, 2]])

    def advance(token_ids, state):
        after = {**state, "path": state["path"] * 10 + token_ids + 1, "position": state["position"] + 1}
        following = tf.gather(script, after["position"], axis=1, batch_dims=1)
        return tf.math.log(tf.one_hot(following, 4)), after

    state = {"path": tf.zeros([3], tf.int32), "position": tf.zeros([3], tf.int32)}
    decoded = decode(Greedy(), tf.math.log(tf.one_hot(script[:, 0], 4)), advance, state, max_tokens, END)
    assert decoded.length.numpy().tolist() == [[length] for length in lengths]
    assert decoded.state["path"].numpy().tolist() == paths


# === Constraints ===


def test_constrain_sees_the_tokens_so_far_and_their_number():
    def forced(log_probabilities, token_ids, position):
        """Token 2 first, then the one before it modulo 3, each for sure."""
        last = tf.concat([tf.fill([tf.shape(token_ids)[0], 1], 3), token_ids], axis=1)[:, position]
        return tf.where(tf.range(4) == ((last - 1) % 3)[:, None], 0.0, -math.inf) + 0 * log_probabilities

    decoded = run(Beam(2), max_tokens=5, constrain=forced)
    assert texts(decoded, 0) == [((2, 1, 0, 2, 1), 0.0), ((), -math.inf)]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_constrain_may_lose_the_static_shape(strategy):
    def shapeless(log_probabilities, token_ids, position):
        return tf.reshape(log_probabilities, tf.cast(tf.cast(tf.shape(log_probabilities), tf.float32), tf.int32))

    tf.nest.map_structure(np.testing.assert_array_equal, run(strategy, constrain=shapeless), run(strategy))


def test_scores_count_what_constrain_gives():
    def no_zero(log_probabilities, token_ids, position):
        return tf.where(tf.range(4) == 0, -math.inf, log_probabilities - 1)

    decoded = run(Greedy(), max_tokens=1, constrain=no_zero)
    assert texts(decoded, 0) == [((1,), pytest.approx(math.log(0.3) - 1))]


# === Dead ends ===


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_dead_end_at_once_is_no_hypothesis_and_spoils_no_other_row(strategy):
    decoded = run(strategy, first=np.array([NOTHING, FIRST[1]]))
    assert texts(decoded, 0) == [((), -math.inf)] * strategy.width
    assert set(decoded.token_ids[0].ravel().tolist()) <= {END}
    assert texts(decoded, 1) == texts(run(strategy), 1)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_dead_end_later_on(strategy):
    def dead_after_one(token_ids, state):
        return tf.fill([tf.shape(token_ids)[0], 4], -math.inf), state

    first = np.array([[0.5, 0.3, 0.2, 0.0]])
    decoded = run(strategy, first=first, advance=dead_after_one)
    assert texts(decoded, 0) == [((), -math.inf)] * strategy.width


def test_a_dead_end_leaves_the_beam_to_others():
    def only_from_two(token_ids, state):
        return tf.where((token_ids == 2)[:, None], logs([0.5, 0.3, 0.1, 0.1]), -math.inf), state

    first = np.array([[0.5, 0.3, 0.2, 0.0]])
    decoded = run(Beam(3), first=first, max_tokens=2, advance=only_from_two)
    assert [tokens for tokens, _ in texts(decoded, 0)] == [(2, 0), (2, 1), (2, 2)]


def test_an_end_mark_outside_of_the_vocabulary_ends_nothing():
    decoded = decode(Greedy(), logs([ENDS]), lambda _, state: (logs([ENDS]), state), {}, 3, -1)
    assert decoded.length.numpy().tolist() == [[3]]
    assert decoded.token_ids.numpy().tolist() == [[[3, 3, 3]]]


def test_it_can_be_exported_without_a_stateful_draw(tmp_path):
    module = tf.Module()

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 4]), tf.TensorSpec([], tf.int32)])
    def generate(first, seed):
        sampling = Sampling(temperature=0.7, top_k=3, top_p=0.9, seed=seed)
        return decode(
            sampling, first, advance, {"position": tf.zeros([tf.shape(first)[0]], tf.int32)}, 4, END
        )._asdict()

    module.generate = generate
    expected = generate(logs(FIRST), 5)
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    tf.nest.map_structure(np.testing.assert_array_equal, loaded.generate(logs(FIRST), 5), expected)
    operations = {node.op for function in _library(generate) for node in function.node_def}
    drawing = {name for name in operations if "Random" in name}
    assert drawing
    assert all(name.startswith("Stateless") for name in drawing)


def _library(function):
    return function.get_concrete_function().graph.as_graph_def().library.function
