"""Audio to train on, made as it is needed: words of the training split in a stream of background noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.config import Advanced
from runnel.datasets.audio.speech_corpus import Clips
from runnel.datasets.audio.to_float32 import FULL_SCALE, to_float32
from runnel.shared.errors import InputError
from runnel.shared.preprocessing.speech_bounds import speech_bounds

__all__ = ["TrainingAudio"]

_EDGE = 160  # samples, 10 ms: a clip that is pasted without a slope clicks
_SILENT_SHARE = 0.1  # of all slots: background alone
_LEVELS = (-40.0, -8.0)  # dBFS of the words, drawn evenly
_NOISE_LEVELS = (-75.0, -25.0)  # dBFS where no word says how loud


@dataclass(frozen=True)
class _Recordings:
    """Many recordings in one tensor."""

    samples: tf.Tensor  # int16 [all samples]
    offset: tf.Tensor  # int32 [R], where a recording begins
    length: tf.Tensor  # int32 [R]

    @classmethod
    def of(cls, waveforms: Sequence[np.ndarray]) -> "_Recordings":
        length = np.array([len(waveform) for waveform in waveforms], np.int32)
        return cls(
            tf.constant(np.concatenate(waveforms)),
            tf.constant(np.cumsum(length) - length, tf.int32),
            tf.constant(length),
        )

    def at(self, index: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
        """Samples float32 [..., N] of recordings int32 [...] at fractional positions float32 [..., N]; 0 outside."""
        last = tf.gather(self.length, index)[..., None] - 1
        whole = tf.floor(position)
        place = tf.cast(whole, tf.int32)
        inside = (place >= 0) & (place < last)
        start = tf.gather(self.offset, index)[..., None] + tf.clip_by_value(place, 0, tf.maximum(last - 1, 0))
        before, after = (tf.cast(tf.gather(self.samples, start + step), tf.float32) for step in (0, 1))
        return tf.where(inside, before + (position - whole) * (after - before), 0.0) / FULL_SCALE


class TrainingAudio:
    """Windows of audio with the class that each frame should have.

    A window is a row of slots. A slot holds one word at a drawn place, played at a drawn speed and level, or none. Over
    the window lies background noise at a drawn distance from the words. All draws are functions of (seed, epoch,
    index): the same window whenever it is asked for.

    Args:
        clips: of the training split.
        noises: background recordings, int16 [N] each.
        labels: the classes; the last one is silence.
        advanced: the options.
        hop: samples in a frame.
    """

    def __init__(
        self, clips: Clips, noises: Sequence[np.ndarray], labels: Sequence[str], advanced: Advanced, hop: int
    ) -> None:
        self.advanced, self.hop, self.silence = advanced, hop, len(labels) - 1
        spoken = [(wave, label) for wave, label in zip(clips.waveforms, clips.labels, strict=True) if len(wave) > hop]
        if not spoken:
            raise InputError(
                f"received no clip longer than a frame of {hop:,} samples; expected words; give clips that hold some"
            )
        self.clips = _Recordings.of([wave for wave, _ in spoken])
        self.classes = tf.constant([labels.index(label) for _, label in spoken], tf.int32)
        self.bounds = tf.constant([speech_bounds(to_float32(wave)) for wave, _ in spoken], tf.float32)
        self.speech_level = tf.constant([_level(wave) for wave, _ in spoken], tf.float32)
        self.noises = _Recordings.of(noises)
        self.noise_level = tf.constant([_level(wave) for wave in noises], tf.float32)
        self.slot = round(advanced.slot_seconds * 16_000 / hop) * hop
        self.slots = advanced.slots

    @property
    def batches_an_epoch(self) -> int:
        """So many that every clip comes once."""
        return max(1, -(-self._slots_an_epoch // (self.slots * self.advanced.batch_size)))

    @property
    def _slots_an_epoch(self) -> int:
        return int(len(self.classes) * (1 + _SILENT_SHARE))

    def batches(self, epoch: int) -> tf.data.Dataset:
        """The batches of an epoch.

        Returns:
            of {`waveform` float32 [B, N], `targets` int32 [B, M] (-1 where any class is right), `fresh` bool [B] (the
            stream begins anew here), `seed` int32 [2] for further draws}.
        """
        seed = tf.constant([self.advanced.seed, epoch], tf.int32)
        batches = tf.data.Dataset.range(self.batches_an_epoch)
        return batches.map(lambda batch: self._batch(seed, tf.cast(batch, tf.int32)), num_parallel_calls=2).prefetch(2)

    def _batch(self, seed: tf.Tensor, batch: tf.Tensor) -> dict[str, tf.Tensor]:
        rows, count = self.advanced.batch_size, self.advanced.batch_size * self.slots
        place = batch * count + tf.range(count)
        place = tf.random.experimental.index_shuffle(place % self._slots_an_epoch, seed, self._slots_an_epoch - 1)
        seeds = tf.random.split(tf.random.fold_in(seed, batch), 11)
        is_word = place < len(self.classes)
        index = tf.minimum(place, len(self.classes) - 1)
        words, targets, level = self._words(seeds, index, is_word)
        shape = [rows, self.slots * self.slot]
        waveform = tf.reshape(words, shape) + self._noise(seeds, tf.reshape(level, [rows, self.slots]))
        return {
            "waveform": tf.clip_by_value(waveform, -1.0, 1.0),
            "targets": tf.reshape(targets, [rows, -1]),
            "fresh": tf.random.stateless_uniform([rows], seeds[9]) < self.advanced.fresh_share,
            "seed": seeds[10],
        }

    def _words(self, seeds: tf.Tensor, index: tf.Tensor, is_word: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Slots float32 [K, S], their targets int32 [K, S / hop], and the levels of their words in dBFS [K]."""
        count, spread = tf.shape(index)[0], self.advanced.speed_spread
        uniform = [tf.random.stateless_uniform([count], seeds[place]) for place in range(4)]
        speed = 1 + spread * (2 * uniform[0] - 1)
        begin, end = tf.unstack(tf.gather(self.bounds, index) / speed[:, None], axis=1)  # as played
        room = tf.maximum(float(self.slot) - (end - begin), 0.0)
        # The word begins at a drawn place of the slot; of two too long for it, the beginning is what stays.
        start = tf.round(uniform[1] * room - begin)
        time = tf.range(self.slot, dtype=tf.float32) - start[:, None]
        samples = self.clips.at(index, time * speed[:, None])
        length = tf.cast(tf.gather(self.clips.length, index), tf.float32) / speed
        slope = tf.clip_by_value(tf.minimum(time, length[:, None] - time) / _EDGE, 0.0, 1.0)
        level = _LEVELS[0] + uniform[2] * (_LEVELS[1] - _LEVELS[0])
        gain = _ratio(level - tf.gather(self.speech_level, index))
        samples *= slope * tf.where(is_word, gain, 0.0)[:, None]
        word = tf.where(is_word, tf.gather(self.classes, index), self.silence)
        frame_end = (tf.range(self.slot // self.hop, dtype=tf.float32) + 1) * self.hop
        return samples, self._targets(word, frame_end, start + begin, start + end), tf.where(is_word, level, np.nan)

    def _targets(self, word: tf.Tensor, frame_end: tf.Tensor, begin: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
        """Of each frame: any class in the first part of a word, the word until shortly after its end, then silence."""
        begin, end, word = begin[:, None], end[:, None], word[:, None]
        known = begin + self.advanced.known_after * (end - begin)
        hold = end + self.advanced.hold_seconds * 16_000
        targets = tf.where((frame_end > known) & (frame_end <= hold), word, self.silence)
        return tf.where((word != self.silence) & (frame_end > begin) & (frame_end <= known), -1, targets)

    def _noise(self, seeds: tf.Tensor, levels: tf.Tensor) -> tf.Tensor:
        """Background float32 [B, N] for windows whose words have these levels, dBFS [B, slots], NaN without a word."""
        rows = tf.shape(levels)[0]
        uniform = [tf.random.stateless_uniform([rows], seeds[place]) for place in range(4, 8)]
        index = tf.cast(uniform[0] * len(self.noises.length), tf.int32)
        length = tf.cast(tf.gather(self.noises.length, index), tf.float32)
        time = tf.floor(uniform[1] * length)[:, None] + tf.range(self.slots * self.slot, dtype=tf.float32)
        samples = self.noises.at(index, tf.math.floormod(time, tf.maximum(length[:, None] - 1, 1.0)))
        known = tf.math.is_finite(levels)
        words = tf.reduce_sum(tf.where(known, levels, 0.0), 1) / tf.maximum(
            tf.reduce_sum(tf.cast(known, tf.float32), 1), 1.0
        )
        ratio = self.advanced.least_snr + uniform[2] * (self.advanced.most_snr - self.advanced.least_snr)
        drawn = _NOISE_LEVELS[0] + uniform[2] * (_NOISE_LEVELS[1] - _NOISE_LEVELS[0])
        level = tf.where(tf.reduce_any(known, 1), words - ratio, drawn)
        gain = tf.where(uniform[3] < self.advanced.noise_share, _ratio(level - tf.gather(self.noise_level, index)), 0.0)
        return samples * gain[:, None]


def _level(waveform: np.ndarray) -> float:
    """Root mean square of the audible part, dBFS."""
    scaled = to_float32(waveform)
    begin, end = speech_bounds(scaled)
    return float(10 * np.log10(np.mean(np.square(scaled[begin:end], dtype=np.float64)) + 1e-10))


def _ratio(decibels: tf.Tensor) -> tf.Tensor:
    return tf.pow(10.0, decibels / 20)
