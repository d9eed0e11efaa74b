"""Thresholds of a detector, one a word, that spend a budget of false alarms where it buys the most hits.

A detector fires when the smoothed posterior of a word reaches the threshold of that word. In validation audio each rise
of that posterior is a peak: a true one where the word was spoken, a false one elsewhere. A threshold accepts the peaks
above it, so choosing it is choosing how many false peaks of each word are worth the true peaks beside them.

What this leaves out: words are treated one by one, though a detector that has just fired for one word is deaf to the
others for a moment; an event comes when the posterior crosses the threshold and not at its peak, so near the edge of
its window a true peak may turn out late or early; and thresholds fit the audio that they were chosen on, so the budget
holds there, while on other audio the count is about that, give or take what chance does to a handful of alarms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runnel.shared.evaluation.detection_scores import TOLERANCE, Word

__all__ = ["ChosenThresholds", "Peaks", "choose_thresholds", "find_peaks", "join_peaks", "word_windows"]


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
    """One threshold a word, and what it accepts of the peaks it was chosen on.

    Attributes:
        thresholds: float64 [C].
        hits: int64 [C], true peaks above.
        false_alarms: int64 [C], false peaks above.
    """

    thresholds: NDArray[np.float64]
    hits: NDArray[np.int64]
    false_alarms: NDArray[np.int64]


class _Step(NamedTuple):
    """A threshold of one word: below `accepted`, above `rejected`, with so many peaks above it."""

    accepted: float
    rejected: float
    hits: int
    false_alarms: int


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
    lowest: float = 0.3,
    dip: float = 0.1,
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
    return Peaks(curve[frames], np.isin(frames, hits))


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
) -> ChosenThresholds:
    """Chooses one threshold a word within a budget of false alarms for all words together.

    Greedy: every threshold begins above the highest false peak of its word. Then the one that can be lowered with the
    most true peaks gained for each false peak let in is lowered, ties going to the higher threshold, until the budget
    is spent or nothing more is gained. A threshold lies midway, in log-odds, between the lowest peak that it accepts
    and the highest that it rejects; nothing is accepted below the floor, and a word without false peaks is treated as
    if one stood there. Peaks from the ceiling on are accepted whatever they cost: no word is switched off.

    Args:
        peaks: of each of C words, from all recordings.
        hours: length of the recordings.
        false_alarms_per_hour: budget over all words, 0 or more.
        floor: lowest threshold, above 0.
        ceiling: highest threshold, above the floor and below 1.

    Raises:
        ValueError: a number is out of range.
    """
    if hours <= 0 or false_alarms_per_hour < 0 or not 0 < floor < ceiling < 1:
        raise ValueError(
            f"received {hours} hours, {false_alarms_per_hour} false alarms an hour, floor {floor} and ceiling "
            f"{ceiling}; give some time, 0 or more, and 0 < floor < ceiling < 1"
        )
    ladders = [_ladder(one, floor, ceiling) for one in peaks]
    stands = [0] * len(ladders)
    left = math.floor(hours * false_alarms_per_hour + 1e-9) - sum(ladder[0].false_alarms for ladder in ladders)
    while (best := _best_move(ladders, stands, left)) is not None:
        word, step = best
        left -= ladders[word][step].false_alarms - ladders[word][stands[word]].false_alarms
        stands[word] = step
    chosen = [ladder[stand] for ladder, stand in zip(ladders, stands, strict=True)]
    return ChosenThresholds(
        np.array([min(max(_midway(one.accepted, one.rejected), floor), ceiling) for one in chosen], np.float64),
        np.array([one.hits for one in chosen], np.int64),
        np.array([one.false_alarms for one in chosen], np.int64),
    )


def _all_hit(frames: Sequence[int], windows: Sequence[tuple[int, int]]) -> bool:
    """Whether each frame has a window of its own: in order of time each takes the earliest that is left."""
    free = sorted(windows)
    for frame in sorted(frames):
        found = next((window for window in free if window[0] <= frame <= window[1]), None)
        if found is None:
            return False
        free.remove(found)
    return True


def _ladder(peaks: Peaks, floor: float, ceiling: float) -> list[_Step]:
    """The thresholds of a word that can be best, from the highest down: those right above a false peak, and the floor.

    Peaks of one height stand or fall together; those from the ceiling on are above every threshold.
    """
    heights = np.unique(peaks.height[peaks.height >= floor])[::-1]
    hits = [int(np.sum(peaks.is_true & (peaks.height >= height))) for height in heights]
    alarms = [int(np.sum(~peaks.is_true & (peaks.height >= height))) for height in heights]
    forced = int(np.sum(heights >= ceiling))
    steps = []
    for above in range(forced, len(heights) + 1):
        before = (hits[above - 1], alarms[above - 1]) if above else (0, 0)
        if above == len(heights) or alarms[above] > before[1]:
            accepted = min(heights[above - 1], ceiling) if above else ceiling
            steps.append(_Step(float(accepted), float(heights[above]) if above < len(heights) else floor, *before))
    return steps


def _best_move(ladders: Sequence[Sequence[_Step]], stands: Sequence[int], left: int) -> tuple[int, int] | None:
    """The word to lower and the step to lower it to; none where nothing is gained within what is left."""
    moves = []
    for word, (ladder, stand) in enumerate(zip(ladders, stands, strict=True)):
        for step in range(stand + 1, len(ladder)):
            gained = ladder[step].hits - ladder[stand].hits
            cost = ladder[step].false_alarms - ladder[stand].false_alarms
            if gained > 0 and cost <= left:
                moves.append(((gained / cost, ladder[step].accepted, -word), word, step))
    return max(moves)[1:] if moves else None


def _midway(first: float, second: float) -> float:
    """The probability whose log-odds are the mean of those of two others, both inside (0, 1)."""
    log_odds = [math.log(share / (1 - share)) for share in (first, second)]
    return 1 / (1 + math.exp(-sum(log_odds) / 2))
