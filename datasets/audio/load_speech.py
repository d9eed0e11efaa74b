"""A source named on the command line -> spoken words: one of our datasets, any of TFDS, or a folder of audio files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from runnel.datasets.audio.background_noise import background_noises
from runnel.datasets.audio.drop_repeated_clips import drop_repeated_clips
from runnel.datasets.audio.read_speech_dataset import BUILDER_NAMES, read_speech_dataset
from runnel.datasets.audio.read_speech_folder import read_speech_folder
from runnel.datasets.audio.speech_corpus import BACKGROUND, SILENCE, UNKNOWN, Clips, SpeechCorpus, fingerprint_of
from runnel.datasets.audio.split_clips import SHARES, split_clips
from runnel.datasets.audio.split_noises import split_noises
from runnel.datasets.builders.data_folder import data_folder
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.builders.read_splits import SPLITS
from runnel.shared.errors import InputError

__all__ = ["load_speech"]

_SHOWN_CHARACTERS = 100


def load_speech(source: str | Path, commands: Sequence[str] = ()) -> SpeechCorpus:
    """Reads the clips of a source in three splits, and its background recordings.

    The splits of a dataset are taken as they are. Those that it lacks, and all of a folder, are cut from its training
    clips: 70 % for train, 10 % for validation, 20 % for test, by speaker where six or more are known.

    Args:
        source: `spoken_commands`, `tfds:NAME`, or the path of a folder.
        commands: The labels to recognise; all others become `_unknown_`. None given: every label is a command.

    Raises:
        InputError: The source cannot be used, it has no clips of a command, or too few clips for three splits.
    """
    source, notes = str(source), list[str]()
    is_dataset = is_dataset_name(source, BUILDER_NAMES)
    given = read_speech_dataset(source, data_folder(), notes) if is_dataset else _read_own(source, notes)
    clips = _relabelled(source, {split: _only(part, background=False) for split, part in given.items()}, commands)
    missing = [split for split in SPLITS if split not in clips]
    if missing:
        if is_dataset:
            notes.append(f"{source} has no split for {' and '.join(missing)}: taken from its training clips")
        clips |= split_clips(drop_repeated_clips(clips["train"], notes), _shares(missing), notes)
    clips = {split: clips[split] for split in SPLITS}
    _refuse_too_little(source, clips)
    noises = _noises({split: _only(part, background=True).waveforms for split, part in given.items()}, notes)
    labels = (*_commands(clips), UNKNOWN, SILENCE)
    _note_what_is_missing(labels, clips, notes)
    name = source.removeprefix("tfds:") if is_dataset else Path(source).resolve().name
    return SpeechCorpus(name, labels, clips, noises, fingerprint_of(labels, clips, noises), tuple(notes))


def _read_own(source: str, notes: list[str]) -> dict[str, Clips]:
    """Reads a folder; a word that is none was perhaps meant for a dataset."""
    try:
        is_folder = bool(source) and Path(source).is_dir()
    except (OSError, ValueError):  # A name too long, or with a zero byte.
        is_folder = False
    if not is_folder:
        names, shown = ", ".join(BUILDER_NAMES), " ".join(source.split())[:_SHOWN_CHARACTERS]
        raise InputError(
            f"'{shown}' is neither a folder here nor a dataset of speech; expected a folder of label/*.wav or "
            f"label/*.flac, tfds:NAME, or {names}"
        )
    return {"train": read_speech_folder(Path(source), notes)}


def _only(clips: Clips, *, background: bool) -> Clips:
    """Returns the background recordings, or all others."""
    return clips.take([index for index, label in enumerate(clips.labels) if (label == BACKGROUND) is background])


def _commands(splits: Mapping[str, Clips]) -> list[str]:
    """Returns the labels of all splits that are commands, sorted."""
    return sorted({label for clips in splits.values() for label in clips.labels} - {UNKNOWN, SILENCE})


def _relabelled(source: str, splits: Mapping[str, Clips], commands: Sequence[str]) -> dict[str, Clips]:
    """Makes every label `_unknown_` that was not asked for."""
    if not commands:
        return dict(splits)
    there = _commands(splits)
    strangers = sorted(set(commands) - set(there))
    if strangers:
        raise InputError(f"{source} has no clips of {_listed(strangers)}; expected commands among {_listed(there)}")
    kept = {*commands, SILENCE}
    return {
        split: Clips(part.waveforms, tuple(x if x in kept else UNKNOWN for x in part.labels), part.speakers)
        for split, part in splits.items()
    }


def _shares(missing: Sequence[str]) -> dict[str, float]:
    """Returns the shares of train and of the splits that are cut from it."""
    return {split: share for split, share in SHARES.items() if split == "train" or split in missing}


def _noises(given: Mapping[str, Sequence[np.ndarray]], notes: list[str]) -> dict[str, tuple[np.ndarray, ...]]:
    """Returns background recordings for all splits: those there are, cut from those of train, or generated."""
    found = {split: [recording for recording in recordings if len(recording)] for split, recordings in given.items()}
    lacking = [split for split in SPLITS if not found.get(split)]
    if "train" not in lacking and lacking:
        found |= split_noises(found["train"], _shares(lacking))
    lacking = [split for split in SPLITS if not found.get(split)]
    found |= {split: background_noises(seed=SPLITS.index(split)) for split in lacking}
    if lacking:
        notes.append(f"no background recordings for {', '.join(lacking)}: noises are generated in their place")
    return {split: tuple(found[split]) for split in SPLITS}


def _refuse_too_little(source: str, splits: Mapping[str, Clips]) -> None:
    """Refuses clips from which nothing can be learned or measured."""
    commands = _commands(splits)
    labels = sorted({label for clips in splits.values() for label in clips.labels})
    if len(labels) < 2 or not commands:
        raise InputError(
            f"{source} has clips of {_listed(labels)} alone; expected two labels or more, a command among them; "
            "add folders of other words, or give the folder of files whose names begin with labels"
        )
    untrained = sorted(set(commands) - set(splits["train"].labels))
    if untrained:
        raise InputError(
            f"{source} leaves no clips of {_listed(untrained)} for train; expected some of each command; "
            "add clips of more speakers"
        )
    for split, clips in splits.items():
        if not clips.labels:
            raise InputError(
                f"{source} has too few clips: none is left for {split} out of {len(splits['train'].labels):,}; "
                "expected three or more of a command; add clips"
            )


def _note_what_is_missing(labels: Sequence[str], splits: Mapping[str, Clips], notes: list[str]) -> None:
    """Notes commands that cannot be measured, and that there is nothing to tell them from."""
    for split in ("validation", "test"):
        absent = sorted(set(labels) - {UNKNOWN, SILENCE} - set(splits[split].labels))
        if absent:
            notes.append(f"{split} holds no clips of {_listed(absent)}")
    if UNKNOWN not in splits["train"].labels:
        notes.append(f"no clips of {UNKNOWN}: what is trained on this takes any other word for a command")


def _listed(names: Sequence[str]) -> str:
    """Returns names in one line."""
    return ", ".join(f"'{name}'" for name in names) or "nothing"
