"""Thresholds of a detector, one a word, that keep to a budget of false alarms on audio they were not chosen on.

A detector fires when the smoothed posterior of a word reaches the threshold of that word. In validation audio each rise
of that posterior is a peak: a true one where the word was spoken, a false one elsewhere. Right above the highest false
peak there is no false alarm in that audio, but as much new audio holds about one higher peak a word. A few false alarms
an hour for all words together are rarer than that, so how often they come is extrapolated from the highest false peaks.

What this leaves out: words are treated one by one, though a detector that has just fired for one word is deaf to the
others for a moment; an event comes when the posterior crosses the threshold and not at its peak, so near the edge of
its window a true peak may turn out late or early; a sound that is heard again and again counts each time; and new audio
is taken to be of the same kind as the old, with as many voices and noises that sound like a word.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runnel.shared.evaluation.detection_scores import TOLERANCE, Word

__all__ = ["ChosenThresholds", "Peaks", "choose_thresholds", "find_peaks", "join_peaks", "word_windows"]

_LOWEST = 0.1  # height from which peaks are looked for: far below any threshold, so that there is a tail to look at
_TAIL = 10  # highest false peaks of a word that count
_FEWEST = 10  # excesses that tell how fast heights fall off; others are made up where they are fewer
_SHARES = 0.5 ** np.arange(0.0, 10.0, 0.25)  # of the budget, that a word may get
_MOST_SPARE = 20.0
_HALVINGS = 40
_PRICES = np.geomspace(1e-5, 1e6, 500)  # of a false alarm, in logarithms of hits


@dataclass(frozen=True, eq=False)
class Peaks:
    """P peaks of the smoothed posterior of one word, in any order.

    Attributes:
        height: float64 [P], in [0, 1].
        is_true: bool [P], whether it would hit a word; else it would be a false alarm.
    """

    height: NDArray[np.float64]
    is_true: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.height.ndim != 1 or self.height.shape != self.is_true.shape:
            raise ValueError(f"heights have shape {self.height.shape} and marks {self.is_true.shape}; give [P] each")
        if not np.all((self.height >= 0) & (self.height <= 1)):
            raise ValueError("a peak lies outside [0, 1]; give posteriors")


@dataclass(frozen=True, eq=False)
class ChosenThresholds:
    """One threshold a word, what it accepts of the true peaks, and what to expect of it on new audio.

    Attributes:
        thresholds: float64 [C].
        hits: int64 [C], true peaks that reach it.
        false_alarms_per_hour: float64 [C], expected.
    """

    thresholds: NDArray[np.float64]
    hits: NDArray[np.int64]
    false_alarms_per_hour: NDArray[np.float64]


class _Tail(NamedTuple):
    """The highest false peaks of a word: the level that `reached` peaks reach, and what they have beyond it.

    In log-odds; `total` is the sum of the `excesses`, so many.
    """

    level: float
    reached: float
    excesses: int
    total: float


def word_windows(
    words: Sequence[Word], label: str, hop: int = 320, tolerance: int = TOLERANCE
) -> list[tuple[int, int]]:
    """The frames whose event would hit a word, (first, last), both included.

    Args:
        words: of one recording.
        label: which of them count.
        hop: samples a frame; an event of frame m comes at sample (m + 1) hop.
        tolerance: samples, as for `match_events`.
    """
    return [
        (max(math.ceil(word.begin / hop) - 1, 0), (word.end + tolerance) // hop - 1)
        for word in words
        if word.label == label
    ]


def find_peaks(
    posterior: ArrayLike,
    windows: Sequence[tuple[int, int]],
    refractory: int,
    lowest: float = _LOWEST,
    dip: float = 0.1,
    elsewhere: Sequence[tuple[int, int]] = (),
) -> Peaks:
    """Finds the peaks of one word in one recording.

    Of two peaks less than `refractory` frames apart the higher stays. Two with less than `dip` between the lower one
    and the lowest point between them are one. From the highest down, a peak is true if it and the true ones above it
    can hit a word each: a second one for the same word is false. So at every threshold as many peaks above it are true
    as `match_events` would count hits.

    Args:
        posterior: float [M], smoothed as the detector smooths it.
        windows: (first, last) frames of each time the word was spoken, as from `word_windows`.
        refractory: frames.
        lowest: height below which no peak matters.
        dip: least fall of the posterior that lets a detector fire again.
        elsewhere: (first, last) frames in which other words are spoken; a peak there that is not true takes one word
            for another, which is no false alarm, and is left out.

    Raises:
        ValueError: `posterior` is not one-dimensional.
    """
    from scipy import signal  # slow to import

    curve = np.asarray(posterior, np.float64)
    if curve.ndim != 1:
        raise ValueError(f"the posterior has shape {curve.shape}; give one number a frame, [M]")
    enclosed = np.concatenate([[0.0], curve, [0.0]])  # a peak may stand at either end
    places, _ = signal.find_peaks(enclosed, height=lowest, distance=max(refractory, 1), prominence=dip)
    frames: list[int] = (places[np.argsort(-enclosed[places], kind="stable")] - 1).tolist()
    hits: list[int] = []
    for frame in frames:
        if _all_hit([*hits, frame], windows):
            hits.append(frame)
    kept = [frame for frame in frames if frame in hits or not any(a <= frame <= b for a, b in elsewhere)]
    return Peaks(curve[kept], np.isin(kept, hits))


def join_peaks(peaks: Sequence[Peaks]) -> Peaks:
    """Puts the peaks of one word in several recordings together."""
    heights = [np.zeros(0), *(one.height for one in peaks)]
    return Peaks(np.concatenate(heights), np.concatenate([np.zeros(0, np.bool_), *(one.is_true for one in peaks)]))


def choose_thresholds(
    peaks: Sequence[Peaks],
    hours: float,
    false_alarms_per_hour: float,
    floor: float = 0.3,
    ceiling: float = 0.999,
    lowest: float = _LOWEST,
) -> ChosenThresholds:
    """Chooses one threshold a word so that all words together are expected to keep to a budget of false alarms.

    The budget is shared so that the product of all words' hits, and one more of each, is largest: a word gets more of
    it than another as long as its hits grow by a larger factor, so that hardly one is given up for the others. Above a
    high level u the heights of false peaks, in log-odds, are taken to fall off exponentially: peaks over threshold
    (Balkema & de Haan 1974, Pickands 1975) with shape 0. The level of a word is its eleventh highest false peak, a
    later one where the budget allows more than ten; with fewer peaks it is the lowest height, and none at all counts
    as half a one. The K excesses over their levels of all words, of sum S, tell how fast heights fall off; one of 1 is
    added to them, or as many as there lack to ten. Where n peaks reach the level of a word in T hours,
    n / T (1 + (x - u) / S)^-K an hour are expected to reach x: about n / T exp(-(x - u) K / S), and a little more,
    because K excesses leave it open how fast heights fall off (it is what that exponential comes to on average over
    all excesses that might have been seen).

    What is left of the budget raises all shares by the same factor; words without true peaks share alike. A word whose
    threshold would lie below the floor leaves the rest of its share unused. One that the ceiling would have to be
    exceeded for spends more: no word is switched off.

    Args:
        peaks: of each of C words, from all recordings.
        hours: T, length of the recordings.
        false_alarms_per_hour: budget over all words, 0 or more; at 0 every threshold is the ceiling.
        floor: lowest threshold.
        ceiling: highest threshold, above the floor and below 1.
        lowest: height from which all peaks were looked for, above 0 and not above the floor.

    Raises:
        ValueError: a number is out of range.
    """
    if hours <= 0 or false_alarms_per_hour < 0 or not 0 < lowest <= floor < ceiling < 1:
        raise ValueError(
            f"received {hours} hours, {false_alarms_per_hour} false alarms an hour, lowest peak {lowest}, floor "
            f"{floor} and ceiling {ceiling}; give some time, 0 or more, and 0 < lowest <= floor < ceiling < 1"
        )
    budget = hours * false_alarms_per_hour  # false alarms in these recordings
    tails = [_tail(one, max(_TAIL, math.ceil(budget)), lowest, ceiling) for one in peaks]
    level = np.array([one.level for one in tails], np.float64)[:, None]
    reached = np.array([one.reached for one in tails], np.float64)[:, None]
    seen = sum(one.excesses for one in tails)
    added = max(_FEWEST - seen, 1)
    excesses, total = seen + added, sum(one.total for one in tails) + added

    def at(share: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Thresholds at which words have these shares of the budget, [C, N], and the false alarms to expect."""
        with np.errstate(divide="ignore"):
            wanted = level + total * ((reached / share) ** (1 / excesses) - 1)
        chosen = np.clip(wanted, *_log_odds([floor, ceiling]))
        thresholds = np.clip(1 / (1 + np.exp(-chosen)), floor, ceiling)
        return thresholds, reached * (1 + (chosen - level) / total) ** -excesses

    thresholds, expected = at(np.broadcast_to(budget * _SHARES, (len(peaks), len(_SHARES))))
    share = budget * _SHARES[_fairest(_hits(peaks, thresholds), expected, budget)][:, None]
    low, high = 0.0, _MOST_SPARE  # log of the factor for what is left of the budget
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if at(np.exp(middle) * share)[1].sum() <= budget else (low, middle)
    thresholds, expected = at(np.exp(low) * share)
    return ChosenThresholds(thresholds[:, 0], _hits(peaks, thresholds)[:, 0], expected[:, 0] / hours)


def _hits(peaks: Sequence[Peaks], thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many true peaks of each word reach its thresholds, [C, N] both."""
    hits = np.zeros(thresholds.shape, np.int64)
    for row, one, least in zip(hits, peaks, thresholds, strict=True):
        true = np.sort(one.height[one.is_true])
        row[:] = len(true) - np.searchsorted(true, least)
    return hits


def _fairest(hits: NDArray[np.int64], expected: NDArray[np.float64], budget: float) -> NDArray[np.int64]:
    """Which share of [C, N] each word gets, [C], so that the product of their hits, and one more of each, is largest.

    Proportional fairness (Kelly 1997, "Charging and rate control for elastic traffic"): the sum of logarithms, of one
    hit more so that all are finite. A price of a false alarm decides for every word alike (Everett 1963, "Generalized
    Lagrange multiplier method"): the lowest one at which they keep to the budget.
    """
    rows, gains = np.arange(len(hits)), np.log1p(hits)
    for price in _PRICES:
        # A smaller share is better where a threshold at its bound makes them equal.
        chosen = hits.shape[1] - 1 - np.argmax((gains - price * expected)[:, ::-1], axis=1)
        if expected[rows, chosen].sum() <= budget:
            break
    return chosen


def _all_hit(frames: Sequence[int], windows: Sequence[tuple[int, int]]) -> bool:
    """Whether each frame has a window of its own: in order of time each takes the earliest that is left."""
    free = sorted(windows)
    for frame in sorted(frames):
        found = next((window for window in free if window[0] <= frame <= window[1]), None)
        if found is None:
            return False
        free.remove(found)
    return True


def _tail(peaks: Peaks, most: int, lowest: float, ceiling: float) -> _Tail:
    """The tail of a word that begins at its highest false peak but `most`; peaks beyond the ceiling stand there."""
    false = peaks.height[~peaks.is_true & (peaks.height >= lowest)]
    heights = np.sort(_log_odds(np.minimum(false, ceiling)))[::-1]
    if len(heights) > most:
        level, reached = float(heights[most]), float(most + 1)
    else:
        level, reached = float(_log_odds(lowest)), max(len(heights), 0.5)
    above = heights[:most] - level
    return _Tail(level, reached, len(above), float(above.sum()))


def _log_odds(share: ArrayLike) -> NDArray[np.float64]:
    """Of probabilities inside (0, 1)."""
    inside = np.asarray(share, np.float64)
    return np.log(inside / (1 - inside))
