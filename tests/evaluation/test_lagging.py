from collections.abc import Callable

import pytest

from runnel.shared.evaluation.lagging import average_lagging, length_adaptive_average_lagging

LAGS = [average_lagging, length_adaptive_average_lagging]
Lag = Callable[[list[int], int, int], float]


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("words", [1, 4, 9])
def test_a_translation_of_the_whole_sentence_is_a_sentence_behind(lag: Lag, words: int) -> None:
    assert lag([5] * words, 5, words) == 5


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("k", [1, 2, 5, 6])
def test_wait_k_is_k_words_behind_where_the_lengths_are_equal(lag: Lag, k: int) -> None:
    assert lag([min(k + place, 6) for place in range(6)], 6, 6) == k


@pytest.mark.parametrize(
    ("delays", "source_words", "reference_words", "al", "laal"),
    [
        # longer than the reference: 1 - 0, 2 - 2, 3 - 4, 4 - 6; and 1 - 0, 2 - 0.8, 3 - 1.6, 4 - 2.4
        ([1, 2, 3, 4, 4], 4, 2, -0.5, 1.3),
        # shorter than the reference: 2 - 0, 4 - 0.5
        ([2, 4], 4, 8, 2.75, 2.75),
        # the source is read long before the end: 1 - 0, 3 - 0.6, and no more
        ([1, 3, 3, 3, 3], 3, 5, 1.7, 1.7),
        # it is never read to its end: 1 - 0, 2 - 1, 2 - 2
        ([1, 2, 2], 4, 4, 2 / 3, 2 / 3),
        # words that came before anything was read: 0 - 0, 0 - 2, 4 - 4; and 0 - 0, 0 - 4/3, 4 - 8/3
        ([0, 0, 4], 4, 2, -2 / 3, 0.0),
        # one word each
        ([1], 1, 1, 1.0, 1.0),
    ],
)
def test_hand_values(delays: list[int], source_words: int, reference_words: int, al: float, laal: float) -> None:
    assert average_lagging(delays, source_words, reference_words) == pytest.approx(al)
    assert length_adaptive_average_lagging(delays, source_words, reference_words) == pytest.approx(laal)


@pytest.mark.parametrize("lag", LAGS)
def test_no_translation_counts_as_one_at_the_end(lag: Lag) -> None:
    assert lag([], 7, 3) == 7


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("delays", [[], [1]])
@pytest.mark.parametrize(("source_words", "reference_words"), [(0, 3), (3, 0), (-1, 3)])
def test_lengths_below_one_are_refused(lag: Lag, delays: list[int], source_words: int, reference_words: int) -> None:
    with pytest.raises(ValueError, match=f"received {source_words} and {reference_words} words; expected at least 1"):
        lag(delays, source_words, reference_words)
