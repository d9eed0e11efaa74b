import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.translation.config import Config
from runnel.apps.translation.wait_k import WHOLE, draw_wait, word_numbers


def options(**advanced: Any) -> Config:
    config = Config(simultaneous=True)
    return dataclasses.replace(config, advanced=dataclasses.replace(config.advanced, **advanced))


def drawn(config: Config, epochs: int = 4, steps: int = 250) -> np.ndarray:
    every = tf.function(lambda epoch: tf.map_fn(lambda step: draw_wait(epoch, step, config), tf.range(steps)))
    return np.array([every(tf.constant(epoch)).numpy() for epoch in range(epochs)])


def test_the_whole_sentence_has_its_share_and_each_wait_one_of_the_rest() -> None:
    waits = drawn(options(longest_wait=4, whole_share=0.6))
    assert np.mean(waits == WHOLE) == pytest.approx(0.6, abs=0.06)
    counts = np.bincount(waits[waits != WHOLE], minlength=5)
    assert len(counts) == 5
    assert counts[0] == 0
    assert counts[1:] / counts.sum() == pytest.approx(np.full(4, 0.25), abs=0.08)


def test_a_wait_is_a_function_of_seed_epoch_and_step() -> None:
    config = options()
    assert (drawn(config) == drawn(config)).all()
    assert (drawn(config)[0] != drawn(config)[1]).any()
    assert (drawn(config) != drawn(options(seed=1))).any()
    assert int(draw_wait(2, tf.constant(7), config)) == drawn(config)[2, 7]


def test_whoever_needs_the_whole_sentence_always_gets_it() -> None:
    for config in (Config(attention="none"), Config(encoder="bidirectional"), Config(simultaneous=False)):
        assert all(int(draw_wait(epoch, tf.constant(step), config)) == WHOLE for epoch in (0, 1) for step in range(9))
    assert (drawn(options(whole_share=1.0)) == WHOLE).all()


def test_tokens_are_numbered_by_their_words() -> None:
    starts = tf.constant([[True, False, False, True, True, False], [False, False, True, False, False, True]])
    # What comes before the first word that begins belongs to it.
    assert word_numbers(starts).numpy().tolist() == [[1, 1, 1, 2, 3, 3], [1, 1, 1, 1, 1, 2]]
    assert word_numbers(tf.zeros([2, 0], tf.bool)).shape == (2, 0)
