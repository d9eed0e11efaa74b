from collections import Counter

import numpy as np
import pytest

from runnel.datasets.audio.speech_corpus import Clips
from runnel.datasets.audio.split_clips import SHARES, deal, split_clips


def clips(rows, seed=0):
    """One clip for each label and speaker, told apart by its samples."""
    rng = np.random.default_rng(seed)
    waveforms = tuple(rng.integers(-100, 100, 20, dtype=np.int16) for _ in rows)
    return Clips(waveforms, tuple(label for label, _ in rows), tuple(speaker for _, speaker in rows))


def keys(clips):
    return {waveform.tobytes() for waveform in clips.waveforms}


def sizes(splits):
    return [len(part.labels) for part in splits.values()]


def shuffled(clips):
    return clips.take(np.random.default_rng(1).permutation(len(clips.labels)).tolist())


def test_every_split_gets_a_piece_first():
    assert deal([1, 1, 1], SHARES) == ["train", "test", "validation"]
    assert deal([9, 5, 1], SHARES) == ["train", "test", "validation"]
    assert deal([], SHARES) == []


def test_then_each_gets_its_share():
    # After one piece each: 1.5/0.7, 2.5/0.7, 3.5/0.7, 4.5/0.7 and 5.5/0.7 against 1.5/0.2 = 7.5: the fifth is more.
    assert deal([1] * 8, SHARES)[3:] == ["train"] * 4 + ["test"]
    assert Counter(deal([1] * 1000, SHARES)) == {"train": 700, "validation": 100, "test": 200}
    # 65/0.7 = 93, 25/0.2 = 125, 15/0.1 = 150.
    assert deal([60, 20, 10, 10], SHARES) == ["train", "test", "validation", "train"]


def test_no_speaker_is_in_two_splits():
    rng = np.random.default_rng(0)
    rows = [("yes", f"speaker {min(int(rng.exponential(30)), 150)}") for _ in range(4000)]
    everything = clips(rows)
    splits = split_clips(everything, SHARES, notes := [])
    speakers = [set(part.speakers) for part in splits.values()]
    assert sum(map(len, speakers)) == len(set(everything.speakers))
    np.testing.assert_allclose(np.array(sizes(splits)) / 4000, [0.7, 0.1, 0.2], atol=0.01)
    assert notes == [f"split by speaker: none of the {len(set(everything.speakers))} is in two splits"]


def test_six_speakers_of_equal_size():
    rows = [("yes", name) for name in "abcdef" for _ in range(10)]
    assert sizes(split_clips(clips(rows), SHARES, [])) == [40, 10, 10]


@pytest.mark.parametrize(
    ("speakers", "known"),
    [("abcde", "5 speakers are known"), ("a", "1 speaker is known"), ([""], "none is known")],
)
def test_few_speakers_are_split_by_clip(speakers, known):
    rows = [(label, speaker) for label in ("yes", "no") for speaker in speakers for _ in range(100 // len(speakers))]
    splits = split_clips(clips(rows), SHARES, notes := [])
    for part, count in zip(splits.values(), (70, 10, 20), strict=True):
        assert Counter(part.labels) == {"yes": count, "no": count}
    assert notes == [f"split by clip, not by speaker ({known}): the voices of validation and test occur in train too"]


def test_clips_without_a_speaker_among_others():
    rows = [("yes", name) for name in "abcdef" for _ in range(10)] + [("_silence_", "")] * 10
    splits = split_clips(clips(rows), SHARES, [])
    assert [part.labels.count("_silence_") for part in splits.values()] == [7, 1, 2]
    assert [part.labels.count("yes") for part in splits.values()] == [40, 10, 10]


@pytest.mark.parametrize("speakers", ["abcdefgh", "abc"])
def test_order_does_not_matter(speakers):
    everything = clips([(label, speaker) for label in ("yes", "no") for speaker in speakers for _ in range(9)])
    one, two = split_clips(everything, SHARES, []), split_clips(shuffled(everything), SHARES, [])
    assert [keys(part) for part in one.values()] == [keys(part) for part in two.values()]
    assert sum(sizes(one)) == len(everything.labels)


def test_clips_stay_in_their_order():
    everything = clips([(str(index), "") for index in range(20)] + [("yes", "")] * 30)
    place = {waveform.tobytes(): index for index, waveform in enumerate(everything.waveforms)}
    for part in split_clips(everything, SHARES, []).values():
        indices = [place[waveform.tobytes()] for waveform in part.waveforms]
        assert indices == sorted(indices)


def test_two_splits_alone():
    splits = split_clips(clips([("yes", "")] * 80), {"train": 0.7, "validation": 0.1}, [])
    assert {split: len(part.labels) for split, part in splits.items()} == {"train": 70, "validation": 10}


def test_hardly_any_clips():
    assert sizes(split_clips(clips([]), SHARES, [])) == [0, 0, 0]
    assert sizes(split_clips(clips([("yes", "")]), SHARES, [])) == [1, 0, 0]
    assert sizes(split_clips(clips([("yes", "")] * 3), SHARES, [])) == [1, 1, 1]
