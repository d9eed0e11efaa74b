from collections import Counter

import numpy as np
import pytest

from runnel.datasets.audio.load_speech import load_speech
from runnel.shared.errors import InputError

WORDS = ("no", "yes")
SPEAKERS = ("0a7c2a8d", "0c540988", "4c6167ca", "893705bb", "bfd26d6b", "f2e59fea", "f9643d42", "0ea0e2f4")


@pytest.fixture
def folder(tmp_path, write_audio, word):
    """Eight speakers say two words twice; three other words are there too."""
    for number, speaker in enumerate(SPEAKERS):
        for index, label in enumerate([*WORDS * 2, "_unknown_"]):
            name = f"{label}/{speaker}_nohash_{index}.wav"
            write_audio(name, word(10 * number + index))
    return tmp_path


def refusal(source, commands=()):
    with pytest.raises(InputError) as caught:
        load_speech(source, commands)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_folder(folder):
    corpus = load_speech(folder)
    assert corpus.name == folder.name
    assert corpus.labels == ("no", "yes", "_unknown_", "_silence_")
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert [len(clips.labels) for clips in corpus.splits.values()] == [25, 5, 10]
    assert sum(len(set(clips.speakers)) for clips in corpus.splits.values()) == 8
    assert corpus.notes == (
        "split by speaker: none of the 8 is in two splits",
        "no background recordings for train, validation, test: noises are generated in their place",
    )
    assert len(corpus.fingerprint) == 64
    assert load_speech(str(folder)).fingerprint == corpus.fingerprint


def test_chosen_commands(folder):
    corpus = load_speech(folder, ["yes"])
    assert corpus.labels == ("yes", "_unknown_", "_silence_")
    assert Counter(corpus.splits["train"].labels) == {"yes": 10, "_unknown_": 15}
    assert corpus.fingerprint != load_speech(folder).fingerprint
    assert refusal(folder, ["yes", "maybe"]) == (
        f"{folder} has no clips of 'maybe'; expected commands among 'no', 'yes'"
    )
    assert "has no clips of '_unknown_'" in refusal(folder, ["_unknown_"])


def test_generated_noises_differ_in_every_split(folder):
    noises = load_speech(folder).noises
    recordings = [recording for split in ("train", "validation", "test") for recording in noises[split]]
    assert len({recording.tobytes() for recording in recordings}) == len(recordings) >= 3
    assert {recording.dtype for recording in recordings} == {np.dtype(np.int16)}
    again = load_speech(folder).noises
    assert all(np.array_equal(one, two) for one, two in zip(noises["test"], again["test"], strict=True))


def test_background_recordings_are_cut_in_time(folder, write_audio):
    recording = np.random.default_rng(0).integers(-99, 99, 160_000, dtype=np.int16)
    write_audio("_background_noise_/tap.wav", recording)
    corpus = load_speech(folder)
    assert corpus.notes == ("split by speaker: none of the 8 is in two splits",)
    assert [len(noises) for noises in corpus.noises.values()] == [1, 1, 1]
    np.testing.assert_array_equal(corpus.noises["validation"][0], recording[112_000:128_000])
    assert "_background_noise_" not in {label for clips in corpus.splits.values() for label in clips.labels}


def test_a_single_short_recording_serves_train(folder, write_audio):
    write_audio("_background_noise_/tap.wav", np.ones(16_000, np.int16))
    corpus = load_speech(folder)
    assert [len(recording) for recording in corpus.noises["train"]] == [16_000]
    assert corpus.notes[-1].startswith("no background recordings for validation, test:")
    assert all(corpus.noises.values())


def test_repeated_clips_are_in_one_split(folder, write_audio, word):
    for index, speaker in enumerate(SPEAKERS):  # All of them say what the first one says.
        write_audio(f"yes/{speaker}_nohash_{7 + index}.wav", word(1))
    corpus = load_speech(folder)
    assert corpus.notes[0] == "left out: 8 clips byte for byte the same as another one of the same label"
    waveforms = [waveform.tobytes() for clips in corpus.splits.values() for waveform in clips.waveforms]
    assert len(set(waveforms)) == len(waveforms) == 40


def test_what_there_is_nothing_of_is_noted(folder, write_audio, word):
    for path in (folder / "_unknown_").iterdir():
        path.unlink()
    write_audio(f"go/{SPEAKERS[0]}_nohash_0.wav", word(999))  # The largest speaker goes to train.
    notes = load_speech(folder).notes
    assert "validation holds no clips of 'go'" in notes
    assert "test holds no clips of 'go'" in notes
    assert notes[-1].startswith("no clips of _unknown_: ")


def test_too_little(tmp_path, write_audio, word):
    write_audio("yes/0.wav", word(0))
    assert "has clips of 'yes' alone; expected two labels or more" in refusal(tmp_path)
    write_audio("no/0.wav", word(1))
    assert "has too few clips: none is left for validation out of 2" in refusal(tmp_path)
    for number in (2, 3):
        write_audio(f"no/{number}.wav", word(number))
    assert [len(clips.labels) for clips in load_speech(tmp_path).splits.values()] == [2, 1, 1]


def test_a_command_that_train_lacks(tmp_path, write_audio, word):
    for number, speaker in enumerate(SPEAKERS):  # The largest goes to train, the next to test, the third to validation.
        for index in range(20 - 2 * number):
            write_audio(f"yes/{speaker}_nohash_{index}.wav", word(100 * number + index))
    write_audio("no/stranger.wav", word(1000))
    write_audio(f"no/{SPEAKERS[2]}_nohash_0.wav", word(1001))
    assert [clips.labels.count("no") for clips in load_speech(tmp_path).splits.values()] == [1, 1, 0]
    (tmp_path / "no" / "stranger.wav").unlink()
    assert "leaves no clips of 'no' for train; expected some of each command" in refusal(tmp_path)


def test_sources_that_are_not_there(folder, monkeypatch, tmp_path):
    message = refusal("spoken_comands")
    assert "neither a folder here nor a dataset of speech" in message
    assert message.endswith("tfds:NAME, or spoken_commands")
    assert "''" in refusal("")
    assert "neither a folder" in refusal(tmp_path / "missing")
    assert "neither a folder" in refusal("yes " * 2000)
    assert "neither a folder" in refusal("a\0b")
    assert "neither a folder" in refusal(folder / "yes" / f"{SPEAKERS[0]}_nohash_1.wav")
