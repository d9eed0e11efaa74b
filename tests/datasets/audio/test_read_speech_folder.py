import numpy as np
import pytest

from runnel.datasets.audio.read_speech_folder import read_speech_folder
from runnel.shared.errors import InputError


def refusal(folder):
    with pytest.raises(InputError) as caught:
        read_speech_folder(folder, [])
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(folder), "FOLDER")


def test_a_folder_of_labels(tmp_path, write_audio, word):
    names = ["yes/0a7c2a8d_nohash_0.wav", "yes/9C540988_nohash_1.FLAC", "no/0c540988_nohash_0.flac", "wreck it/1.wav"]
    names += ["_unknown_/cat_0a7c2a8d_nohash_0.wav.flac", "_background_noise_/tap.wav"]
    for number, name in enumerate(names):
        write_audio(name, word(number))
    for name in ("README.md", "yes/LICENSE", "yes/.hidden.wav", ".cache/a.wav", "docs/index.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("no audio")
    clips = read_speech_folder(tmp_path, notes := [])
    assert notes == []
    assert clips.labels == ("_background_noise_", "_unknown_", "no", "wreck it", "yes", "yes")
    assert clips.speakers == ("", "0a7c2a8d", "0c540988", "", "0a7c2a8d", "9c540988")
    for waveform, number in zip(clips.waveforms, (5, 4, 2, 3, 0, 1), strict=True):
        np.testing.assert_array_equal(waveform, word(number))
        assert waveform.dtype == np.int16


def test_a_flat_folder(tmp_path, write_audio, word):
    for number, name in enumerate(["0_theo_0.wav", "0_theo_1.wav", "1_theo_0.wav", "_background_noise_/fan.wav"]):
        write_audio(name, word(number))
    clips = read_speech_folder(tmp_path, notes := [])
    assert clips.labels == ("_background_noise_", "0", "0", "1")
    assert clips.speakers == ("", "theo", "theo", "theo")
    np.testing.assert_array_equal(clips.waveforms[3], word(2))
    assert notes == []


def test_treatments_are_counted(tmp_path, write_audio, word):
    for number in range(3):
        write_audio(f"yes/{number}.wav", word(number), 8_000)
    write_audio("no/0.wav", np.stack([word(3), word(4)], axis=1), 8_000)
    write_audio("no/1.wav", word(5))
    clips = read_speech_folder(tmp_path, notes := [])
    assert sorted(notes) == ["2 channels averaged: 1 file", "resampled from 8,000 to 16,000 Hz: 4 files"]
    assert [len(waveform) for waveform in clips.waveforms] == [3200, 1600, 3200, 3200, 3200]


def test_audio_beside_the_folders_is_passed_over_with_a_note(tmp_path, write_audio, word):
    write_audio("yes/0.wav", word(0))
    write_audio("stray.wav", word(1))
    assert read_speech_folder(tmp_path, notes := []).labels == ("yes",)
    assert notes == ["left out: 1 audio file beside the folders of labels"]


def test_all_files_that_cannot_be_used_are_counted(tmp_path, write_audio, word):
    write_audio("yes/0.wav", word(0))
    write_audio("yes/long.wav", np.zeros(161_600, np.int16))
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "text.wav").write_text("no audio at all")
    (tmp_path / "no" / "empty.wav").write_bytes(b"")
    message = refusal(tmp_path)
    assert message.startswith("3 of 4 audio files cannot be used; the first: FOLDER/no/empty.wav is empty (0 bytes)")


def test_long_clips_are_recordings(tmp_path, write_audio):
    write_audio("yes/0.wav", np.zeros(160_000, np.int16))
    write_audio("_background_noise_/0.wav", np.zeros(161_600, np.int16))
    assert [len(waveform) for waveform in read_speech_folder(tmp_path, []).waveforms] == [161_600, 160_000]
    write_audio("yes/0.wav", np.zeros(161_600, np.int16))
    message = refusal(tmp_path)
    assert "FOLDER/yes/0.wav is 10.1 s long; expected one word or phrase of at most 10 s" in message
    assert "_background_noise_" in message


def test_folders_that_hold_no_commands(tmp_path, write_audio, word):
    assert "No such file or directory" in refusal(tmp_path / "missing")
    assert "FOLDER holds no audio files of commands" in refusal(tmp_path)
    write_audio("_unknown_/0.wav", word(0))
    assert "FOLDER holds no audio files of commands" in refusal(tmp_path)
    write_audio("yes_theo_0.wav", word(0))
    write_audio("yes.wav", word(0))
    assert refusal(tmp_path).startswith("FOLDER/yes.wav names no label; expected label/*.wav or {label}_{speaker}")


def test_folders_within_folders_of_labels(tmp_path, write_audio, word):
    write_audio("train/yes/0.wav", word(0))
    assert refusal(tmp_path).startswith("FOLDER/train/yes/0.wav stands two folders deep")
