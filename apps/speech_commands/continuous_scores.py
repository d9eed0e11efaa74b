"""How well commands are heard in the continuous audio of the test split, at the thresholds there are and at others."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from runnel.apps.speech_commands.config import Config
from runnel.apps.speech_commands.continuous_audio import Session, audio_content, make_sessions
from runnel.apps.speech_commands.data import SpeechData
from runnel.apps.speech_commands.hear_sessions import DetectorReplay, Heard, hear_sessions, hours_of
from runnel.apps.speech_commands.thresholds import shift_thresholds
from runnel.shared.evaluation.detection_scores import DetCurve, det_curve, detection_scores, match_events, recall_at
from runnel.shared.layers.event_detector import EventDetector

__all__ = ["evaluation_sessions", "score_continuous"]

_OFFSETS = tuple((np.arange(-40, 81) / 10).tolist())  # log-odds added to the thresholds
_RATES = (1.0, 0.5)  # false alarms an hour


def score_continuous(
    module: Any, detector: EventDetector, data: SpeechData, config: Config
) -> tuple[dict[str, Any], DetCurve]:
    """Lets a stream hear the continuous audio of the test split and counts hits and false alarms.

    Args:
        module: has `initial_state` and `step` (see `replay`).
        detector: that of the model, to try other thresholds on its posteriors.
        data: the recordings.
        config: the options.

    Returns:
        plain data: what `detection_scores` gives, `content` (see `AudioContent`), and `recall_at` so many false alarms
        an hour, by that number as text; and misses against false alarms when the same is added to the log-odds of all
        thresholds.
    """
    heard = list(hear_sessions(module, evaluation_sessions(data, config)))
    hours = hours_of(heard)
    matched = [match_events(session.events, session.commands) for session in heard]
    content = audio_content([session.words for session in heard], sum(session.samples for session in heard))
    det = _det_curve(detector, heard, data.labels)
    return {
        **detection_scores(matched, hours),
        "content": asdict(content),
        "recall_at": {f"{rate:g}": recall_at(det, rate) for rate in _RATES},
    }, det


def evaluation_sessions(data: SpeechData, config: Config) -> Iterator[Session]:
    """The continuous audio, always the same for the same recordings and options."""
    advanced, corpus = config.advanced, data.corpus
    clips, noises = corpus.splits["test"], corpus.noises["test"]
    return make_sessions(clips, noises, advanced.evaluation_hours, advanced.seed + 1)


def _det_curve(detector: EventDetector, heard: Sequence[Heard], labels: Sequence[str]) -> DetCurve:
    """Misses and false alarms when the same is added to all thresholds, in log-odds."""
    kept = DetectorReplay(detector, [session.probabilities for session in heard], labels)
    tried = [shift_thresholds(detector.thresholds, offset) for offset in _OFFSETS]
    events = dict(zip(_OFFSETS, kept.events(tried), strict=True))
    return det_curve(events.__getitem__, [session.commands for session in heard], hours_of(heard), _OFFSETS)
