import json
import math

import numpy as np
import pytest

from runnel.shared.evaluation.prefix_ranks import PrefixRanks
from runnel.shared.evaluation.typing_metrics import (
    TypedWords,
    compare_typing,
    keys_saved,
    recall_at,
    reciprocal_rank,
    typing_scores,
)

# at once first; third at once, then first; after two characters; fourth, then third; never; with the last character
WORDS = TypedWords.from_ranks(
    [[0], [2, 0, 0], [-1, -1, 1, 0], [3, 2], [-1, -1], [-1, 0]],
    followed_by_space=[True, True, False, False, True, False],
    keys=[2, 4, 6, 3, 5, 3],  # "a the four()of/it ((is."
)


def typed(first: np.ndarray) -> TypedWords:
    """Words of two characters and a space with these ranks before the first of them, and never listed later."""
    return TypedWords.from_ranks([[int(rank), -1] for rank in first], [True] * len(first), [3] * len(first))


def test_words_are_padded() -> None:
    np.testing.assert_array_equal(WORDS.length, [1, 3, 4, 2, 2, 2])
    np.testing.assert_array_equal(WORDS.ranks[[0, 2, 3]], [[0, -1, -1, -1], [-1, -1, 1, 0], [3, 2, -1, -1]])
    assert (WORDS.ranks.dtype, WORDS.length.dtype, WORDS.keys.dtype) == (np.int32, np.int32, np.int32)
    assert WORDS.followed_by_space.dtype == np.bool_


def test_recall_by_hand() -> None:
    np.testing.assert_array_equal(recall_at(WORDS, 1), [1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(recall_at(WORDS, 3), [1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(recall_at(WORDS, 4), [1, 1, 0, 1, 0, 0])


def test_reciprocal_rank_by_hand() -> None:
    np.testing.assert_allclose(reciprocal_rank(WORDS), [1, 1 / 3, 0, 1 / 4, 0, 0])


def test_keys_saved_by_hand() -> None:
    # with the space 2, 4, 4, 2, 3, 2 keys: accepted after 0, 0, 2, 1 characters, never, and after 1
    np.testing.assert_array_equal(keys_saved(WORDS, 3), [1, 3, 1, 0, 0, 0])
    # the first suggestion alone: after 0, 1, 3 characters, never, never, after 1
    np.testing.assert_array_equal(keys_saved(WORDS, 1), [1, 2, 0, 0, 0, 0])


def test_keys_saved_are_those_of_a_typist() -> None:
    """Key by key: a word is accepted, with its space, where that is fewer keys than going on by hand."""
    random = np.random.default_rng(0)
    for _ in range(200):
        length, space = int(random.integers(1, 7)), bool(random.integers(2))
        ranks = random.integers(-1, 5, length).tolist()
        words = TypedWords.from_ranks([ranks], [space], [length + 3])
        pressed = at = 0
        while at < length + space:  # a space where one follows
            accepts = at < length and 0 <= ranks[at] < 3
            pressed, at = pressed + 1, length + space if accepts else at + 1
        assert keys_saved(words, 3)[0] == length + space - pressed


def test_scores_by_hand() -> None:
    scores = typing_scores(WORDS, draws=200)
    assert {name: score["estimate"] for name, score in scores.items()} == pytest.approx(
        {"top1": 1 / 6, "top3": 2 / 6, "mrr": (1 + 1 / 3 + 1 / 4) / 6, "keystroke_savings": 5 / 23}
    )
    for score in scores.values():
        assert score["lower"] <= score["estimate"] <= score["upper"]
        assert 0 <= score["lower"] < score["upper"] <= 1
    assert json.loads(json.dumps(scores)) == scores
    assert list(typing_scores(WORDS, k=5, draws=10)) == ["top1", "top5", "mrr", "keystroke_savings"]


def test_somebody_who_is_always_helped_at_once_presses_one_key_a_word() -> None:
    words = TypedWords.from_ranks([[0] * length for length in (1, 5, 9)], [True, True, True], [2, 6, 10])
    scores = typing_scores(words, draws=50)
    assert scores["keystroke_savings"]["estimate"] == pytest.approx(15 / 18)
    assert scores["top1"] == scores["mrr"] == {"estimate": 1.0, "lower": 1.0, "upper": 1.0}


def test_intervals_are_as_wide_as_theory_says() -> None:
    recalled = np.random.default_rng(0).random(2000) < 0.3
    score = typing_scores(typed(np.where(recalled, 0, -1)))["top1"]
    half = 1.96 * math.sqrt(0.3 * 0.7 / 2000)
    assert score["upper"] - score["estimate"] == pytest.approx(half, rel=0.15)
    assert score["estimate"] - score["lower"] == pytest.approx(half, rel=0.15)


def test_words_that_go_together_widen_the_interval() -> None:
    recalled = np.random.default_rng(0).random(2000) < 0.3
    together = np.repeat(recalled[:200], 10)
    alone, blocks = (typing_scores(typed(np.where(one, 0, -1)))["top3"] for one in (recalled, together))
    assert blocks["upper"] - blocks["lower"] > 1.8 * (alone["upper"] - alone["lower"])


def test_the_seed_decides_the_intervals() -> None:
    first = np.random.default_rng(1).integers(-1, 5, size=300)
    assert typing_scores(typed(first), seed=1) == typing_scores(typed(first), seed=1)
    assert typing_scores(typed(first), seed=1) != typing_scores(typed(first), seed=2)
    assert compare_typing(typed(first), typed(first[::-1]), seed=1) != compare_typing(
        typed(first), typed(first[::-1]), seed=2
    )


def test_lead_by_hand() -> None:
    model, baseline = typed(np.array([0, 1, 2, -1, 0, 2])), typed(np.array([2, 3, 0, -1, -1, 2]))
    assert compare_typing(model, baseline, draws=50)["estimate"] == pytest.approx(5 / 3 - 1)
    assert compare_typing(baseline, model, draws=50)["estimate"] == pytest.approx(3 / 5 - 1)
    assert compare_typing(model, baseline, k=4, draws=50)["estimate"] == pytest.approx(5 / 4 - 1)


def test_the_interval_of_the_lead_is_paired_and_on_the_right_side() -> None:
    random = np.random.default_rng(0)
    hard = random.random(3000)
    baseline, model = typed(np.where(hard < 0.4, 0, -1)), typed(np.where(hard < 0.5, 1, -1))
    lead = compare_typing(model, baseline)
    assert 0.15 < lead["lower"] < lead["estimate"] < lead["upper"] < 0.35
    shuffled = compare_typing(typed(random.permutation(np.where(hard < 0.5, 1, -1))), baseline)
    assert shuffled["estimate"] == pytest.approx(lead["estimate"])
    assert shuffled["upper"] - shuffled["lower"] > 1.3 * (lead["upper"] - lead["lower"])


def test_lead_over_itself_and_over_nothing() -> None:
    right, wrong = typed(np.zeros(20)), typed(np.full(20, -1))
    assert compare_typing(right, right) == {"estimate": 0.0, "lower": 0.0, "upper": 0.0}
    assert compare_typing(wrong, wrong) == {"estimate": 0.0, "lower": 0.0, "upper": 0.0}
    assert compare_typing(right, wrong)["estimate"] == math.inf
    assert compare_typing(wrong, right)["estimate"] == -1.0


def test_no_words_give_nan() -> None:
    none = TypedWords.from_ranks([], [], [])
    for score in (*typing_scores(none).values(), compare_typing(none, none)):
        assert all(math.isnan(number) for number in score.values())


def test_ranks_of_a_baseline_become_words() -> None:
    ranks = PrefixRanks(("the", "fox", "then"))
    found = [ranks.ranks((0.5, 0.3, 0.2), text, 2) for text in ("fox", "then", "they")]
    words = TypedWords.from_ranks(found, [True, False, True], [4, 6, 5])  # "fox then, they "
    # "fox" second at once; "then" after "t", no space; "they" never
    np.testing.assert_array_equal(keys_saved(words, 2), [3, 2, 0])
    assert typing_scores(words, 2, draws=10)["keystroke_savings"]["estimate"] == pytest.approx(5 / 15)


@pytest.mark.parametrize(
    ("ranks", "length", "message"),
    [
        (np.zeros(3, np.int32), np.ones(3, np.int32), "shape"),
        (np.zeros((3, 1), np.int32), np.ones(2, np.int32), "shape"),
        (np.zeros((2, 1), np.int32), np.array([1, 0], np.int32), "0 to 1 characters"),
        (np.zeros((2, 1), np.int32), np.array([1, 2], np.int32), "1 to 2 characters"),
        (np.zeros((1, 3), np.int32), np.array([2], np.int32), "after the last character"),
    ],
)
def test_words_refuse_what_does_not_belong_together(ranks: np.ndarray, length: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TypedWords(ranks, length, np.ones(len(length), bool), length + 1)


@pytest.mark.parametrize(
    ("followed", "keys", "message"),
    [
        ([True], [3, 3], "shape"),
        ([True, True], [3], "shape"),
        ([True, True], [3, 2], "fewer keys"),
        ([False, False], [1, 2], "fewer keys"),
    ],
)
def test_words_refuse_keys_that_are_not_theirs(followed: list[bool], keys: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TypedWords.from_ranks([[0, 0], [1, 0]], followed, keys)


def test_bad_options_are_refused() -> None:
    for score in (recall_at, keys_saved, typing_scores):
        with pytest.raises(ValueError, match="k is 0"):
            score(WORDS, 0)
    with pytest.raises(ValueError, match="differ in number or length"):
        compare_typing(WORDS, TypedWords.from_ranks([[0]] * 6, [True] * 6, [2] * 6))
    with pytest.raises(ValueError, match="differ in number or length"):
        compare_typing(typed(np.zeros(2)), TypedWords.from_ranks([[0, -1]] * 2, [True, True], [3, 4]))
