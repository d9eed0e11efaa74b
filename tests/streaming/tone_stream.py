"""A recogniser without training: a frame that is mostly one tone is the word of that pitch, all else is silence."""

import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.config import Advanced, Config
from runnel.apps.speech_commands.data import SpeechData
from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN, Clips, SpeechCorpus
from runnel.shared.layers.clip_posterior import ClipPosterior
from runnel.shared.layers.event_detector import EventDetector

HOP = 320
RATE = 16_000
LABELS = ("high", "low", UNKNOWN, SILENCE)
PITCH = {"high": 2000, "low": 500, UNKNOWN: 1000}  # Hz, whole periods in a frame
HINT = 3000  # a tone that resembles "high"
ADVANCED = Advanced(smoothing_frames=10, refractory_frames=25, validation_hours=0.05, evaluation_hours=0.1)
CONFIG = Config(data="tones", advanced=ADVANCED)
_DETECTOR = EventDetector([np.inf] * 4, ADVANCED.smoothing_frames, ADVANCED.refractory_frames, HOP)
_detect = tf.function(_DETECTOR.step, reduce_retracing=True)  # traced once for all streams


class ToneStream(tf.Module):
    """The signatures of an export, for pieces of whole frames.

    Args:
        thresholds: of the four labels.
        deaf_to: labels whose tones it takes for silence.
        deaf_after: frames after which it takes everything for silence.
        unknown_as: the posterior of "low" at a tone that is no command.
        quietest: mean power of a frame below which it is silence.
        labels: other names of the four.
    """

    def __init__(self, thresholds, *, deaf_to=(), deaf_after=None, unknown_as=0.01, quietest=1e-9, labels=LABELS):
        super().__init__()
        self.labels = [label.encode() for label in labels]
        self.detector = EventDetector(thresholds, ADVANCED.smoothing_frames, ADVANCED.refractory_frames, HOP)
        self.clip_posterior = ClipPosterior(ADVANCED.smoothing_frames, len(LABELS))
        self.deaf_after, self.quietest = deaf_after, quietest
        rows = {
            "high": [0.97, 0.01, 0.01, 0.01],
            "low": [0.01, 0.97, 0.01, 0.01],
            UNKNOWN: [0.01, unknown_as, 0.98 - unknown_as, 0.01],
            "hint": [0.80, 0.01, 0.01, 0.18],
            SILENCE: [0.01, 0.01, 0.01, 0.97],
        }
        self.posteriors = np.array([rows[SILENCE] if name in deaf_to else row for name, row in rows.items()])
        time = np.arange(HOP) / RATE
        angles = 2 * np.pi * time[:, None] * [*PITCH.values(), HINT]
        self.tones = (np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / (HOP / 2)).astype(np.float32)

    def initial_state(self, batch_size):
        rows = int(batch_size)
        state = self.detector.initial_state(rows) | {"heard": tf.zeros([rows], tf.int32)}
        return {f"state_{name}": value for name, value in state.items()}

    def step(self, waveform, length, **state):
        state = {name.removeprefix("state_"): value for name, value in state.items()}
        probabilities, count = self.frames(waveform.numpy(), length.numpy(), state["heard"].numpy())
        events, detector_state = _detect(probabilities, count, state, tf.constant(self.detector.thresholds))
        names = np.array([*self.labels, b""], object)
        state = detector_state | {"heard": state["heard"] + count}
        return {
            "event_label": tf.constant(names[events.class_index.numpy()]),
            "event_sample": events.sample,
            "event_confidence": events.confidence,
            "probabilities": probabilities,
            "frame_count": count,
        } | {f"state_{name}": value for name, value in state.items()}

    def serving_default(self, waveform, length):
        rows = len(waveform)
        probabilities, count = self.frames(waveform.numpy(), length.numpy(), np.zeros(rows, np.int32))
        state = self.clip_posterior.step(probabilities, count, self.clip_posterior.initial_state(rows))
        found = self.clip_posterior.result(state)
        names = np.array(self.labels, object)
        return {"label": tf.constant(names[np.argmax(found, axis=1)]), "probabilities": found}

    def frames(self, waveform, length, heard):
        count = length // HOP
        most = int(count.max(initial=0))
        frames = waveform[:, : most * HOP].reshape(len(waveform), most, HOP)
        power = np.einsum("bmn,bmn->bm", frames, frames) / HOP
        parts = (frames @ self.tones).reshape(len(waveform), most, 2, 4)
        of_tones = (parts**2).sum(axis=2) / 2  # power [B, M, 4]
        is_tone = (of_tones.max(axis=2, initial=0) > 0.65 * power) & (power > self.quietest)
        if self.deaf_after is not None:
            is_tone &= heard[:, None] + np.arange(most) < self.deaf_after
        kind = np.where(is_tone, of_tones.argmax(axis=2), 4)
        valid = np.arange(most) < count[:, None]
        probabilities = np.where(valid[..., None], self.posteriors[kind], 0)
        return tf.constant(probabilities, tf.float32), tf.constant(count, tf.int32)


def tone_clip(label, frames=20, speaker=0):
    """Five frames of nothing, a tone, and twenty-five frames of nothing: int16."""
    time = np.arange(frames * HOP) / RATE
    tone = 8000 * np.sin(2 * np.pi * PITCH[label] * time + speaker)
    return np.concatenate([np.zeros(5 * HOP), tone, np.zeros(25 * HOP)]).round().astype(np.int16)


def tone_clips(counts, make=tone_clip):
    """So many clips of each label, one of each by every speaker."""
    named = [(label, speaker) for label, count in counts.items() for speaker in range(count)]
    return Clips(
        tuple(make(label, speaker=speaker) for label, speaker in named),
        tuple(label for label, _ in named),
        tuple(f"speaker {speaker}" for _, speaker in named),
    )


def white_noise(seed, seconds=20):
    return np.random.default_rng(seed).normal(scale=800, size=seconds * RATE).astype(np.int16)


def tone_data(clips=None, noise=None, **other):
    """Recordings of tones; the same clips in each split, or others."""
    clips = tone_clips({"high": 12, "low": 12, UNKNOWN: 15}) if clips is None else clips
    splits = dict.fromkeys(("train", "validation", "test"), clips) | other
    noises = {split: (white_noise(seed) if noise is None else noise,) for seed, split in enumerate(splits)}
    return SpeechData(SpeechCorpus("tones", LABELS, splits, noises, "fingerprint"), LABELS, (0.0,) * 40, (1.0,) * 40)
