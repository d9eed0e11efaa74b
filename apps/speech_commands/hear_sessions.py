"""Continuous audio through a stream, many sessions side by side, and what its detector makes of their posteriors."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray

from runnel.apps.speech_commands.continuous_audio import Session, SpokenWord
from runnel.apps.speech_commands.data import HOP, SAMPLE_RATE
from runnel.apps.speech_commands.pad_waveforms import pad_waveforms
from runnel.shared.evaluation.detection_scores import Event, Word
from runnel.shared.layers.event_detector import EventDetector
from runnel.shared.streaming.replay import replay, start

__all__ = ["DetectorReplay", "Heard", "hear_sessions", "hours_of", "read_events"]

_ROWS = 24  # sessions side by side: two hours of those of five minutes, 460 MB
_CHUNK = 250 * HOP  # samples that a session gets at a time, 5 s
_BLOCK = 100  # frames that the detector takes at a time
_DETECTOR_ROWS = 256  # and recordings side by side

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Heard:
    """A session without its samples, and what a stream made of it.

    Attributes:
        probabilities: float32 [M, C], posteriors of the frames.
        events: what fired, earliest first.
        words: all that was spoken.
        commands: the words that should be detected.
        samples: length of the session.
    """

    probabilities: Floats
    events: tuple[Event, ...]
    words: tuple[SpokenWord, ...]
    commands: tuple[Word, ...]
    samples: int


def hear_sessions(module: Any, sessions: Iterable[Session]) -> Iterator[Heard]:
    """Runs sessions through a stream, two dozen at a time, each from a fresh state.

    Args:
        module: has `initial_state` and `step` (see `replay`).
        sessions: of any length; no more than two dozen of them are held at once.
    """
    waiting = iter(sessions)
    while batch := list(itertools.islice(waiting, _ROWS)):
        pieces = _pieces([session.waveform for session in batch])
        results = [result for result, _ in replay(module, pieces, start(module, len(batch)))]
        for row, session in enumerate(batch):
            heard = [result["probabilities"][row, : result["frame_count"][row]] for result in results]
            events = tuple(event for result in results for event in read_events(result, row))
            yield Heard(np.concatenate(heard), events, session.words, session.commands, len(session.waveform))


def read_events(result: dict[str, np.ndarray], row: int) -> list[Event]:
    """The events of a row in what a step gave, without the padding."""
    columns = (result[name][row] for name in ("event_label", "event_sample", "event_confidence"))
    return [
        Event(label.decode(), int(sample), float(confidence))
        for label, sample, confidence in zip(*columns, strict=True)
        if sample >= 0
    ]


def hours_of(heard: Sequence[Heard]) -> float:
    """Length of all sessions together."""
    return sum(session.samples for session in heard) / (3600 * SAMPLE_RATE)


class DetectorReplay:
    """A detector on posteriors that were kept, to try other thresholds without running the network again.

    Args:
        detector: for its smoothing and its refractory time.
        probabilities: float32 [M, C] of each of R recordings.
        labels: of the classes.
    """

    def __init__(self, detector: EventDetector, probabilities: Sequence[Floats], labels: Sequence[str]) -> None:
        self.detector, self.labels = detector, tuple(labels)
        self.frames = np.array([len(one) for one in probabilities], np.int32)
        self.padded = np.zeros((len(probabilities), int(self.frames.max(initial=0)), len(labels)), np.float32)
        for row, one in enumerate(probabilities):
            self.padded[row, : len(one)] = one
        self._step = tf.function(detector.step, input_signature=_signature(detector, len(labels)))

    def events(self, thresholds: ArrayLike) -> list[list[list[Event]]]:
        """What fires.

        Args:
            thresholds: float [K, C], K times those of the classes; infinity for a class that never fires.

        Returns:
            for each of the K the events of each recording.
        """
        tried = np.asarray(thresholds, np.float32)
        at_once = max(1, _DETECTOR_ROWS // max(len(self.frames), 1))
        parts = (self._events(tried[at : at + at_once]) for at in range(0, len(tried), at_once))
        return [one for part in parts for one in part]

    def _events(self, tried: Floats) -> list[list[list[Event]]]:
        """The same with each pair of thresholds and recording in a row of its own."""
        recordings, count = len(self.frames), len(tried)
        thresholds = tf.constant(np.repeat(tried, recordings, axis=0))
        found: list[list[list[Event]]] = [[[] for _ in range(recordings)] for _ in range(count)]
        state = self.detector.initial_state(recordings * count)
        for at in range(0, self.padded.shape[1], _BLOCK):
            probabilities = tf.tile(self.padded[:, at : at + _BLOCK], [count, 1, 1])
            frame_count = tf.tile(np.clip(self.frames - at, 0, _BLOCK), [count])
            events, state = self._step(probabilities, frame_count, state, thresholds)
            classes, samples, confidences = (part.numpy() for part in events)
            for row, place in np.argwhere(classes >= 0).tolist():
                label = self.labels[classes[row, place]]
                event = Event(label, int(samples[row, place]), float(confidences[row, place]))
                found[row // recordings][row % recordings].append(event)
        return found


def _signature(detector: EventDetector, classes: int) -> tuple:
    """Any number of rows and frames: traced once."""
    state = {name: tf.TensorSpec([None, *v.shape[1:]], v.dtype) for name, v in detector.initial_state(1).items()}
    probabilities, thresholds = tf.TensorSpec([None, None, classes]), tf.TensorSpec([None, classes])
    return probabilities, tf.TensorSpec([None], tf.int32), state, thresholds


def _pieces(waveforms: Sequence[Floats]) -> Iterator[dict[str, np.ndarray]]:
    """The same stretch of all waveforms, one after the other; where some are over, zero samples of them."""
    for at in range(0, max(map(len, waveforms)), _CHUNK):
        yield pad_waveforms([waveform[at : at + _CHUNK] for waveform in waveforms])
