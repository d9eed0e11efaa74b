import numpy as np

from runnel.datasets.audio.drop_repeated_clips import drop_repeated_clips
from runnel.datasets.audio.speech_corpus import Clips


def clips(*rows):
    return Clips(
        tuple(np.array(samples, np.int16) for samples, _, _ in rows),
        tuple(label for _, label, _ in rows),
        tuple(speaker for _, _, speaker in rows),
    )


def rows_of(clips):
    columns = zip(clips.waveforms, clips.labels, clips.speakers, strict=True)
    return [(waveform.tolist(), label, speaker) for waveform, label, speaker in columns]


def test_the_first_of_equal_clips_is_kept():
    rows = [([1, 2], "yes", "a"), ([3], "no", "a"), ([1, 2], "yes", "b"), ([1], "yes", "a"), ([1, 2], "yes", "a")]
    kept = drop_repeated_clips(clips(*rows), notes := [])
    assert rows_of(kept) == [([1, 2], "yes", "a"), ([3], "no", "a"), ([1], "yes", "a")]
    assert notes == ["left out: 2 clips byte for byte the same as another one of the same label"]


def test_what_has_two_labels_has_none():
    rows = [([1], "yes", "a"), ([2], "no", "a"), ([1], "no", "a"), ([1], "yes", "b")]
    assert rows_of(drop_repeated_clips(clips(*rows), notes := [])) == [([2], "no", "a")]
    assert notes == ["left out: 3 clips byte for byte the same as one of another label"]


def test_empty_clips():
    rows = [([], "yes", "a"), ([2], "no", "a"), ([], "no", "a")]
    assert rows_of(drop_repeated_clips(clips(*rows), notes := [])) == [([2], "no", "a")]
    assert notes == ["left out: 2 clips without any samples"]


def test_nothing_to_drop():
    rows = [([0, 0], "_silence_", ""), ([0], "_silence_", "")]
    assert rows_of(drop_repeated_clips(clips(*rows), notes := [])) == rows
    assert notes == []
    assert rows_of(drop_repeated_clips(clips(), notes)) == []
