"""An audio file -> mono samples at 16,000 Hz."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runnel.datasets.audio.is_cut_off import is_cut_off
from runnel.datasets.audio.resample import SAMPLE_RATE, resample
from runnel.shared.errors import InputError

__all__ = ["Audio", "read_audio", "to_mono"]

_LOWEST_RATE, _HIGHEST_RATE = 4_000, 384_000  # Hz
_HIGHEST_VALUE = 16.0  # Of a float file; full scale is 1.
_BLOCK = 1 << 20  # Samples; a damaged header may promise any number, so it is never asked for at once.
_HEADER = 4096  # Bytes; a file without samples is not longer.
_FORMATS = "WAV, FLAC, OGG, MP3 or AIFF"
_CONTAINERS = ("AIFF", "AU", "FLAC", "MP3", "OGG", "RF64", "W64", "WAV", "WAVEX")  # Of others, a cut is not noticed.


@dataclass(frozen=True, eq=False)
class Audio:
    """The content of an audio file.

    Attributes:
        waveform: float32 [N], mono, 16,000 Hz, in [-1, 1]; N is 0 for a file without samples.
        rate: Sample rate of the file in Hz.
        channels: Number of channels of the file.
        notes: What was done to the samples, a phrase each; equal phrases for equal treatment.
    """

    waveform: np.ndarray
    rate: int
    channels: int
    notes: tuple[str, ...] = ()


class _Bytes(io.BytesIO):
    """Bytes as a file that, like one on disk, bears being asked for a place before its beginning."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Moves to a place; a damaged header may name any."""
        return super().seek(max(offset, 0) if whence == io.SEEK_SET else offset, whence)


def read_audio(path: Path) -> Audio:
    """Reads WAV (RF64, W64), FLAC, OGG (Vorbis, Opus), MP3, AIFF and AU: integers of 8 to 32 bits, floats, u-law, ...

    Channels are averaged. Values of float files beyond [-1, 1] are clipped. Rates from 4,000 to 384,000 Hz are
    resampled. A file that holds less than its header promises is refused, but for a WAV that was written into a pipe
    and says so: that one is read to its end.

    Args:
        path: The file; its content counts, not its suffix.

    Raises:
        InputError: Not there, not audio, cut off, not finite, not in [-1, 1] by far, or of a rate out of range.
    """
    data = _content(path)
    samples, rate = _decode(path, data)
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise InputError(
            f"{path} has a sample rate of {rate:,} Hz; expected {_LOWEST_RATE:,} to {_HIGHEST_RATE:,} Hz; "
            "convert it to 16,000 Hz"
        )
    notes = list[str]()
    waveform = to_mono(str(path), samples, notes)
    if rate != SAMPLE_RATE:
        notes.append(f"resampled from {rate:,} to {SAMPLE_RATE:,} Hz")
        waveform = np.clip(resample(waveform, rate), -1, 1)
    return Audio(waveform, rate, samples.shape[1], tuple(notes))


def to_mono(source: str, samples: np.ndarray, notes: list[str]) -> np.ndarray:
    """Clips to [-1, 1] and averages the channels.

    Args:
        source: Where the samples are from, for messages.
        samples: float32 [N, channels].
        notes: Takes a phrase for each thing that was done.

    Returns:
        float32 [N].

    Raises:
        InputError: Samples are NaN or infinite, or so large that they cannot be meant for [-1, 1].
    """
    highest = float(np.abs(samples).max(initial=0.0))  # NaN if any sample is.
    if not np.isfinite(highest):
        count = np.count_nonzero(~np.isfinite(samples).all(axis=1))
        raise InputError(
            f"{source} holds NaN or infinity in {count:,} of {len(samples):,} samples; expected finite values; "
            "repair the audio"
        )
    if highest > _HIGHEST_VALUE:
        raise InputError(
            f"{source} holds values up to {highest:,.0f}; expected floats in [-1, 1]; divide them by full scale"
        )
    if highest > 1:
        notes.append("values beyond [-1, 1] clipped")
        samples = np.clip(samples, -1, 1)
    if samples.shape[1] == 1:
        return samples[:, 0]
    notes.append(f"{samples.shape[1]} channels averaged")
    return samples.mean(axis=1, dtype=np.float32)


def _content(path: Path) -> bytes:
    """Returns the bytes of a file that has any."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path.
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read ({reason}); expected an audio file; check the path") from error
    if not data:
        raise InputError(f"{path} is empty (0 bytes); expected audio: {_FORMATS}; take it out or copy it again")
    return data


def _decode(path: Path, data: bytes) -> tuple[np.ndarray, int]:
    """Returns the samples, float32 [N, channels], and their rate."""
    import soundfile

    try:
        file = soundfile.SoundFile(_Bytes(data))
    except soundfile.SoundFileError as error:
        reason = getattr(error, "error_string", error)
        raise _not_audio(path, str(reason).strip().rstrip(".")) from error
    with file:
        if file.format not in _CONTAINERS:
            raise _not_audio(path, f"{file.format} format")
        samples, promised = _read_to_end(file), file.frames
        if len(samples) < promised or is_cut_off(data, file.extra_info) or (not promised and len(data) > _HEADER):
            raise InputError(
                f"{path} is cut off or damaged: it gives {len(samples):,} samples, other than its header promises; "
                "expected a whole file; copy or convert it again"
            )
        return samples, file.samplerate


def _not_audio(path: Path, reason: str) -> InputError:
    """Returns the error for a file of another kind."""
    return InputError(f"{path} is not audio that can be read ({reason}); expected {_FORMATS}; convert it")


def _read_to_end(file: Any) -> np.ndarray:
    """Returns the samples up to the end or to where they are damaged."""
    import soundfile

    blocks = [np.zeros((0, file.channels), np.float32)]
    try:
        while len(blocks) == 1 or len(blocks[-1]) == _BLOCK:
            blocks.append(file.read(_BLOCK, dtype="float32", always_2d=True))
    except soundfile.SoundFileError:
        pass  # What is missing is found by the number of samples.
    return np.concatenate(blocks)
