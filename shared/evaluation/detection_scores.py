"""How well words are detected in continuous audio: recall, false alarms an hour, and the delay of the events.

An event is right if it comes while its word is spoken or shortly after. One that comes then with another label, for a
word that no event hits, takes one word for another. All others are false alarms. Shares are over words, false alarms
over time: between words there is nothing that could be counted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runnel.shared.evaluation.bootstrap import ConfidenceInterval, paired_skill

__all__ = [
    "TOLERANCE",
    "DetCurve",
    "Event",
    "Matched",
    "Word",
    "det_curve",
    "detection_scores",
    "match_events",
    "poisson_rate",
    "recall_at",
]

TOLERANCE = 12_000
"""Samples after the end of a word in which its event may still come: 0.75 s at 16 kHz."""


class Event(NamedTuple):
    """What a detector gave: a label, the sample since the beginning of the audio at which it fired, a confidence."""

    label: str
    sample: int
    confidence: float = 1.0


class Word(NamedTuple):
    """A word that is to be detected, from its first sample to one past its last."""

    label: str
    begin: int
    end: int


@dataclass(frozen=True)
class Matched:
    """The events of one recording and its words.

    Attributes:
        events: all of them, as they were given.
        words: all of them, as they were given.
        hits: (word index, event index), by event.
        mistaken: (word index, event index) of words for each of which one event of another label came, by event.
        false_alarms: indices of all other events.
        missed: indices of the words that no event hit, the mistaken ones too.
    """

    events: tuple[Event, ...]
    words: tuple[Word, ...]
    hits: tuple[tuple[int, int], ...]
    mistaken: tuple[tuple[int, int], ...]
    false_alarms: tuple[int, ...]
    missed: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class DetCurve:
    """The detection error trade-off (Martin et al. 1997) over a series of thresholds.

    Attributes:
        offsets: float64 [K], as they were given.
        false_alarms_per_hour: float64 [K].
        miss_rate: float64 [K], in [0, 1]; NaN where there was no word.
        hours: length of the audio: nothing below 1 / hours can be told from no false alarm at all.
    """

    offsets: NDArray[np.float64]
    false_alarms_per_hour: NDArray[np.float64]
    miss_rate: NDArray[np.float64]
    hours: float


def match_events(events: Sequence[Event], words: Sequence[Word], tolerance: int = TOLERANCE) -> Matched:
    """Pairs events with words: in order of time each hits the earliest word of its label that none has hit yet.

    An event at a sample from the first of the word to `tolerance` after its end is in time. Of the others, likewise,
    each is the mistaken answer to the earliest missed word that it is in time for. What is left are false alarms, a
    second event for the same word too.

    Args:
        events: of one recording, in any order.
        words: those spoken in it that should be detected, in any order; others are left out.
        tolerance: samples, 0 or more.
    """
    by_begin = sorted(range(len(words)), key=lambda word: words[word].begin)
    open_words: dict[str, list[int]] = {}
    for word in by_begin:
        open_words.setdefault(words[word].label, []).append(word)
    by_time = sorted(range(len(events)), key=lambda event: events[event].sample)
    hits, others = _pair(by_time, lambda event: open_words.get(events[event].label, []), events, words, tolerance)
    missed = sorted((word for waiting in open_words.values() for word in waiting), key=by_begin.index)
    unanswered = list(missed)
    mistaken, false_alarms = _pair(others, lambda _: unanswered, events, words, tolerance)
    return Matched(
        tuple(events), tuple(words), tuple(hits), tuple(mistaken), tuple(false_alarms), tuple(sorted(missed))
    )


def _pair(
    numbers: Sequence[int],
    waiting_for: Callable[[int], list[int]],
    events: Sequence[Event],
    words: Sequence[Word],
    tolerance: int,
) -> tuple[list[tuple[int, int]], list[int]]:
    """Gives each event the first word waiting for it that it is in time for: the pairs, and the events left over."""
    pairs, left = [], []
    for number in numbers:
        sample, waiting = events[number].sample, waiting_for(number)
        found = next((w for w in waiting if words[w].begin <= sample <= words[w].end + tolerance), None)
        if found is None:
            left.append(number)
        else:
            waiting.remove(found)
            pairs.append((found, number))
    return pairs, left


def detection_scores(
    matched: Sequence[Matched],
    hours: float,
    *,
    sample_rate: int = 16_000,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> dict[str, Any]:
    """Scores a detector over the recordings of a test.

    Args:
        matched: one a recording; recordings are taken to be independent of each other.
        hours: length of all recordings together.
        sample_rate: samples a second, for the delay.
        draws: number of bootstrap samples.
        seed: seed of the draws; the same seed gives the same interval.
        confidence: nominal coverage of the intervals, in (0, 1).

    Returns:
        Plain data. `recall`, the share of words that were hit, `mistaken`, the share of those that were taken for
        another, and `false_alarms_per_hour` as `estimate` with `lower`
        and `upper` (bootstrap over recordings, percentiles; exact Poisson): where every word was hit the bootstrap can
        say nothing, and both bounds are 1. `delay_ms`, `median` and `p95` of the time from the end of a word to its
        event, negative where it came while the word was spoken. The counts `words`, `hits`, `false_alarms` and `hours`.
        `labels`: for each label of a word or an event `words`, `hits`, `recall`, `false_alarms` and
        `false_alarms_per_hour`. NaN where nothing was counted.

    Raises:
        ValueError: `hours` is not above 0, or an option is out of range.
    """
    delays = [
        (one.events[event].sample - one.words[word].end) * 1000 / sample_rate
        for one in matched
        for word, event in one.hits
    ]
    false_alarms = sum(len(one.false_alarms) for one in matched)
    spoken, mistaken = sum(len(one.words) for one in matched), sum(len(one.mistaken) for one in matched)
    return {
        "recall": _recall(matched, draws, seed, confidence).to_dict(),
        "mistaken": mistaken / spoken if spoken else float("nan"),
        "false_alarms_per_hour": poisson_rate(false_alarms, hours, confidence).to_dict(),
        "delay_ms": {"median": _percentile(delays, 50), "p95": _percentile(delays, 95)},
        "words": spoken,
        "hits": len(delays),
        "false_alarms": false_alarms,
        "hours": hours,
        "labels": _by_label(matched, hours),
    }


def poisson_rate(count: int, hours: float, confidence: float = 0.95) -> ConfidenceInterval:
    """Estimates how often something happens an hour, with the exact interval of a Poisson count (Garwood 1936).

    Args:
        count: how often it happened, 0 or more.
        hours: in how long, above 0.
        confidence: coverage of the interval at least, in (0, 1).

    Returns:
        The rate with its interval; none at all in three hours is 0 .. 1.23 an hour.

    Raises:
        ValueError: an argument is out of range.
    """
    from scipy.stats import chi2  # slow to import

    if count < 0 or hours <= 0 or not 0 < confidence < 1:
        raise ValueError(
            f"received {count} events in {hours} hours at confidence {confidence}; "
            "give 0 or more events, some time, and a confidence between 0 and 1"
        )
    tail = (1 - confidence) / 2
    lower = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    upper = chi2.ppf(1 - tail, 2 * count + 2) / 2
    return ConfidenceInterval(count / hours, float(lower / hours), float(upper / hours), confidence, "exact Poisson")


def det_curve(
    events_at: Callable[[float], Sequence[Sequence[Event]]],
    words: Sequence[Sequence[Word]],
    hours: float,
    offsets: Sequence[float],
    tolerance: int = TOLERANCE,
) -> DetCurve:
    """Measures misses and false alarms at a series of thresholds.

    Args:
        events_at: from an offset, which the caller adds to all thresholds, to the events of each recording.
        words: of each recording those that should be detected.
        hours: length of all recordings together.
        offsets: where to measure, K of them.
        tolerance: as for `match_events`.

    Raises:
        ValueError: events and words are not of equally many recordings.
    """
    spoken = sum(len(one) for one in words)
    rates, misses = [], []
    for offset in offsets:
        events = events_at(offset)
        if len(events) != len(words):
            raise ValueError(f"received events of {len(events)} recordings, words of {len(words)}; give both for each")
        matched = [match_events(*one, tolerance) for one in zip(events, words, strict=True)]
        rates.append(sum(len(one.false_alarms) for one in matched) / hours)
        misses.append(sum(len(one.missed) for one in matched) / spoken if spoken else np.nan)
    return DetCurve(np.array(offsets, np.float64), np.array(rates), np.array(misses), hours)


def recall_at(curve: DetCurve, false_alarms_per_hour: float) -> float:
    """Reads the best recall off a curve at not more than so many false alarms an hour.

    The threshold is then chosen on the audio that is scored, so this compares models; what a user gets is the recall
    at thresholds that were chosen elsewhere.

    Args:
        curve: as from `det_curve`.
        false_alarms_per_hour: the most that count.

    Returns:
        Recall in [0, 1]; 0 where every threshold gave more, as a detector that never fires is always to be had.
    """
    allowed = curve.miss_rate[curve.false_alarms_per_hour <= false_alarms_per_hour]
    return float(1 - allowed.min()) if len(allowed) else 0.0


def _recall(matched: Sequence[Matched], draws: int, seed: int, confidence: float) -> ConfidenceInterval:
    """Words hit over words spoken: 1 - missed / spoken, the skill of missing over speaking."""
    spoken = [one for one in matched if one.words]
    missed, words = ([len(one.missed) for one in spoken], [len(one.words) for one in spoken])
    interval = paired_skill(missed, words, 1, draws, seed, confidence).interval
    return replace(interval, method="bootstrap over recordings")


def _by_label(matched: Sequence[Matched], hours: float) -> dict[str, dict[str, float]]:
    words = [word.label for one in matched for word in one.words]
    hits = [one.words[word].label for one in matched for word, _ in one.hits]
    alarms = [one.events[event].label for one in matched for event in one.false_alarms]
    return {
        label: {
            "words": words.count(label),
            "hits": hits.count(label),
            "recall": hits.count(label) / words.count(label) if label in words else float("nan"),
            "false_alarms": alarms.count(label),
            "false_alarms_per_hour": alarms.count(label) / hours,
        }
        for label in sorted({*words, *alarms})
    }


def _percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else float("nan")
