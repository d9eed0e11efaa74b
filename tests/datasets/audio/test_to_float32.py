import numpy as np

from runnel.datasets.audio.to_float32 import to_float32
from runnel.datasets.audio.to_int16 import to_int16


def test_full_scale_is_one() -> None:
    floats = to_float32(np.array([-32768, 0, 16384, 32767], np.int16))
    np.testing.assert_array_equal(floats, np.float32([-1, 0, 0.5, 32767 / 32768]))
    assert floats.dtype == np.float32


def test_it_is_the_inverse_of_to_int16() -> None:
    samples = np.arange(-32768, 32768, 7).astype(np.int16)
    np.testing.assert_array_equal(to_int16(to_float32(samples)), samples)
