"""The thresholds of the detector, chosen on continuous audio of the validation split."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray

from runnel.apps.speech_commands.config import Config
from runnel.apps.speech_commands.continuous_audio import make_sessions
from runnel.apps.speech_commands.data import HOP, SpeechData
from runnel.apps.speech_commands.hear_sessions import DetectorReplay, Heard, hear_sessions, hours_of
from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN
from runnel.shared.evaluation.choose_thresholds import choose_thresholds, find_peaks, join_peaks, word_windows
from runnel.shared.evaluation.detection_scores import match_events
from runnel.shared.layers.event_detector import EventDetector
from runnel.shared.layers.posterior_smoother import PosteriorSmoother

__all__ = ["fit_thresholds", "shift_thresholds"]

_MOST_USES = 5  # of a clip: so that spoken_commands fills six hours densely; of fewer clips the gaps are longer
_STEP = 0.25  # log-odds by which a threshold is raised at a time
_CEILING = 0.999  # beyond which none is raised: no word is switched off

Thresholds = NDArray[np.float64]


def fit_thresholds(module: Any, data: SpeechData, config: Config) -> Thresholds:
    """Chooses one threshold a command on validation audio so that false alarms stay within the budget on other audio.

    The peaks of the smoothed posteriors tell first what to expect on other audio (see `choose_thresholds`). Peaks are
    not quite events, so the detector itself then runs over the same posteriors, and while it gives more false alarms
    than the budget allows, the command with the most of them is raised by 0.25 in log-odds, the first one of a tie, up
    to 0.999, whatever hits that costs.

    Args:
        module: has `initial_state` and `step` (see `replay`); its own events do not count.
        data: the validation split is heard.
        config: for the hours of audio, the budget and what the detector is like.

    Returns:
        float64 [C], in the order of the labels; infinity for what is no command.
    """
    advanced, corpus = config.advanced, data.corpus
    sessions = make_sessions(
        corpus.splits["validation"],
        corpus.noises["validation"],
        advanced.validation_hours,
        advanced.seed,
        most_uses=_MOST_USES,
    )
    heard = list(hear_sessions(module, sessions))
    chosen = _from_peaks(heard, data.labels, config)
    return _within_budget(chosen, heard, data.labels, config)


def shift_thresholds(thresholds: ArrayLike, log_odds: float) -> Thresholds:
    """The same thresholds with so much added to the log-odds of each; infinity stays."""
    inside = np.clip(np.asarray(thresholds, np.float64), 1e-6, 1 - 1e-6)
    shifted = 1 / (1 + np.exp(-(np.log(inside / (1 - inside)) + log_odds)))
    return np.where(np.isfinite(thresholds), shifted, np.inf)


def _from_peaks(heard: Sequence[Heard], labels: Sequence[str], config: Config) -> Thresholds:
    """Thresholds [C] by the peaks of the smoothed posteriors."""
    commands = [label for label in labels if label not in (UNKNOWN, SILENCE)]
    curves = [_smoothed(session.probabilities, config.advanced.smoothing_frames) for session in heard]
    peaks = [
        join_peaks(
            [
                find_peaks(
                    curve[:, labels.index(label)],
                    word_windows(session.commands, label, HOP),
                    config.advanced.refractory_frames,
                    elsewhere=[
                        window
                        for other in commands
                        if other != label
                        for window in word_windows(session.commands, other, HOP)
                    ],
                )
                for session, curve in zip(heard, curves, strict=True)
            ]
        )
        for label in commands
    ]
    chosen = choose_thresholds(peaks, hours_of(heard), config.false_alarms_per_hour).thresholds
    by_label = dict(zip(commands, chosen, strict=True))
    return np.array([by_label.get(label, np.inf) for label in labels])


def _within_budget(thresholds: Thresholds, heard: Sequence[Heard], labels: Sequence[str], config: Config) -> Thresholds:
    """Thresholds raised, one by one, until the detector keeps to the budget or all that cause alarms are at the top."""
    advanced = config.advanced
    detector = EventDetector(thresholds, advanced.smoothing_frames, advanced.refractory_frames, HOP)
    kept = DetectorReplay(detector, [session.probabilities for session in heard], labels)
    budget = config.false_alarms_per_hour * hours_of(heard)
    while True:
        alarms = _false_alarms(kept, thresholds, heard)
        can_rise = [label for label in labels if alarms[label] and thresholds[labels.index(label)] < _CEILING]
        if alarms.total() <= budget or not can_rise:
            return thresholds
        worst = labels.index(max(can_rise, key=lambda label: alarms[label]))
        raised = shift_thresholds(thresholds, _STEP)[worst]
        thresholds = np.where(np.arange(len(labels)) == worst, min(raised, _CEILING), thresholds)


def _false_alarms(kept: DetectorReplay, thresholds: Thresholds, heard: Sequence[Heard]) -> Counter[str]:
    """How many false alarms of each label the detector gives."""
    matched = [
        match_events(events, session.commands)
        for events, session in zip(kept.events([thresholds])[0], heard, strict=True)
    ]
    return Counter(one.events[event].label for one in matched for event in one.false_alarms)


def _smoothed(probabilities: np.ndarray, smoothing: int) -> np.ndarray:
    """Posteriors [M, C] as the detector smooths them."""
    frames, classes = probabilities.shape
    smoother = PosteriorSmoother(smoothing, classes)
    values, _ = smoother.step(tf.constant(probabilities[None]), tf.constant([frames]), smoother.initial_state(1))
    return values[0].numpy()
