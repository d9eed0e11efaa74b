"""Speech for the network: what is said in which split, and what the features of the training split are like."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.config import Advanced, Config
from runnel.apps.speech_commands.training_audio import TrainingAudio
from runnel.datasets.audio.load_speech import load_speech
from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN, SpeechCorpus
from runnel.shared.preprocessing.log_mel import LogMel
from runnel.shared.training.without_autotuning import without_autotuning

__all__ = [
    "FITTED",
    "HOP",
    "SAMPLE_RATE",
    "SpeechData",
    "fit_features",
    "hidden_parts",
    "load_data",
    "log_mel",
    "training_batches",
    "validation_batches",
]

SAMPLE_RATE = 16_000
HOP = 320  # samples, 20 ms
FITTED = ("labels", "feature_mean", "feature_scale")  # what a network must be used with
_TARGETS = ("targets", "words", "segment", "fresh")
_BATCHES_FOR_STATISTICS = 8
_SMALLEST_SCALE = 1e-3  # of a band in which nothing ever happens


@dataclass(frozen=True)
class SpeechData:
    """Recordings, and what was fitted to those of the training split.

    Attributes:
        corpus: the recordings.
        labels: the classes in the order of the network's outputs: commands, then `_unknown_` and `_silence_`.
        feature_mean: of each mel band.
        feature_scale: standard deviation of each mel band.
    """

    corpus: SpeechCorpus
    labels: tuple[str, ...]
    feature_mean: tuple[float, ...]
    feature_scale: tuple[float, ...]


def load_data(config: Config, fitted: Mapping[str, Any] | None = None) -> SpeechData:
    """Reads the recordings that the options name.

    Args:
        config: the options.
        fitted: of an export to go on from (see `FITTED`); fitted to the training split by default.

    Raises:
        InputError: the recordings cannot be used, or lack a command of the export.
    """
    if fitted:
        corpus = load_speech(config.data, [label for label in fitted["labels"] if label not in (UNKNOWN, SILENCE)])
        return SpeechData(
            corpus, tuple(fitted["labels"]), tuple(fitted["feature_mean"]), tuple(fitted["feature_scale"])
        )
    return fit_features(load_speech(config.data, config.commands), config)


def fit_features(corpus: SpeechCorpus, config: Config) -> SpeechData:
    """Mean and standard deviation of each band over the first windows of the training."""
    audio, features = _audio(corpus, "train", corpus.labels, config), log_mel(config)
    batches = without_autotuning(audio.batches(0).take(_BATCHES_FOR_STATISTICS))
    windows = [_frames(features, batch["waveform"]) for batch in batches]
    values = np.concatenate([np.reshape(window, [-1, features.bands]) for window in windows])
    scale = np.maximum(values.std(axis=0), _SMALLEST_SCALE)
    return SpeechData(corpus, corpus.labels, tuple(map(float, values.mean(axis=0))), tuple(map(float, scale)))


def log_mel(config: Config) -> LogMel:
    """The features of the application."""
    return LogMel(SAMPLE_RATE, HOP, 2 * HOP, config.advanced.bands)


def training_batches(data: SpeechData, config: Config) -> tuple[Callable[[int], tf.data.Dataset], int]:
    """Streams of words of the training split.

    Returns:
        from an epoch to its batches of {`features` float32 [B, M, F], some of them hidden, and `targets`, `words`,
        `segment` and `fresh` as `TrainingAudio` gives them}; and how many batches an epoch has.
    """
    audio, features = _audio(data.corpus, "train", data.labels, config), log_mel(config)
    mean = tf.constant(data.feature_mean)

    @tf.function(autograph=False)
    def prepare(batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        frames = _frames(features, batch["waveform"])
        hidden = hidden_parts(batch["seed"], tf.shape(frames), config.advanced)
        return {"features": tf.where(hidden, mean, frames), **{name: batch[name] for name in _TARGETS}}

    return lambda epoch: audio.batches(epoch).map(prepare).prefetch(2), audio.batches_an_epoch


def validation_batches(data: SpeechData, config: Config) -> tf.data.Dataset:
    """Streams of words of the validation split, made as those to train on are, and always the same."""
    audio, features = _audio(data.corpus, "validation", data.labels, config), log_mel(config)
    batches = audio.batches(0).map(
        lambda batch: {"features": _frames(features, batch["waveform"]), **{name: batch[name] for name in _TARGETS}}
    )
    return without_autotuning(batches.cache())


def hidden_parts(seed: tf.Tensor, shape: tf.Tensor, advanced: Advanced) -> tf.Tensor:
    """Which frames and bands to hide, bool [B, M, F] (SpecAugment: Park et al. 2019, arXiv 1904.08779, section 2).

    Args:
        seed: int32 [2].
        shape: int32 [3] of the features [B, M, F].
        advanced: how many stretches of frames and of bands, and the longest of each.
    """
    rows, frames, bands = tf.unstack(shape)
    hidden = tf.zeros([rows, frames, bands], tf.bool)
    for mask in range(advanced.masks):
        seeds = tf.random.split(tf.random.fold_in(seed, mask), 4)
        hidden |= _stretch(seeds[:2], rows, frames, advanced.mask_frames)[:, :, None]
        hidden |= _stretch(seeds[2:], rows, bands, advanced.mask_bands)[:, None, :]
    return hidden


def _stretch(seeds: tf.Tensor, rows: tf.Tensor, size: tf.Tensor, longest: int) -> tf.Tensor:
    """One stretch of at most `longest` places of each row, bool [B, size]."""
    begin = tf.random.stateless_uniform([rows, 1], seeds[0], 0, size, tf.int32)
    length = tf.random.stateless_uniform([rows, 1], seeds[1], 0, longest + 1, tf.int32)
    place = tf.range(size)
    return (place >= begin) & (place < begin + length)


@functools.lru_cache(maxsize=1)  # what the statistics are fitted to is trained on next
def _audio(corpus: SpeechCorpus, split: str, labels: tuple[str, ...], config: Config) -> TrainingAudio:
    return TrainingAudio(corpus.splits[split], corpus.noises[split], labels, config.advanced, HOP)


def _frames(features: LogMel, waveform: tf.Tensor) -> tf.Tensor:
    """Features [B, M, F] of whole windows [B, N]."""
    rows, length = tf.unstack(tf.shape(waveform))
    return features.step(waveform, tf.fill([rows], length), features.initial_state(rows))[0]
