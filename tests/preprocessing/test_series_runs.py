import numpy as np

from runnel.shared.preprocessing.series_runs import NOT_WATCHED, longest_gaps, longest_repeats


def test_longest_run_of_repeats_in_the_median_series():
    series = [np.arange(500.0) for _ in range(3)]
    series[0][100:103] = 7.0  # repeats itself twice
    series[1][100:106] = 7.0
    assert longest_repeats([values[:, None] for values in series]) == (2.0,)


def test_missing_values_do_not_end_a_run_of_repeats():
    values = np.arange(500.0)
    values[100:105] = [7, np.nan, 7, np.nan, 7]
    assert longest_repeats([values[:, None]]) == (2.0,)
    assert longest_gaps([values[:, None]]) == (1.0,)


def test_values_that_repeat_themselves_often_are_not_watched():
    counts = np.random.default_rng(0).poisson(3, size=(500, 1)).astype(float)
    assert longest_repeats([np.hstack([counts, np.arange(500.0)[:, None]])]) == (NOT_WATCHED, 0.0)


def test_longest_gap_of_each_column():
    values = np.ones((50, 2))
    values[3:7, 0] = values[20, 0] = values[48:, 1] = np.nan
    assert longest_gaps([values]) == (4.0, 2.0)


def test_one_row_or_none_known():
    assert longest_repeats([np.array([[1.0]]), np.array([[np.nan]])]) == (NOT_WATCHED,)
    assert longest_gaps([np.zeros((0, 1))]) == (0.0,)
