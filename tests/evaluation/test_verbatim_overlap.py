from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.shared.evaluation.verbatim_overlap import longest_verbatim_span


def by_trying_all(sample: str, training: str) -> str:
    """The longest, and among equals the one that ends first in the training text."""
    best = ""
    for end in range(len(training) + 1):
        for start in range(end):
            if end - start > len(best) and training[start:end] in sample:
                best = training[start:end]
    return best


@pytest.mark.parametrize(
    ("sample", "training", "span"),
    [
        ("the quick red fox", "a quick brown fox", " quick "),
        ("To be, or not", "to be, or not to be", "o be, or not"),
        ("naïve 日本語 x", "y 日本語 naïve", " 日本語 "),  # five characters, as "naïve", whatever their bytes
        ("line\none", "a line\none more", "line\none"),
        ("abc", "xyz", ""),
        ("", "xyz", ""),
        ("abc", "", ""),
        ("abcabc", "abc", "abc"),
        ("ab cd", "cd ab", "cd"),  # as long as "ab", and first in the training text
        ("a\x00b", "\x00b", "\x00b"),
    ],
)
def test_spans_by_hand(sample: str, training: str, span: str) -> None:
    assert longest_verbatim_span(sample, training) == span


def test_every_short_pair_of_two_letters() -> None:
    texts = ["".join(letters) for length in range(6) for letters in product("ab", repeat=length)]
    for sample in texts:
        for training in texts:
            assert longest_verbatim_span(sample, training) == by_trying_all(sample, training)


@given(st.text("abc ", max_size=40), st.text("abc ", max_size=60))
def test_against_trying_all(sample: str, training: str) -> None:
    assert longest_verbatim_span(sample, training) == by_trying_all(sample, training)


def test_a_span_in_a_long_text_is_found_where_it_is_planted() -> None:
    training = "".join(f"{number} " for number in range(40_000))
    planted = training[100_000:100_500]
    assert longest_verbatim_span(f"#{planted}#", training) == planted
    assert longest_verbatim_span("b" * 3_000, "ab" * 50_000) == "b"
