import dataclasses

import numpy as np
import pytest
from streaming.tone_stream import ADVANCED, CONFIG, HOP, LABELS, ToneStream, tone_clip, tone_clips, tone_data

from runnel.apps.speech_commands.clip_accuracy import classify, mean_over_speakers, score_clips, score_trials
from runnel.apps.speech_commands.continuous_audio import make_sessions
from runnel.apps.speech_commands.continuous_scores import evaluation_sessions, score_continuous
from runnel.apps.speech_commands.evaluate import evaluate, verdicts
from runnel.apps.speech_commands.hear_sessions import DetectorReplay, hear_sessions
from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN

THRESHOLDS = (0.5, 0.5, np.inf, np.inf)
FRAME_MS = 20


def continuous(**faults):
    stream = ToneStream(THRESHOLDS, **faults)
    return score_continuous(stream, stream.detector, tone_data(), CONFIG)


def clips(data=None, baseline=None, **faults):
    return score_clips(ToneStream(THRESHOLDS, **faults), data or tone_data(), CONFIG, baseline)


def trials(data=None, **faults):
    return score_trials(ToneStream(THRESHOLDS, **faults), data or tone_data(), CONFIG)


@pytest.fixture(scope="module")
def perfect():
    stream = ToneStream(THRESHOLDS)
    return evaluate(stream, stream.detector, tone_data(), CONFIG)


@pytest.fixture(scope="module")
def words():
    """Those of the continuous audio, of all sessions."""
    data = tone_data()
    sessions = make_sessions(data.corpus.splits["test"], data.corpus.noises["test"], 0.1, ADVANCED.seed + 1)
    return [word for session in sessions for word in session.words]


# === Continuous audio ===


def test_all_tones_are_heard(perfect, words):
    scores = perfect.metrics["continuous"]
    commands = [word for word in words if word.label != UNKNOWN]
    assert len(commands) > 30
    assert scores["words"] == scores["hits"] == len(commands)
    assert scores["recall"]["estimate"] == 1
    assert scores["false_alarms"] == 0
    assert scores["recall_at"] == {"1": 1, "0.5": 1}
    assert scores["content"]["hours"] == scores["hours"] == pytest.approx(0.1)
    assert scores["content"]["unknown_per_hour"] == pytest.approx(10 * (len(words) - len(commands)))


def test_an_event_comes_when_six_of_ten_frames_are_the_word(perfect):
    """0.6 * 0.97 + 0.4 * 0.01 is above 0.5, five frames are not; the tone has 20, and may begin within a frame."""
    delay = perfect.metrics["continuous"]["delay_ms"]
    assert (6 - 20) * FRAME_MS <= delay["median"] <= delay["p95"] <= (7.5 - 20) * FRAME_MS


def test_a_word_that_is_never_heard_lowers_recall(words):
    scores, _ = continuous(deaf_to=("high",))
    labels = [word.label for word in words]
    recall = labels.count("low") / (labels.count("low") + labels.count("high"))
    assert scores["recall"]["estimate"] == pytest.approx(recall)
    assert scores["labels"]["high"]["recall"] == 0
    assert scores["labels"]["low"]["recall"] == 1
    assert scores["recall_at"]["1"] == pytest.approx(recall)


def test_unknown_words_taken_for_a_command_are_false_alarms_that_higher_thresholds_spare(words):
    scores, det = continuous(unknown_as=0.6)
    unknown = sum(word.label == UNKNOWN for word in words)
    assert scores["false_alarms"] == scores["labels"]["low"]["false_alarms"] == unknown
    at_once = np.flatnonzero(det.offsets == 0)[0]
    assert det.false_alarms_per_hour[at_once] == pytest.approx(10 * unknown)
    assert det.miss_rate[at_once] == 0
    # 0.5 in log-odds lifts 0.5 to 0.62, beyond 0.6 and within 0.97; 8 lifts it to 0.9997.
    offset = dict(zip(det.offsets.tolist(), zip(det.false_alarms_per_hour, det.miss_rate, strict=True), strict=True))
    assert offset[0.5] == (0, 0)
    assert offset[-0.5] == (pytest.approx(10 * unknown), 0)
    assert offset[8.0] == (0, 1)
    assert scores["recall_at"] == {"1": 1, "0.5": 1}


def test_kept_posteriors_give_the_events_that_the_stream_gave():
    data = tone_data()
    sessions = list(make_sessions(data.corpus.splits["test"], data.corpus.noises["test"], 0.05, 3, session_seconds=61))
    assert len({len(session.waveform) for session in sessions}) == 2
    stream = ToneStream(THRESHOLDS)
    heard = list(hear_sessions(stream, sessions))
    kept = DetectorReplay(stream.detector, [one.probabilities for one in heard], LABELS)
    never, found, *_ = kept.events([np.full(4, np.inf), THRESHOLDS, *[THRESHOLDS] * 200])
    assert found == [list(one.events) for one in heard]
    assert not any(never)
    assert [len(one.probabilities) for one in heard] == [len(session.waveform) // HOP for session in sessions]
    assert sum(len(one.events) for one in heard) > 10


def test_more_sessions_than_are_heard_side_by_side_keep_their_order():
    data = tone_data()
    clips, noises = data.corpus.splits["test"], data.corpus.noises["test"]
    sessions = list(make_sessions(clips, noises, 14 * 20 / 3600, 1, session_seconds=20))
    stream = ToneStream(THRESHOLDS)
    together, alone = (
        list(hear_sessions(stream, sessions)),
        [next(hear_sessions(stream, [session])) for session in sessions],
    )
    assert len(together) == 14
    for one, other in zip(together, alone, strict=True):
        assert one.events == other.events
        assert one.words == other.words
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


# === Clips ===


def test_clips_are_counted_by_what_was_said_and_what_was_answered(perfect):
    scores = perfect.metrics["clips"]
    assert scores["accuracy"] == {"estimate": 1, "lower": 1, "upper": 1}
    assert scores["confusion"] == np.diag([12, 12, 15, 12]).tolist()
    assert scores["speakers"] == 15
    assert "excerpts" in scores["silence"]
    assert "12" in scores["silence"]


def test_a_deaf_spot_shows_in_the_confusion_matrix():
    scores = clips(deaf_to=("high",))
    assert scores["confusion"][0] == [0, 0, 0, 12]
    assert scores["accuracy"]["estimate"] == pytest.approx(39 / 51)
    assert scores["accuracy"]["lower"] < 39 / 51 < scores["accuracy"]["upper"]


def test_clips_of_silence_that_the_corpus_has_are_used():
    own = tone_clips({"high": 3, "low": 3, UNKNOWN: 3, SILENCE: 2}, make=tone_or_nothing)
    scores = clips(tone_data(own))
    assert scores["confusion"] == np.diag([3, 3, 3, 2]).tolist()
    assert scores["silence"] == "2 clips of _silence_ are the corpus's own."


def tone_or_nothing(label, speaker):
    return np.zeros(8000, np.int16) if label == SILENCE else tone_clip(label, speaker=speaker)


def test_baselines_stand_beside_the_model():
    """A baseline that gets the same clips and finds all but the low ones; the model is deaf to the high ones."""
    seen = []

    def without_low(waveforms):
        seen.extend(waveforms)
        found = classify(ToneStream(THRESHOLDS), waveforms, LABELS)
        return np.where(found == 1, 0, found)

    scores = clips(baseline=without_low, deaf_to=("high",))
    assert {waveform.dtype for waveform in seen} == {np.dtype(np.int16)}
    assert scores["baselines"].keys() == scores["lead"].keys() == {"always _unknown_", "convolutional network"}
    assert scores["baselines"]["always _unknown_"]["estimate"] == pytest.approx(15 / 51)
    assert scores["lead"]["always _unknown_"]["estimate"] == pytest.approx((39 - 15) / 51)
    assert scores["lead"]["always _unknown_"]["lower"] > 0
    tie = scores["lead"]["convolutional network"]
    assert tie["estimate"] == pytest.approx(0, abs=1e-12)
    assert tie["lower"] <= 0 <= tie["upper"]


def test_the_middle_of_a_stream_is_compared_with_a_fresh_state(perfect):
    assert perfect.metrics["clips"]["mid_stream"]["difference"] == {"estimate": 0, "lower": 0, "upper": 0}
    tired = clips(deaf_after=20 * 50)  # 20 s; the audio before the clips has 30
    assert tired["accuracy"]["estimate"] == 1
    assert tired["mid_stream"]["accuracy"]["estimate"] == pytest.approx(12 / 51)  # silence alone is right
    assert tired["mid_stream"]["difference"]["estimate"] == pytest.approx(-39 / 51)
    assert tired["mid_stream"]["difference"]["upper"] < 0


# === Noise and level ===


def test_noise_and_level_decide_what_is_heard():
    """A frame needs 65 % of its power in a tone: it has 76 % at 5 dB, 50 % at 0. A tone at a dB has the power a - 3."""
    scores = trials(quietest=10**-4.8)
    assert scores["clips"] == 39
    assert scores["as_recorded"]["estimate"] == 1
    by_snr = dict(zip(scores["snr"]["db"], (one["estimate"] for one in scores["snr"]["accuracy"]), strict=True))
    by_level = dict(zip(scores["level"]["db"], (one["estimate"] for one in scores["level"]["accuracy"]), strict=True))
    assert by_snr == {20: 1, 10: 1, 5: 1, 0: 0}
    assert by_level == {-10: 1, -20: 1, -30: 1, -40: 1, -50: 0}


def test_silence_is_no_trial():
    own = tone_clips({"high": 3, "low": 3, UNKNOWN: 3, SILENCE: 2}, make=tone_or_nothing)
    assert trials(tone_data(own))["clips"] == 9


# === Intervals ===


def test_a_bootstrap_over_speakers_does_not_count_like_clips_twice():
    values = np.array([1, 1, 1, 1, 1, 1, 0, 1, 0, 1])
    names = [f"speaker {number}" for number in range(10)]
    each = mean_over_speakers(values, names)
    assert each["estimate"] == 0.8
    assert each["lower"] < 0.8 < each["upper"]
    assert mean_over_speakers(np.repeat(values, 7), np.repeat(names, 7).tolist()) == pytest.approx(each)
    order = np.random.default_rng(0).permutation(70)
    shuffled = mean_over_speakers(np.repeat(values, 7)[order], np.repeat(names, 7)[order].tolist())
    assert shuffled == pytest.approx(each)


def test_with_few_speakers_the_bootstrap_draws_clips():
    values = np.tile([1, 1, 0, 1], 50)
    few, none = mean_over_speakers(values, ["a", "b"] * 100), mean_over_speakers(values, [""] * 200)
    assert few == none
    # The normal approximation: 0.75 +- 1.96 * sqrt(0.75 * 0.25 / 200).
    assert (few["lower"], few["upper"]) == (pytest.approx(0.69, abs=0.01), pytest.approx(0.81, abs=0.01))


def test_differences_may_be_negative():
    lead = mean_over_speakers([-1, -1, 0, -1, 1] * 20, [""] * 100)
    assert lead["estimate"] == pytest.approx(-0.4)
    assert -0.6 < lead["lower"] < -0.4 < lead["upper"] < -0.2


# === What is said ===


def test_verdicts_of_a_perfect_model(perfect):
    lines = verdicts(perfect.metrics)
    assert 5 <= len(lines) <= 8
    assert lines[0].startswith("In 0.1 hours of continuous audio 100.0% (")
    assert "before the end of the word" in lines[1]
    assert any("gets 70.6% more of them right than «always _unknown_»" in line for line in lines)
    assert any("cannot be told apart from itself from a fresh state" in line for line in lines)


def test_verdicts_say_when_a_baseline_wins_and_when_the_stream_tires(perfect):
    def better(waveforms):
        return classify(ToneStream(THRESHOLDS), waveforms, LABELS)

    scores = clips(baseline=better, deaf_to=("high",), deaf_after=1000)
    lines = verdicts(perfect.metrics | {"clips": scores})
    (beaten,) = (line for line in lines if "convolutional network" in line)
    (tired,) = (line for line in lines if "without a reset" in line)
    assert "gets 23.5% fewer of them right than «convolutional network», which is right for 100.0%" in beaten
    assert "gets 52.9% fewer of them right than itself from a fresh state" in tired


def test_verdicts_of_a_model_that_hears_nothing(perfect):
    scores, _ = continuous(deaf_after=0)
    assert np.isnan(scores["delay_ms"]["median"])
    lines = verdicts(perfect.metrics | {"continuous": scores})
    assert " 0.0% (" in lines[0]
    assert not any("nan" in line for line in lines)


def test_verdicts_of_a_single_clip_promise_nothing(perfect):
    scores = clips(tone_data(test=tone_clips({"high": 1})))
    assert scores["clips"] == 2  # and one of silence
    alone = dict(
        perfect.metrics["clips"], lead={"rival": mean_over_speakers([1], [""])}, baselines={"rival": scores["accuracy"]}
    )
    assert any("there are too few clips" in line for line in verdicts(perfect.metrics | {"clips": alone}))


def test_examples_show_what_was_heard(perfect):
    stream, *clips = perfect.examples
    assert len(stream.waveform) == 20 * 16_000
    assert {event.label for event in stream.events} <= {"high", "low"}
    assert stream.words
    assert [(example.title, [event.label for event in example.events]) for example in clips] == [
        ("a clip of «high»", ["high"]),
        ("a clip of «low»", ["low"]),
    ]
    for example in perfect.examples:
        assert example.probabilities.shape == (len(example.waveform) // HOP, len(LABELS))


def test_the_same_twice_is_the_same(perfect):
    assert trials() == perfect.metrics["trials"]
    other = dataclasses.replace(CONFIG, advanced=dataclasses.replace(ADVANCED, seed=1))
    audio = [next(evaluation_sessions(tone_data(), config)).waveform for config in (CONFIG, CONFIG, other)]
    np.testing.assert_array_equal(audio[0], audio[1])
    assert np.any(audio[0] != audio[2])
