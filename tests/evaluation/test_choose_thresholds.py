import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.shared.evaluation.choose_thresholds import (
    ChosenThresholds,
    Peaks,
    choose_thresholds,
    find_peaks,
    join_peaks,
    word_windows,
)
from runnel.shared.evaluation.detection_scores import Event, Word, match_events


def peaks(true: list[float], false: list[float]) -> Peaks:
    return Peaks(np.array([*true, *false]), np.array([True] * len(true) + [False] * len(false)))


def odds(share: float) -> float:
    return share / (1 - share)


def assert_chosen(
    chosen: ChosenThresholds, bounds: list[tuple[float, float]], hits: list[int], alarms: list[int]
) -> None:
    """Bounds: the peaks between which each threshold lies; midway in log-odds is the geometric mean of the odds."""
    expected = [(odds(first) * odds(second)) ** 0.5 for first, second in bounds]
    np.testing.assert_allclose(odds(chosen.thresholds), expected)
    np.testing.assert_array_equal(chosen.hits, hits)
    np.testing.assert_array_equal(chosen.false_alarms, alarms)


def test_frames_whose_event_hits() -> None:
    words = [Word("go", 320, 640), Word("stop", 0, 320), Word("go", 641, 1000), Word("go", 0, 100)]
    # an event of frame m comes at (m + 1) * 320; frame 0 at 320, frame 2 at 960
    assert word_windows(words, "go", tolerance=320) == [(0, 2), (2, 3), (0, 0)]
    assert word_windows(words, "yes") == []


def test_without_a_budget_thresholds_stand_above_every_false_peak() -> None:
    chosen = choose_thresholds([peaks([0.9, 0.8, 0.5], [0.6, 0.4]), peaks([0.7], [])], 3.0, 0.0)
    assert_chosen(chosen, [(0.8, 0.6), (0.7, 0.3)], hits=[2, 1], alarms=[0, 0])


def test_the_budget_is_spent_where_it_gains_most() -> None:
    first = peaks([0.9, 0.5, 0.45, 0.4], [0.6, 0.43])  # the first false peak opens two true ones, the second one more
    second = peaks([0.95, 0.55], [0.7])  # one for one
    words = [first, second]
    assert_chosen(choose_thresholds(words, 1.0, 1.0), [(0.45, 0.43), (0.95, 0.7)], hits=[3, 1], alarms=[1, 0])
    assert_chosen(choose_thresholds(words, 1.0, 2.0), [(0.45, 0.43), (0.55, 0.3)], hits=[3, 2], alarms=[1, 1])
    assert_chosen(choose_thresholds(words, 1.0, 3.0), [(0.4, 0.3), (0.55, 0.3)], hits=[4, 2], alarms=[2, 1])
    assert_chosen(choose_thresholds(words, 1.0, 9.0), [(0.4, 0.3), (0.55, 0.3)], hits=[4, 2], alarms=[2, 1])


def test_the_budget_counts_hours_and_is_rounded_down() -> None:
    words = [peaks([0.9, 0.5], [0.6]), peaks([0.9, 0.4], [0.6])]
    assert choose_thresholds(words, 3.0, 0.33).false_alarms.sum() == 0
    assert choose_thresholds(words, 3.0, 1 / 3).false_alarms.sum() == 1
    assert choose_thresholds(words, 0.5, 4.0).false_alarms.sum() == 2


def test_two_false_peaks_at_once_are_let_in_where_many_words_lie_behind_them() -> None:
    behind = peaks([0.9, 0.5, 0.5, 0.5, 0.5, 0.5], [0.7, 0.6])  # nothing between the false peaks: 5 for 2
    single = peaks([0.9, 0.5], [0.7])  # 1 for 1
    assert_chosen(choose_thresholds([single, behind], 1.0, 2.0), [(0.9, 0.7), (0.5, 0.3)], hits=[1, 6], alarms=[0, 2])
    # one alone buys nothing there
    assert_chosen(choose_thresholds([single, behind], 1.0, 1.0), [(0.5, 0.3), (0.9, 0.7)], hits=[2, 1], alarms=[1, 0])


def test_alarms_that_gain_nothing_are_not_spent() -> None:
    chosen = choose_thresholds([peaks([0.9], [0.6, 0.5])], 1.0, 5.0)
    assert_chosen(chosen, [(0.9, 0.6)], hits=[1], alarms=[0])


def test_ties_go_to_the_higher_threshold() -> None:
    low, high = peaks([0.9, 0.4], [0.5]), peaks([0.9, 0.6], [0.7])
    for words, alarms in [([low, high], [0, 1]), ([high, low], [1, 0])]:
        np.testing.assert_array_equal(choose_thresholds(words, 1.0, 1.0).false_alarms, alarms)


def test_peaks_of_one_height_stand_or_fall_together() -> None:
    chosen = choose_thresholds([peaks([0.9, 0.6], [0.6])], 1.0, 0.0)
    assert_chosen(chosen, [(0.9, 0.6)], hits=[1], alarms=[0])
    chosen = choose_thresholds([peaks([0.9, 0.6], [0.6])], 1.0, 1.0)
    assert_chosen(chosen, [(0.6, 0.3)], hits=[2], alarms=[1])


def test_floor_and_ceiling() -> None:
    below = choose_thresholds([peaks([0.9, 0.2], [0.1])], 1.0, 9.0)
    assert_chosen(below, [(0.9, 0.3)], hits=[1], alarms=[0])
    at_floor = choose_thresholds([peaks([0.3], [0.2])], 1.0, 0.0)
    np.testing.assert_allclose(at_floor.thresholds, [0.3])
    assert_chosen(choose_thresholds([peaks([], [0.9])], 1.0, 0.0), [(0.999, 0.9)], hits=[0], alarms=[0])
    assert_chosen(choose_thresholds([peaks([], [])], 1.0, 0.0), [(0.999, 0.3)], hits=[0], alarms=[0])


def test_no_word_is_switched_off_and_what_that_costs_is_counted() -> None:
    sure = peaks([1.0, 1.0, 0.8], [1.0, 0.9])
    other = peaks([0.9, 0.5], [0.6])
    chosen = choose_thresholds([sure, other], 1.0, 1.0)
    assert_chosen(chosen, [(0.999, 0.9), (0.9, 0.6)], hits=[2, 1], alarms=[1, 0])
    assert choose_thresholds([sure], 1.0, 0.0).false_alarms.tolist() == [1]


def test_no_words_at_all() -> None:
    assert choose_thresholds([], 1.0, 1.0).thresholds.shape == (0,)


def test_thresholds_keep_what_they_promise() -> None:
    """On drawn peaks: the counts are those above the threshold, within the budget, and better than one threshold."""
    random = np.random.default_rng(0)
    for _ in range(20):
        words = [peaks(random.beta(6, 2, 30).tolist(), random.beta(2, 4 + word, 40).tolist()) for word in range(4)]
        chosen = choose_thresholds(words, 2.0, 3.0)
        for word, threshold, hits, alarms in zip(
            words, chosen.thresholds, chosen.hits, chosen.false_alarms, strict=True
        ):
            assert np.sum(word.is_true & (word.height >= threshold)) == hits
            assert np.sum(~word.is_true & (word.height >= threshold)) == alarms
        assert chosen.false_alarms.sum() <= 6
        joined = choose_thresholds([join_peaks(words)], 2.0, 3.0)
        assert chosen.hits.sum() >= joined.hits.sum()


def test_peaks_by_hand() -> None:
    posterior = [0.1, 0.8, 0.1, 0.0, 0.6, 0.7, 0.65, 0.1, 0.4, 0.0, 0.2, 0.1]
    found = find_peaks(posterior, [(4, 7)], refractory=2)
    np.testing.assert_array_equal(found.height, [0.8, 0.7, 0.4])
    np.testing.assert_array_equal(found.is_true, [False, True, False])


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


def test_close_peaks_and_shallow_dips_are_one() -> None:
    posterior = [0.0, 0.5, 0.2, 0.9, 0.85, 0.88, 0.0]
    np.testing.assert_array_equal(find_peaks(posterior, [], refractory=1).height, [0.9, 0.5])
    np.testing.assert_array_equal(find_peaks(posterior, [], refractory=3).height, [0.9])
    np.testing.assert_array_equal(find_peaks(posterior, [], refractory=1, dip=0.01).height, [0.9, 0.88, 0.5])


def test_peaks_at_both_ends_and_on_a_plateau_count_once() -> None:
    np.testing.assert_array_equal(find_peaks([0.9, 0.0, 0.8], [(2, 2)], 1).is_true, [False, True])
    np.testing.assert_array_equal(find_peaks([0.0, 1.0, 1.0, 1.0, 0.0], [], 1).height, [1.0])
    assert len(find_peaks([], [(0, 3)], 1).height) == 0


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
        lambda: choose_thresholds([], 1.0, 1.0, floor=0.0),
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
