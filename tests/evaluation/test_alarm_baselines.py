import numpy as np
import pytest
from scipy.stats import norm

from runnel.shared.evaluation.alarm_baselines import ALARM_BASELINES, exponential_average_chart, windowed_gaussian

VALUES = np.random.default_rng(0).normal(10, 2, size=(1_000, 2))


def test_running_z_score_by_hand():
    scores = windowed_gaussian(VALUES[:, :1], 500, window=100)
    past = VALUES[700:800, 0]
    chance = 2 * norm.sf(abs(VALUES[800, 0] - past.mean()) / past.std())
    assert scores[800] == pytest.approx(-np.log10(chance) / 10)


def test_control_chart_by_hand():
    scores = exponential_average_chart(VALUES[:, :1], 500, window=0)
    average = np.zeros(1_000)
    average[0] = VALUES[0, 0]
    for row in range(1, 1_000):
        average[row] = 0.8 * average[row - 1] + 0.2 * VALUES[row, 0]
    chance = 2 * norm.sf(abs(average[700] - average[:500].mean()) / average[:500].std())
    assert scores[700] == pytest.approx(-np.log10(chance) / 10)


@pytest.mark.parametrize("baseline", ALARM_BASELINES.values(), ids=list(ALARM_BASELINES))
def test_what_stands_out_and_what_is_missing(baseline):
    values = VALUES.copy()
    values[800, 1] += 30
    values[900:910] = np.nan
    scores = baseline(values, 500, 100)
    assert scores.shape == (1_000,)
    assert np.argmax(scores) == 800
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    cut = baseline(values[:850], 500, 100)
    np.testing.assert_allclose(cut, scores[:850])  # nothing looks ahead


@pytest.mark.parametrize("baseline", ALARM_BASELINES.values(), ids=list(ALARM_BASELINES))
def test_a_column_without_a_value_among_the_normal_rows(baseline):
    values = VALUES.copy()
    values[:600, 1] = np.nan
    assert baseline(values, 500, 100).max() > 0
    assert baseline(values, 0, 100).shape == (1_000,)
    assert baseline(np.full((10, 2), np.nan), 5, 3).max() == 0


@pytest.mark.parametrize("baseline", ALARM_BASELINES.values(), ids=list(ALARM_BASELINES))
def test_a_flat_line_is_not_unusual(baseline):
    assert baseline(np.full((300, 1), 7.0), 100, 50).max() == 0
