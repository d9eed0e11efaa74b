import numpy as np
import pytest

from runnel.shared.evaluation.alarm_scores import alarm_stretches
from runnel.shared.evaluation.alarm_threshold import choose_alarm_threshold

ROWS_A_WEEK = 2_016


CALIBRATED = float(1 / (10 * np.log(10)))


def scores(rows, seed, scale=CALIBRATED):
    """As calibrated scores are: exponential, a tenth for each power of ten."""
    return np.random.default_rng(seed).exponential(scale, rows)


@pytest.mark.parametrize("per_week", [0.05, 0.5, 3.0])
@pytest.mark.parametrize("scale", [0.02, CALIBRATED, 0.1])
def test_other_rows_keep_to_the_budget(per_week, scale):
    weeks = 6
    threshold = choose_alarm_threshold([scores(weeks * ROWS_A_WEEK, 0, scale)], weeks, per_week, default=0.5)
    other = [scores(ROWS_A_WEEK, seed, scale) for seed in range(1, 201)]
    rate = np.mean([len(alarm_stretches(one >= threshold)) for one in other])
    assert per_week / 2.5 < rate < 2.5 * per_week or threshold == 1.0


def test_faults_that_nobody_labelled_move_it_little():
    moved = []
    for seed in range(20):
        normal = scores(6 * ROWS_A_WEEK, seed)
        without = choose_alarm_threshold([normal], 6, 0.1, 0.5)
        normal[1_000:1_100] = normal[5_000] = normal[9_000:9_020] = 1.0
        moved.append(choose_alarm_threshold([normal], 6, 0.1, 0.5) - without)
    assert abs(np.mean(moved)) < 0.02


def test_a_burst_is_one_peak():
    single = scores(4_000, 0)
    doubled = np.repeat(single, 2)  # every peak twice
    one, two = (choose_alarm_threshold([values], 2, 0.5, 0.5) for values in (single, doubled))
    assert two == pytest.approx(one, abs=0.01)


@pytest.mark.parametrize("few", [[], [np.zeros(0)], [np.zeros(500)], [scores(40, 0)]])
def test_too_few_rows_give_the_default(few):
    assert choose_alarm_threshold(few, 1.0, 0.1, default=0.42) == 0.42


def test_it_is_never_beyond_the_largest_score():
    assert choose_alarm_threshold([scores(5_000, 0, 0.3).clip(0, 1)], 2, 1e-9, 0.5) == 1.0
