"""Clips to evaluate an export on: the test split of its training data, or others that it has not learned from."""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runnel.apps.speech_commands.config import Config
from runnel.datasets.audio.background_noise import background_noises
from runnel.datasets.audio.drop_repeated_clips import drop_repeated_clips
from runnel.datasets.audio.load_speech import load_speech
from runnel.datasets.audio.read_speech_dataset import BUILDER_NAMES
from runnel.datasets.audio.read_speech_folder import read_speech_folder
from runnel.datasets.audio.speech_corpus import BACKGROUND, SILENCE, UNKNOWN, Clips, SpeechCorpus, fingerprint_of
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.shared.errors import InputError

__all__ = ["evaluation_corpus"]

Say = Callable[[str], None]

_NOISE_SEED = 1_000  # far from those of generated noises to train on


def evaluation_corpus(
    data: str | None, config: Config, labels: Sequence[str], fingerprint: str, say: Say
) -> SpeechCorpus:
    """Reads what an export is to be evaluated on, as a test split.

    Args:
        data: a dataset, of which the test split is taken, or a folder of labelled clips, which are all taken; the test
            split of what it was trained on by default. Clips that were trained on are left out, labels that the export
            does not know are unknown words.
        config: of the export.
        labels: of the export.
        fingerprint: of the data that it was trained on.
        say: called with a line for each thing that was left out or changed.

    Raises:
        InputError: the clips cannot be used, are no longer those of the training, or are all known from it.
    """
    commands = [label for label in labels if label not in (UNKNOWN, SILENCE)]
    if data is None or _is_same_source(data, config.data):
        return _trained_on(config.data, commands, fingerprint)
    notes: list[str] = []
    clips, noises = _read(data, notes)
    clips = _in_terms_of(labels, drop_repeated_clips(clips, notes), notes)
    known = _known(config.data, commands, fingerprint, data, notes)
    if known is not None:
        clips, noises = _without_known(data, clips, noises, known, fingerprint, notes)
    for note in notes:
        say(note)
    if not any(
        label in commands and waveform.any() for label, waveform in zip(clips.labels, clips.waveforms, strict=True)
    ):
        raise InputError(
            f"{data} holds no clip of a command that is to be heard; expected some of {', '.join(commands)}"
        )
    splits = {split: known.splits[split] if known else clips for split in ("train", "validation")} | {"test": clips}
    recordings = dict.fromkeys(splits, noises)
    name = Path(data).name if _is_folder(data) else data
    return SpeechCorpus(name, tuple(labels), splits, recordings, fingerprint_of(labels, splits, recordings))


def _is_same_source(data: str, trained_on: str) -> bool:
    """Whether both name the same dataset or folder."""
    if is_dataset_name(data, BUILDER_NAMES) or is_dataset_name(trained_on, BUILDER_NAMES):
        return data == trained_on
    return bool(data) and Path(data).resolve() == Path(trained_on).resolve()


def _trained_on(source: str, commands: Sequence[str], fingerprint: str) -> SpeechCorpus:
    """The clips of the training, if they are still the same: after a change, their splits may lie elsewhere."""
    corpus = load_speech(source, commands)
    if corpus.fingerprint != fingerprint:
        raise InputError(
            f"the data in {source} have changed since the training, so parts of their test split may have been trained "
            "on; expected the same data; give other clips to evaluate on with --data"
        )
    return corpus


def _read(data: str, notes: list[str]) -> tuple[Clips, tuple[NDArray[np.int16], ...]]:
    """All clips of a folder or the test split of a dataset, and background recordings."""
    if not _is_folder(data):
        corpus = load_speech(data)
        notes += corpus.notes
        return corpus.splits["test"], corpus.noises["test"]
    clips = read_speech_folder(Path(data), notes)
    is_noise = [label == BACKGROUND for label in clips.labels]
    noises = tuple(
        waveform for waveform, noise in zip(clips.waveforms, is_noise, strict=True) if noise and len(waveform)
    )
    if not noises:
        notes.append("no background recordings: noises are generated in their place")
        noises = tuple(background_noises(_NOISE_SEED))
    return clips.take([index for index, noise in enumerate(is_noise) if not noise]), noises


def _is_folder(data: str) -> bool:
    if is_dataset_name(data, BUILDER_NAMES):
        return False
    with contextlib.suppress(OSError):  # a name too long
        return bool(data) and Path(data).is_dir()
    return False


def _in_terms_of(labels: Sequence[str], clips: Clips, notes: list[str]) -> Clips:
    """The clips with labels that an export knows."""
    strangers = sorted({*clips.labels} - {*labels})
    if strangers:
        notes.append(f"the export does not know these labels, which count as unknown words: {', '.join(strangers)}")
    return dataclasses.replace(clips, labels=tuple(label if label in labels else UNKNOWN for label in clips.labels))


def _known(
    trained_on: str, commands: Sequence[str], fingerprint: str, data: str, notes: list[str]
) -> SpeechCorpus | None:
    """The audio of the training, if it is still there."""
    try:
        known = load_speech(trained_on, commands)
    except InputError:
        notes.append(f"{trained_on}, the audio of the training, is not there: clips of {data} may have been trained on")
        return None
    if known.fingerprint != fingerprint:
        notes.append(f"{trained_on} has changed since the training; all clips that it holds now are left out")
    return known


def _without_known(
    data: str,
    clips: Clips,
    noises: tuple[NDArray[np.int16], ...],
    known: SpeechCorpus,
    fingerprint: str,
    notes: list[str],
) -> tuple[Clips, tuple[NDArray[np.int16], ...]]:
    """What was not trained on; beside clips that were, recordings of noise may have been too, and others are taken."""
    learned_splits = ("train", "validation") if known.fingerprint == fingerprint else tuple(known.splits)
    learned = {waveform.tobytes() for split in learned_splits for waveform in known.splits[split].waveforms}
    new = [index for index, waveform in enumerate(clips.waveforms) if waveform.tobytes() not in learned]
    count = len(clips.labels) - len(new)
    if not count:
        return clips, noises
    if not new:
        raise InputError(
            f"{data} holds nothing but clips that {known.name}, the audio of the training, holds too; "
            "expected other clips"
        )
    notes.append(f"left out: {count:,} clip{'s' * (count > 1)} that the training used")
    return clips.take(new), known.noises["test"]
