import collections
import math

import numpy as np
import pytest
import tensorflow as tf
from streaming.toy_chain import END, FIRST, NEXT, advance, best, enumerate_all, logs, probability, run, texts

from runnel.shared.streaming.decode import decode
from runnel.shared.streaming.decode_strategies import Beam, Greedy, Sampling

RANKED = np.array([[0.1, 0.5, 0.15, 0.25]])  # token 1, 3, 2, 0 by falling probability


def assert_same_texts(found, expected):
    assert [tokens for tokens, _ in found] == [tokens for tokens, _ in expected]
    np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=1e-4)


# === Greedy ===


def test_greedy_takes_the_most_probable_token_each_time():
    decoded = run(Greedy())
    for row in range(2):
        tokens = [int(np.argmax(FIRST[row]))]
        while len(tokens) < 4 and tokens[-1] != END:
            tokens.append(int(np.argmax(NEXT[len(tokens) - 1, tokens[-1]])))
        expected = tuple(token for token in tokens if token != END)
        assert_same_texts(texts(decoded, row), [(expected, math.log(probability(tokens, FIRST[row])))])


def test_greedy_stops_at_the_end_mark_and_counts_it():
    decoded = run(Greedy(), first=np.array([[0.1, 0.1, 0.1, 0.7]]))
    assert_same_texts(texts(decoded, 0), [((), math.log(0.7))])


def test_the_lowest_id_of_equals_is_taken():
    assert run(Greedy(), first=np.full([1, 4], 0.25), max_tokens=1).token_ids.tolist() == [[[0]]]


# === Beam ===


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.5])
@pytest.mark.parametrize("max_tokens", [1, 2, 3, 4])
def test_a_wide_beam_finds_all_there_is_in_order(max_tokens, penalty):
    width = sum(3**length for length in range(max_tokens + 1))  # of 3 tokens, up to max_tokens of them
    decoded = run(Beam(width, penalty), max_tokens=max_tokens)
    for row in range(2):
        expected = best(enumerate_all(FIRST[row], max_tokens, penalty), width)
        assert len(expected) == width
        assert_same_texts(texts(decoded, row), expected)


def plain_beam(first, width, max_tokens, penalty):
    """Beam search with lists, one row: [(tokens, score)]."""
    beam = [((), 0.0)]
    for _ in range(max_tokens):
        grown = [item for item in beam if item[0][-1:] == (END,)]
        for tokens, _ in beam:
            if tokens[-1:] != (END,):
                longer = [(*tokens, token) for token in range(4)]
                grown += [(more, math.log(probability(more, first))) for more in longer]
        beam = sorted(grown, key=lambda item: -item[1] / ((5 + len(item[0])) / 6) ** penalty)[:width]
    return [(tokens[:-1] if tokens[-1:] == (END,) else tokens, score) for tokens, score in beam]


@pytest.mark.parametrize("penalty", [0.0, 1.0])
@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_a_narrow_beam_equals_plain_beam_search(width, penalty):
    decoded = run(Beam(width, penalty), max_tokens=6)
    for row in range(2):
        assert_same_texts(texts(decoded, row), plain_beam(FIRST[row], width, 6, penalty))


def test_a_beam_of_one_is_greedy():
    tf.nest.map_structure(np.testing.assert_array_equal, run(Beam(1)), run(Greedy()))


def test_the_length_penalty_by_hand():
    # "end" .5; "0 end" .25 * .96 = .24: short wins without a penalty; with exponent 10, ((5 + 2) / 6) ** 10 = 4.7
    # divides log .24 = -1.43 to -0.31, and log .5 = -0.69 stays.
    first = np.array([[0.25, 0.125, 0.125, 0.5]])

    def nearly_ends(token_ids, state):
        return tf.tile(logs(np.array([[0.01, 0.02, 0.01, 0.96]])), [tf.shape(token_ids)[0], 1]), state

    for penalty, expected in ((0.0, ()), (10.0, (0,))):
        decoded = run(Beam(2, penalty), first=first, max_tokens=2, advance=nearly_ends)
        assert texts(decoded, 0)[0][0] == expected
    assert sorted(decoded.score[0].tolist()) == pytest.approx([math.log(0.24), math.log(0.5)])


def test_fewer_hypotheses_than_the_beam_is_wide():
    first = np.array([[0.6, 0.0, 0.0, 0.4], [0.0, 0.0, 0.0, 1.0]])

    def ends(token_ids, state):
        return tf.tile(logs(np.array([[0.0, 0.0, 0.0, 1.0]])), [tf.shape(token_ids)[0], 1]), state

    decoded = run(Beam(5), first=first, advance=ends)
    assert_same_texts(texts(decoded, 0), [((0,), math.log(0.6)), ((), math.log(0.4))] + [((), -math.inf)] * 3)
    assert_same_texts(texts(decoded, 1), [((), 0.0)] + [((), -math.inf)] * 4)
    assert decoded.token_ids[1].tolist() == [[END]] * 5


# === Sampling ===


@pytest.fixture(scope="module")
def draw():
    """A function of (first, seeds, temperature, top_k, top_p) that gives the token drawn by each seed; -1: the end."""

    @tf.function(autograph=False)
    def graph(first, seeds, temperature, top_k, top_p):
        def one(seed):
            decoded = decode(
                Sampling(temperature, top_k, top_p, seed), first, lambda _, state: (first, state), {}, 1, -1
            )
            return decoded.token_ids[0, 0, 0]

        return tf.map_fn(one, seeds)

    def call(first, seeds, temperature=1.0, top_k=0, top_p=1.0):
        numbers = (tf.constant(temperature), tf.constant(top_k), tf.constant(top_p))
        return graph(logs(first), tf.constant(seeds, tf.int32), *numbers).numpy()

    return call


def frequencies(tokens):
    return np.bincount(tokens, minlength=4) / len(tokens)


def assert_frequencies(tokens, probabilities):
    """Within five standard deviations of a multinomial draw."""
    probabilities = np.asarray(probabilities)
    bound = 5 * np.sqrt(probabilities * (1 - probabilities) / len(tokens))
    assert (np.abs(frequencies(tokens) - probabilities) <= bound + 1e-12).all(), frequencies(tokens)


SEEDS = range(4000)


def test_frequencies_are_the_probabilities(draw):
    assert_frequencies(draw(RANKED, SEEDS), RANKED[0])


def test_temperature_sharpens_and_flattens(draw):
    for temperature in (0.5, 2.0):
        powers = RANKED[0] ** (1 / temperature)
        assert_frequencies(draw(RANKED, SEEDS, temperature=temperature), powers / powers.sum())


@pytest.mark.parametrize(
    ("top_k", "top_p", "left"),
    [
        (1, 1.0, [1]),
        (2, 1.0, [1, 3]),
        (9, 1.0, [0, 1, 2, 3]),
        (0, 0.0, [1]),  # the most probable one always
        (0, 0.45, [1]),
        (0, 0.55, [1, 3]),  # .5 is not enough, .75 is
        (0, 0.8, [1, 2, 3]),
        (0, 0.95, [0, 1, 2, 3]),
        (2, 0.6, [1]),  # of the two left, token 1 has 2/3
        (2, 0.7, [1, 3]),
    ],
)
def test_filters_by_hand(draw, top_k, top_p, left):
    kept = np.where(np.isin(range(4), left), RANKED[0], 0)
    assert_frequencies(draw(RANKED, SEEDS[:1500], top_k=top_k, top_p=top_p), kept / kept.sum())


def test_exactly_k_of_equals_are_left(draw):
    assert set(draw(np.full([1, 4], 0.25), SEEDS[:200], top_k=2)) == {0, 1}


@pytest.mark.parametrize("temperature", [0.0, -1.0, 1e-30])
def test_no_temperature_is_greedy(temperature):
    for first in (FIRST, RANKED):
        for seed in (0, 1):
            sampled = run(Sampling(temperature, seed=seed), first=first)
            tf.nest.map_structure(np.testing.assert_array_equal, sampled, run(Greedy(), first=first))


def test_a_seed_gives_its_text_again_and_seeds_differ():
    @tf.function(autograph=False)
    def by_seed(seed):
        return decode(Sampling(seed=seed), logs(FIRST), advance, {"position": tf.zeros([2], tf.int32)}, 6, END)

    decoded = [texts(by_seed(tf.constant(seed)), 0)[0][0] for seed in (0, 1, 2, *range(12), 2**31 - 1, -1)]
    assert decoded[:3] == decoded[3:6]
    assert len(set(decoded)) > 5
    number = run(Sampling(seed=7), max_tokens=6)
    assert texts(number, 0)[0][0] == decoded[3 + 7]


def test_equal_rows_get_equal_text_wherever_they_stand():
    decoded = run(Sampling(seed=4), first=np.concatenate([FIRST[:1], FIRST, FIRST[:1]]), max_tokens=8)
    assert texts(decoded, 0) == texts(decoded, 1) == texts(decoded, 3)


def test_a_hair_between_two_tokens_does_not_change_what_is_drawn():
    first = tf.math.log(tf.constant([[0.2500001, 0.25, 0.25, 0.25], [0.25, 0.25, 0.2500001, 0.25]]))

    @tf.function(autograph=False)
    def draws(seeds):
        once = lambda seed: decode(Sampling(seed=seed), first, lambda _, state: (first, state), {}, 1, -1)  # noqa: E731
        return tf.map_fn(lambda seed: once(seed).token_ids[:, 0, 0], seeds)

    left, right = draws(tf.range(100)).numpy().T
    np.testing.assert_array_equal(left, right)


def test_positions_draw_by_themselves():
    """Two tokens in a row from the uniform distribution: all sixteen pairs, about equally often."""

    def uniform(token_ids, state):
        return tf.fill([tf.shape(token_ids)[0], 4], math.log(0.25)), state

    @tf.function(autograph=False)
    def pairs(seeds):
        first = tf.fill([1, 4], math.log(0.25))
        return tf.map_fn(lambda seed: decode(Sampling(seed=seed), first, uniform, {}, 2, -1).token_ids[0, 0], seeds)

    counts = collections.Counter(map(tuple, pairs(tf.range(4000)).numpy().tolist()))
    assert len(counts) == 16
    bound = 5 * math.sqrt(4000 / 16 * 15 / 16)
    assert all(abs(count - 250) < bound for count in counts.values())


def test_the_score_is_the_models_whatever_the_filters():
    decoded = run(Sampling(temperature=0.3, top_k=2, seed=1))
    for row in range(2):
        ((tokens, score),) = texts(decoded, row)
        assert score == pytest.approx(enumerate_all(FIRST[row], 4)[tokens][0], abs=1e-5)
