import dataclasses
from typing import Any

import numpy as np
import pytest

from runnel.apps.speech_commands.config import Advanced
from runnel.apps.speech_commands.losses import ANY_CLASS, NO_COMMAND
from runnel.apps.speech_commands.training_audio import TrainingAudio
from runnel.datasets.audio.speech_corpus import Clips
from runnel.shared.errors import InputError

HOP, RATE = 320, 16_000
LABELS = ("high", "low", "_unknown_", "_silence_")
ADVANCED = Advanced(
    batch_size=4,
    slots=2,
    slot_seconds=1.0,
    speed_spread=0.0,
    known_after=0.5,
    hold_seconds=0.2,
    babble_share=0.0,
    jit_compile=False,  # compiling takes longer than all that is mixed here
)


def tone(hertz: float, seconds: float = 0.4) -> np.ndarray:
    """A tone with a quarter of a second of silence on both sides, int16."""
    time = np.arange(int(seconds * RATE)) / RATE
    return np.pad(8000 * np.sin(2 * np.pi * hertz * time), 4000).astype(np.int16)


def audio(noise: float = 0.0, clips: int = 10, others: bool = False, **options: Any) -> TrainingAudio:
    """Tones of 2,000 Hz are `high`, of 500 Hz `low`, of 1,000 Hz no command."""
    labels = [LABELS[index % (3 if others else 2)] for index in range(clips)]
    waveforms = tuple(tone({"high": 2000, "low": 500, "_unknown_": 1000}[label]) for label in labels)
    hiss = (noise * 32768 * np.random.default_rng(0).normal(size=3 * RATE)).clip(-32768, 32767).astype(np.int16)
    return TrainingAudio(
        Clips(waveforms, tuple(labels), ("",) * clips), [hiss], LABELS, dataclasses.replace(ADVANCED, **options), HOP
    )


def windows(source: TrainingAudio, epoch: int = 0) -> dict[str, np.ndarray]:
    """All windows of an epoch: samples [K, N], targets and segments [K, M], words [K, S]."""
    batches = list(source.batches(epoch))
    return {
        name: np.concatenate([batch[name].numpy() for batch in batches])
        for name in ("waveform", "targets", "words", "segment")
    }


def loudness(samples: np.ndarray) -> np.ndarray:
    """Root mean square of each frame."""
    return np.sqrt(np.mean(samples.reshape(-1, HOP) ** 2, axis=1))


def pitch(samples: np.ndarray) -> float:
    return np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples)


def test_xla_mixes_the_same_samples() -> None:
    plain, compiled = (
        windows(audio(0.01, others=True, speed_spread=0.1, babble_share=0.5, jit_compile=choice))
        for choice in (False, True)
    )
    np.testing.assert_allclose(compiled.pop("waveform"), plain.pop("waveform"), rtol=0, atol=1e-5)
    for name, values in plain.items():
        np.testing.assert_array_equal(compiled[name], values, err_msg=name)


def test_the_same_epoch_gives_the_same_windows_and_another_epoch_others() -> None:
    for one, two in zip(audio(0.01).batches(3), audio(0.01).batches(3), strict=True):
        for name, value in one.items():
            np.testing.assert_array_equal(value, two[name], err_msg=name)
    first, second, other = (windows(audio(seed=seed), epoch)["waveform"] for seed, epoch in ((0, 0), (0, 1), (1, 0)))
    assert np.abs(first - second).max() > 0.01
    assert np.abs(first - other).max() > 0.01


def test_an_epoch_has_every_clip_once_and_some_silence() -> None:
    source = audio(clips=31, slots=1, batch_size=19)
    found = windows(source)
    assert source.batches_an_epoch == 2
    words = found["words"].ravel().tolist()
    assert (words.count(0), words.count(1), words.count(-1)) == (16, 15, 7)  # one in five: 38 windows of 31 clips
    spoken = [set(row[(row >= 0) & (row < 3)].tolist()) for row in found["targets"]]
    assert spoken == [{word} - {-1} for word in words]


def test_targets_name_a_word_from_its_middle_until_shortly_after_its_end() -> None:
    found = windows(audio(clips=40, slots=1, slot_seconds=1.2))
    for samples, classes, word in zip(found["waveform"], found["targets"], found["words"].ravel(), strict=True):
        level = loudness(samples)
        if word < 0:
            assert not level.any()
            assert (classes == 3).all()
            continue
        loud = np.flatnonzero(level > 0.5 * level.max())
        first, last = loud[0], loud[-1]
        middle = (first + last + 1) // 2
        assert word == {2000: 0, 500: 1}[round(pitch(samples), -2)]
        assert (classes[middle + 3 : last + 8] == word).all()  # held for 0.2 s after the end, which is in the window
        assert (classes[first + 1 : middle - 2] == ANY_CLASS).all()  # too early to know
        assert (classes[last + 12 :] == 3).all()
        assert (classes[: max(first - 1, 0)] == 3).all()


def test_the_first_part_of_a_word_that_is_no_command_is_no_command() -> None:
    command, other = (
        TrainingAudio(
            Clips((tone(700),) * 20, (label,) * 20, ("",) * 20),
            [np.zeros(RATE, np.int16)],
            LABELS,
            dataclasses.replace(ADVANCED, slots=1),
            HOP,
        )
        for label in ("low", "_unknown_")
    )
    of_command, of_other = (windows(source)["targets"] for source in (command, other))
    assert set(of_command.ravel()) == {ANY_CLASS, 1, 3}
    assert set(of_other.ravel()) == {NO_COMMAND, 2, 3}
    np.testing.assert_array_equal(of_command == ANY_CLASS, of_other == NO_COMMAND)


@pytest.mark.parametrize("noise_share", [1.0, 0.0])
def test_between_words_babble_is_anything_but_a_command(noise_share: float) -> None:
    quiet, babbling = (
        TrainingAudio(
            Clips((tone(700), tone(3000)) * 20, ("low", "_unknown_") * 20, ("",) * 40),
            [np.zeros(RATE, np.int16)],
            LABELS,
            dataclasses.replace(ADVANCED, babble_share=share, noise_share=noise_share),
            HOP,
        )
        for share in (0.0, 0.5)
    )
    for plain, batch in zip(quiet.batches(0), babbling.batches(0), strict=True):
        silent, targets = plain["targets"].numpy(), batch["targets"].numpy()
        differs = np.any(targets != silent, axis=1)
        assert differs.sum() == (2 if noise_share else 0)
        expected = np.where((silent == 3) & differs[:, None], NO_COMMAND, silent)
        np.testing.assert_array_equal(targets, expected)
        added = np.abs(batch["waveform"].numpy() - plain["waveform"].numpy()).max(axis=1)
        np.testing.assert_array_equal(added > 0, differs)


def test_words_follow_each_other_when_they_need_no_longer_be_recognised() -> None:
    found = windows(audio(clips=60, slots=3))
    pauses = []
    for samples, classes, segment, words in zip(
        *(found[n] for n in ("waveform", "targets", "segment", "words")), strict=True
    ):
        loud = np.concatenate([[0], loudness(samples) > 0.002, [0]])
        begin, end = np.flatnonzero(np.diff(loud) == 1), np.flatnonzero(np.diff(loud) == -1)
        spoken = words[words >= 0].tolist()
        assert len(begin) == len(spoken)
        runs = [
            label for label, before in zip(classes, [3, *classes], strict=False) if label != before and 0 <= label < 3
        ]
        assert runs == spoken
        pauses += (begin[1:] - end[:-1]).tolist()
        for place, word in enumerate(words):
            assert set(classes[segment == place].tolist()) <= {
                ANY_CLASS,
                3,
                *words[max(place - 1, 0) : place + 1].tolist(),
                word,
            }
    assert min(pauses) >= 9  # 0.2 s
    assert max(pauses) > 30


def test_speed_changes_length_and_pitch() -> None:
    found = windows(audio(speed_spread=0.2, clips=60, slots=1))["waveform"]
    pitches = np.array([pitch(samples) for samples in found if np.abs(samples).max() > 0])
    high = pitches[pitches > 1200]
    assert 1590 < high.min() < 1750
    assert 2250 < high.max() < 2410


def test_words_of_a_window_are_about_equally_loud_and_windows_are_not() -> None:
    found = windows(audio(clips=200))
    halves = [
        [np.abs(samples[np.repeat(segment == place, HOP)]).max(initial=0) for place in (0, 1)]
        for samples, segment in zip(found["waveform"], found["segment"], strict=True)
    ]
    levels = 20 * np.log10([pair for pair in halves if min(pair) > 0])
    assert -42.5 < levels.min() < -38
    assert -8 < levels.max() < -3.5
    assert np.abs(np.diff(levels, axis=1)).max() <= 6.1


def test_noise_lies_at_a_distance_from_the_words() -> None:
    found = windows(audio(noise=0.1, clips=200, slots=1, noise_share=1.0, least_snr=10.0, most_snr=20.0))
    ratios = []
    for samples, word in zip(found["waveform"], found["words"].ravel(), strict=True):
        level = loudness(samples)
        assert level.min() > 0  # no digital silence is left
        if word >= 0:
            ratios.append(20 * np.log10(np.sqrt(level.max() ** 2 - np.median(level) ** 2) / np.median(level)))
    assert 9 < min(ratios) < 12
    assert 18 < max(ratios) < 21


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_so_many_streams_begin_anew(share: float) -> None:
    fresh = np.concatenate([batch["fresh"].numpy() for batch in audio(clips=400, fresh_share=share).batches(0)])
    assert abs(fresh.mean() - share) < 0.1


def test_a_clip_longer_than_a_window_keeps_its_beginning() -> None:
    long = Clips((tone(700, seconds=3.0),), ("low",), ("",))
    source = TrainingAudio(long, [np.ones(RATE, np.int16)], LABELS, dataclasses.replace(ADVANCED, slots=1), HOP)
    found = windows(source)
    sounding = found["waveform"][np.abs(found["waveform"]).max(axis=1) > 0.003]
    assert len(sounding)
    assert all(abs(pitch(samples) - 700) < 5 for samples in sounding)
    assert set(found["targets"].ravel()) <= {ANY_CLASS, 1, 3}


def test_clips_without_a_frame_are_refused() -> None:
    short = Clips((np.ones(HOP, np.int16),), ("low",), ("",))
    with pytest.raises(InputError, match="no clip longer than a frame of 320 samples"):
        TrainingAudio(short, [np.ones(RATE, np.int16)], LABELS, ADVANCED, HOP)


def test_a_speaker_talks_in_their_own_words_one_behind_the_other() -> None:
    """Told apart by pitch: the speaker by the hundreds of Hz, the word by what is left; the folder is read by word."""
    pairs = [(word, speaker) for word in range(6) for speaker in range(4)]
    waveforms = tuple(tone(500 + 100 * speaker + 10 * word) for word, speaker in pairs)
    labels, speakers = ("_unknown_",) * len(pairs), tuple(f"speaker {speaker}" for _, speaker in pairs)
    command = Clips((tone(2000), *waveforms), ("high", *labels), ("speaker 0", *speakers))
    talk = TrainingAudio(
        command, [np.ones(RATE, np.int16)], LABELS, dataclasses.replace(ADVANCED, babble_share=0.5), HOP
    )
    assert talk.background.talk is not None
    samples = talk.background.talk.samples.numpy()[-len(pairs) * len(waveforms[0]) :]
    heard = [round(pitch(clip)) for clip in samples.reshape(len(pairs), -1)]
    assert [hertz // 100 for hertz in heard] == sorted(hertz // 100 for hertz in heard)  # a speaker in one piece
    said = [[hertz % 100 for hertz in heard[at : at + 6]] for at in range(0, len(heard), 6)]
    assert all(sorted(words) == [0, 10, 20, 30, 40, 50] for words in said)
    assert len({tuple(words) for words in said}) > 1  # in an order of their own
