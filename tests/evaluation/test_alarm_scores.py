import numpy as np
import pytest

from runnel.shared.evaluation.alarm_scores import (
    GAP,
    GRACE,
    Stretch,
    WatchedSeries,
    alarm_stretches,
    fault_stretches,
    score_alarms,
)


def marked(rows, *spans):
    alarms = np.zeros(rows, bool)
    for begin, end in spans:
        alarms[begin:end] = True
    return alarms


def faulty(rows, *faults):
    kinds = np.full(rows, "", dtype="<U10")
    for begin, end, kind in faults:
        kinds[begin:end] = kind
    return kinds


def watched(alarms, faults=None):
    return WatchedSeries(600 * np.arange(len(alarms)), alarms, faults)


def test_alarms_close_together_are_one():
    assert alarm_stretches(marked(100, (3, 5), (5 + GAP, 12), (40, 41))) == [Stretch(3, 12), Stretch(40, 41)]
    assert alarm_stretches(marked(100, (3, 5), (6 + GAP, 13))) == [Stretch(3, 5), Stretch(6 + GAP, 13)]
    assert alarm_stretches(marked(5)) == []


def test_faults_are_told_apart_by_their_kind():
    kinds = faulty(20, (0, 3, "spike"), (3, 5, "drift"), (18, 20, "drift"))
    assert fault_stretches(kinds) == [Stretch(0, 3, "spike"), Stretch(3, 5, "drift"), Stretch(18, 20, "drift")]
    assert fault_stretches(faulty(0)) == fault_stretches(faulty(4)) == []


def test_scores_worked_by_hand():
    faults = faulty(1_000, (100, 120, "drift"), (300, 301, "spike"), (500, 520, "drift"))
    alarms = marked(1_000, (110, 112), (115, 116), (301, 302), (600, 601), (700, 705))
    scores = score_alarms([watched(alarms, faults)], weeks=2.0)
    assert (scores["alarms"], scores["faults"]) == (4, 3)
    assert scores["recall"]["estimate"] == pytest.approx(2 / 3)
    assert scores["precision"]["estimate"] == pytest.approx(2 / 4)
    assert scores["false_alarms_per_week"]["estimate"] == 1.0
    assert scores["alarms_per_week"]["estimate"] == 2.0
    assert scores["delay_minutes"] == {"median": pytest.approx(55), "p90": pytest.approx(91)}  # of 100 and 10 minutes
    assert scores["by_kind"] == {"drift": {"faults": 2, "found": 1}, "spike": {"faults": 1, "found": 1}}


def test_the_way_back_to_normal_belongs_to_a_fault():
    faults = faulty(100, (50, 60, "stuck"))
    for row, right in ((60 + GRACE - 1, 1), (60 + GRACE, 0), (49, 0)):
        scores = score_alarms([watched(marked(100, (row, row + 1)), faults)], 1.0)
        assert scores["precision"]["estimate"] == right
        assert scores["by_kind"]["stuck"]["found"] == right


def test_a_long_alarm_finds_its_fault_once_and_adjusts_no_points():
    faults = faulty(1_000, (100, 900, "drift"))
    scores = score_alarms([watched(marked(1_000, (850, 851)), faults)], 1.0)
    assert scores["recall"]["estimate"] == 1
    assert scores["delay_minutes"]["median"] == 7_500
    nothing = score_alarms([watched(marked(1_000), faults)], 1.0)
    assert nothing["recall"]["estimate"] == 0
    assert np.isnan(nothing["precision"]["estimate"])
    assert np.isnan(nothing["delay_minutes"]["median"])


def test_without_labels_only_alarms_are_counted():
    scores = score_alarms([watched(marked(100, (3, 5))), watched(marked(50))], 4.0)
    assert set(scores) == {"weeks", "alarms", "alarms_per_week"}
    assert scores["alarms_per_week"]["estimate"] == 0.25
    assert 0 < scores["alarms_per_week"]["lower"] < 0.25 < scores["alarms_per_week"]["upper"] < 1.5


def test_intervals_hold_the_estimate_and_narrow():
    few = score_alarms([watched(marked(100, (10, 11)), faulty(100, (10, 11, "x"), (50, 51, "x")))], 1.0)["recall"]
    assert few["lower"] == pytest.approx(0.0945, abs=1e-3)  # Wilson's, of one in two
    assert few["upper"] == pytest.approx(0.9055, abs=1e-3)
