"""How well commands are heard in continuous audio, and single clips classified, beside the baselines to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from runnel.apps.speech_commands.clip_accuracy import Baseline, score_clips, score_trials
from runnel.apps.speech_commands.config import Config
from runnel.apps.speech_commands.continuous_audio import Session
from runnel.apps.speech_commands.continuous_scores import evaluation_sessions, score_continuous
from runnel.apps.speech_commands.data import SAMPLE_RATE, SpeechData
from runnel.apps.speech_commands.hear_sessions import hear_sessions
from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN
from runnel.datasets.audio.to_float32 import to_float32
from runnel.shared.evaluation.detection_scores import DetCurve, Event, Word
from runnel.shared.layers.event_detector import EventDetector

__all__ = ["PHRASES", "Evaluation", "Example", "evaluate", "format_share", "verdicts"]

PHRASES = ("recognize speech", "wreck a nice beach")  # nearly the same sounds: the context decides

_SHOWN_SECONDS = 20.0  # of the continuous audio
_SHOWN_CLIPS = 2
_AFTER = SAMPLE_RATE // 2  # samples of silence after a clip, in which its event may come


@dataclass(frozen=True, eq=False)
class Example:
    """A piece of test audio, and what the stream made of it.

    Attributes:
        title: what it is.
        waveform: float32 [N].
        probabilities: float32 [M, C].
        events: what fired.
        words: the commands that are spoken, where it is known when.
        show: the labels that matter; empty where the posteriors decide.
    """

    title: str
    waveform: np.ndarray
    probabilities: np.ndarray
    events: tuple[Event, ...]
    words: tuple[Word, ...] = ()
    show: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured.

    Attributes:
        metrics: the numbers, plain data for the manifest.
        det: misses against false alarms in the continuous audio.
        examples: for the report.
    """

    metrics: dict[str, Any]
    det: DetCurve
    examples: tuple[Example, ...]


def evaluate(
    module: Any, detector: EventDetector, data: SpeechData, config: Config, baseline: Baseline | None = None
) -> Evaluation:
    """Lets a model, in memory or loaded from an export, hear the test split: as continuous audio and as clips.

    Args:
        module: has `initial_state`, `step` and `serving_default`.
        detector: that of the model, to try other thresholds on its posteriors.
        data: the recordings.
        config: the options.
        baseline: a convolutional network to compare the clips with.
    """
    continuous, det = score_continuous(module, detector, data, config)
    metrics = {
        "continuous": continuous,
        "clips": score_clips(module, data, config, baseline),
        "trials": score_trials(module, data, config),
    }
    examples = _examples(module, data, next(evaluation_sessions(data, config)))
    return Evaluation(metrics, det, tuple(examples))


def verdicts(metrics: Mapping[str, Any]) -> list[str]:
    """The main figures, a sentence each."""
    return [*_detection_verdicts(metrics["continuous"]), *_clip_verdicts(metrics["clips"], metrics["trials"])]


def format_share(score: Mapping[str, float]) -> str:
    """A share with its interval, for people."""
    if np.isnan(score["estimate"]):
        return "none, as there were none,"
    if np.isnan(score["lower"]):
        return f"{score['estimate']:.1%} (too few for an interval)"
    return f"{score['estimate']:.1%} ({score['lower']:.1%} .. {score['upper']:.1%})"


def _examples(module: Any, data: SpeechData, session: Session) -> list[Example]:
    """The beginning of the continuous audio, a few test clips, and the phrases that sound alike."""
    end = round(_SHOWN_SECONDS * SAMPLE_RATE)
    words = tuple(word for word in session.commands if word.end <= end)
    clips = [_clip_example(data, label, ()) for label in _shown_labels(data)]
    if set(PHRASES) <= set(data.labels):
        clips += [_clip_example(data, label, PHRASES) for label in PHRASES]
    pieces = [Session(session.waveform[:end], ()), *(Session(waveform, ()) for _, waveform, _ in clips)]
    titles = [("the beginning of the continuous audio", words, ()), *((title, (), show) for title, _, show in clips)]
    return [
        Example(title, piece.waveform, heard.probabilities, heard.events, words, show)
        for (title, words, show), piece, heard in zip(titles, pieces, hear_sessions(module, pieces), strict=True)
    ]


def _shown_labels(data: SpeechData) -> list[str]:
    """The first few commands of which there are test clips."""
    spoken = set(data.corpus.splits["test"].labels) - {UNKNOWN, SILENCE, *PHRASES}
    return [label for label in data.labels if label in spoken][:_SHOWN_CLIPS]


def _clip_example(data: SpeechData, label: str, show: tuple[str, ...]) -> tuple[str, np.ndarray, tuple[str, ...]]:
    """The first test clip of a label, with some silence after it."""
    clips = data.corpus.splits["test"]
    waveform = to_float32(clips.waveforms[clips.labels.index(label)])
    return f"a clip of «{label}»", np.pad(waveform, (0, _AFTER)), show


def _detection_verdicts(continuous: Mapping[str, Any]) -> list[str]:
    rate, delay, reached = (continuous[name] for name in ("false_alarms_per_hour", "delay_ms", "recall_at"))
    lines = [
        (
            f"In {continuous['hours']:.3g} hours of continuous audio {format_share(continuous['recall'])} of "
            f"{continuous['words']:,} commands are recognised, with {rate['estimate']:.2f} false alarms an hour "
            f"({rate['lower']:.2f} .. {rate['upper']:.2f}); {continuous['mistaken']:.1%} are taken for another."
        )
    ]
    if continuous["hits"]:
        lines.append(
            f"Half of the events come by {_moment(delay['median'])} the end of the word, 95 % by "
            f"{_moment(delay['p95'])} it."
        )
    at = ", ".join(f"{recall:.1%} at {rate} an hour" for rate, recall in reached.items())
    lines.append(f"With the thresholds moved so that false alarms are no more than that, recall is {at}.")
    return lines


def _moment(milliseconds: float) -> str:
    return f"{abs(milliseconds):.0f} ms {'after' if milliseconds >= 0 else 'before'}"


def _clip_verdicts(clips: Mapping[str, Any], trials: Mapping[str, Any]) -> list[str]:
    mid_stream = clips["mid_stream"]
    noisy, soft = (trials[name]["accuracy"][-1]["estimate"] for name in ("snr", "level"))
    lines = [f"Of {clips['clips']:,} clips {format_share(clips['accuracy'])} are classified right."]
    for name, lead in clips["lead"].items():
        share = clips["baselines"][name]["estimate"]
        lines.append(_comparison("On clips the model", lead, f"«{name}», which is right for {share:.1%}"))
    lines.append(
        f"Of words as they were recorded {trials['as_recorded']['estimate']:.1%} are right, with noise at "
        f"{trials['snr']['db'][-1]:g} dB {noisy:.1%}, at a peak level of {trials['level']['db'][-1]:g} dB {soft:.1%}."
    )
    when = f"After {mid_stream['seconds']:g} s of other audio without a reset the model"
    lines.append(_comparison(when, mid_stream["difference"], "itself from a fresh state"))
    return lines


def _comparison(subject: str, lead: Mapping[str, float], rival: str) -> str:
    """Whether the subject is right for more clips than its rival, in a sentence."""
    if np.isnan(lead["lower"]):
        return f"{subject} cannot be compared with {rival}: there are too few clips."
    interval = f"(95 % interval {lead['lower']:+.1%} .. {lead['upper']:+.1%})"
    if lead["lower"] <= 0 <= lead["upper"]:
        return f"{subject} cannot be told apart from {rival} {interval}."
    relation = "more" if lead["estimate"] > 0 else "fewer"
    return f"{subject} gets {abs(lead['estimate']):.1%} {relation} of them right than {rival} {interval}."
