import dataclasses
from typing import Any

import numpy as np
import pytest

from runnel.apps.speech_commands.config import Advanced
from runnel.apps.speech_commands.training_audio import TrainingAudio
from runnel.datasets.audio.speech_corpus import Clips
from runnel.shared.errors import InputError

HOP, RATE = 320, 16_000
LABELS = ("high", "low", "_unknown_", "_silence_")
ADVANCED = Advanced(batch_size=4, slots=2, slot_seconds=1.0, speed_spread=0.0, known_after=0.5, hold_seconds=0.2)


def tone(hertz: float, seconds: float = 0.4) -> np.ndarray:
    """A tone with a quarter of a second of silence on both sides, int16."""
    time = np.arange(int(seconds * RATE)) / RATE
    return np.pad(8000 * np.sin(2 * np.pi * hertz * time), 4000).astype(np.int16)


def audio(noise: float = 0.0, clips: int = 10, **options: Any) -> TrainingAudio:
    """Tones of 2,000 Hz are `high`, of 500 Hz `low`."""
    labels = [LABELS[index % 2] for index in range(clips)]
    waveforms = tuple(tone({"high": 2000, "low": 500}[label]) for label in labels)
    hiss = (noise * 32768 * np.random.default_rng(0).normal(size=3 * RATE)).clip(-32768, 32767).astype(np.int16)
    return TrainingAudio(
        Clips(waveforms, tuple(labels), ("",) * clips), [hiss], LABELS, dataclasses.replace(ADVANCED, **options), HOP
    )


def slots(source: TrainingAudio, epoch: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """All slots of an epoch: samples [K, S] and targets [K, S / hop]."""
    batches = list(source.batches(epoch))
    waveform = np.concatenate([batch["waveform"].numpy().reshape(-1, source.slot) for batch in batches])
    targets = np.concatenate([batch["targets"].numpy().reshape(-1, source.slot // HOP) for batch in batches])
    return waveform, targets


def pitch(samples: np.ndarray) -> float:
    return np.abs(np.fft.rfft(samples)).argmax() * RATE / len(samples)


def test_the_same_epoch_gives_the_same_windows_and_another_epoch_others() -> None:
    for one, two in zip(audio(0.01).batches(3), audio(0.01).batches(3), strict=True):
        for name, value in one.items():
            np.testing.assert_array_equal(value, two[name], err_msg=name)
    assert np.abs(slots(audio(), 0)[0] - slots(audio(), 1)[0]).max() > 0.01
    assert np.abs(slots(audio(), 0)[0] - slots(audio(seed=1), 0)[0]).max() > 0.01


def test_an_epoch_has_every_clip_once_and_some_silence() -> None:
    source = audio(clips=31, slots=1, batch_size=17)
    _, targets = slots(source)
    assert source.batches_an_epoch == 2
    spoken = [set(row[(row >= 0) & (row < 3)]) for row in targets]
    assert all(len(words) <= 1 for words in spoken)
    assert sum(words == {0} for words in spoken) == 16
    assert sum(words == {1} for words in spoken) == 15
    assert sum(not words for words in spoken) == 3  # one in ten: 34 slots of 31 clips


def test_targets_name_the_word_from_its_middle_until_shortly_after_its_end() -> None:
    waveform, targets = slots(audio(clips=40))
    found = 0
    for samples, classes in zip(waveform, targets, strict=True):
        level = np.sqrt(np.mean(samples.reshape(-1, HOP) ** 2, axis=1))
        loud = np.flatnonzero(level > 0.5 * level.max())
        if not level.max():
            assert (classes == 3).all()
            continue
        first, last = loud[0], loud[-1]
        if last + 12 >= len(classes) or first < 2:
            continue
        found += 1
        middle = (first + last + 1) // 2
        assert classes[middle + 3] == classes[last] == {2000: 0, 500: 1}[round(pitch(samples), -2)]
        assert (classes[first + 1 : middle - 2] == -1).all()  # too early to know
        assert classes[last + 8] == classes[last]  # held for 0.2 s
        assert (classes[last + 12 :] == 3).all()
        assert (classes[: first - 1] == 3).all()
    assert found > 10


def test_speed_changes_length_and_pitch() -> None:
    waveform, _ = slots(audio(speed_spread=0.2, clips=60))
    pitches = np.array([pitch(samples) for samples in waveform if np.abs(samples).max() > 0])
    high = pitches[pitches > 1200]
    assert 1590 < high.min() < 1750
    assert 2250 < high.max() < 2410


def test_levels_are_drawn_and_noise_lies_at_a_distance_from_the_words() -> None:
    waveform, _ = slots(audio(clips=60))
    peaks = 20 * np.log10([np.abs(samples).max() for samples in waveform if np.abs(samples).max() > 0])
    assert peaks.min() < -30
    assert peaks.max() > -14
    assert np.abs(slots(audio(noise=0.1))[0]).min(axis=1).max() > 0  # no digital silence left where there is noise


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_so_many_streams_begin_anew(share: float) -> None:
    fresh = np.concatenate([batch["fresh"].numpy() for batch in audio(clips=400, fresh_share=share).batches(0)])
    assert abs(fresh.mean() - share) < 0.1


def test_a_clip_longer_than_a_slot_keeps_its_beginning() -> None:
    long = Clips((tone(700, seconds=3.0),), ("low",), ("",))
    source = TrainingAudio(long, [np.ones(RATE, np.int16)], LABELS, dataclasses.replace(ADVANCED, slots=1), HOP)
    waveform, targets = slots(source)
    sounding = waveform[np.abs(waveform).max(axis=1) > 0.003]
    assert len(sounding)
    assert all(abs(pitch(samples) - 700) < 5 for samples in sounding)
    assert set(targets.ravel()) <= {-1, 1, 3}


def test_clips_without_a_frame_are_refused() -> None:
    short = Clips((np.ones(HOP, np.int16),), ("low",), ("",))
    with pytest.raises(InputError, match="no clip longer than a frame of 320 samples"):
        TrainingAudio(short, [np.ones(RATE, np.int16)], LABELS, ADVANCED, HOP)
