import io
import re
import struct

import numpy as np
import pytest
import soundfile

from runnel.datasets.audio.read_audio import read_audio
from runnel.shared.errors import InputError

NOISE = np.random.default_rng(0).normal(scale=0.1, size=16_000)


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_audio(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message.replace(str(path), "FILE")


def encoded(container, subtype, samples=NOISE):
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format=container, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "subtype", "error"),  # Half a step of the format, or what its compression does to noise.
    [
        ("a.wav", "PCM_U8", 1 / 128),
        ("a.wav", "PCM_16", 1 / 32768),
        ("a.wav", "PCM_24", 1e-6),
        ("a.wav", "PCM_32", 1e-7),
        ("a.wav", "FLOAT", 1e-7),
        ("a.wav", "DOUBLE", 1e-7),
        ("a.wav", "ULAW", 0.02),
        ("a.wav", "ALAW", 0.02),
        ("a.flac", "PCM_16", 1 / 32768),
        ("a.aiff", "PCM_16", 1 / 32768),
        ("a.ogg", "VORBIS", 0.3),
    ],
)
def test_formats(write_audio, name, subtype, error):
    audio = read_audio(write_audio(name, NOISE, subtype=subtype))
    assert audio.waveform.dtype == np.float32
    assert (audio.rate, audio.channels, audio.notes) == (16_000, 1, ())
    np.testing.assert_allclose(audio.waveform, NOISE, atol=error)


def test_16_bit_samples_are_read_exactly(write_audio):
    samples = np.array([-32768, -1, 0, 1, 12345, 32767], np.int16)
    assert (read_audio(write_audio("a.wav", samples)).waveform * 32768).tolist() == samples.tolist()


@pytest.mark.parametrize("rate", [4_000, 8_000, 44_100, 384_000])
def test_other_rates_are_resampled(write_audio, rate):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate // 2) / rate)
    audio = read_audio(write_audio("a.wav", tone, rate))
    assert audio.rate == rate
    assert audio.notes == (f"resampled from {rate:,} to 16,000 Hz",)
    spectrum = np.abs(np.fft.rfft(audio.waveform))
    assert len(audio.waveform) == 8_000
    assert spectrum.argmax() == 500  # Half a second: bins of 2 Hz.


def test_channels_are_averaged(write_audio):
    left, right = np.full(100, 0.5), np.full(100, -0.25)
    audio = read_audio(write_audio("a.wav", np.stack([left, right], axis=1)))
    np.testing.assert_allclose(audio.waveform, np.full(100, 0.125), atol=1e-4)
    assert (audio.channels, audio.notes) == (2, ("2 channels averaged",))


def test_legal_extremes(write_audio):
    silent = read_audio(write_audio("silent.wav", np.zeros(100)))
    assert not silent.waveform.any()
    clipping = read_audio(write_audio("clipping.wav", np.tile([1.0, -1.0], 5_000), 8_000))
    assert np.abs(clipping.waveform).max() == 1.0  # The filter alone overshoots.
    for name in ("empty.wav", "empty.ogg"):
        empty = read_audio(write_audio(name, np.zeros(0), 8_000))
        assert empty.waveform.shape == (0,)
        assert empty.waveform.dtype == np.float32


def test_floats_beyond_full_scale(write_audio):
    audio = read_audio(write_audio("a.wav", np.array([0.5, 1.5, -2.0]), subtype="FLOAT"))
    assert audio.waveform.tolist() == [0.5, 1.0, -1.0]
    assert audio.notes == ("values beyond [-1, 1] clipped",)
    message = refusal(write_audio("a.wav", np.array([0.0, 12_000.0]), subtype="FLOAT"))
    assert message == "FILE holds values up to 12,000; expected floats in [-1, 1]; divide them by full scale"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(write_audio, value):
    samples = np.zeros((100, 2))
    samples[7, 1] = value
    assert "holds NaN or infinity in 1 of 100 samples" in refusal(write_audio("a.wav", samples, subtype="FLOAT"))


@pytest.mark.parametrize("rate", [1, 3_999, 384_001, 2_000_000])
def test_rates_out_of_range(write_audio, rate):
    assert f"a sample rate of {rate:,} Hz" in refusal(write_audio("a.wav", NOISE, rate))


def test_what_is_no_audio_file(tmp_path, write):
    assert refusal(tmp_path / "missing.wav").startswith("FILE cannot be read (No such file or directory)")
    assert "Is a directory" in refusal(tmp_path)
    assert "null" in refusal(tmp_path / "a\0.wav")
    assert refusal(write(b"", "empty.wav")).startswith("FILE is empty (0 bytes)")
    assert "FILE is not audio that can be read (Format not recognised)" in refusal(write("Hello!\n" * 50, "a.wav"))
    assert "is not audio" in refusal(write(NOISE.tobytes(), "a.raw"))
    assert "is not audio" in refusal(write(encoded("WAV", "PCM_16")[:30], "header.wav"))
    assert "is not audio that can be read (CAF format)" in refusal(write(encoded("CAF", "PCM_16"), "a.caf"))


@pytest.mark.parametrize("left", [0.3, 0.5, 0.97])
@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAV", "ULAW"),
        ("WAVEX", "PCM_16"),
        ("RF64", "PCM_16"),
        ("W64", "PCM_16"),
        ("AIFF", "PCM_16"),
        ("AU", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", "MPEG_LAYER_III"),
    ],
)
def test_truncated_files(write, container, subtype, left):
    data = encoded(container, subtype)
    assert len(read_audio(write(data, "whole")).waveform) >= 16_000
    assert re.search("cut off or damaged|is not audio", refusal(write(data[: int(left * len(data))], "truncated")))


def test_one_sample_less_than_promised(write):
    data = encoded("WAV", "PCM_16")
    assert "gives 15,999 samples, other than its header promises" in refusal(write(data[:-2], "a.wav"))
    assert "cut off" in refusal(write(encoded("FLAC", "PCM_16")[:-2], "a.flac"))


def with_data_size(size):
    data = encoded("WAV", "PCM_16")
    place = data.index(b"data") + 4
    return data[:place] + struct.pack("<I", size) + data[place + 4 :]


def test_wav_files_from_a_pipe(write):
    for unknown in (0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000):
        assert len(read_audio(write(with_data_size(unknown), "a.wav")).waveform) == 16_000
    assert "gives 0 samples" in refusal(write(with_data_size(0), "a.wav"))  # Its size was never filled in.


def test_a_damaged_header_takes_no_memory(write):
    data = bytearray(encoded("FLAC", "PCM_16"))
    data[21:26] = bytes([data[21] | 15, 255, 255, 255, 255])  # STREAMINFO: 2**36 - 1 samples, 256 GiB as floats.
    assert "cut off or damaged" in refusal(write(bytes(data), "a.flac"))


def test_a_damaged_frame(write):
    data = bytearray(encoded("FLAC", "PCM_16"))
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    assert "cut off or damaged" in refusal(write(bytes(data), "a.flac"))


@pytest.mark.parametrize(("container", "subtype"), [("AIFF", "PCM_16"), ("FLAC", "PCM_16"), ("WAV", "IMA_ADPCM")])
def test_bytes_that_are_wrong_anywhere(write, capfd, container, subtype):
    rng, whole, messages = np.random.default_rng(0), encoded(container, subtype, NOISE[:500]), []
    for _ in range(200):
        data = bytearray(whole)
        for place in rng.integers(len(data) if rng.random() < 0.3 else 60, size=3):
            data[place] = rng.integers(256)
        try:
            waveform = read_audio(write(bytes(data), "a")).waveform
        except InputError as error:
            messages.append(str(error))
        else:
            assert np.abs(waveform).max(initial=0) <= 1
    assert not [message for message in messages if "\n" in message]
    assert capfd.readouterr() == ("", "")
