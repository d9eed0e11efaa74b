import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from runnel.shared.evaluation import quantile_metrics as metrics

NAN = float("nan")
FINITE = st.floats(-1e6, 1e6)


def test_pinball_loss_by_hand() -> None:
    # truth 10: level 0.1 at 8 costs 0.1 * 2, level 0.9 at 13 costs 0.1 * 3; truth 20: 0.1 * 12 and 0.9 * 7
    losses = metrics.pinball_losses([10.0, 20.0], [[8.0, 13.0], [8.0, 13.0]], [0.1, 0.9])
    np.testing.assert_allclose(losses, [(0.2 + 0.3) / 2, (1.2 + 6.3) / 2])
    assert metrics.pinball_loss([10.0, 20.0], [[8.0, 13.0], [8.0, 13.0]], [0.1, 0.9]) == pytest.approx(2.0)


def test_pinball_loss_counts_no_missing_truth_and_charges_a_missing_forecast() -> None:
    assert metrics.pinball_loss([10.0, NAN], [[8.0, 13.0], [0.0, 0.0]], [0.1, 0.9]) == pytest.approx(0.25)
    assert math.isnan(metrics.pinball_loss([NAN], [[8.0, 13.0]], [0.1, 0.9]))
    assert metrics.pinball_loss([10.0], [[8.0, NAN]], [0.1, 0.9]) == math.inf


@given(arrays(np.float64, (5, 2), elements=FINITE), arrays(np.float64, (5, 2), elements=FINITE))
def test_pinball_loss_of_the_median_is_half_the_absolute_error(truth: np.ndarray, median: np.ndarray) -> None:
    half = metrics.mean_absolute_error(truth, median) / 2
    assert metrics.pinball_loss(truth, median[..., None], [0.5]) == pytest.approx(half)


@given(arrays(np.float64, 40, elements=FINITE), st.sampled_from([0.05, 0.3, 0.5, 0.95]), FINITE)
def test_the_sample_quantile_minimises_the_pinball_loss(truth: np.ndarray, level: float, other: float) -> None:
    best = np.quantile(truth, level, method="inverted_cdf")
    losses = [metrics.pinball_loss(truth, np.full((40, 1), value), [level]) for value in (best, other)]
    assert losses[0] <= losses[1] + 1e-6


@pytest.mark.parametrize(
    ("quantiles", "levels"),
    [([[1.0, 2.0]], [0.5]), ([[1.0]], [1.5]), ([[1.0], [2.0]], [0.5]), ([[1.0]], [[0.5]]), (np.zeros((1, 0)), [])],
)
def test_pinball_loss_refuses_what_does_not_belong_together(quantiles: list, levels: list) -> None:
    with pytest.raises((ValueError, IndexError)):
        metrics.pinball_loss([1.0], quantiles, levels)


def test_point_errors_by_hand() -> None:
    truth, forecast = [[1.0, NAN], [3.0, 5.0]], [[2.0, 9.0], [3.0, 1.0]]
    assert metrics.mean_absolute_error(truth, forecast) == pytest.approx(5 / 3)
    assert metrics.mean_squared_error(truth, forecast) == pytest.approx(17 / 3)
    np.testing.assert_array_equal(metrics.mean_counted(metrics.absolute_errors(truth, forecast), axis=0), [0.5, 4.0])
    assert math.isnan(metrics.mean_absolute_error([NAN], [1.0]))
    assert metrics.mean_squared_error([1.0], [NAN]) == math.inf
    with pytest.raises(ValueError, match="one shape"):
        metrics.mean_absolute_error([1.0, 2.0], [[1.0], [2.0]])


def test_mean_counted_is_nan_only_where_nothing_is_counted() -> None:
    np.testing.assert_array_equal(metrics.mean_counted([[1.0, NAN], [4.0, NAN]], axis=0), [2.5, NAN])
    assert math.isnan(metrics.mean_counted([]))


def test_interval_coverage_by_hand() -> None:
    # the bounds count as inside; a missing truth does not count; a missing bound does not cover
    truth, lower, upper = [1.0, 2.0, 3.0, NAN, 5.0], [1.0, 2.5, 0.0, 0.0, NAN], [2.0, 3.0, 3.0, 9.0, 9.0]
    assert metrics.interval_coverage(truth, lower, upper) == 0.5
    assert math.isnan(metrics.interval_coverage([NAN], [0.0], [1.0]))


def test_quantile_coverage_by_hand() -> None:
    shares = metrics.quantile_coverage([[1.0], [2.0], [NAN], [4.0]], [[[1.0, 3.0]]] * 4, [0.2, 0.8])
    np.testing.assert_allclose(shares, [1 / 3, 2 / 3])


def test_wilson_interval_against_published_values() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20
    interval = metrics.wilson_interval(81, 263)
    assert (round(interval.lower, 4), round(interval.upper, 4)) == (0.2553, 0.3662)
    none = metrics.wilson_interval(0, 20)
    assert (none.estimate, none.lower, round(none.upper, 4)) == (0.0, 0.0, 0.1611)
    assert math.isnan(metrics.wilson_interval(0, 0).estimate)
    with pytest.raises(ValueError, match="successes"):
        metrics.wilson_interval(3, 2)


def test_coverage_with_interval_says_which_interval_it_is() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=500)
    truth[::50] = NAN
    bounds = np.full(500, -1.28), np.full(500, 1.28)
    bootstrap = metrics.coverage_with_interval(truth, *bounds)
    wilson = metrics.coverage_with_interval(truth, *bounds, method="wilson")
    assert bootstrap.method == "moving-block bootstrap, blocks of 8"
    assert wilson.method == "Wilson, independent trials"
    assert bootstrap.estimate == pytest.approx(wilson.estimate) == metrics.interval_coverage(truth, *bounds)
    for interval in (bootstrap, wilson):
        assert interval.contains(0.8)
        assert 0.03 < interval.upper - interval.lower < 0.11


def test_coverage_of_all_truths_still_has_an_uncertain_lower_bound() -> None:
    interval = metrics.coverage_with_interval(np.zeros((20, 3)), np.full((20, 3), -1.0), np.full((20, 3), 1.0))
    assert (interval.estimate, interval.upper) == (1.0, 1.0)
    assert interval.lower == pytest.approx(1 - 0.1611, abs=1e-4)
    assert math.isnan(metrics.coverage_with_interval([NAN], [0.0], [1.0]).estimate)
    with pytest.raises(ValueError, match="block_bootstrap"):
        metrics.coverage_with_interval([1.0], [0.0], [1.0], method="guess")  # type: ignore[arg-type]


def test_directional_accuracy_by_hand() -> None:
    # right, wrong, no direction predicted, no prediction; then two changes that do not count
    truth, predicted = [1.0, -2.0, 3.0, 4.0, 0.0, NAN], [0.1, 5.0, 0.0, NAN, 1.0, 1.0]
    np.testing.assert_array_equal(metrics.directional_hits(truth, predicted), [1.0, 0.0, 0.5, 0.0, NAN, NAN])
    assert metrics.directional_accuracy(truth, predicted) == 1.5 / 4
    assert math.isnan(metrics.directional_accuracy([0.0], [1.0]))
