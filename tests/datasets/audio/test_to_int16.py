import numpy as np

from runnel.datasets.audio.to_int16 import to_int16


def test_values():
    waveform = np.array([0.0, 0.5, -0.5, 1.0, -1.0, 1.4 / 32768, 1.6 / 32768, -1.6 / 32768], np.float32)
    converted = to_int16(waveform)
    assert converted.dtype == np.int16
    assert converted.tolist() == [0, 16384, -16384, 32767, -32768, 1, 2, -2]


def test_every_sample_survives_the_way_to_floats_and_back():
    samples = np.arange(-32768, 32768).astype(np.int16)
    np.testing.assert_array_equal(to_int16(samples / np.float32(32768)), samples)
