import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.layers.posterior_smoother import PosteriorSmoother


def smooth(smoother, values, state=None, count=None):
    """Of one row with one class."""
    count = len(values) if count is None else count
    state = smoother.initial_state(1) if state is None else state
    values = np.array(values, np.float32)[None, :, None]
    smoothed, state = smoother.step(tf.constant(values), tf.constant([count]), state)
    return smoothed.numpy()[0, :, 0], state


def test_mean_of_the_last_frames_and_at_first_of_those_there_are():
    smoothed, state = smooth(PosteriorSmoother(3, 1), [0.3, 0.6, 0.0, 0.9, 0.6])
    np.testing.assert_allclose(smoothed, [0.3, 0.45, 0.3, 0.5, 0.5], rtol=1e-6)
    np.testing.assert_array_equal(state["posteriors"][0, :, 0], np.float32([0.9, 0.6]))
    assert state["frames"].numpy().tolist() == [5]


def test_one_frame_is_not_smoothed():
    smoother = PosteriorSmoother(1, 1)
    smoothed, state = smooth(smoother, [0.1, 0.7])
    np.testing.assert_array_equal(smoothed, np.float32([0.1, 0.7]))
    assert state["posteriors"].shape == (1, 0, 1)
    np.testing.assert_array_equal(smooth(smoother, [0.4], state)[0], np.float32([0.4]))


def test_frames_alone_give_the_same_bits_as_together():
    smoother, values = PosteriorSmoother(30, 1), np.random.default_rng(0).uniform(size=200).astype(np.float32)
    together, _ = smooth(smoother, values)
    state, alone = None, []
    for value in values:
        smoothed, state = smooth(smoother, [value], state)
        alone.append(smoothed[0])
    np.testing.assert_array_equal(alone, together)


def test_a_long_stream_does_not_drift():
    smoother, loud = PosteriorSmoother(10, 1), np.tile(np.float32([1.0, 0.9999999, 0.1]), 60_000)
    _, state = smooth(smoother, loud)
    smoothed, state = smooth(smoother, np.zeros(20), state)
    np.testing.assert_array_equal(smoothed[9:], 0)  # the windows that hold none of the loud frames
    assert state["frames"].numpy().tolist() == [180_020]


def test_the_count_of_frames_has_no_end():
    smoother = PosteriorSmoother(4, 1)
    state = smoother.initial_state(1) | {"frames": tf.constant([2**40], tf.int64)}
    smoothed, state = smooth(smoother, [0.8], state)
    np.testing.assert_allclose(smoothed, [0.2])
    assert state["frames"].numpy().tolist() == [2**40 + 1]


@pytest.mark.parametrize(("batch", "frames"), [(0, 3), (2, 0), (0, 0)])
@pytest.mark.parametrize("smoothing", [1, 5])
def test_no_rows_and_no_frames(batch, frames, smoothing):
    smoother = PosteriorSmoother(smoothing, 2)
    state = smoother.initial_state(batch)
    smoothed, after = smoother.step(tf.zeros([batch, frames, 2]), tf.fill([batch], frames), state)
    assert smoothed.shape == (batch, frames, 2)
    assert {name: value.shape for name, value in after.items()} == {name: value.shape for name, value in state.items()}


def test_smoothing_needs_a_frame():
    with pytest.raises(ValueError, match="smoothing=0; expected at least 1"):
        PosteriorSmoother(0, 2)
