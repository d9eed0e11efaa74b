import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.shared.evaluation.kneser_ney import KneserNey, fit_kneser_ney

START = -1


class FromThePaper:
    """Chen and Goodman 1999 word for word: dictionaries of tuples, and a recursion over orders."""

    def __init__(self, sequences: Sequence[Sequence[int]], vocabulary: int, order: int) -> None:
        self.vocabulary, self.order = vocabulary, order
        self.followers: dict[tuple, Counter] = defaultdict(Counter)  # c(h w), or N1+(. h w) for shorter h
        seen = set()
        for sequence in sequences:
            padded = [START] * (order - 1) + list(sequence)
            for end in range(order - 1, len(padded)):
                self.followers[tuple(padded[end - order + 1 : end])][padded[end]] += 1
                seen |= {tuple(padded[end - length + 1 : end + 1]) for length in range(2, order + 1)}
        for gram in seen:
            self.followers[gram[1:-1]][gram[-1]] += 1
        self.discounts = [self._discounts(length) for length in range(order)]

    def _discounts(self, context_length: int) -> list[float]:
        counts = [c for h, f in self.followers.items() if len(h) == context_length for c in f.values()]
        n1, n2, n3, n4 = (counts.count(r) for r in (1, 2, 3, 4))
        if n1 * n2 * n3 == 0:
            return [0.5, 1.0, 1.5]
        y = n1 / (n1 + 2 * n2)
        discounts = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        return discounts if all(d > 0 for d in discounts) else [0.5, 1.0, 1.5]

    def probability(self, word: int, context: tuple) -> float:
        shorter = self.probability(word, context[1:]) if context else 1 / self.vocabulary
        followers = self.followers.get(context)
        if not followers:
            return shorter
        d1, d2, d3 = self.discounts[len(context)]
        total = sum(followers.values())
        kinds = [sum(c == 1 for c in followers.values()), sum(c == 2 for c in followers.values())]
        kinds.append(len(followers) - sum(kinds))
        gamma = (d1 * kinds[0] + d2 * kinds[1] + d3 * kinds[2]) / total
        count = followers.get(word, 0)
        return (count - [0, d1, d2, d3][min(count, 3)]) / total + gamma * shorter

    def distribution(self, context: Sequence[int]) -> list[float]:
        padded = ([START] * self.order + list(context))[len(context) + 1 :]
        return [self.probability(word, tuple(padded)) for word in range(self.vocabulary)]


def skewed(count: int, vocabulary: int, seed: int) -> np.ndarray:
    """Token ids with frequent and rare ones, each depending on the one before it."""
    random = np.random.default_rng(seed)
    tokens = np.minimum(random.geometric(0.3, size=count) - 1, vocabulary - 1)
    tokens[1::3] = (tokens[::3][: len(tokens[1::3])] + 1) % vocabulary
    return tokens


def test_two_tokens_by_hand() -> None:
    # occurrences: start a 1, a b 2, b a 2, a c 1; tokens before a: start and b, before b and c: a
    # too few n-grams to fit the discounts: they are 1/2, 1 and 3/2
    model = fit_kneser_ney([np.array([0, 1, 0, 1, 0, 2])], vocabulary=3, order=2)
    # alone: (2 - 1) / 4 and 0.5 / 4 twice; gamma = (1 + 0.5 + 0.5) / 4 goes to 1/3 each
    alone = np.array([5 / 12, 7 / 24, 7 / 24])
    np.testing.assert_allclose(model.probabilities([2]), alone)  # nothing follows c
    # after a: (2 - 1) / 3 for b, 0.5 / 3 for c, gamma = (1 + 0.5) / 3
    np.testing.assert_allclose(model.probabilities([1, 0]), [0.5 * 5 / 12, 1 / 3 + 7 / 48, 1 / 6 + 7 / 48])
    # at the start: 0.5 / 1 for a, gamma = 0.5
    np.testing.assert_allclose(model.probabilities([]), [0.5 + 5 / 24, 7 / 48, 7 / 48])


def test_the_three_discounts_by_hand() -> None:
    # four tokens once, two twice, one three times, one four times: Y = 4 / 8, D1 = 0.5, D2 = 1.25, D3 = 1
    tokens = np.array([0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 7])
    model = fit_kneser_ney([tokens], vocabulary=9, order=1)
    gamma = (4 * 0.5 + 2 * 1.25 + 2 * 1) / 15
    expected = np.array([0.5, 0.5, 0.5, 0.5, 0.75, 0.75, 2, 3, 0]) / 15 + gamma / 9
    for context in ([], [3], [8, 8, 8]):
        np.testing.assert_allclose(model.probabilities(context), expected)
    assert model.order == 1


def test_a_token_with_one_context_is_not_expected_elsewhere() -> None:
    # 1 ("Francisco") is frequent, but only after 0 ("San"); 2 is rarer and follows many tokens
    pairs = [[0, 1]] * 20 + [[token, 2] for token in range(3, 9)]
    model = fit_kneser_ney([np.array(pair) for pair in pairs], vocabulary=10, order=2)
    unseen, after_san = model.probabilities([9]), model.probabilities([0])
    assert unseen[2] > 3 * unseen[1]
    assert after_san[1] > 0.9


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize(("count", "vocabulary"), [(1500, 12), (40, 5), (3000, 40)])
def test_equal_to_the_paper(order: int, count: int, vocabulary: int) -> None:
    whole = skewed(count, vocabulary, seed=order)
    pieces = np.split(whole, [count // 3, count // 3, count // 3 + 1, count // 2])  # one is empty, one a single token
    model, reference = fit_kneser_ney(pieces, vocabulary, order), FromThePaper(pieces, vocabulary, order)
    random = np.random.default_rng(0)
    contexts = [random.integers(0, vocabulary, size=size) for size in (0, 1, 2, 3, 5, 8)]
    contexts += [whole[:1], whole[:2], *(whole[end - 6 : end] for end in range(10, 30))]
    for context in contexts:
        np.testing.assert_allclose(model.probabilities(context), reference.distribution(context), rtol=1e-10)


def test_fitted_discounts_are_met_by_the_comparison() -> None:
    fitted = [FromThePaper([skewed(1500, 12, seed=4)], 12, 4).discounts, FromThePaper([[0, 1]], 12, 4).discounts]
    assert fitted[0][3] != [0.5, 1.0, 1.5]
    assert fitted[1][3] == [0.5, 1.0, 1.5]


@given(
    st.lists(st.lists(st.integers(0, 4), max_size=12), min_size=1, max_size=5),
    st.integers(1, 5),
    st.lists(st.integers(0, 4), max_size=8),
)
def test_distributions_sum_to_one_and_leave_nothing_out(sequences: list, order: int, context: list) -> None:
    model = fit_kneser_ney([np.array([0]), *(np.array(one, np.int32) for one in sequences)], 5, order)
    distribution = model.probabilities(context)
    assert distribution.sum() == pytest.approx(1.0)
    assert distribution.min() > 0


@pytest.mark.parametrize("order", [1, 3, 5])
def test_log_probabilities_are_those_of_the_distributions(order: int) -> None:
    model = fit_kneser_ney([skewed(800, 9, seed=1), skewed(30, 9, seed=2)], 9, order)
    sequence = skewed(60, 9, seed=3)
    expected = [math.log(model.probabilities(sequence[:end])[token]) for end, token in enumerate(sequence)]
    np.testing.assert_allclose(model.log_probabilities(sequence), expected)
    assert model.log_probabilities([]).shape == (0,)


def test_a_longer_context_predicts_a_text_with_memory_better() -> None:
    text = np.tile([0, 1, 2, 0, 2, 1, 3], 60)
    losses = [-fit_kneser_ney([text[:300]], 4, order).log_probabilities(text[300:]).mean() for order in (1, 2, 3)]
    assert losses[0] > 1.3 > 0.7 > losses[1] > 5 * losses[2]


def test_only_the_last_tokens_of_a_context_count() -> None:
    model = fit_kneser_ney([skewed(300, 6, seed=5)], 6, 3)
    np.testing.assert_array_equal(model.probabilities([0, 1, 2, 1]), model.probabilities([5, 2, 1]))


def test_the_answer_is_the_callers_to_change() -> None:
    model = fit_kneser_ney([np.array([0, 1, 1])], 3, 2)
    before = model.probabilities([1])
    model.probabilities([1])[:] = 0
    np.testing.assert_array_equal(model.probabilities([1]), before)


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([], {}, "no token"),
        ([[]], {}, "no token"),
        ([[0, 3]], {}, "0 to 3; the vocabulary has 0 to 2"),
        ([[-1]], {}, "-1 to -1"),
        ([[[0, 1]]], {}, "one sequence"),
        ([[0]], {"order": 0}, "order is 0"),
    ],
)
def test_fitting_refuses_bad_input(sequences: list, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_kneser_ney(sequences, 3, **options)


@pytest.mark.parametrize("method", [KneserNey.probabilities, KneserNey.log_probabilities])
def test_a_model_refuses_ids_that_it_does_not_know(method: object) -> None:
    model = fit_kneser_ney([[0, 1]], 3)
    for tokens in ([3], [-1], [[0]]):
        with pytest.raises(ValueError, match="token ids"):
            method(model, tokens)
