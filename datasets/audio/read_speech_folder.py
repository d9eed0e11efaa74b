"""A folder of audio files, sorted by what is said in them -> clips."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from runnel.datasets.audio.read_audio import read_audio
from runnel.datasets.audio.resample import SAMPLE_RATE
from runnel.datasets.audio.speakers_of import speakers_of
from runnel.datasets.audio.speech_corpus import BACKGROUND, LONGEST_CLIP, SILENCE, UNKNOWN, Clips
from runnel.datasets.audio.to_int16 import to_int16
from runnel.shared.errors import InputError

__all__ = ["read_speech_folder"]

_SUFFIXES = (".aif", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".wav")
_FLAT_NAME = re.compile(r"([^_]+)_.+_\d+")
_READERS = 4  # Threads: decoding and resampling release Python's lock.


def read_speech_folder(folder: Path, notes: list[str]) -> Clips:
    """Reads FOLDER/label/*.wav, or files {label}_{speaker}_{index}.wav that stand in the folder itself.

    Read are .wav, .flac, .ogg, .opus, .mp3, .aif and .aiff, in small or capital letters; hidden files, other files and
    folders without audio are passed over.

    Args:
        folder: The folder.
        notes: Takes a sentence for each thing that was done to samples, and in how many files.

    Returns:
        The clips in the order of their paths; `_background_noise_` is a label like others.

    Raises:
        InputError: It is no such folder, or files of it cannot be used, clips of more than ten seconds among them.
    """
    files = _labelled_files(folder, notes)
    with ThreadPoolExecutor(_READERS) as pool:
        found = list(pool.map(_read, *zip(*files, strict=True)))
    refused = [result for result in found if isinstance(result, InputError)]
    if refused:
        raise InputError(f"{len(refused):,} of {len(files):,} audio files cannot be used; the first: {refused[0]}")
    usable = [result for result in found if not isinstance(result, InputError)]
    treatments = Counter(treatment for _, treatments in usable for treatment in treatments)
    notes += [f"{treatment}: {count:,} file{'s' * (count > 1)}" for treatment, count in treatments.items()]
    labels = tuple(label for label, _ in files)
    return Clips(tuple(samples for samples, _ in usable), labels, speakers_of(labels, [path.stem for _, path in files]))


def _read(label: str, path: Path) -> tuple[np.ndarray, tuple[str, ...]] | InputError:
    """Returns the samples of a file, int16 [N], and what was done to them; or why it cannot be used."""
    try:
        audio = read_audio(path)
    except InputError as error:
        return error
    seconds = len(audio.waveform) / SAMPLE_RATE
    if seconds > LONGEST_CLIP and label != BACKGROUND:
        return InputError(
            f"{path} is {seconds:,.1f} s long; expected one word or phrase of at most {LONGEST_CLIP:.0f} s; "
            f"cut it, or move it to {BACKGROUND} if nobody speaks in it"
        )
    return to_int16(audio.waveform), audio.notes


def _labelled_files(folder: Path, notes: list[str]) -> list[tuple[str, Path]]:
    """Returns the audio files with their labels, by label folder or by name."""
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        files = [(path.name, file) for path in inside if path.is_dir() for file in _audio_below(path)]
    except OSError as error:
        raise InputError(
            f"{folder} cannot be read ({error.strerror}); expected a folder of label/*.wav or label/*.flac"
        ) from error
    flat = [path for path in inside if _is_audio(path)]
    if not any(label not in (BACKGROUND, SILENCE, UNKNOWN) for label, _ in files):
        return files + _labelled_by_name(folder, flat)
    if flat:
        notes.append(f"left out: {len(flat):,} audio file{'s' * (len(flat) > 1)} beside the folders of labels")
    return files


def _audio_below(folder: Path) -> list[Path]:
    """Returns the audio files of a label; folders inside it would leave open what is a label."""
    files = [path for path in sorted(folder.rglob("*")) if _is_audio(path)]
    nested = [path for path in files if path.parent != folder]
    if nested:
        raise InputError(
            f"{nested[0]} stands two folders deep; expected label/*.wav or label/*.flac; "
            "give the folder that holds the folders of labels, or move the files up"
        )
    return files


def _labelled_by_name(folder: Path, files: list[Path]) -> list[tuple[str, Path]]:
    """Returns the files that stand in the folder itself, with the first part of their names as labels."""
    if not files:
        raise InputError(f"{folder} holds no audio files of commands; expected folders of label/*.wav or label/*.flac")
    matches = [_FLAT_NAME.fullmatch(path.stem) for path in files]
    labelled = [(match[1], path) for match, path in zip(matches, files, strict=True) if match]
    if len(labelled) < len(files):
        other = next(path for match, path in zip(matches, files, strict=True) if not match)
        raise InputError(
            f"{other} names no label; expected label/*.wav or {{label}}_{{speaker}}_{{index}}.wav; "
            "move the files of each label into a folder of its name"
        )
    return labelled


def _is_audio(path: Path) -> bool:
    """Says by the name of a file whether it is one to read."""
    return path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
