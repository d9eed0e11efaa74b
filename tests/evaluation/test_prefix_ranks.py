import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.shared.evaluation.prefix_ranks import PrefixRanks

SURFACES = ("", "", ",", "the", "then", "fox", "them", "a", "that")
SHARES = (0.3, 0.1, 0.2, 0.05, 0.02, 0.15, 0.03, 0.09, 0.06)


def test_ranks_by_hand() -> None:
    ranks = PrefixRanks(SURFACES).ranks
    # words by share: fox, a, that, the, them, then; the comma and the special tokens do not count
    assert ranks(SHARES, "fox", 6) == [0, 0, 0]
    assert ranks(SHARES, "a", 6) == [1]
    assert ranks(SHARES, "that", 6) == [2, 0, 0, 0]
    assert ranks(SHARES, "the", 6) == [3, 1, 1]
    assert ranks(SHARES, "them", 6) == [4, 2, 2, 1]  # after "the" those left are "the", "them", "then"
    assert ranks(SHARES, "then", 6) == [5, 3, 3, 2]


def test_what_is_not_among_the_first_k_may_come_later() -> None:
    ranks = PrefixRanks(SURFACES).ranks
    assert ranks(SHARES, "then", 3) == [-1, -1, -1, 2]
    assert ranks(SHARES, "them", 1) == [-1, -1, -1, -1]
    assert ranks(SHARES, "the", 2) == [-1, 1, 1]


@pytest.mark.parametrize("word", ["th", "thence", "zebra", "é", ",", ""])
def test_a_word_that_no_token_stands_for_never_comes(word: str) -> None:
    assert PrefixRanks(SURFACES).ranks(SHARES, word, 9) == [-1] * len(word)


def test_forms_of_one_surface_are_one_candidate() -> None:
    ranks = PrefixRanks(("fox", "dog", "fox", "hen")).ranks
    shares = (0.2, 0.3, 0.2, 0.35)
    assert [ranks(shares, word, 4)[0] for word in ("fox", "hen", "dog")] == [0, 1, 2]


def test_ties_go_to_the_lowest_token_id() -> None:
    ranks = PrefixRanks(("fox", "dog", "ant", "dog", "fox")).ranks
    assert [ranks((0.1, 0.2, 0.2, 0.0, 0.1), word, 3)[0] for word in ("fox", "dog", "ant")] == [0, 1, 2]


def test_words_begin_with_a_letter_a_mark_a_digit_or_an_underscore() -> None:
    words = ("_x", "3D", "été", "\u0301a", "½", "日本", "ß")
    others = ("'tis", "-a", "…", "€", "\N{PILE OF POO}", "\x00", " a")
    ranks = PrefixRanks(words + others).ranks
    shares = np.ones(len(words) + len(others))
    assert [ranks(shares, word, 99)[0] for word in words] == list(range(len(words)))
    assert all(ranks(shares, word, 99)[0] == -1 for word in others)


def test_characters_are_code_points() -> None:
    ranks = PrefixRanks(("a\N{MATHEMATICAL BOLD SMALL B}c", "a\uffffz", "ab")).ranks
    assert ranks((1.0, 2.0, 3.0), "a\N{MATHEMATICAL BOLD SMALL B}c", 3) == [2, 2, 0]


WORDS = st.text(alphabet="abé'", min_size=1, max_size=4)


@given(st.lists(st.tuples(WORDS, st.integers(0, 3)), min_size=1, max_size=25), st.integers(1, 6), WORDS)
def test_against_a_sorted_list(vocabulary: list[tuple[str, int]], k: int, other: str) -> None:
    surfaces, shares = [text for text, _ in vocabulary], [share for _, share in vocabulary]
    totals: dict[str, int] = {}  # in the order of token ids, which the stable sort keeps for ties
    for text, share in vocabulary:
        if text[0] != "'":
            totals[text] = totals.get(text, 0) + share
    ranked = sorted(totals, key=lambda text: -totals[text])
    for word in {other, surfaces[0], surfaces[-1]}:
        expected = []
        for typed in range(len(word)):
            shown = [text for text in ranked if text.startswith(word[:typed])][:k]
            expected.append(shown.index(word) if word in shown else -1)
        assert PrefixRanks(surfaces).ranks(shares, word, k) == expected


def test_a_vocabulary_without_words_suggests_nothing() -> None:
    for surfaces in ((), ("", "!")):
        assert PrefixRanks(surfaces).ranks(np.ones(len(surfaces)), "a", 3) == [-1]


@pytest.mark.parametrize(
    ("shares", "k", "message"),
    [((0.5,), 3, "one a token id"), ((0.5, 0.5), 0, "k is 0"), ((0.5, float("nan")), 3, "NaN")],
)
def test_bad_input_is_refused(shares: tuple[float, ...], k: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PrefixRanks(("a", "b")).ranks(shares, "a", k)
