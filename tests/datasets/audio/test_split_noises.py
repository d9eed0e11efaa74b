import numpy as np

from runnel.datasets.audio.split_clips import SHARES
from runnel.datasets.audio.split_noises import split_noises


def recording(seconds, start=0):
    return (start + np.arange(seconds * 16_000) % 1000).astype(np.int16)


def test_a_long_recording_is_cut_in_time():
    whole = np.arange(160_000) % 30_011
    parts = split_noises([whole.astype(np.int16)], SHARES)
    assert [len(part[0]) for part in parts.values()] == [112_000, 16_000, 32_000]
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts.values()]), whole)


def test_short_recordings_stay_whole():
    short = [recording(seconds, seconds) for seconds in (2, 9, 3)]
    parts = split_noises([*short, recording(0)], SHARES)
    assert {split: [len(part) // 16_000 for part in found] for split, found in parts.items()} == {
        "train": [9],  # The largest first: train, test, validation.
        "validation": [2],
        "test": [3],
    }


def test_no_recordings():
    assert split_noises([], SHARES) == {"train": [], "validation": [], "test": []}


def test_other_shares():
    parts = split_noises([recording(16)], {"train": 0.7, "validation": 0.1})
    assert [len(part[0]) for part in parts.values()] == [14 * 16_000, 2 * 16_000]
