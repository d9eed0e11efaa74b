import functools

import numpy as np
import pytest
import tensorflow as tf
from contracts.adapters import StepStream

from runnel.shared.layers.adaptive_intervals import AdaptiveIntervals, width_towards
from runnel.shared.layers.quantile_head import quantile_levels

LEVELS = (0.1, 0.5, 0.9)
UNIT = np.array([-1, 0, 1], np.float32)  # quantiles of one target at one horizon


@functools.cache
def tracker(horizon, rate, targets=1, levels=LEVELS):
    """An `AdaptiveIntervals` and its graph over time, built once."""
    intervals = AdaptiveIntervals(horizon, targets, levels, rate)
    return intervals, tf.function(StepStream(intervals).run, reduce_retracing=True)


def run(tracked, values, index, quantiles, level=None, counts=None):
    """Feeds one session [T, ...] and gives the adapted quantiles [T, H, Y, Q] and the last state."""
    intervals, function = tracked
    values = np.asarray(values, np.float32).reshape(len(values), -1)
    shape = (len(values), intervals.horizon, intervals.targets, 2 * intervals.side + 1)
    inputs = {
        "values": values,
        "index": np.asarray(index, np.int64),
        "level": np.zeros_like(values) if level is None else np.asarray(level, np.float32).reshape(values.shape),
        "quantiles": np.broadcast_to(np.asarray(quantiles, np.float32), shape),
    }
    mask = np.ones(len(values), bool) if counts is None else np.asarray(counts)
    tensors = {name: tf.constant(value[None]) for name, value in inputs.items()}
    outputs, state = function(tensors, tf.constant(mask[None]), intervals.initial_state(1))
    return outputs["output_0"][0].numpy(), {name: value[0].numpy() for name, value in state.items()}


def test_one_update_worked_by_hand():
    intervals = tracker(1, 0.5)
    adapted, state = run(intervals, [10, 15, 14.5], [0, 1, 2], [[[UNIT]], [[2 * UNIT]], [[UNIT]]], level=[10, 15, 14.5])
    np.testing.assert_array_equal(adapted[0, 0, 0], [-1, 0, 1])  # nothing learnt yet
    # 15 is 5 above the level 10 and the quantile there is 1: a miss. The lower one is none.
    np.testing.assert_allclose(adapted[1, 0, 0], [-2 * np.exp(-0.05), 0, 2 * np.exp(0.45)], rtol=1e-6)
    # 14.5 is 0.5 below the level 15, well inside -2 and 2.
    np.testing.assert_allclose(adapted[2, 0, 0], [-np.exp(-0.1), 0, np.exp(0.4)], rtol=1e-6)
    np.testing.assert_allclose(state["log_factor"][0, 0], [-0.1, 0.4], atol=1e-6)


def test_truth_exactly_on_the_adapted_quantile_is_half_a_miss():
    _, state = run(tracker(1, 1.0), [0, 1], [0, 1], UNIT)
    np.testing.assert_allclose(state["log_factor"][0, 0], [-0.1, 0.5 - 0.1], rtol=1e-5)


def test_rate_zero_keeps_the_intervals_of_the_model():
    values = np.random.default_rng(0).normal(size=40)
    adapted, _ = run(tracker(2, 0.0), values, range(40), UNIT)
    np.testing.assert_array_equal(adapted, np.broadcast_to(UNIT, adapted.shape))


@pytest.mark.parametrize("width", [0.3, 3.0])
def test_coverage_converges_to_the_promised_one(width):
    levels, horizon, rows = quantile_levels(9), 3, 3000
    normal = np.array([-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816])
    values = np.random.default_rng(0).normal(size=rows)
    adapted, _ = run(tracker(horizon, 0.05, levels=levels), values, range(rows), width * normal)
    for step in range(1, horizon + 1):
        below = values[step:, None] <= adapted[:-step, step - 1, 0]
        np.testing.assert_allclose(below[rows // 3 :].mean(axis=0), levels, atol=0.03)


def test_widths_of_the_two_sides_are_learnt_apart():
    values = np.random.default_rng(0).exponential(size=2000)  # all above a median of 0
    adapted, _ = run(tracker(1, 0.05), values, range(2000), UNIT)
    lower, _, upper = adapted[-200:, 0, 0].mean(axis=0)
    assert lower > -0.2
    assert 1.8 < upper < 2.8  # the quantile 0.9 of the exponential distribution is 2.3


def test_factors_stay_within_bounds():
    huge, _ = run(tracker(1, 1.0), [1e6] * 60, range(60), UNIT)
    np.testing.assert_allclose(huge[-1, 0, 0], [-1 / 8, 0, 8], rtol=1e-5)
    still, _ = run(tracker(1, 1.0), [0] * 60, range(60), UNIT)
    np.testing.assert_allclose(still[-1, 0, 0], [-1 / 8, 0, 1 / 8], rtol=1e-5)


def test_a_forecast_is_judged_at_its_step_alone():
    intervals = tracker(2, 0.5)
    # Anchors 1 and 2. The forecast for step 1 meets no row; that of step 0 for step 2 does.
    _, state = run(intervals, [0, 5], [0, 2], UNIT)
    np.testing.assert_allclose(state["log_factor"][:, 0], [[0, 0], [-0.05, 0.45]], rtol=1e-6)


@pytest.mark.parametrize("jump", [1, 2, 3, 4, 6, 12, 100])
def test_gaps_leave_no_trace(jump):
    """After a gap longer than every horizon nothing is due, whatever slot of a ring the step falls into."""
    intervals = tracker(4, 0.5)
    before, after = [0, 1, 2], [6 + jump, 7 + jump]
    _, short = run(intervals, [0, 0, 0], before, UNIT)
    _, gone = run(intervals, [0, 0, 0, 50], [*before, after[0]], UNIT)
    np.testing.assert_array_equal(gone["log_factor"], short["log_factor"])
    _, back = run(intervals, [0, 0, 0, 50, 50], [*before, *after], UNIT)
    moved = back["log_factor"] != gone["log_factor"]
    np.testing.assert_array_equal(moved.any(axis=(1, 2)), [True, False, False, False])  # one step ahead is due again


def test_where_the_steps_are_counted_from_does_not_matter():
    values = np.random.default_rng(0).normal(size=30)
    intervals = tracker(5, 0.5)
    results = [run(intervals, values, np.arange(30) + start, UNIT)[0] for start in (0, -17, 3_000_000_000)]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_rows_that_do_not_count_change_nothing():
    intervals = tracker(2, 0.5)
    counts = [True, False, True, False]
    adapted, state = run(intervals, [0, np.nan, 5, 9], [0, 1, 1, 2], UNIT, counts=counts)
    expected, expected_state = run(intervals, [0, 5], [0, 1], UNIT)
    np.testing.assert_array_equal(adapted[[0, 2]], expected)
    for name, value in expected_state.items():
        np.testing.assert_array_equal(state[name], value)


def test_a_missing_truth_moves_the_factors_of_the_other_targets_alone():
    intervals = tracker(1, 0.5, targets=2)
    _, state = run(intervals, [[0, 0], [np.nan, 5]], [0, 1], UNIT)
    np.testing.assert_allclose(state["log_factor"][0], [[0, 0], [-0.05, 0.45]], rtol=1e-6)


def test_without_a_level_nothing_is_learnt():
    """A session that begins with a missing value has no level, so its first forecast cannot be judged."""
    _, state = run(tracker(1, 0.5), [np.nan, 5], [0, 1], UNIT, level=[np.nan, 5])
    np.testing.assert_array_equal(state["log_factor"], np.zeros((1, 1, 2)))


def test_truth_is_compared_in_the_space_of_the_forecasts():
    def ratio(values, level):
        return tf.math.log(values / level)

    intervals = AdaptiveIntervals(1, 1, LEVELS, 0.5, relative=ratio)
    _, state = run((intervals, StepStream(intervals).run), [100, 150], [0, 1], UNIT, level=[100, 150])
    np.testing.assert_allclose(state["log_factor"][0, 0], [-0.05, -0.05], rtol=1e-3)  # log 1.5 is inside -1 .. 1


def test_adapted_quantiles_never_cross_and_keep_the_median():
    generator = np.random.default_rng(0)
    quantiles = np.sort(generator.normal(size=(80, 3, 2, 5)), axis=-1)
    intervals = tracker(3, 1.0, targets=2, levels=(0.1, 0.3, 0.5, 0.7, 0.9))
    adapted, state = run(intervals, 3 * generator.normal(size=(80, 2)), range(80), quantiles)
    assert np.all(np.diff(adapted, axis=-1) >= 0)
    np.testing.assert_allclose(adapted[..., 2], quantiles[..., 2], atol=1e-6)
    assert np.ptp(state["log_factor"]) > 1


@pytest.mark.parametrize("horizon", [1, 2, 7, 24, 96, 720])
@pytest.mark.parametrize("slots", [1, 10, 128, 2000])
def test_anchors_bound_the_state(horizon, slots):
    intervals = AdaptiveIntervals(horizon, 1, LEVELS, 0.1, slots)
    anchors = intervals.anchors
    assert anchors[0] == 1
    assert anchors.sum() <= slots
    assert len(intervals.slot_horizon) == anchors.sum()
    if horizon * (horizon + 1) // 2 <= slots:
        np.testing.assert_array_equal(anchors, np.arange(1, horizon + 1))
    elif slots >= 10:
        assert len(anchors) > 2
        assert anchors[-1] == min(horizon, slots // 2)
    np.testing.assert_allclose(intervals.interpolation.sum(axis=1), np.ones(horizon), rtol=1e-6)


def test_horizons_between_anchors_are_interpolated():
    intervals = AdaptiveIntervals(5, 1, LEVELS, rate=0.5, slots=10)
    np.testing.assert_array_equal(intervals.anchors, [1, 2, 5])
    expected = [[1, 0, 0], [0, 1, 0], [0, 2 / 3, 1 / 3], [0, 1 / 3, 2 / 3], [0, 0, 1]]
    np.testing.assert_allclose(intervals.interpolation, expected, atol=1e-6)
    above = np.log([1, 1, 8])
    state = intervals.initial_state(1) | {
        "log_factor": tf.constant(np.stack([np.zeros(3), above], axis=-1)[None, :, None], tf.float32)
    }
    quantiles = tf.constant(np.broadcast_to(UNIT, (1, 5, 1, 3)))
    zero = tf.zeros([1, 1])
    adapted, _ = intervals.step(zero, tf.constant([0], tf.int64), zero, quantiles, tf.constant([True]), state)
    np.testing.assert_allclose(adapted[0, :, 0, 2], [1, 1, 2, 4, 8], rtol=1e-5)
    np.testing.assert_allclose(adapted[0, :, 0, 0], [-1, -1, -1, -1, -1], rtol=1e-5)


def test_the_width_of_a_forecast_is_that_of_the_side_of_the_value():
    quantiles = np.tile(np.array([-4, 0, 1], np.float32), (3, 1))[:, None]  # [B, 1, Q]
    widths = width_towards(np.array([[-0.5], [7], [np.nan]], np.float32), quantiles)
    np.testing.assert_array_equal(widths[:2, 0], [4, 1])
