"""Audio as it arrives: raw samples from a pipe, or a recording at the pace of the clock."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np

from runnel.apps.speech_commands.config import StreamOptions
from runnel.datasets.audio.resample import SAMPLE_RATE
from runnel.datasets.audio.to_float32 import to_float32
from runnel.shared.errors import InputError

__all__ = ["at_pace", "cut", "raw_audio"]

_MOST_BYTES = 1 << 16  # that are taken from a pipe at once; fewer where fewer have arrived
_TYPES: dict[str, np.dtype[Any]] = {"int16": np.dtype("<i2"), "float32": np.dtype("<f4")}
_FILES = (b"RIFF", b"RF64", b"FORM", b"fLaC", b"OggS")  # how files begin that hold more than samples

Complain = Callable[[str], None]


def raw_audio(source: BinaryIO, options: StreamOptions, complain: Complain) -> Iterator[np.ndarray]:
    """Samples as they arrive, at 16,000 Hz.

    NaN and infinity count as 0, which is said once, and so is that values lie beyond [-1, 1], where they are clipped.
    Bytes at the end that are no whole sample are left out, which is said too.

    Args:
        source: with `read1`, which gives what has arrived instead of waiting for more.
        options: the rate and the form of the samples.
        complain: called with a line for each of these slips.

    Yields:
        float32 [N] in [-1, 1], mono; N may be 0.

    Raises:
        InputError: it is an audio file instead of raw samples.
    """
    waveforms = _decoded(_whole_samples(source, _TYPES[options.sample_format].itemsize, complain), options, complain)
    return waveforms if options.rate == SAMPLE_RATE else _resampled(waveforms, options.rate)


def cut(waveform: np.ndarray, samples: int) -> Iterator[np.ndarray]:
    """Consecutive pieces of a recording [N] with so many samples each; the last one may have fewer."""
    return (waveform[begin : begin + samples] for begin in range(0, len(waveform), samples))


def at_pace(
    pieces: Iterable[np.ndarray],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[np.ndarray]:
    """The same pieces of audio at 16,000 Hz, each when its last sample would have been recorded.

    Args:
        pieces: float32 [N] each.
        clock: seconds.
        sleep: waits for seconds.
    """
    begin, heard = clock(), 0
    for piece in pieces:
        heard += len(piece)
        early = begin + heard / SAMPLE_RATE - clock()
        if early > 0:
            sleep(early)
        yield piece


def _whole_samples(source: BinaryIO, width: int, complain: Complain) -> Iterator[bytes]:
    """Bytes as they arrive, cut between samples of `width` bytes."""
    waiting, known = b"", False
    for arrived in iter(lambda: source.read1(_MOST_BYTES), b""):  # type: ignore[attr-defined] # of buffered readers
        waiting += arrived
        if not known and len(waiting) >= len(_FILES[0]):
            _refuse_file(waiting)
            known = True
        if known:
            whole = len(waiting) // width * width
            yield waiting[:whole]
            waiting = waiting[whole:]
    whole = len(waiting) // width * width
    yield waiting[:whole]
    if left := len(waiting) - whole:
        complain(f"left out: {left} byte{'s' * (left > 1)} at the end, less than a sample of {width} bytes")


def _refuse_file(begin: bytes) -> None:
    """Refuses a file whose header would be heard as samples, perhaps at a wrong rate."""
    if begin.startswith(_FILES):
        name = begin[:4].decode()
        raise InputError(
            f"received an audio file on standard input (it begins with {name}); expected raw samples; "
            "name the file with --wav FILE, or send its samples: ffmpeg -i FILE -f s16le -ar 16000 -ac 1 -"
        )


def _decoded(pieces: Iterable[bytes], options: StreamOptions, complain: Complain) -> Iterator[np.ndarray]:
    """Samples float32 in [-1, 1] from their bytes."""
    if options.sample_format == "int16":
        yield from (to_float32(np.frombuffer(piece, _TYPES["int16"])) for piece in pieces)
        return
    slips = {
        "NaN and infinite samples count as silence": lambda samples: ~np.isfinite(samples),
        "samples beyond [-1, 1] are clipped": lambda samples: np.abs(samples) > 1,
    }
    for piece in pieces:
        samples = np.frombuffer(piece, _TYPES["float32"]).astype(np.float32)
        for slip in [slip for slip, find in slips.items() if find(samples).any()]:
            complain(f"{slip}; expected float32 samples in [-1, 1]")
            del slips[slip]
        yield np.clip(np.where(np.isfinite(samples), samples, np.float32(0)), -1, 1)


def _resampled(pieces: Iterable[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """The same audio at 16,000 Hz, with soxr's high quality filter; what it holds back comes at the end."""
    import soxr  # comes with librosa

    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, num_channels=1, dtype="float32", quality="HQ")
    for piece in pieces:
        yield resampler.resample_chunk(piece)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
