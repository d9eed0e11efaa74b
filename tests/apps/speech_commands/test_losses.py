import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.speech_commands.losses import ANY_CLASS, NO_COMMAND, frame_loss, word_loss
from runnel.shared.layers.clip_posterior import ClipPosterior


def logits(posteriors: list) -> tf.Tensor:
    return tf.math.log(tf.constant(posteriors, tf.float32))


def test_frame_loss_is_the_mean_over_frames_with_a_target() -> None:
    posteriors = logits([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]])
    targets = tf.constant([[0, ANY_CLASS, 2]])
    assert frame_loss(posteriors, targets).numpy() == pytest.approx(-(np.log(0.5) + np.log(0.6)) / 2, rel=1e-5)
    assert frame_loss(posteriors, tf.fill([1, 3], ANY_CLASS)).numpy() == 0


def test_a_frame_without_a_command_may_be_an_unknown_word_or_silence() -> None:
    posteriors = logits([[[0.5, 0.2, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]]])
    targets = tf.constant([[NO_COMMAND, NO_COMMAND]])
    assert frame_loss(posteriors, targets).numpy() == pytest.approx(-(np.log(0.3) + np.log(0.8)) / 2, rel=1e-5)
    beside_a_word = frame_loss(posteriors, tf.constant([[NO_COMMAND, 3]]))
    assert beside_a_word.numpy() == pytest.approx(-(np.log(0.3) + np.log(0.7)) / 2, rel=1e-5)


def test_a_frame_of_an_unknown_word_counts_more_as_far_as_it_is_taken_for_a_command() -> None:
    posteriors = logits([[[0.5, 0.2, 0.2, 0.1], [0.1, 0.1, 0.7, 0.1], [0.6, 0.2, 0.1, 0.1], [0.6, 0.2, 0.1, 0.1]]])
    targets = tf.constant([[NO_COMMAND, 2, 0, 3]])  # an unknown word before its end and at it; a command; silence
    expected = -(2.4 * np.log(0.3) + 1.4 * np.log(0.7) + np.log(0.6) + np.log(0.1)) / 4
    assert frame_loss(posteriors, targets, confusion_weight=2.0).numpy() == pytest.approx(expected, rel=1e-5)

    values = tf.Variable([[[1.0, 0.5, 0.2, 0.1]]])
    with tf.GradientTape(persistent=True) as tape:
        plain, weighted = (frame_loss(values, tf.constant([[2]]), weight) for weight in (0.0, 2.0))
    taken = tf.reduce_sum(tf.nn.softmax(values)[..., :2])
    np.testing.assert_allclose(
        tape.gradient(weighted, values), (1 + 2 * taken) * tape.gradient(plain, values), rtol=1e-5
    )


def test_word_loss_takes_the_frames_of_a_word_together_as_a_clip_is_taken() -> None:
    first = [[0.6, 0.2, 0.2], [0.1, 0.1, 0.8]]
    second = [[0.3, 0.3, 0.4], [0.05, 0.9, 0.05]]
    # Of the first word: weights .8 and .2; sums .8 * .6 + .2 * .1 = .5 and .8 * .2 + .2 * .1 = .18.
    # Of the second: weights .6 and .95; sums .18 + .0475 = .2275 and .18 + .855 = 1.035.
    expected = -(np.log(0.5 / 0.68) + np.log(1.035 / 1.2625)) / 2
    words, segment = tf.constant([[0, 1]]), tf.constant([[0, 0, 1, 1]])
    assert word_loss(logits([first + second]), words, segment).numpy() == pytest.approx(expected, rel=1e-4)

    clip = ClipPosterior(1, 3)
    state = clip.step(tf.constant([second], tf.float32), tf.constant([2]), clip.initial_state(1))
    shares = clip.result(state).numpy()[0, :2]
    assert shares[1] / shares.sum() == pytest.approx(1.035 / 1.2625, rel=1e-5)


def test_without_a_word_there_is_no_word_loss() -> None:
    posteriors = logits([[[0.6, 0.2, 0.2], [0.1, 0.1, 0.8]]])
    segment = tf.constant([[0, 0]])
    assert word_loss(posteriors, tf.constant([[-1]]), segment).numpy() == 0
    one = word_loss(posteriors, tf.constant([[0]]), segment)
    both = word_loss(tf.concat([posteriors, posteriors], axis=1), tf.constant([[0, -1]]), tf.constant([[0, 0, 1, 1]]))
    assert both.numpy() == pytest.approx(one.numpy(), rel=1e-6)
