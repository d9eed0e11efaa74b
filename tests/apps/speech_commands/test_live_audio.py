import io

import numpy as np
import pytest

from runnel.apps.speech_commands.config import StreamOptions
from runnel.apps.speech_commands.live_audio import at_pace, cut, raw_audio
from runnel.shared.errors import InputError


class Clock:
    """Time that passes only while somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def test_pieces_come_when_their_last_sample_would_have_been_recorded() -> None:
    clock = Clock()
    pieces = at_pace(cut(np.zeros(1_000, np.float32), 320), lambda: clock.now, clock.sleep)
    came = [(round(clock.now - 100, 6), len(piece)) for piece in pieces]
    assert came == [(0.02, 320), (0.04, 320), (0.06, 320), (0.0625, 40)]


def test_time_that_was_lost_is_caught_up() -> None:
    clock, came = Clock(), []
    for number, _ in enumerate(at_pace(cut(np.zeros(1_600, np.float32), 320), lambda: clock.now, clock.sleep)):
        came.append(round(clock.now - 100, 6))
        clock.now += 0.05 if number == 1 else 0.001
    assert came == [0.02, 0.04, 0.09, 0.091, 0.1]


def test_samples_come_with_the_byte_that_completes_them() -> None:
    class Slow(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            return super().read1(3)

    content = np.array([1, -2, 32767, -32768, 5], "<i2").tobytes()
    pieces = list(raw_audio(Slow(content), StreamOptions(), pytest.fail))
    # 3 bytes may still be the beginning of a file's header; 6, 9 and 10 bytes are 3, 4 and 5 samples.
    assert [len(piece) for piece in pieces] == [3, 1, 1, 0]
    np.testing.assert_array_equal(np.concatenate(pieces) * 32768, [1, -2, 32767, -32768, 5])
    assert all(piece.dtype == np.float32 for piece in pieces)


@pytest.mark.parametrize(
    "begin", [b"RIFF\x24\0\0\0WAVEfmt ", b"RF64....WAVE", b"fLaC\0\0\0\x22", b"OggS\0", b"FORM...."]
)
@pytest.mark.parametrize("sample_format", ["int16", "float32"])
def test_a_file_in_the_place_of_samples_is_refused(begin: bytes, sample_format: str) -> None:
    options = StreamOptions(sample_format=sample_format)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"it begins with {begin[:4].decode()}.*--wav FILE"):
        list(raw_audio(io.BytesIO(begin), options, pytest.fail))


@pytest.mark.parametrize("content", [b"", b"R", b"RIF", b"\0RIFF", b"riff"])
def test_what_is_no_file(content: bytes) -> None:
    list(raw_audio(io.BytesIO(content), StreamOptions(), lambda line: None))


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_resampled_piece_by_piece_is_resampled_as_a_whole(rate: int) -> None:
    import librosa

    class Slow(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            return super().read1(701)

    waveform = np.random.default_rng(0).uniform(-0.5, 0.5, rate).astype("<f4")
    options = StreamOptions(rate=rate, sample_format="float32")
    pieces = list(raw_audio(Slow(waveform.tobytes()), options, pytest.fail))
    expected = librosa.resample(waveform, orig_sr=rate, target_sr=16_000, res_type="soxr_hq")
    np.testing.assert_allclose(np.concatenate(pieces), expected, atol=1e-6)
    sent = np.cumsum([len(piece) for piece in pieces])
    assert (
        max(701 / 4 * np.arange(1, len(sent) + 1) / rate * 16_000 - sent) < 0.2 * 16_000
    )  # as it comes, not at the end
