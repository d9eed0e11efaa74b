"""Audio to train on, made as it is needed: words of the training split in a stream of background noise."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.background_audio import BackgroundAudio, BackgroundDraw
from runnel.apps.speech_commands.config import Advanced
from runnel.apps.speech_commands.losses import ANY_CLASS, NO_COMMAND
from runnel.apps.speech_commands.recordings import Recordings, amplitude, audible
from runnel.datasets.audio.speech_corpus import UNKNOWN, Clips
from runnel.shared.errors import InputError

__all__ = ["TrainingAudio"]

_EDGE = 160  # samples, 10 ms: a clip that is pasted without a slope clicks
_SILENT_SHARE = 0.25  # of all words: none
_LEVELS = (-42.0, -4.0)  # dBFS, peak of the words of a window, drawn evenly
_PAUSE = 4_800  # samples, 0.3 s: from a word to the next one, at the least
_SPREAD = 3.0  # dB by which a word differs from that
_NOISE_LEVELS = (-80.0, -25.0)  # dBFS, root mean square, where no word says how loud


class _Words(NamedTuple):
    """The words of windows, one behind the other, [B, S] each; positions in samples of the window."""

    clip: tf.Tensor  # int32, which it is
    label: tf.Tensor  # int32, its class; that of silence where nothing is said
    is_heard: tf.Tensor  # bool; else there is no clip
    speed: tf.Tensor
    origin: tf.Tensor  # where the clip begins
    begin: tf.Tensor  # where something can be heard of it
    end: tf.Tensor
    level: tf.Tensor  # peak, dBFS


class TrainingAudio:
    """Windows of audio with the class that each frame should have.

    A window holds a few words, or fewer, with drawn pauses before, between and after them: as long as a word is to be
    recognised after its end, no other one begins. Each is played at a drawn speed, and those of a window are about
    equally loud. Over the window lies background noise at a drawn distance from the words. All draws are functions of
    (seed, epoch, index): the same window whenever it is asked for.

    Args:
        clips: of the training split.
        noises: background recordings, int16 [N] each.
        labels: the classes; the last two are unknown words and silence.
        advanced: the options.
        hop: samples in a frame.
    """

    def __init__(
        self, clips: Clips, noises: Sequence[np.ndarray], labels: Sequence[str], advanced: Advanced, hop: int
    ) -> None:
        self.advanced, self.hop = advanced, hop
        self.unknown, self.silence = len(labels) - 2, len(labels) - 1
        spoken = _others_last(clips, hop, advanced.seed)
        if not spoken.labels:
            raise InputError(
                f"received no clip longer than a frame of {hop:,} samples; expected words; give clips that hold some"
            )
        self.clips = Recordings.of(spoken.waveforms)
        self.classes = tf.constant([labels.index(label) for label in spoken.labels], tf.int32)
        heard = tf.constant([audible(wave) for wave in spoken.waveforms], tf.float32)
        self.bounds, self.peak, self.level = heard[:, :2], heard[:, 2], heard[:, 3]
        self.slots = advanced.slots
        self.frames = round(advanced.slots * advanced.slot_seconds * 16_000 / hop)
        self.hold = advanced.hold_seconds * 16_000
        commands = sum(label != UNKNOWN for label in spoken.labels)
        talk = self.clips.joined(commands) if commands < len(spoken.labels) else None
        self.background = BackgroundAudio(noises, talk, advanced, self.frames * hop)
        self._traced_batch = tf.function(self._batch, autograph=False)  # once, not for each epoch
        # One pass over the samples where TensorFlow's operations take two dozen.
        self._compiled_mix = tf.function(self._mix, autograph=False, jit_compile=advanced.jit_compile)

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
            of {`waveform` float32 [B, N], `targets` int32 [B, M] (as `frame_loss` takes them), `words` int32 [B, S]
            (the class of each word, -1 for none), `segment` int32 [B, M] (the word that a frame belongs to: the latest
            that has begun, or the first), `fresh` bool [B] (the stream begins anew here), `seed` int32 [2] for further
            draws}.
        """
        seed = tf.constant([self.advanced.seed, epoch], tf.int32)
        batches = tf.data.Dataset.range(self.batches_an_epoch)
        return batches.map(
            lambda batch: self._traced_batch(seed, tf.cast(batch, tf.int32)), num_parallel_calls=2
        ).prefetch(2)

    def _batch(self, seed: tf.Tensor, batch: tf.Tensor) -> dict[str, tf.Tensor]:
        rows, count = self.advanced.batch_size, self.advanced.batch_size * self.slots
        place = batch * count + tf.range(count)
        place = tf.random.experimental.index_shuffle(place % self._slots_an_epoch, seed, self._slots_an_epoch - 1)
        seeds = tf.random.split(tf.random.fold_in(seed, batch), 7)
        words = self._lay_out(seeds[:4], tf.reshape(place, [rows, self.slots]))
        background = self.background.draw(seeds[4])  # out here: XLA draws other numbers
        targets, segment = self._targets(words, background)
        return {
            "waveform": self._compiled_mix(words, background),
            "targets": targets,
            "words": tf.where(words.label == self.silence, -1, words.label),
            "segment": segment,
            "fresh": tf.random.stateless_uniform([rows], seeds[5]) < self.advanced.fresh_share,
            "seed": seeds[6],
        }

    def _lay_out(self, seeds: tf.Tensor, place: tf.Tensor) -> _Words:
        """The words of windows, by their places in the shuffled epoch [B, S]."""
        rows, slots = place.shape
        is_heard = place < len(self.classes)
        clip = tf.minimum(place, len(self.classes) - 1)
        label = tf.where(is_heard, tf.gather(self.classes, clip), self.silence)
        speed = 1 + self.advanced.speed_spread * tf.random.stateless_uniform([rows, slots], seeds[0], -1.0)
        first, last = tf.unstack(tf.gather(self.bounds, clip) / speed[..., None], axis=2)
        length = tf.where(is_heard, last - first, 0.0)
        after = tf.constant([min(_PAUSE, self.hold)] * (slots - 1) + [self.hold], tf.float32)
        taken = tf.where(is_heard, length + after, 0.0)
        room = tf.maximum(float(self.frames * self.hop) - tf.reduce_sum(taken, axis=1, keepdims=True), 0.0)
        # Normalised exponentials cut the room into pauses, all cuts being equally likely.
        pauses = -tf.math.log(tf.random.stateless_uniform([rows, slots + 1], seeds[1], 1e-6))
        pauses = room * pauses[:, :slots] / tf.reduce_sum(pauses, axis=1, keepdims=True)
        begin = tf.round(tf.cumsum(pauses, axis=1) + tf.cumsum(taken, axis=1, exclusive=True))
        level = tf.random.stateless_uniform([rows, 1], seeds[2], *_LEVELS)
        level += tf.random.stateless_uniform([rows, slots], seeds[3], -_SPREAD, _SPREAD)
        level = tf.clip_by_value(level, *_LEVELS)
        return _Words(clip, label, is_heard, speed, begin - first, begin, begin + length, level)

    def _mix(self, words: _Words, background: BackgroundDraw) -> tf.Tensor:
        """What is heard, float32 [B, N]."""
        return tf.clip_by_value(self._spoken(words) + self._background(background, words), -1.0, 1.0)

    def _spoken(self, words: _Words) -> tf.Tensor:
        """What is said, float32 [B, N]. A clip gives way to the next one in the middle between their words."""
        middle = (words.end[:, :-1] + words.begin[:, 1:]) / 2  # [B, S - 1]
        length = tf.cast(tf.gather(self.clips.length, words.clip), tf.float32) / words.speed
        first = tf.maximum(words.origin, tf.pad(middle, [[0, 0], [1, 0]], constant_values=-np.inf))
        last = tf.minimum(words.origin + length, tf.pad(middle, [[0, 0], [0, 1]], constant_values=np.inf))
        gain = tf.where(words.is_heard, amplitude(words.level - tf.gather(self.peak, words.clip)), 0.0)
        frame = tf.range(self.frames, dtype=tf.float32) * self.hop
        word = tf.reduce_sum(tf.cast(frame[:, None] >= middle[:, None], tf.int32), axis=2)  # [B, M]
        clip, speed, origin, first, last, gain = (
            tf.gather(values, word, batch_dims=1)
            for values in (words.clip, words.speed, words.origin, first, last, gain)
        )
        time = frame[:, None] + tf.range(self.hop, dtype=tf.float32)  # [M, hop]
        samples = self.clips.between(clip, (time - origin[..., None]) * speed[..., None])  # [B, M, hop]
        slope = tf.minimum(time - first[..., None], last[..., None] - time) / _EDGE
        samples *= tf.clip_by_value(slope, 0.0, 1.0) * gain[..., None]
        return tf.reshape(samples, [words.clip.shape[0], -1])

    def _targets(self, words: _Words, background: BackgroundDraw) -> tuple[tf.Tensor, tf.Tensor]:
        """Of each frame: the word from shortly before its end until shortly after it, else silence.

        In the first part of a command any class is right. In that of another word no command is: otherwise nothing
        keeps the network from taking "number" for "no" until it hears the rest. Where people babble, it may be silence
        or another word between the words, as long as it is no command.

        Returns:
            the targets, and to which word each frame belongs; int32 [B, M] both.
        """
        frame_end = (tf.range(self.frames, dtype=tf.float32) + 1) * self.hop
        begin, end = words.begin[..., None], words.end[..., None]  # [B, S, 1]
        known = begin + self.advanced.known_after * (end - begin)
        label = words.label[..., None]
        following = tf.where(words.is_heard, words.begin, np.inf)[:, 1:]
        following = tf.pad(following, [[0, 0], [0, 1]], constant_values=np.inf)[..., None]
        is_known = (frame_end > known) & (frame_end <= tf.minimum(end + self.hold, following))  # [B, S, M]
        is_open = (label != self.silence) & (frame_end > begin) & (frame_end <= known)
        early = tf.where(label == self.unknown, NO_COMMAND, ANY_CLASS)
        targets = tf.where(is_known, label, tf.where(is_open, early, self.silence))
        targets = tf.reduce_min(targets, axis=1)  # silence is the last class
        babbles = (background.babbles & background.is_heard)[:, None]
        targets = tf.where(babbles & (targets == self.silence), NO_COMMAND, targets)
        segment = tf.reduce_sum(tf.cast(frame_end > begin[:, 1:], tf.int32), axis=1)
        return targets, segment

    def _background(self, draw: BackgroundDraw, words: _Words) -> tf.Tensor:
        """Background float32 [B, N]: as loud as the words ask for, or any if there are none."""
        samples, level = self.background.sound(draw)
        mean = words.level - tf.gather(self.peak - self.level, words.clip)
        count = tf.reduce_sum(tf.cast(words.is_heard, tf.float32), axis=1)
        mean = tf.reduce_sum(tf.where(words.is_heard, mean, 0.0), axis=1) / tf.maximum(count, 1.0)
        ratio = self.advanced.least_snr + draw.loudness * (self.advanced.most_snr - self.advanced.least_snr)
        drawn = _NOISE_LEVELS[0] + draw.loudness * (_NOISE_LEVELS[1] - _NOISE_LEVELS[0])
        gain = amplitude(tf.where(count > 0, mean - ratio, drawn) - level)
        return samples * tf.where(draw.is_heard, gain, 0.0)[:, None]


def _others_last(clips: Clips, hop: int, seed: int) -> Clips:
    """Clips longer than a frame; words that are no commands last, speaker by speaker, in a drawn order."""
    drawn = np.random.default_rng(seed).permutation(len(clips.labels)).tolist()
    chosen = [clip for clip in drawn if len(clips.waveforms[clip]) > hop]
    return clips.take(sorted(chosen, key=lambda clip: (clips.labels[clip] == UNKNOWN, clips.speakers[clip])))
