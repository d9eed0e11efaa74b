"""Backgrounds to train on: recordings of noise, and the babble of people who say other words over each other."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.config import Advanced
from runnel.apps.speech_commands.recordings import Recordings, amplitude, audible, decibels

__all__ = ["BackgroundAudio", "BackgroundDraw"]

_MOST_VOICES = 6
_FEWEST_VOICES = 2
_FARTHEST = -20.0  # dB of a voice, to 0


class BackgroundDraw(NamedTuple):
    """What is heard behind the words of B windows; the float numbers are drawn evenly from 0 to 1."""

    is_heard: tf.Tensor  # bool [B]; else it is silent
    recording: tf.Tensor  # int32 [B], which
    start: tf.Tensor  # float32 [B], where in it
    loudness: tf.Tensor  # float32 [B], where in the range of ratios to the words, or of levels
    babbles: tf.Tensor  # bool [B], whether people are heard in place of the recording; K windows at the most
    voices: tf.Tensor  # float32 [K, V], where each of them begins in all that is said
    distance: tf.Tensor  # float32 [K, V], how far each is, 1 the farthest
    crowd: tf.Tensor  # float32 [K], how many of them speak, from the fewest to the most


class BackgroundAudio:
    """Excerpts of backgrounds.

    A recording of babble has a few voices, and a network learns those few. So babble is made anew for every window of
    it: two to six voices, nearer and farther, each an excerpt of the other words one behind the other, as loud as they
    were recorded.

    Args:
        noises: recordings int16 [N] each.
        talk: one recording of all words that are no commands, those of a speaker, where it is known, one behind the
            other; without it nobody babbles.
        advanced: the options.
        samples: N, length of a window.
    """

    def __init__(self, noises: Sequence[np.ndarray], talk: Recordings | None, advanced: Advanced, samples: int) -> None:
        self.advanced, self.samples = advanced, samples
        self.noises = Recordings.of(noises)
        self.noise_level = tf.constant([audible(noise).level for noise in noises], tf.float32)
        self.talk = talk if advanced.babble_share else None
        self.mean_babbles = advanced.babble_share * advanced.batch_size if self.talk else 0.0  # windows of a batch
        self.most_babbles = math.ceil(self.mean_babbles)  # K

    def draw(self, seed: tf.Tensor) -> BackgroundDraw:
        """Draws the backgrounds of B windows by a seed int32 [2]."""
        rows = self.advanced.batch_size
        seeds = tf.unstack(tf.random.split(seed, 9))
        order = tf.argsort(tf.random.stateless_uniform([rows], seeds[4]))
        babbles = tf.cast(self.mean_babbles + tf.random.stateless_uniform([], seeds[8]), tf.int32)
        return BackgroundDraw(
            is_heard=tf.random.stateless_uniform([rows], seeds[0]) < self.advanced.noise_share,
            recording=tf.random.stateless_uniform([rows], seeds[1], 0, len(self.noises.length), tf.int32),
            start=tf.random.stateless_uniform([rows], seeds[2]),
            loudness=tf.random.stateless_uniform([rows], seeds[3]),
            babbles=order < babbles,
            voices=tf.random.stateless_uniform([self.most_babbles, _MOST_VOICES], seeds[5]),
            distance=tf.random.stateless_uniform([self.most_babbles, _MOST_VOICES], seeds[6]),
            crowd=tf.random.stateless_uniform([self.most_babbles], seeds[7]),
        )

    def sound(self, draw: BackgroundDraw) -> tuple[tf.Tensor, tf.Tensor]:
        """What a draw sounds like before it is brought to a level, or left out where it is not heard.

        Returns:
            samples float32 [B, N], as loud as they are, and their level, dBFS of the root mean square, [B].
        """
        samples = self.noises.excerpt(draw.recording, draw.start, self.samples)
        level = tf.gather(self.noise_level, draw.recording)
        if self.talk is None:
            return samples, level
        babble = self._babble(self.talk, draw)  # [K, N]
        number = tf.maximum(tf.cumsum(tf.cast(draw.babbles, tf.int32)) - 1, 0)  # [B], which babble
        loudness = decibels(tf.reduce_mean(tf.square(babble), axis=1))
        return (
            tf.where(draw.babbles[:, None], tf.gather(babble, number), samples),
            tf.where(draw.babbles, tf.gather(loudness, number), level),
        )

    def _babble(self, talk: Recordings, draw: BackgroundDraw) -> tf.Tensor:
        """Several voices over each other, float32 [K, N]."""
        voices = talk.excerpt(tf.zeros(draw.voices.shape, tf.int32), draw.voices, self.samples)  # [K, V, N]
        count = _FEWEST_VOICES + tf.cast(draw.crowd * (_MOST_VOICES + 1 - _FEWEST_VOICES), tf.int32)
        speaks = tf.range(_MOST_VOICES) < count[:, None]
        gain = tf.where(speaks, amplitude(_FARTHEST * draw.distance), 0.0)
        return tf.reduce_sum(gain[..., None] * voices, axis=1)
