import math

import numpy as np
import pytest

from runnel.apps.speech_commands.continuous_audio import (
    SpokenWord,
    audio_content,
    make_sessions,
    make_trials,
)
from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN, Clips
from runnel.shared.evaluation.detection_scores import Word
from runnel.shared.preprocessing.speech_bounds import speech_bounds

RATE = 16_000
QUIET = [np.zeros(RATE, np.int16)]


def tone(hertz: float, amplitude: float = 8000.0) -> np.ndarray:
    """A quarter of a second of quiet, four frames of 20 ms times five of a tone, a quarter of a second of quiet."""
    sound = amplitude * np.sin(2 * np.pi * hertz * np.arange(6400) / RATE)
    return np.concatenate([np.zeros(4000 - 4000 % 320), sound, np.zeros(4000)]).astype(np.int16)


def clips_of(*labels: str) -> Clips:
    waveforms = tuple(tone(300.0 + 100 * number) for number in range(len(labels)))
    return Clips(waveforms, labels, tuple(f"speaker {number}" for number in range(len(labels))))


def white_noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1000, round(seconds * RATE)).astype(np.int16)


def power(waveform: np.ndarray) -> float:
    return float(np.mean(np.square(waveform, dtype=np.float64)))


CLIPS = clips_of("go", "stop", "yes", UNKNOWN, UNKNOWN, UNKNOWN)


def test_words_stand_where_they_are_said_to_stand_and_nothing_else_sounds() -> None:
    (session,) = make_sessions(CLIPS, QUIET, 60 / 3600, seed=3, session_seconds=60)
    assert session.waveform.dtype == np.float32
    assert session.waveform.shape == (60 * RATE,)
    assert len(session.words) >= 8
    audible = np.zeros(len(session.waveform), bool)
    for word in session.words:
        assert word.end - word.begin == 6400
        audible[word.begin : word.end] = True
        heard = session.waveform[word.begin : word.end]
        assert 20 * math.log10(np.abs(heard).max()) == pytest.approx(word.level_db, abs=0.01)
        assert word.snr_db == math.inf
        cycles = np.argmax(np.abs(np.fft.rfft(heard))) * RATE / 6400
        assert CLIPS.labels[round((cycles - 300) / 100)] == word.label
    assert not session.waveform[~audible].any()


def test_levels_ratios_and_gaps_are_as_promised() -> None:
    noises = [white_noise(5), white_noise(0.7, seed=1)]
    sessions = list(make_sessions(clips_of(*["go", UNKNOWN] * 100), noises, 0.25, seed=0))
    levels = np.array([word.level_db for session in sessions for word in session.words])
    ratios = np.array([word.snr_db for session in sessions for word in session.words])
    gaps = [b.begin - a.end for session in sessions for a, b in zip(session.words, session.words[1:], strict=False)]
    assert levels.min() >= -35
    assert levels.max() <= -6
    assert np.ptp(levels) > 15
    assert ratios.min() >= 4.99
    assert np.mean(ratios < 35) > 0.5
    assert np.mean(ratios > 35) > 0.02
    assert min(gaps) >= round(0.3 * RATE)
    assert np.mean(np.array(gaps) > 6 * RATE) > 0.005
    assert all(np.abs(session.waveform).max() <= 1 for session in sessions)
    assert all(session.words[-1].end + RATE <= len(session.waveform) for session in sessions)


def test_ratios_are_those_in_the_audio_and_words_in_loud_moments_are_raised() -> None:
    """With every clip upside down, half the sum of both is the background and half the difference the words."""
    bursts = white_noise(20) * np.repeat([0.02, 1.0, 0.02, 0.02], 8000)[np.arange(20 * RATE) % 32_000]
    sound = tone(400, 800)
    sound[8000] = 8000  # a peak far above the mean: at the level of its situation the word is faint
    labels = ("go", UNKNOWN) * 100
    clips, turned = (Clips((waveform,) * 200, labels, ("",) * 200) for waveform in (sound, -sound))
    pairs = zip(*(make_sessions(one, [bursts.astype(np.int16)], 0.25, seed=2) for one in (clips, turned)), strict=True)
    raised = 0
    for one, other in pairs:
        background, speech = (one.waveform + other.waveform) / 2, (one.waveform - other.waveform) / 2
        assert one.words == other.words
        for word in one.words:
            here = slice(word.begin, word.end)
            assert 10 * math.log10(power(speech[here]) / power(background[here])) == pytest.approx(word.snr_db, abs=0.1)
            assert word.snr_db > 4.99 or word.level_db == -6
            raised += abs(word.snr_db - 5) < 0.01
    assert raised > 3


def test_the_background_goes_on_at_every_moment_and_without_a_step() -> None:
    smooth = (3000 * np.sin(2 * np.pi * 50 * np.arange(4 * RATE) / RATE)).astype(
        np.int16
    )  # 4 s, played again and again
    (session,) = make_sessions(CLIPS, [smooth], 120 / 3600, seed=1, session_seconds=120)
    waveform = session.waveform.copy()
    blocks = np.abs(waveform).reshape(-1, 480).max(axis=1)
    assert blocks.min() > 0
    for word in session.words:
        waveform[word.begin - 4000 : word.end + 4000] = 0
    calm = np.abs(np.diff(waveform[:-1])) <= 2 * np.pi * 60 / RATE * np.abs(waveform).max()
    edges = {word.begin - 4001 for word in session.words} | {word.end + 3999 for word in session.words}
    assert set(np.flatnonzero(~calm)) <= edges


def test_pasted_clips_begin_and_end_without_a_click() -> None:
    step = np.full(8000, 9000, np.int16)  # sounds from the first sample to the last
    (session,) = make_sessions(Clips((step,), ("go",), ("",)), QUIET, 30 / 3600, seed=0, session_seconds=30)
    peak = np.abs(session.waveform).max()
    assert peak > 0
    assert np.abs(np.diff(session.waveform)).max() < 0.01 * peak  # at most pi / 2 of the mean slope, 1 / 320


def test_commands_and_unknown_words_are_equally_many_and_no_clip_is_heard_too_often() -> None:
    sessions = list(make_sessions(CLIPS, QUIET, 0.1, seed=0, session_seconds=120, most_uses=2))
    assert [len(session.waveform) for session in sessions] == [120 * RATE] * 3
    labels = [word.label for session in sessions for word in session.words]
    counts = {label: labels.count(label) for label in set(labels)}
    assert sum(counts.values()) >= 10  # six clips twice, spread over six minutes
    assert counts[UNKNOWN] <= 6
    assert max(counts[label] for label in ("go", "stop", "yes")) <= 2
    assert all(session.words for session in sessions)


def test_the_same_arguments_give_the_same_audio_and_another_seed_gives_other_audio() -> None:
    def made(seed: int) -> list[np.ndarray]:
        sessions = make_sessions(CLIPS, [white_noise(3)], 0.02, seed=seed, session_seconds=50)
        return [session.waveform for session in sessions]

    first, again, other = made(5), made(5), made(6)
    assert [len(waveform) for waveform in first] == [50 * RATE, 22 * RATE]
    for one, two, three in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, three)


def test_silence_clips_and_soundless_clips_are_never_spoken() -> None:
    waveforms = (tone(400), tone(500), np.zeros(8000, np.int16), np.zeros(0, np.int16))
    clips = Clips(waveforms, ("go", SILENCE, "stop", "stop"), ("",) * 4)
    (session,) = make_sessions(clips, QUIET, 30 / 3600, seed=0, session_seconds=30)
    assert {word.label for word in session.words} == {"go"}
    assert make_trials(clips, seed=0).labels == ("go",)


def test_commands_of_a_session_leave_unknown_words_out() -> None:
    (session,) = make_sessions(CLIPS, QUIET, 60 / 3600, seed=3, session_seconds=60)
    expected = [Word(word.label, word.begin, word.end) for word in session.words if word.label != UNKNOWN]
    assert list(session.commands) == expected
    assert 0 < len(expected) < len(session.words)


def test_content_by_hand() -> None:
    words = [
        [SpokenWord("go", 0, 16_000, 10.0, -6.0), SpokenWord(UNKNOWN, 32_000, 40_000, 10.0, -6.0)],
        [SpokenWord("stop", 0, 8_000, 10.0, -6.0)],
    ]
    content = audio_content(words, 1800 * RATE)
    assert content.hours == 0.5
    assert content.speech_share == pytest.approx(2 / 1800)
    assert (content.commands_per_hour, content.unknown_per_hour) == (4.0, 2.0)


def test_trials_have_the_ratio_that_was_asked_for() -> None:
    trials = make_trials(CLIPS, [white_noise(0.3), white_noise(20, seed=2)], snr_db=6.0, seed=1)
    assert (trials.labels, trials.speakers) == (CLIPS.labels, CLIPS.speakers)
    for clip, trial in zip(CLIPS.waveforms, trials.waveforms, strict=True):
        assert trial.dtype == np.int16
        assert trial.shape == clip.shape
        begin, end = speech_bounds(clip.astype(np.float32) / 32768)
        noise = trial.astype(np.float64) - clip
        assert 10 * math.log10(power(clip[begin:end]) / power(noise)) == pytest.approx(6.0, abs=0.05)


def test_trials_have_the_level_that_was_asked_for() -> None:
    trials = make_trials(CLIPS, level_db=-20.0, seed=0)
    for trial in trials.waveforms:
        assert np.abs(trial).max() == pytest.approx(3276.8, abs=1)
    both = make_trials(CLIPS, [white_noise(20)], snr_db=40.0, level_db=-20.0, seed=0)
    for trial in both.waveforms:
        assert np.abs(trial).max() == pytest.approx(3276.8, rel=0.05)


def test_trials_that_would_clip_are_softer_as_a_whole() -> None:
    loud = Clips((tone(300, 30_000),), ("go",), ("",))
    (trial,) = make_trials(loud, [white_noise(20)], snr_db=0.0, seed=0).waveforms
    assert np.abs(trial.astype(int)).max() in {32767, 32768}
    assert np.count_nonzero(np.abs(trial.astype(int)) >= 32767) == 1


def test_trials_without_a_request_are_the_clips_and_each_clip_has_its_own_noise() -> None:
    for clip, trial in zip(CLIPS.waveforms, make_trials(CLIPS, seed=0).waveforms, strict=True):
        np.testing.assert_array_equal(clip, trial)
    twice = Clips((tone(300), tone(300)), ("go", "go"), ("", ""))
    first, second = make_trials(twice, [white_noise(20)], snr_db=0.0, seed=0).waveforms
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("length", [1, 2, 319, 5000])
def test_any_length_of_clip_and_recording_is_legal(length: int) -> None:
    clips = Clips((np.full(length, 500, np.int16),), ("go",), ("",))
    (session,) = make_sessions(clips, [white_noise(0.05)], 20 / 3600, seed=0, session_seconds=20)
    assert session.words
    assert np.isfinite(session.waveform).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_sessions(CLIPS, QUIET, 0.0, seed=0),
        lambda: make_sessions(CLIPS, QUIET, 0.1, seed=0, session_seconds=1.5),
        lambda: make_sessions(CLIPS, QUIET, 0.1, seed=0, most_uses=0),
        lambda: make_sessions(CLIPS, [], 0.1, seed=0),
        lambda: make_sessions(Clips((tone(300),), (SILENCE,), ("",)), QUIET, 0.1, seed=0),
        lambda: make_trials(CLIPS, snr_db=3.0, seed=0),
        lambda: make_trials(Clips((), (), ()), seed=0),
    ],
)
def test_what_cannot_be_made_is_refused_at_once(make: object) -> None:
    with pytest.raises(ValueError, match="give"):
        make()  # type: ignore[operator]
