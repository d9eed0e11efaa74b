import numpy as np
import pytest

from runnel.datasets.spoken_commands.babble import babble


def tone(frequency, seconds=0.5):
    return (8000 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * 16_000)) / 16_000)).astype(np.int16)


@pytest.mark.parametrize("seconds", [0.0, 0.25, 6.0])
def test_form(seconds):
    mixture = babble([tone(500)], seconds, np.random.default_rng(0))
    assert mixture.dtype == np.int16
    assert mixture.shape == (seconds * 16_000,)
    np.testing.assert_array_equal(mixture, babble([tone(500)], seconds, np.random.default_rng(0)))


def test_level():
    for seed in range(5):
        peak = np.abs(babble([tone(500)], 5.0, np.random.default_rng(seed)).astype(int)).max() / 32_768
        assert -26.1 < 20 * np.log10(peak) < -7.9


def test_all_utterances_are_in_it_and_overlap():
    frequencies = [400, 700, 1100, 1900]
    mixture = babble([tone(frequency) for frequency in frequencies], 20.0, np.random.default_rng(1)) / 32_768
    frames = mixture[: len(mixture) // 800 * 800].reshape(-1, 800)  # 50 ms: bins of 20 Hz
    power = np.abs(np.fft.rfft(frames * np.hanning(800), axis=1)) ** 2
    heard = power[:, [frequency // 20 for frequency in frequencies]]
    assert (heard.max(axis=0) > 100 * np.median(power)).all()
    assert ((heard > 0.01 * heard.max()).sum(axis=1) >= 2).mean() > 0.2  # Several at once.
