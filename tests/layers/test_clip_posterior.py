import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.layers.clip_posterior import ClipPosterior


def answers(smoothing, rows, counts=None, pieces=1):
    """The result [B, C] for rows [B, M, C] that come in so many equal pieces."""
    rows = np.array(rows, np.float32)
    clip = ClipPosterior(smoothing, rows.shape[2])
    state = clip.initial_state(len(rows))
    counts = np.full(len(rows), rows.shape[1]) if counts is None else np.array(counts)
    size = rows.shape[1] // pieces
    for begin in range(0, rows.shape[1], size):
        count = tf.constant(np.clip(counts - begin, 0, size), tf.int32)
        state = clip.step(tf.constant(rows[:, begin : begin + size]), count, state)
    return clip.result(state).numpy()


def test_words_share_what_the_least_silent_stretch_leaves():
    row = [[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.2, 0.5, 0.3]]
    # Weights .3, .8 and .7; sums .3 * .1 + .8 * .5 + .7 * .2 = .57 and .06 + .24 + .35 = .65, of 1.22 together.
    said = np.array([0.57, 0.65]) / 1.22
    np.testing.assert_allclose(answers(1, [row]), [[*0.8 * said, 0.2]], rtol=1e-6)
    # Of two frames, the silence smoothed is .7, .45 and .25.
    np.testing.assert_allclose(answers(2, [row]), [[*0.75 * said, 0.25]], rtol=1e-6)


def test_a_clip_of_certain_silence_is_silence():
    assert answers(2, [[[0, 0, 1]] * 4]).tolist() == [[0, 0, 1]]


def test_silence_before_the_first_frame():
    clip = ClipPosterior(3, 4)
    assert clip.result(clip.initial_state(2)).numpy().tolist() == [[0, 0, 0, 1]] * 2
    assert answers(3, np.full((2, 5, 3), np.nan), counts=[0, 0]).tolist() == [[0, 0, 1]] * 2


def test_rows_of_unequal_length_in_pieces():
    rows = np.random.default_rng(0).dirichlet([0.5] * 3, (4, 12)).astype(np.float32)
    counts = [12, 5, 0, 1]
    for row, count in enumerate(counts):
        rows[row, count:] = np.nan
    whole = answers(4, rows, counts)
    for row, count in enumerate(counts[:2]):
        silence = min(rows[row, max(0, m - 3) : m + 1, -1].mean() for m in range(count))
        said = sum((1 - frame[-1]) * frame[:-1] for frame in rows[row, :count])
        np.testing.assert_allclose(whole[row], [*(1 - silence) * said / said.sum(), silence], rtol=1e-4)
    for pieces in (2, 4, 12):
        np.testing.assert_allclose(answers(4, rows, counts, pieces), whole, rtol=1e-5)


@pytest.mark.parametrize(("batch", "frames"), [(0, 3), (2, 0), (0, 0)])
def test_no_rows_and_no_frames(batch, frames):
    clip = ClipPosterior(3, 2)
    state = clip.step(tf.ones([batch, frames, 2]), tf.fill([batch], frames), clip.initial_state(batch))
    assert clip.result(state).numpy().tolist() == [[0, 1]] * batch
