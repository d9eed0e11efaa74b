import dataclasses
import math

import numpy as np
import pytest
from streaming.tone_stream import CONFIG, HINT, HOP, RATE, ToneStream, tone_clip, tone_clips, tone_data

from runnel.apps.speech_commands.thresholds import fit_thresholds, shift_thresholds
from runnel.datasets.audio.speech_corpus import UNKNOWN

NEVER = [math.inf] * 4
COUNTS = {"high": 12, "low": 12, UNKNOWN: 15}


def log_odds(share):
    return math.log(share / (1 - share))


def share(log_odds):
    return 1 / (1 + math.exp(-log_odds))


def fitted(data, budget=0.5, **faults):
    return fit_thresholds(ToneStream(NEVER, **faults), data, dataclasses.replace(CONFIG, false_alarms_per_hour=budget))


def test_without_false_peaks_thresholds_are_those_of_half_a_peak():
    """In 0.05 hours each of two words may have 0.0125 false alarms: the fortieth part of half a peak at 0.1."""
    high, low, *others = fitted(tone_data())
    assert others == [math.inf, math.inf]
    assert high == low == pytest.approx(share(log_odds(0.1) + 10 * (40**0.1 - 1)))


def test_a_word_that_others_resemble_gets_a_higher_threshold():
    """Chosen on the validation split: the others hold no such word."""
    other = tone_clips({"high": 1, "low": 1})
    high, low, *_ = fitted(tone_data(train=other, test=other), unknown_as=0.6)
    assert low > max(high, 0.6)


def clip_with_a_hint(label, speaker):
    """Before the tone of "high", too soft to be audible, another one that resembles it."""
    clip = tone_clip(label, speaker=speaker)
    if label == "high":
        hint = 150 * np.sin(2 * np.pi * HINT * np.arange(13 * HOP) / RATE)
        clip = np.concatenate([hint.round().astype(np.int16), clip[5 * HOP :]])
    return clip


def test_thresholds_rise_until_the_detector_itself_keeps_to_the_budget():
    """The peak is that of the word, so it seems true, but the posterior crosses 0.788 before the word is audible.

    One alarm is allowed, and no false peak asks for more than the floor. Nine steps of a quarter in log-odds lead from
    there beyond 0.8, where the hint stays; eight do not.
    """
    data = tone_data(tone_clips(COUNTS, clip_with_a_hint), noise=np.zeros(RATE, np.int16))
    high, low, *_ = fitted(data, budget=20.0)
    assert share(log_odds(0.3) + 8 * 0.25) < 0.8 < share(log_odds(0.3) + 9 * 0.25)
    assert low == pytest.approx(0.3)
    assert high == pytest.approx(share(log_odds(0.3) + 9 * 0.25))


def test_a_large_budget_pays_for_the_early_events():
    data = tone_data(tone_clips(COUNTS, clip_with_a_hint), noise=np.zeros(RATE, np.int16))
    high, low, *_ = fitted(data, budget=1000.0)
    assert high == low == pytest.approx(0.3)


def test_no_word_is_switched_off():
    """Unknown words that cannot be told from "low" keep its threshold at the ceiling, within reach of a sure frame."""
    for budget in (0.5, 1e-9):
        low = fitted(tone_data(), budget, unknown_as=0.97)[1]
        assert 0.97 < low <= 0.999


def test_shifting_adds_log_odds_and_leaves_infinity():
    shifted = shift_thresholds([0.5, 0.9, math.inf], 1.0)
    assert shifted.tolist() == [pytest.approx(share(1.0)), pytest.approx(share(log_odds(0.9) + 1)), math.inf]
    assert shift_thresholds(shifted, -1.0).tolist() == [pytest.approx(0.5), pytest.approx(0.9), math.inf]
    assert np.all(shift_thresholds([0.0, 1.0], 8.0) < 1)
