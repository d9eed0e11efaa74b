from collections import Counter

import numpy as np
import pytest

from runnel.datasets.audio.background_noise import KINDS
from runnel.datasets.spoken_commands import speak_split as module
from runnel.datasets.spoken_commands.draw_speakers import FAMILIES
from runnel.datasets.spoken_commands.speak_split import speak_split
from runnel.datasets.spoken_commands.unknown_texts import COMMANDS, unknown_texts

SPLITS = ("train", "validation", "test")


OTHERS = {"train": 12, "validation": 10, "test": 10}  # texts that are no command, of each speaker


@pytest.fixture(scope="module")
def splits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SPEAKERS", {"train": 28, "validation": 12, "test": 12})
        patch.setattr(module, "_SILENCES", {"train": 6, "validation": 5, "test": 5})
        patch.setattr(module, "_RECORDING", (1.0, 2.0))
        patch.setattr(module, "_RECORDINGS_OF_A_KIND", 2)
        patch.setattr(module, "_BABBLES", 1)
        made = {split: list(speak_split(split)) for split in SPLITS}
        again = list(speak_split("test"))  # After the other splits as before them: each is on its own.
        assert [clip.audio.tobytes() for clip in again] == [clip.audio.tobytes() for clip in made["test"]]
        yield made


def test_full_sizes():
    sizes = {split: module.SPEAKERS[split] * (12 + OTHERS[split]) + module._SILENCES[split] for split in SPLITS}
    assert sizes == {"train": 14_640, "validation": 1840, "test": 2760}


@pytest.mark.parametrize(("split", "speakers", "silences"), [("train", 28, 6), ("validation", 12, 5), ("test", 12, 5)])
def test_labels_are_balanced(splits, split, speakers, silences):
    counts = Counter(clip.label for clip in splits[split])
    expected = dict.fromkeys(COMMANDS, speakers)
    expected |= {"_unknown_": OTHERS[split] * speakers, "_silence_": silences, "_background_noise_": 2 * len(KINDS) + 1}
    assert counts == expected
    assert set(Counter(clip.speaker for clip in splits[split] if clip.speaker).values()) == {12 + OTHERS[split]}


def test_texts_fit_their_labels(splits):
    for split in SPLITS:
        for clip in splits[split]:
            if clip.label in COMMANDS:
                assert clip.text == clip.label
            elif clip.label == "_unknown_":
                assert clip.text in unknown_texts(split) or (split == "train" and " " not in clip.text)
            else:
                assert not clip.speaker
        spoken = [clip.text for clip in splits[split] if clip.label == "_unknown_"]
        assert len(set(spoken)) == len(spoken)  # They take turns.
        assert {clip.text for clip in splits[split] if clip.label == "_background_noise_"} == {*KINDS, "babble"}


def test_no_voice_and_no_clip_is_in_two_splits(splits):
    split_of = {variant: split for split in SPLITS for family in FAMILIES[split] for variant in family}
    owner = {}
    for split in SPLITS:
        for clip in splits[split]:
            assert owner.setdefault(clip.audio.tobytes(), split) == split
            if clip.speaker:
                variant = clip.speaker.split("+")[1].rsplit("-", 1)[0]
                assert split == ("train" if variant.startswith("drawn") else split_of[variant])
    assert len(owner) == sum(map(len, splits.values()))  # None twice in one split either.


def test_quiet_around_what_is_spoken(splits):
    margins = []
    for clip in (clip for split in SPLITS for clip in splits[split] if clip.speaker):
        assert clip.audio.dtype == np.int16
        loud = np.flatnonzero(np.abs(clip.audio.astype(int)) > 0.01 * np.abs(clip.audio.astype(int)).max())
        margins += [loud[0] / 16_000, (len(clip.audio) - loud[-1]) / 16_000]
        assert not clip.audio[:1_590].any()
        assert not clip.audio[-1_590:].any()
        assert 0.12 < len(clip.audio) / 16_000 - margins[-1] - margins[-2] < 2.5
    assert 0.18 < np.median(margins) < 0.25
    assert np.percentile(margins, 90) < 0.35


def test_speech_keeps_its_length_and_pitch_at_the_new_rate(splits):
    # A speaker of 125 to 215 words a minute says "stop" in a quarter to one second.
    lengths = [len(clip.audio) / 16_000 - 0.4 for clip in splits["train"] if clip.text == "stop"]
    assert 0.25 < np.median(lengths) < 0.6


def test_silence_is_quiet(splits):
    silences = [clip for split in SPLITS for clip in splits[split] if clip.label == "_silence_"]
    for clip in silences:
        assert len(clip.audio) == 16_000
        assert 0 < np.abs(clip.audio.astype(int)).max() <= 32_768 * 10 ** (-34 / 20)
    assert {clip.text for clip in silences} == {"brown", "fan", "hum", "pink", "white"}


def test_backgrounds_to_be_measured_on_are_longer_where_every_sound_is_another(splits):
    for split, longer in {"train": 1, "validation": 3, "test": 3}.items():
        for clip in splits[split]:
            if clip.label == "_background_noise_":
                is_eventful = clip.text in ("beeps", "clicks", "knocks", "music", "babble")
                assert 1.0 <= len(clip.audio) / 16_000 / (longer if is_eventful else 1) <= 2.0
