import numpy as np
import pytest

from runnel.datasets.audio.resample import SAMPLE_RATE, resample


def tone(rate, seconds=1.0, frequency=440.0):
    return np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate).astype(np.float32)


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 22_050, 44_100, 48_000, 384_000])
def test_a_tone_stays_the_same_tone(rate):
    resampled = resample(tone(rate), rate)
    assert resampled.dtype == np.float32
    assert len(resampled) == SAMPLE_RATE
    inner = slice(1600, -1600)  # A filter has nothing to go by before the beginning.
    np.testing.assert_allclose(resampled[inner], tone(SAMPLE_RATE)[inner], atol=2e-3)


def test_what_the_new_rate_cannot_hold_is_filtered_out():
    high = tone(48_000, frequency=10_000.0)  # Would be heard at 6,000 Hz if every third sample were taken.
    assert np.abs(resample(high, 48_000)[1600:-1600]).max() < 1e-3


def test_length_in_seconds_is_kept_up_to_a_sample():
    assert [len(resample(np.zeros(count, np.float32), 44_100)) for count in (0, 1, 2, 3, 441)] == [0, 1, 1, 2, 160]


def test_the_right_rate_changes_nothing():
    waveform = tone(SAMPLE_RATE)
    assert resample(waveform, SAMPLE_RATE) is waveform
