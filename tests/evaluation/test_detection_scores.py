import json
import math

import numpy as np
import pytest

from runnel.shared.evaluation.detection_scores import (
    DetCurve,
    Event,
    Word,
    det_curve,
    detection_scores,
    match_events,
    poisson_rate,
    recall_at,
)

GO, STOP = Word("go", 16_000, 24_000), Word("stop", 40_000, 48_000)


def test_an_event_hits_from_the_first_sample_of_a_word_to_the_end_of_the_tolerance() -> None:
    for sample, hit in [(15_999, False), (16_000, True), (24_000, True), (36_000, True), (36_001, False)]:
        matched = match_events([Event("go", sample)], [GO])
        assert matched.hits == (((0, 0),) if hit else ()), sample
        assert matched.false_alarms == (() if hit else (0,))
        assert matched.missed == (() if hit else (0,))


def test_second_events_and_those_out_of_time_are_false_alarms() -> None:
    events = [Event("stop", 20_000), Event("go", 26_000), Event("go", 30_000), Event("yes", 41_000)]
    matched = match_events(events, [GO, STOP])
    assert matched.hits == ((0, 1),)
    assert matched.false_alarms == (0, 2)
    assert matched.mistaken == ((1, 3),)  # "yes" for "stop", which nothing hits
    assert matched.missed == (1,)


def test_a_missed_word_is_taken_for_one_other_at_most_and_only_in_its_time() -> None:
    events = [Event("yes", 20_000), Event("no", 21_000), Event("yes", 36_500)]
    matched = match_events(events, [GO])
    assert (matched.mistaken, matched.false_alarms, matched.missed) == (((0, 0),), (1, 2), (0,))
    scores = detection_scores([matched], hours=1.0)
    assert (scores["mistaken"], scores["false_alarms"], scores["recall"]["estimate"]) == (1.0, 2, 0.0)
    again = Word("stop", 28_000, 36_000)
    assert match_events([Event("yes", 30_000)], [GO, again]).mistaken == ((0, 0),)  # the earliest


def test_each_event_hits_the_earliest_word_that_none_has_hit() -> None:
    again = Word("go", 28_000, 36_000)  # within the tolerance of the first
    both = match_events([Event("go", 30_000), Event("go", 35_000)], [GO, again])
    assert both.hits == ((0, 0), (1, 1))
    one = match_events([Event("go", 30_000)], [again, GO])  # in whatever order the words are given
    assert (one.hits, one.missed) == (((1, 0),), (0,))
    late = match_events([Event("go", 36_500)], [GO, again])
    assert (late.hits, late.missed) == (((1, 0),), (0,))


def test_events_are_taken_in_order_of_time() -> None:
    matched = match_events([Event("go", 30_000), Event("go", 20_000)], [GO], tolerance=0)
    assert matched.hits == ((0, 1),)
    assert matched.false_alarms == (0,)
    assert match_events([Event("go", 30_000), Event("go", 20_000)], [GO]).hits == ((0, 1),)


def test_scores_by_hand() -> None:
    first = match_events([Event("go", 25_600), Event("stop", 47_200), Event("stop", 90_000)], [GO, STOP])
    second = match_events([Event("go", 27_200), Event("yes", 1)], [GO, STOP])
    scores = detection_scores([first, second, match_events([], [])], hours=2.0)
    assert (scores["words"], scores["hits"], scores["false_alarms"], scores["hours"]) == (4, 3, 2, 2.0)
    assert scores["recall"] == {"estimate": 0.75, "lower": 0.5, "upper": 1.0}  # recalls 1 and 0.5, drawn twice
    assert scores["false_alarms_per_hour"]["estimate"] == 1.0
    # 100, -50 and 200 ms; nine tenths of the way from the second to the third
    assert scores["delay_ms"] == {"median": pytest.approx(100.0), "p95": pytest.approx(190.0)}
    assert scores["labels"]["go"] == {
        "words": 2,
        "hits": 2,
        "recall": 1.0,
        "false_alarms": 0,
        "false_alarms_per_hour": 0.0,
    }
    assert (scores["labels"]["stop"]["recall"], scores["labels"]["stop"]["false_alarms"]) == (0.5, 1)
    assert math.isnan(scores["labels"]["yes"]["recall"])
    assert scores["labels"]["yes"]["false_alarms_per_hour"] == 0.5
    assert list(scores["labels"]) == ["go", "stop", "yes"]
    json.dumps(scores)


def test_recall_weighs_words_and_its_interval_is_drawn_over_recordings() -> None:
    """Ten recordings of ten words of which all or none are hit: the spread is that of ten draws, not of a hundred."""
    words = [Word("go", 100_000 * place, 100_000 * place + 8_000) for place in range(10)]
    events = [Event("go", word.end) for word in words]
    matched = [match_events(events if number < 5 else [], words) for number in range(10)]
    recall = detection_scores(matched, 1.0)["recall"]
    assert recall["estimate"] == 0.5
    assert (recall["lower"], recall["upper"]) == (pytest.approx(0.2), pytest.approx(0.8))  # binomial of 10: 2 and 8
    uneven = detection_scores([match_events(events, words), match_events([], words[:1])], 1.0)["recall"]
    assert uneven["estimate"] == pytest.approx(10 / 11)


def test_scores_of_nothing_are_not_numbers() -> None:
    scores = detection_scores([match_events([], [])], 1.0)
    assert math.isnan(scores["recall"]["estimate"])
    assert math.isnan(scores["delay_ms"]["median"])
    assert scores["false_alarms_per_hour"]["estimate"] == 0
    assert scores["labels"] == {}


def test_poisson_interval_is_that_of_the_tables() -> None:
    # Garwood (1936), 95 %: 0 -> 0 .. 3.689, 1 -> 0.025 .. 5.572, 10 -> 4.795 .. 18.390
    for count, lower, upper in [(0, 0.0, 3.689), (1, 0.025, 5.572), (10, 4.795, 18.390)]:
        interval = poisson_rate(count, 2.0)
        assert interval.estimate == count / 2
        assert (interval.lower, interval.upper) == (
            pytest.approx(lower / 2, abs=3e-4),
            pytest.approx(upper / 2, abs=3e-4),
        )


@pytest.mark.parametrize(("count", "hours", "confidence"), [(-1, 1.0, 0.95), (0, 0.0, 0.95), (0, 1.0, 1.0)])
def test_poisson_rate_refuses_what_is_no_count_or_no_time(count: int, hours: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="give"):
        poisson_rate(count, hours, confidence)


def test_curve_by_hand() -> None:
    scored = [[(Event("go", 20_000), 0.9), (Event("stop", 45_000), 0.5)], [(Event("go", 100), 0.7)]]
    words = [[GO, STOP], [GO, STOP]]

    def events_at(offset: float) -> list[list[Event]]:
        return [[event for event, height in one if height >= 0.6 + offset] for one in scored]

    curve = det_curve(events_at, words, 4.0, [-0.2, 0.0, 0.2, 0.4])
    np.testing.assert_array_equal(curve.offsets, [-0.2, 0.0, 0.2, 0.4])
    np.testing.assert_array_equal(curve.false_alarms_per_hour, [0.25, 0.25, 0.0, 0.0])
    np.testing.assert_array_equal(curve.miss_rate, [0.5, 0.75, 0.75, 1.0])
    assert curve.hours == 4.0
    assert recall_at(curve, 0.25) == 0.5
    assert recall_at(curve, 0.24) == 0.25


def test_recall_is_the_best_within_the_limit_wherever_it_stands_on_the_curve() -> None:
    curve = DetCurve(np.arange(3.0), np.array([2.0, 0.5, 1.0]), np.array([0.0, 0.3, 0.2]), 3.0)
    assert recall_at(curve, 1.0) == pytest.approx(0.8)
    assert recall_at(curve, 0.1) == 0.0


def test_curve_wants_the_events_of_each_recording() -> None:
    with pytest.raises(ValueError, match="give both"):
        det_curve(lambda offset: [[]], [[GO], [STOP]], 1.0, [0.0])
