import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.shared.evaluation.choose_thresholds import Peaks, choose_thresholds, find_peaks, join_peaks, word_windows
from runnel.shared.evaluation.detection_scores import Event, Word, match_events

LOWEST = math.log(0.1 / 0.9)  # log-odds of the lowest peak that is looked for


def peaks(true: list[float], false: list[float]) -> Peaks:
    return Peaks(np.array([*true, *false], np.float64), np.array([True] * len(true) + [False] * len(false), np.bool_))


def log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def from_log_odds(values: list[float] | np.ndarray) -> list[float]:
    return (1 / (1 + np.exp(-np.asarray(values)))).tolist()


def false_peaks(beyond_lowest: list[float] | np.ndarray) -> Peaks:
    """Peaks so far above the lowest, in log-odds."""
    return peaks([], from_log_odds(LOWEST + np.asarray(beyond_lowest)))


def test_frames_whose_event_hits() -> None:
    words = [Word("go", 320, 640), Word("stop", 0, 320), Word("go", 641, 1000), Word("go", 0, 100)]
    # an event of frame m comes at (m + 1) * 320; frame 0 at 320, frame 2 at 960
    assert word_windows(words, "go", tolerance=320) == [(0, 2), (2, 3), (0, 0)]
    assert word_windows(words, "yes") == []


def test_threshold_and_expectation_by_hand() -> None:
    """Ten excesses of sum 1.1 over the eleventh peak, and one of 1: 11 of sum 2.1. 11 peaks an hour reach that peak.

    (1 + (x - u) / 2.1) ** -11 is 2 ** -11 where x - u is 2.1. What lies below the eleventh peak does not matter.
    """
    beyond = [*(0.01 + np.arange(11) / 50), 0.005, 0.002]
    chosen = choose_thresholds([false_peaks(beyond)], 1.0, 11 / 2**11)
    assert log_odds(chosen.thresholds[0]) == pytest.approx(LOWEST + 0.01 + 2.1)
    assert chosen.false_alarms_per_hour[0] == pytest.approx(11 / 2**11)
    # the same peaks in two hours are half as many an hour: half as many come at the same threshold
    longer = choose_thresholds([false_peaks(beyond)], 2.0, 11 / 2**12)
    np.testing.assert_allclose(longer.thresholds, chosen.thresholds)
    np.testing.assert_allclose(longer.false_alarms_per_hour, chosen.false_alarms_per_hour / 2)


def test_words_share_the_budget_and_what_their_excesses_tell() -> None:
    """Few peaks begin at the lowest height: 8 excesses of sum 4 and 4 of sum 8 are, with the one of 1, 13 of sum 13.

    In 1 hour each word may have 4 / 2 ** 13 false alarms: the part 2 ** -13 of 4 peaks, 2 ** -14 of 8.
    """
    words = [false_peaks([0.5] * 8), false_peaks([2.0] * 4)]
    chosen = choose_thresholds(words, 1.0, 2 * 4 / 2**13, ceiling=1 - 1e-7)
    expected = [LOWEST + 13 * (2 ** (14 / 13) - 1), LOWEST + 13]
    np.testing.assert_allclose([log_odds(one) for one in chosen.thresholds], expected)
    np.testing.assert_allclose(chosen.false_alarms_per_hour, 4 / 2**13)
    usual = choose_thresholds(words, 1.0, 2 * 4 / 2**13)
    np.testing.assert_allclose(usual.thresholds, 0.999)
    assert np.all(usual.false_alarms_per_hour > 4 / 2**13)  # at the ceiling it is what it is


def test_without_any_peak_half_a_one_is_expected_at_the_lowest_height() -> None:
    """Ten excesses of mean 1 are made up: 0.5 (1 + (x - u) / 10) ** -10 = 0.5 / 1.25 ** 10."""
    for words in (1, 3):
        chosen = choose_thresholds([peaks([], [])] * words, 2.0, words * 0.25 / 1.25**10)
        np.testing.assert_allclose(chosen.thresholds, from_log_odds([LOWEST + 2.5] * words))
        np.testing.assert_allclose(chosen.false_alarms_per_hour, 0.25 / 1.25**10)


def test_a_large_budget_looks_below_the_highest_ten_peaks() -> None:
    """Thirty of a hundred peaks may come: the threshold lies where just about thirty of them do."""
    word = peaks([], np.linspace(0.4, 0.9, 100).tolist())
    chosen = choose_thresholds([word], 1.0, 30.0)
    assert 29 <= np.sum(word.height >= chosen.thresholds[0]) <= 31


def test_floor_and_ceiling() -> None:
    many = peaks([0.95, 0.2], [0.12] * 5)
    loose = choose_thresholds([many], 1.0, 100.0)
    np.testing.assert_allclose(loose.thresholds, 0.3)
    assert loose.hits.tolist() == [1]
    assert 0 < loose.false_alarms_per_hour[0] < 5  # the rest of the budget is not used
    np.testing.assert_allclose(choose_thresholds([many], 1.0, 100.0, floor=0.4).thresholds, 0.4)
    nothing = choose_thresholds([many, peaks([], [])], 1.0, 0.0)
    np.testing.assert_allclose(nothing.thresholds, 0.999)


def test_no_word_is_switched_off_and_what_that_costs_is_expected() -> None:
    sure = peaks([1.0, 1.0, 0.999, 0.8], [1.0] * 30 + [0.5])
    chosen = choose_thresholds([sure, peaks([0.9], [])], 2.0, 0.5)
    assert chosen.thresholds[0] == pytest.approx(0.999)
    assert chosen.hits[0] == 3
    assert chosen.false_alarms_per_hour[0] == pytest.approx(11 / 2)  # as many as the tail begins with


def test_true_peaks_do_not_move_a_threshold() -> None:
    false = [0.3, 0.4, 0.6]
    chosen = [choose_thresholds([peaks(true, false)], 1.0, 0.5) for true in ([], [0.999] * 9, [1.0] * 9, [0.2])]
    assert len({one.thresholds[0] for one in chosen}) == 1
    assert [one.hits.tolist() for one in chosen] == [[0], [9], [9], [0]]


def test_the_budget_goes_where_it_gains_hits() -> None:
    """Both have the same false peaks; the true ones of the first are beyond reach of any, those of the second not."""
    false = np.linspace(0.2, 0.6, 15).tolist()
    sure, unsure = peaks([0.9995] * 20, false), peaks(np.linspace(0.5, 0.95, 20).tolist(), false)
    chosen = choose_thresholds([sure, unsure], 1.0, 1.0)
    assert chosen.hits[0] == 20
    assert chosen.false_alarms_per_hour[0] < 0.01 < 0.98 < chosen.false_alarms_per_hour[1]
    assert chosen.false_alarms_per_hour.sum() == pytest.approx(1.0)
    alone = choose_thresholds([unsure], 1.0, 0.5)  # with half of the budget
    assert chosen.hits[1] > alone.hits[0]


def test_no_word_is_given_up_for_the_others() -> None:
    """For a false alarm eight more hits of an easy word or one of the hard one: the sum of hits would leave it none."""
    false = from_log_odds(np.linspace(-1.0, 4.0, 20))
    hard, easy = (peaks(from_log_odds(np.linspace(-1.0, top, hits)), false) for top, hits in ((3.8, 20), (5.0, 200)))
    chosen = choose_thresholds([hard, easy, easy, easy], 1.0, 15.0)
    assert chosen.hits[0] >= 4
    assert np.all(chosen.hits[1:] >= 50)


def test_no_words_at_all() -> None:
    chosen = choose_thresholds([], 1.0, 1.0)
    assert chosen.thresholds.shape == chosen.hits.shape == chosen.false_alarms_per_hour.shape == (0,)


def realised(per_hour: list[float], scale: float, hours: float, budget: float) -> tuple[float, float, float]:
    """False alarms an hour on new audio, expected and by the highest false peak as threshold: means of 300 draws.

    Of each word so many false peaks an hour reach the lowest height, and what they have beyond it is exponential: on
    endless new audio those beyond x are rate exp(-(x - lowest) / scale).
    """
    random, rates = np.random.default_rng(0), np.array(per_hour)
    found = []
    for _ in range(300):
        drawn = [random.exponential(scale, random.poisson(rate * hours)) for rate in rates]
        chosen = choose_thresholds([false_peaks(one) for one in drawn], hours, budget, floor=0.1, ceiling=1 - 1e-12)
        beyond = np.array([log_odds(one) for one in chosen.thresholds]) - LOWEST
        highest = np.array([one.max(initial=0.0) for one in drawn])
        found.append([np.sum(rates * np.exp(-at / scale)) for at in (beyond, highest)])
        found[-1].append(chosen.false_alarms_per_hour.sum())
    new, by_highest, expected = np.mean(found, axis=0).tolist()
    return new, expected, by_highest


@pytest.mark.parametrize("scale", [0.4, 1.0])
def test_new_audio_keeps_to_the_budget_where_the_highest_peak_would_not(scale: float) -> None:
    """Twelve words, half an hour: a threshold right above the highest peak lets in one in half an hour of each word."""
    new, expected, by_highest = realised([300.0] * 12, scale, hours=0.5, budget=0.5)
    assert expected == pytest.approx(0.5)
    assert new == pytest.approx(0.5, rel=0.15)
    assert by_highest == pytest.approx(24, rel=0.1)


@pytest.mark.parametrize("budget", [0.1, 2.0, 60.0])
def test_new_audio_keeps_to_the_budget_with_words_unlike_each_other(budget: float) -> None:
    new, expected, _ = realised([3.0, 30.0, 300.0, 1000.0], 0.7, hours=2.0, budget=budget)
    assert new == pytest.approx(budget, rel=0.3)
    assert expected <= budget * (1 + 1e-6)


@pytest.mark.parametrize("per_hour", [12.0, 200.0])
def test_new_audio_keeps_to_the_budget_with_one_word(per_hour: float) -> None:
    """Ten excesses leave it open within a third how fast heights fall off; what that costs is allowed for."""
    new, _, _ = realised([per_hour], 0.6, hours=2.0, budget=0.05)
    assert 0.025 < new < 0.1


def test_peaks_by_hand() -> None:
    posterior = [0.1, 0.8, 0.1, 0.0, 0.6, 0.7, 0.65, 0.1, 0.4, 0.0, 0.2, 0.1]
    found = find_peaks(posterior, [(4, 7)], refractory=2)
    np.testing.assert_array_equal(found.height, [0.8, 0.7, 0.4, 0.2])
    np.testing.assert_array_equal(found.is_true, [False, True, False, False])


def test_a_second_peak_for_the_same_word_is_false_and_the_higher_one_is_true() -> None:
    posterior = [0.0, 0.5, 0.0, 0.9, 0.0]
    found = find_peaks(posterior, [(0, 4)], refractory=1)
    np.testing.assert_array_equal(found.height, [0.9, 0.5])
    np.testing.assert_array_equal(found.is_true, [True, False])
    np.testing.assert_array_equal(find_peaks(posterior, [(2, 4), (0, 4)], 1).is_true, [True, True])
    np.testing.assert_array_equal(find_peaks(posterior, [(2, 4), (3, 4)], 1).is_true, [True, False])


@given(st.permutations(np.linspace(0.35, 0.95, 8).tolist()), st.sets(st.integers(0, 20), max_size=6))
def test_as_many_peaks_are_true_as_events_would_hit_at_every_threshold(heights: list[float], begins: set[int]) -> None:
    words = [Word("go", begin, begin + 2) for begin in begins]
    posterior = np.stack([heights, np.zeros(8)], axis=1).ravel()  # peaks at the frames 0, 2, .. 14
    found = find_peaks(posterior, word_windows(words, "go", hop=1, tolerance=3), refractory=1)
    assert len(found.height) == 8
    for threshold in heights:
        events = [Event("go", frame + 1) for frame in np.flatnonzero(posterior >= threshold).tolist()]
        hits = len(match_events(events, words, tolerance=3).hits)
        assert np.sum(found.is_true & (found.height >= threshold)) == hits


def test_a_peak_while_another_word_is_spoken_is_left_out_unless_it_is_true() -> None:
    posterior = [0.0, 0.9, 0.0, 0.0, 0.8, 0.0, 0.0, 0.7, 0.0]
    found = find_peaks(posterior, [(0, 2)], refractory=1, elsewhere=[(1, 1), (4, 5)])
    np.testing.assert_array_equal(found.height, [0.9, 0.7])
    np.testing.assert_array_equal(found.is_true, [True, False])


def test_close_peaks_and_shallow_dips_are_one() -> None:
    posterior = [0.0, 0.5, 0.2, 0.9, 0.85, 0.88, 0.0]
    np.testing.assert_array_equal(find_peaks(posterior, [], refractory=1).height, [0.9, 0.5])
    np.testing.assert_array_equal(find_peaks(posterior, [], refractory=3).height, [0.9])
    np.testing.assert_array_equal(find_peaks(posterior, [], refractory=1, dip=0.01).height, [0.9, 0.88, 0.5])


def test_peaks_at_both_ends_and_on_a_plateau_count_once() -> None:
    np.testing.assert_array_equal(find_peaks([0.9, 0.0, 0.8], [(2, 2)], 1).is_true, [False, True])
    np.testing.assert_array_equal(find_peaks([0.0, 1.0, 1.0, 1.0, 0.0], [], 1).height, [1.0])
    assert len(find_peaks([], [(0, 3)], 1).height) == 0


def test_peaks_are_looked_for_far_below_any_threshold() -> None:
    posterior = [0.0, 0.15, 0.0, 0.12, 0.0, 0.09, 0.0]
    np.testing.assert_array_equal(find_peaks(posterior, [], 1).height, [0.15, 0.12])
    np.testing.assert_array_equal(find_peaks(posterior, [], 1, lowest=0.14).height, [0.15])


def test_peaks_of_recordings_are_put_together() -> None:
    joined = join_peaks([peaks([0.9], [0.5]), peaks([], []), peaks([0.4], [])])
    np.testing.assert_array_equal(joined.height, [0.9, 0.5, 0.4])
    np.testing.assert_array_equal(joined.is_true, [True, False, True])
    assert join_peaks([]).is_true.dtype == np.bool_


@pytest.mark.parametrize(
    "call",
    [
        lambda: choose_thresholds([], 0.0, 1.0),
        lambda: choose_thresholds([], 1.0, -1.0),
        lambda: choose_thresholds([], 1.0, 1.0, lowest=0.0),
        lambda: choose_thresholds([], 1.0, 1.0, floor=0.05),
        lambda: choose_thresholds([], 1.0, 1.0, ceiling=1.0),
        lambda: choose_thresholds([], 1.0, 1.0, floor=0.9, ceiling=0.8),
        lambda: Peaks(np.zeros(2), np.zeros(3, np.bool_)),
        lambda: Peaks(np.array([1.5]), np.array([True])),
        lambda: Peaks(np.array([np.nan]), np.array([True])),
        lambda: find_peaks(np.zeros((2, 3)), [], 1),
    ],
)
def test_what_is_out_of_range_is_refused(call: object) -> None:
    with pytest.raises(ValueError, match="give"):
        call()  # type: ignore[operator]
