import numpy as np

from runnel.apps.speech_commands.pad_waveforms import pad_waveforms


def test_shorter_recordings_are_filled_up() -> None:
    inputs = pad_waveforms([np.float32([1, 2, 3]), np.float32([]), np.float32([4])], fill=np.nan)
    np.testing.assert_array_equal(inputs["waveform"], [[1, 2, 3], [np.nan] * 3, [4, np.nan, np.nan]])
    assert inputs["length"].tolist() == [3, 0, 1]
    assert (inputs["waveform"].dtype, inputs["length"].dtype) == (np.float32, np.int32)


def test_no_recordings() -> None:
    inputs = pad_waveforms([])
    assert (inputs["waveform"].shape, inputs["length"].shape) == ((0, 0), (0,))
