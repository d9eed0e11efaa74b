"""Recordings on the side of the graph: samples at any places of them, and how loud they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from runnel.datasets.audio.to_float32 import FULL_SCALE, to_float32
from runnel.shared.preprocessing.speech_bounds import speech_bounds

__all__ = ["Audible", "Recordings", "amplitude", "audible", "decibels"]

_SMALLEST = 1e-10  # power whose logarithm is still taken


@dataclass(frozen=True)
class Recordings:
    """Many recordings in one tensor."""

    samples: tf.Tensor  # int16 [all samples]
    offset: tf.Tensor  # int32 [R], where a recording begins
    length: tf.Tensor  # int32 [R]

    @classmethod
    def of(cls, waveforms: Sequence[np.ndarray]) -> "Recordings":
        """Puts recordings int16 [N] one behind the other; at least one."""
        length = np.array([len(waveform) for waveform in waveforms], np.int32)
        return cls(
            tf.constant(np.concatenate(waveforms)),
            tf.constant(np.cumsum(length) - length, tf.int32),
            tf.constant(length),
        )

    def joined(self, first: int) -> "Recordings":
        """All from the recording of this index on as a single one, which shares their samples."""
        return Recordings(
            self.samples, self.offset[first : first + 1], tf.reduce_sum(self.length[first:], keepdims=True)
        )

    def at(self, index: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        """Samples float32 [..., N] of recordings int32 [...] at places int32 [..., N], which it must have."""
        start = tf.gather(self.offset, index)[..., None]
        return tf.cast(tf.gather(self.samples, start + place), tf.float32) / FULL_SCALE

    def between(self, index: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """The same at fractional positions float32 [..., N]; 0 outside."""
        last = tf.gather(self.length, index)[..., None] - 1
        whole = tf.floor(position)
        place = tf.cast(whole, tf.int32)
        inside = (place >= 0) & (place < last)
        place = tf.clip_by_value(place, 0, tf.maximum(last - 1, 0))
        before, after = self.at(index, place), self.at(index, tf.minimum(place + 1, last))
        return tf.where(inside, before + (position - whole) * (after - before), 0.0)

    def excerpt(self, index: tf.Tensor, share: tf.Tensor, samples: int) -> tf.Tensor:
        """So many samples float32 [..., N] from a share float32 [...] of recordings on, which are heard in a loop."""
        length = tf.gather(self.length, index)
        start = tf.cast(share * tf.cast(length, tf.float32), tf.int32)
        return self.at(index, (start[..., None] + tf.range(samples)) % length[..., None])


class Audible(NamedTuple):
    """What can be heard of a recording."""

    begin: int  # sample
    end: int  # one past the last one
    peak: float  # dBFS
    level: float  # dBFS, root mean square


def audible(waveform: np.ndarray) -> Audible:
    """Where a recording int16 [N] can be heard, and how loud it is there."""
    scaled = to_float32(waveform)
    begin, end = speech_bounds(scaled)
    power = np.square(scaled[begin:end], dtype=np.float64)
    peak, level = (float(10 * np.log10(value + _SMALLEST)) for value in (power.max(), power.mean()))
    return Audible(begin, end, peak, level)


def decibels(power: Any) -> tf.Tensor:
    """The level of a power, a mean square."""
    return 10 / np.log(10.0) * tf.math.log(power + _SMALLEST)


def amplitude(level: Any) -> tf.Tensor:
    """The factor of samples that is so many decibels."""
    return tf.pow(10.0, level / 20)
