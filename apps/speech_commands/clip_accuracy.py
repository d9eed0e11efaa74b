"""How many single clips are classified right: as they are, beside baselines, in noise, softly, and in a long stream."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray

from runnel.apps.speech_commands.config import Config
from runnel.apps.speech_commands.continuous_audio import make_sessions, make_trials
from runnel.apps.speech_commands.data import SAMPLE_RATE, SpeechData
from runnel.apps.speech_commands.pad_waveforms import pad_waveforms, with_silence_after
from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN, Clips
from runnel.datasets.audio.to_float32 import to_float32
from runnel.shared.evaluation.bootstrap import paired_skill
from runnel.shared.layers.clip_posterior import ClipPosterior
from runnel.shared.streaming.replay import replay, start

__all__ = ["Baseline", "classify", "clip_accuracy", "mean_over_speakers", "score_clips", "score_trials"]

Baseline = Callable[[Sequence[np.ndarray]], np.ndarray]
"""From clips, int16 [N] each, to their classes, int [clips]."""

_ROWS = 64  # clips that are classified at once
_FEWEST_SPEAKERS = 10  # from which on the bootstrap draws speakers
_MOST_TRIALS = 500  # clips that are heard at each ratio and level
_SNR_DB = (20.0, 10.0, 5.0, 0.0)
_LEVEL_DB = (-10.0, -20.0, -30.0, -40.0, -50.0)
_BEFORE_SECONDS = 30.0  # of other audio before a clip in the middle of a stream
_STREAMS = 16  # different ones

Classes = NDArray[np.int64]


def score_clips(module: Any, data: SpeechData, config: Config, baseline: Baseline | None) -> dict[str, Any]:
    """Classifies the test clips, silence among them, and compares with baselines and with a stream that goes on.

    Args:
        module: has `initial_state`, `step` and `serving_default`.
        data: the test split is classified; the majority class is that of the training split.
        config: the options.
        baseline: the convolutional network, if there is one.

    Returns:
        plain data: `clips`, `speakers`, `silence` (where its clips are from), `accuracy`, `confusion` [C, C] with the
        truth in rows, `baselines` and `lead` over each of them by name, and `mid_stream`.
    """
    labels, seed = data.labels, config.advanced.seed
    clips, silence = _with_silence(data.corpus.splits["test"], data.corpus.noises["test"], seed)
    truth = np.array([labels.index(label) for label in clips.labels])
    found = classify(module, clips.waveforms, labels)
    majority = Counter(data.corpus.splits["train"].labels).most_common(1)[0][0]
    answers = {f"always {majority}": np.full(len(truth), labels.index(majority))}
    if baseline is not None:
        answers["convolutional network"] = np.asarray(baseline(clips.waveforms))
    right = found == truth
    confusion = np.zeros([len(labels)] * 2, np.int64)
    np.add.at(confusion, (truth, found), 1)
    return {
        "clips": len(truth),
        "speakers": len(set(clips.speakers) - {""}),
        "silence": silence,
        "accuracy": mean_over_speakers(right, clips.speakers),
        "confusion": confusion.tolist(),
        "baselines": {name: mean_over_speakers(other == truth, clips.speakers) for name, other in answers.items()},
        "lead": {
            name: mean_over_speakers(right.astype(int) - (other == truth), clips.speakers)
            for name, other in answers.items()
        },
        "mid_stream": _mid_stream(module, data, config, clips, right),
    }


def score_trials(module: Any, data: SpeechData, config: Config) -> dict[str, Any]:
    """Accuracy on test words, some hundred of them, at ratios of speech to noise and at peak levels.

    Args:
        module: has `serving_default`.
        data: the test split is classified.
        config: the options.

    Returns:
        plain data: `clips`, `as_recorded`, `snr` and `level`; the latter two with `db` [K] and `accuracy` [K].
    """
    seed, noises = config.advanced.seed, data.corpus.noises["test"]
    test = data.corpus.splits["test"]
    order = np.random.default_rng([seed, 2]).permutation(len(test.labels))
    spoken = [index for index in order if test.labels[index] != SILENCE][:_MOST_TRIALS]
    words = make_trials(test.take(sorted(spoken)), seed=seed)
    by_snr = [make_trials(words, noises, snr_db=db, seed=seed) for db in _SNR_DB]
    by_level = [make_trials(words, level_db=db, seed=seed) for db in _LEVEL_DB]
    return {
        "clips": len(words.labels),
        "as_recorded": clip_accuracy(module, words, data.labels),
        "snr": {"db": list(_SNR_DB), "accuracy": [clip_accuracy(module, one, data.labels) for one in by_snr]},
        "level": {"db": list(_LEVEL_DB), "accuracy": [clip_accuracy(module, one, data.labels) for one in by_level]},
    }


def classify(module: Any, waveforms: Sequence[np.ndarray], labels: Sequence[str]) -> Classes:
    """The class of each clip, int16 [N] each, as `serving_default` says it."""
    found = np.zeros(len(waveforms), np.int64)
    for clips, inputs in _batches(waveforms):
        named = module.serving_default(**inputs)["label"].numpy()
        found[clips] = [labels.index(label.decode()) for label in named]
    return found


def clip_accuracy(module: Any, clips: Clips, labels: Sequence[str]) -> dict[str, float]:
    """The share of clips that are classified right, with its interval."""
    found = classify(module, clips.waveforms, labels)
    right = [labels[index] == label for index, label in zip(found, clips.labels, strict=True)]
    return mean_over_speakers(right, clips.speakers)


def mean_over_speakers(values: ArrayLike, speakers: Sequence[str]) -> dict[str, float]:
    """The mean over clips, with a bootstrap interval that draws whole speakers, for their clips are alike.

    Where fewer than ten speakers are known, it draws clips; one without a speaker is one by itself.

    Args:
        values: float [K], each in [-1, 1], such as 1 for a clip that is right.
        speakers: of the K clips; "" where it is not known.

    Returns:
        `estimate`, `lower` and `upper`; where all values are equal both bounds are that value.
    """
    names = [speaker or f" {clip}" for clip, speaker in enumerate(speakers)]
    if len(set(speakers) - {""}) < _FEWEST_SPEAKERS:
        names = [str(clip) for clip in range(len(speakers))]
    _, group = np.unique(names, return_inverse=True)
    counts = np.bincount(group)
    # The mean is 1 minus the ratio of two sums of losses that are not negative.
    interval = paired_skill(counts - np.bincount(group, np.asarray(values, np.float64)), counts, block=1).interval
    return interval.to_dict()


def _with_silence(clips: Clips, noises: Sequence[np.ndarray], seed: int) -> tuple[Clips, str]:
    """The test clips with some of silence, and a sentence that says where these are from."""
    given = clips.labels.count(SILENCE)
    if given:
        return clips, f"{given:,} clips of {SILENCE} are the corpus's own."
    counts = Counter(label for label in clips.labels if label != UNKNOWN).values()
    count = max(1, round(float(np.median(list(counts) or [1]))))
    random = np.random.default_rng([seed, 1])
    excerpts = []
    for _ in range(count):
        noise = noises[int(random.integers(len(noises)))]
        begin = random.integers(max(len(noise) - SAMPLE_RATE, 0) + 1)
        excerpts.append(noise[begin : begin + SAMPLE_RATE])
    joined = Clips((*clips.waveforms, *excerpts), (*clips.labels, *[SILENCE] * count), (*clips.speakers, *[""] * count))
    return (
        joined,
        f"{count:,} clips of {SILENCE} are excerpts, of up to a second, of the test split's background noise.",
    )


def _mid_stream(module: Any, data: SpeechData, config: Config, clips: Clips, fresh: np.ndarray) -> dict[str, Any]:
    """Accuracy on the same clips when each follows on other audio without a reset, and the difference."""
    advanced, noises = config.advanced, data.corpus.noises["test"]
    hours = _STREAMS * _BEFORE_SECONDS / 3600
    sessions = list(make_sessions(clips, noises, hours, advanced.seed + 1, session_seconds=_BEFORE_SECONDS))
    before = np.stack([session.waveform for session in sessions])
    lengths = np.full(len(before), before.shape[1], np.int32)
    ((_, heard),) = replay(module, [{"waveform": before, "length": lengths}], start(module, len(before)))
    clip_posterior = ClipPosterior(advanced.smoothing_frames, len(data.labels))
    found = np.zeros(len(fresh), np.int64)
    heard_out = [with_silence_after(waveform, advanced.smoothing_frames) for waveform in clips.waveforms]
    for batch, inputs in _batches(heard_out):
        state = {name: tf.gather(value, batch % len(before)) for name, value in heard.items()}
        outputs = module.step(**inputs, **state)
        state = clip_posterior.initial_state(len(batch))
        answer = clip_posterior.step(outputs["probabilities"], outputs["frame_count"], state)
        found[batch] = np.argmax(clip_posterior.result(answer), axis=1)
    right = np.array([data.labels[index] for index in found]) == np.array(clips.labels)
    return {
        "seconds": _BEFORE_SECONDS,
        "accuracy": mean_over_speakers(right, clips.speakers),
        "difference": mean_over_speakers(right.astype(int) - fresh, clips.speakers),
    }


def _batches(waveforms: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, dict[str, tf.Tensor]]]:
    """The numbers of clips of like length, and these as inputs."""
    order = np.argsort([len(waveform) for waveform in waveforms], kind="stable")
    for at in range(0, len(order), _ROWS):
        clips = order[at : at + _ROWS]
        scaled = [to_float32(waveforms[clip]) for clip in clips.tolist()]
        yield clips, {name: tf.constant(value) for name, value in pad_waveforms(scaled).items()}
