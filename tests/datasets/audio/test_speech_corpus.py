import numpy as np
import pytest

from runnel.datasets.audio.speech_corpus import Clips, fingerprint_of

ONE, TWO = np.array([1, 2], np.int16), np.array([3], np.int16)
LABELS = ("yes", "_unknown_", "_silence_")


def splits(waveforms=(ONE, TWO), labels=("yes", "yes"), speakers=("a", ""), name="train"):
    return {name: Clips(waveforms, labels, speakers)}


FINGERPRINT = fingerprint_of(LABELS, splits(), {"train": (ONE,)})


def test_take():
    clips = splits()["train"].take([1])
    assert clips.waveforms == (TWO,)
    assert (clips.labels, clips.speakers) == (("yes",), ("",))


def test_fingerprint_is_of_the_content():
    assert len(FINGERPRINT) == 64
    copies = splits(waveforms=(ONE.copy(), TWO.astype(">i2")))
    assert fingerprint_of(list(LABELS), copies, {"train": [ONE.copy()]}) == FINGERPRINT


@pytest.mark.parametrize(
    ("labels", "other", "noises"),
    [
        (("yes", "no", *LABELS[1:]), splits(), {"train": (ONE,)}),
        (LABELS, splits(waveforms=(TWO, ONE)), {"train": (ONE,)}),
        (LABELS, splits(waveforms=(ONE[:1], np.array([2, 3], np.int16))), {"train": (ONE,)}),
        (LABELS, splits(labels=("yes", "_unknown_")), {"train": (ONE,)}),
        (LABELS, splits(speakers=("", "a")), {"train": (ONE,)}),
        (LABELS, splits(name="test"), {"train": (ONE,)}),
        (LABELS, splits(), {"train": (TWO,)}),
        (LABELS, splits(), {"train": (ONE[:1], ONE[1:])}),
        (LABELS, splits(), {"test": (ONE,)}),
    ],
)
def test_any_other_content_gives_another(labels, other, noises):
    assert fingerprint_of(labels, other, noises) != FINGERPRINT
