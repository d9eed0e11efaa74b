"""Spoken words in memory, split for training."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["BACKGROUND", "LONGEST_CLIP", "SILENCE", "UNKNOWN", "Clips", "SpeechCorpus", "fingerprint_of"]

UNKNOWN = "_unknown_"  # Words that are no commands.
SILENCE = "_silence_"  # Nobody speaks.
BACKGROUND = "_background_noise_"  # In a source: long recordings in which nobody speaks.
LONGEST_CLIP = 10.0  # Seconds; what is longer is a recording of many words.


@dataclass(frozen=True, eq=False)
class Clips:
    """Recordings of one word or phrase each.

    Attributes:
        waveforms: int16 [N] each, mono, 16,000 Hz.
        labels: What is said in each.
        speakers: Who says it; "" where that is not known.
    """

    waveforms: tuple[np.ndarray, ...]
    labels: tuple[str, ...]
    speakers: tuple[str, ...]

    def take(self, indices: Sequence[int]) -> "Clips":
        """Returns the clips of these indices, in their order."""
        return Clips(
            tuple(self.waveforms[index] for index in indices),
            tuple(self.labels[index] for index in indices),
            tuple(self.speakers[index] for index in indices),
        )


@dataclass(frozen=True, eq=False)
class SpeechCorpus:
    """The clips of one source.

    Attributes:
        name: Name of the dataset or the folder.
        labels: The commands, sorted, then `_unknown_` and `_silence_`, whether or not there are clips of these two.
        splits: The clips of "train", "validation" and "test", each split with at least one.
        noises: Background recordings of each split, int16 [N] each, at least one; no part of one is in two splits.
        fingerprint: sha256 of the clips, the recordings and their splits, in hexadecimal.
        notes: What the reader found out or left out, a sentence each, for the user to see.
    """

    name: str
    labels: tuple[str, ...]
    splits: Mapping[str, Clips]
    noises: Mapping[str, tuple[np.ndarray, ...]]
    fingerprint: str
    notes: tuple[str, ...] = ()


def fingerprint_of(
    labels: Sequence[str], splits: Mapping[str, Clips], noises: Mapping[str, Sequence[np.ndarray]]
) -> str:
    """Returns the sha256 of labels, clips and background recordings by split; file names do not count."""
    digest = hashlib.sha256()
    digest.update(repr(tuple(labels)).encode())
    for split, clips in splits.items():
        for waveform, label, speaker in zip(clips.waveforms, clips.labels, clips.speakers, strict=True):
            digest.update(repr((split, label, speaker, len(waveform))).encode() + _bytes_of(waveform))
    for split, recordings in noises.items():
        for recording in recordings:
            digest.update(repr((split, BACKGROUND, len(recording))).encode() + _bytes_of(recording))
    return digest.hexdigest()


def _bytes_of(waveform: np.ndarray) -> bytes:
    """Returns the samples as little-endian bytes, whatever the machine."""
    return waveform.astype("<i2").tobytes()
