import numpy as np
import pytest
import tensorflow as tf
from contracts.adapters import StepStream

from runnel.shared.layers.tail_surprise import SURPRISE_AT_THRESHOLD, TailSurprise


@pytest.fixture(scope="module")
def tracker():
    """One statistic with its tail from 2 on, and its graph over time."""
    tail = TailSurprise([2.0], [0.5])
    return tail, tf.function(StepStream(tail).run, reduce_retracing=True)


def run(tracker, values, state=None):
    """Surprises [T] of one session and the last state."""
    tail, function = tracker
    values = tf.constant(np.asarray(values, np.float32)[None, :, None])
    mask = tf.ones(tf.shape(values)[:2], tf.bool)
    outputs, state = function({"values": values}, mask, tail.initial_state(1) if state is None else state)
    return outputs["output_0"].numpy()[0, :, 0], state


def test_surprise_of_the_first_value_by_hand(tracker):
    for value, expected in ((0, 0), (1, SURPRISE_AT_THRESHOLD / 2), (2, SURPRISE_AT_THRESHOLD)):
        np.testing.assert_allclose(run(tracker, [value])[0], [expected], atol=1e-4)
    np.testing.assert_allclose(run(tracker, [6])[0], [SURPRISE_AT_THRESHOLD + np.log(3) / 0.5], rtol=1e-5)


def test_one_update_by_hand(tracker):
    _, state = run(tracker, [6.0])
    weight, rate = 1.0, 1 / 10  # the first in its burst; the first row
    share = weight / (10 + weight)
    np.testing.assert_allclose(state["log_threshold"], [[np.log(2) + rate * (weight - 0.005)]], rtol=1e-5)
    np.testing.assert_allclose(state["excess"], [[0.5 + share * (np.log(3) - 0.5)]], rtol=1e-5)
    np.testing.assert_allclose(state["excess_weight"], [[10.0]])  # as many as are remembered
    np.testing.assert_allclose(state["burst"], [[1.0]])
    _, state = run(tracker, [6.0], state)
    np.testing.assert_allclose(state["burst"], [[1.9]], rtol=1e-6)


def test_the_threshold_finds_where_the_tail_begins(tracker):
    values = np.random.default_rng(0).exponential(size=60_000)
    _, state = run(tracker, values)
    share = np.mean(values > np.exp(state["log_threshold"].numpy()[0, 0]))
    assert 0.003 < share < 0.008


@pytest.mark.parametrize("power", [0.2, 0.5])
def test_surprise_is_calibrated_on_a_power_law(tracker, power):
    """Of many values as rare as one in 1,000, about one in 1,000 is."""
    values = np.random.default_rng(1).uniform(size=100_000) ** -power  # P(value > v) = v ** (-1 / power)
    surprise, _ = run(tracker, values)
    for chance in (1e-2, 1e-3, 1e-4):
        share = np.mean(surprise[20_000:] > -np.log(chance))
        assert chance / 3 < share < 3 * chance


def test_a_burst_teaches_little_and_what_stays_is_learnt(tracker):
    quiet = np.random.default_rng(2).exponential(size=5_000)
    _, state = run(tracker, quiet)
    _, burst = run(tracker, [50.0] * 20, state)
    assert np.exp(burst["log_threshold"] - state["log_threshold"])[0, 0] < 1.2
    surprise, _ = run(tracker, 10 * np.random.default_rng(3).exponential(size=5_000), state)
    assert np.mean(surprise[:100] > np.log(1e3)) > 0.1
    assert np.mean(surprise[-1_000:] > np.log(1e3)) < 0.01


def test_unknown_values_change_nothing(tracker):
    _, state = run(tracker, [1.0, 3.0])
    surprise, after = run(tracker, [np.nan, np.nan], state)
    assert np.isnan(surprise).all()
    for name, value in state.items():
        np.testing.assert_array_equal(after[name], value)
