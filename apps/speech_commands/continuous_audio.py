"""Continuous audio made of clips and noises, for evaluation: words at known times in a background that never stops."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN, Clips
from runnel.datasets.audio.to_float32 import to_float32
from runnel.datasets.audio.to_int16 import to_int16
from runnel.shared.evaluation.detection_scores import Word
from runnel.shared.preprocessing.speech_bounds import speech_bounds

__all__ = ["AudioContent", "Session", "SpokenWord", "audio_content", "make_sessions", "make_trials"]

_RATE = 16_000
_EDGE = 320  # samples over which a pasted clip comes in and goes out
_MARGIN = 4_000  # samples of a clip that are kept on each side of what is audible in it, where it has as many
_FADE = 8_000  # samples over which one background gives way to the next
_AFTER = 16_000  # samples after the last word of a session, in which its event may come
_GAP = (0.3, 6.0)  # seconds between two words, drawn evenly in the logarithm
_PAUSE = (10.0, 25.0)  # seconds of a long pause
_PAUSE_SHARE = 0.05  # of the gaps that are long pauses
_SITUATION = (15.0, 45.0)  # seconds with one background, one distance of the speakers and one level of noise
_QUIET_SHARE = 0.2  # of the situations that are nearly silent
_LEVEL_DB = (-35.0, -6.0)  # peak of a word
_SNR_DB = (5.0, 30.0)
_QUIET_SNR_DB = (45.0, 60.0)
_CREST_DB = 15.0  # of a typical word, peak over root mean square
_SPREAD_DB = 3.0  # by which the words of a situation differ from its level

_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SpokenWord:
    """A word in a session.

    Attributes:
        label: a command or `_unknown_`.
        begin: first audible sample.
        end: one past the last audible sample.
        snr_db: mean power of the word from `begin` to `end` over that of the background there; infinite over none.
        level_db: largest absolute sample of the word, over full scale.
    """

    label: str
    begin: int
    end: int
    snr_db: float
    level_db: float


@dataclass(frozen=True, eq=False)
class Session:
    """A stretch of continuous audio.

    Attributes:
        waveform: float32 [N], 16 kHz, in [-1, 1].
        words: all that are spoken, in order of time, unknown ones too.
    """

    waveform: _Floats
    words: tuple[SpokenWord, ...]

    @property
    def commands(self) -> tuple[Word, ...]:
        """The words that are to be detected."""
        return tuple(Word(word.label, word.begin, word.end) for word in self.words if word.label != UNKNOWN)


@dataclass(frozen=True)
class AudioContent:
    """What sessions hold, for the reader of a score.

    Attributes:
        hours: their length.
        speech_share: share of the time in which a word is audible.
        commands_per_hour: commands spoken.
        unknown_per_hour: other words spoken.
    """

    hours: float
    speech_share: float
    commands_per_hour: float
    unknown_per_hour: float


@dataclass(frozen=True)
class _Situation:
    """From a sample to another: the peak level of words and the level of the background, in dB over full scale."""

    begin: int
    end: int
    level_db: float
    noise_db: float


@dataclass(frozen=True, eq=False)
class _Spoken:
    """A clip without what is around it: float32 samples, of which those from `begin` to `end` are audible."""

    label: str
    waveform: _Floats
    begin: int
    end: int


def make_sessions(
    clips: Clips,
    noises: Sequence[NDArray[np.int16]],
    hours: float,
    seed: int,
    session_seconds: float = 300.0,
    most_uses: int = 3,
) -> Iterator[Session]:
    """Makes continuous audio, one session at a time; the same arguments give the same samples.

    A session is a series of situations of 15 to 45 s, each with an excerpt of one noise, cross-faded with the next, a
    level at which people speak (peaks of -35 to -6 dB over full scale) and a ratio of speech to noise (5 to 30 dB; a
    fifth of the situations are nearly silent). Words come after gaps of 0.3 to 6 s, one in twenty after 10 to 25 s.
    Commands and unknown words are equally many, in a drawn order, no clip more than `most_uses` times; where that makes
    fewer words than would fit, all gaps are longer. A word that a loud moment of the noise would cover is raised to the
    lowest ratio, as far as the highest level allows. Each word says its own ratio and level.

    Args:
        clips: commands and `_unknown_`; those of `_silence_` and those without a sound are left out.
        noises: background recordings, int16 [N] each.
        hours: length of all sessions together.
        seed: 0 or more.
        session_seconds: length of each but the last, which may be shorter.
        most_uses: times that one clip may be heard, 1 or more.

    Raises:
        ValueError: no clip holds a word, no noise holds a sample, or a number is out of range.
    """
    if hours <= 0 or session_seconds <= 0 or most_uses < 1:
        raise ValueError(
            f"received {hours} hours, sessions of {session_seconds} s, {most_uses} uses of a clip; "
            "give some time and 1 or more uses"
        )
    bounds, recordings = _audible(clips), _recordings(noises)
    total, longest = round(hours * 3600 * _RATE), round(session_seconds * _RATE)
    word = max(end - begin for begin, end in bounds.values())
    if round(_GAP[0] * _RATE) + word + _AFTER > longest:
        raise ValueError(
            f"sessions of {session_seconds} s do not hold a word of {word / _RATE:.1f} s; give longer ones"
        )
    lengths = [min(longest, total - begin) for begin in range(0, total, longest)]
    order, stretch = _order(clips, bounds, total / _RATE, most_uses, seed)
    deck = (_cut_out(clips, clip, *bounds[clip]) for clip in order)
    return _sessions(deck, recordings, lengths, stretch, seed)


def audio_content(words: Sequence[Sequence[SpokenWord]], samples: int) -> AudioContent:
    """Sums up what sessions hold.

    Args:
        words: those of each session.
        samples: length of all sessions together.
    """
    hours = samples / (3600 * _RATE)
    labels = [word.label for session in words for word in session]
    audible = sum(word.end - word.begin for session in words for word in session)
    unknown = labels.count(UNKNOWN)
    return AudioContent(hours, audible / samples, (len(labels) - unknown) / hours, unknown / hours)


def make_trials(
    clips: Clips,
    noises: Sequence[NDArray[np.int16]] = (),
    snr_db: float | None = None,
    level_db: float | None = None,
    *,
    seed: int,
) -> Clips:
    """Brings clips to one ratio of speech to noise or to one level, to measure how accuracy depends on it.

    An excerpt of noise as long as the clip is added; what noise the clip had already stays. Then the peak of the speech
    is brought to the level. Where the sum would go beyond full scale, all of it is softer.

    Args:
        clips: those of `_silence_` and those without a sound are left out: they have no such ratio.
        noises: background recordings, int16 [N] each; needed with `snr_db`.
        snr_db: mean power of the audible part over that of the excerpt; no noise is added if left out.
        level_db: largest absolute sample of the speech, over full scale; as it is if left out.
        seed: 0 or more.

    Returns:
        The clips in their order, as long as they were.

    Raises:
        ValueError: no clip holds a word, or noise is asked for and no recording has any.
    """
    bounds = _audible(clips)
    recordings = _recordings(noises) if snr_db is not None else []
    waveforms = []
    for clip, (begin, end) in bounds.items():
        random = np.random.default_rng([seed, clip])
        waveform = to_float32(clips.waveforms[clip])
        mixed = waveform.copy()
        if snr_db is not None:
            noise = _excerpt(recordings, len(waveform), random)
            mixed += noise * _gain_to(snr_db, waveform[begin:end], noise)
        if level_db is not None:
            mixed *= 10 ** (level_db / 20) / _peak(waveform)
        mixed /= max(1.0, _peak(mixed))
        waveforms.append(to_int16(mixed))
    chosen = clips.take(list(bounds))
    return Clips(tuple(waveforms), chosen.labels, chosen.speakers)


def _sessions(
    deck: Iterator[_Spoken], recordings: Sequence[_Floats], lengths: Sequence[int], stretch: float, seed: int
) -> Iterator[Session]:
    """Takes words off the deck as they fit; one that does not fit any more opens the next session."""
    waiting = next(deck, None)
    for number, length in enumerate(lengths):
        random = np.random.default_rng([seed, 1, number])
        situations = list(_situations(length, random))
        waveform = _background(recordings, situations, length, random)
        words: list[SpokenWord] = []
        while waiting is not None:
            begin = (words[-1].end if words else 0) + round(_gap(random) * stretch * _RATE)
            if begin + waiting.end - waiting.begin + _AFTER > length:
                break
            words.append(_paste(waveform, waiting, begin, situations, random))
            waiting = next(deck, None)
        yield Session(np.clip(waveform, -1, 1), tuple(words))


def _order(
    clips: Clips, bounds: Mapping[int, tuple[int, int]], seconds: float, most_uses: int, seed: int
) -> tuple[list[int], float]:
    """The clips in the order in which they are spoken, and the factor by which gaps are longer than drawn."""
    random = np.random.default_rng([seed, 0])
    word = sum(end - begin for begin, end in bounds.values()) / len(bounds) / _RATE
    gap = (1 - _PAUSE_SHARE) * (_GAP[1] - _GAP[0]) / np.log(_GAP[1] / _GAP[0]) + _PAUSE_SHARE * sum(_PAUSE) / 2
    wanted = round(seconds / (word + gap))
    numbers = np.array(list(bounds))
    unknown = np.array([clips.labels[clip] == UNKNOWN for clip in bounds])
    groups = [group for group in (numbers[~unknown], numbers[unknown]) if len(group)]
    each = -(-wanted // len(groups))
    passes = [np.concatenate([random.permutation(group) for _ in range(most_uses)])[:each] for group in groups]
    order: list[int] = random.permutation(np.concatenate(passes)).tolist()
    return order, float((seconds / len(order) - word) / gap) if len(order) < wanted else 1.0


def _situations(length: int, random: np.random.Generator) -> Iterator[_Situation]:
    begin = 0
    while begin < length:
        end = begin + round(random.uniform(*_SITUATION) * _RATE)
        level = random.uniform(*_LEVEL_DB)
        snr = random.uniform(*(_QUIET_SNR_DB if random.random() < _QUIET_SHARE else _SNR_DB))
        yield _Situation(begin, min(end, length), level, level - _CREST_DB - snr)
        begin = end


def _background(
    recordings: Sequence[_Floats], situations: Sequence[_Situation], length: int, random: np.random.Generator
) -> _Floats:
    """The noises of all situations, each going on for a moment while the next comes in."""
    waveform = np.zeros(length + _FADE, np.float32)
    for situation in situations:
        samples = situation.end - situation.begin + _FADE
        noise = _faded(_excerpt(recordings, samples, random), _FADE)
        waveform[situation.begin : situation.begin + samples] += noise * np.float32(10 ** (situation.noise_db / 20))
    return waveform[:length]


def _excerpt(recordings: Sequence[_Floats], samples: int, random: np.random.Generator) -> _Floats:
    """A drawn part of a drawn recording; one that is too short is repeated, each time faded into the next."""
    recording = recordings[int(random.integers(len(recordings)))]
    if len(recording) >= samples:
        start = int(random.integers(len(recording) - samples + 1))
        return recording[start : start + samples].copy()
    fade = min(_FADE, len(recording) // 2)
    step = len(recording) - fade
    piece, first = _faded(recording, fade), int(random.integers(step))
    excerpt = np.zeros(first + samples + 2 * len(recording), np.float32)
    for begin in range(0, first + samples + fade, step):
        excerpt[begin : begin + len(piece)] += piece
    return excerpt[fade + first : fade + first + samples]


def _paste(
    waveform: _Floats, spoken: _Spoken, begin: int, situations: Sequence[_Situation], random: np.random.Generator
) -> SpokenWord:
    """Adds a word to a waveform so that it is audible from `begin` on."""
    end = begin + spoken.end - spoken.begin
    audible, background = spoken.waveform[spoken.begin : spoken.end], waveform[begin:end]
    around = next(one for one in situations if begin < one.end)
    level = around.level_db + random.uniform(-_SPREAD_DB, _SPREAD_DB)
    peak = _peak(spoken.waveform)
    noise = _mean_power(background)  # a word of power p and peak a has, at gain g, the ratio g * g * p / noise
    at_least = 20 * np.log10(peak) + _SNR_DB[0] + 10 * np.log10(noise / _mean_power(audible)) if noise else -np.inf
    level = float(np.clip(max(level, at_least), *_LEVEL_DB))
    gain = 10 ** (level / 20) / peak
    snr = 20 * np.log10(gain) + 10 * np.log10(_mean_power(audible) / noise) if noise else np.inf
    place = begin - spoken.begin  # a gap is longer than the margin of a clip, and so is what is left after the word
    waveform[place : place + len(spoken.waveform)] += spoken.waveform * np.float32(gain)
    return SpokenWord(spoken.label, begin, end, float(snr), level)


def _gap(random: np.random.Generator) -> float:
    """Seconds until the next word."""
    if random.random() < _PAUSE_SHARE:
        return float(random.uniform(*_PAUSE))
    return float(np.exp(random.uniform(*np.log(_GAP))))


def _audible(clips: Clips) -> dict[int, tuple[int, int]]:
    """The number of each clip in which something is said, with the first and one past the last audible sample."""
    bounds = {}
    for clip, (label, waveform) in enumerate(zip(clips.labels, clips.waveforms, strict=True)):
        begin, end = speech_bounds(to_float32(waveform))
        if label != SILENCE and np.any(waveform[begin:end]):
            bounds[clip] = begin, end
    if not bounds:
        raise ValueError(f"none of {len(clips.labels)} clips holds a word; give commands or unknown words")
    return bounds


def _cut_out(clips: Clips, clip: int, begin: int, end: int) -> _Spoken:
    """A clip from shortly before to shortly after what is audible in it, coming in and going out smoothly."""
    waveform = to_float32(clips.waveforms[clip])
    first, last = max(begin - _MARGIN, 0), min(end + _MARGIN, len(waveform))
    return _Spoken(clips.labels[clip], _smooth(waveform[first:last]), begin - first, end - first)


def _recordings(noises: Sequence[NDArray[np.int16]]) -> list[_Floats]:
    """The noises with a mean power of 1; those without a sound as they are."""
    found = [to_float32(noise) for noise in noises if len(noise)]
    if not found:
        raise ValueError("there is no background recording; give one or more")
    return [noise / np.float32(np.sqrt(_mean_power(noise)) or 1.0) for noise in found]


def _smooth(waveform: _Floats) -> _Floats:
    """Raised-cosine edges: nothing begins or ends with a step."""
    edge = min(_EDGE, len(waveform) // 2)
    return _times_edges(waveform, _rise(edge))


def _faded(waveform: _Floats, fade: int) -> _Floats:
    """Edges whose squares sum to one where two overlap: noises that are unlike each other stay equally loud."""
    return _times_edges(waveform, np.sqrt(_rise(fade)))


def _times_edges(waveform: _Floats, rise: _Floats) -> _Floats:
    edged = waveform.copy()
    edged[: len(rise)] *= rise
    edged[len(edged) - len(rise) :] *= rise[::-1]
    return edged


def _rise(samples: int) -> _Floats:
    """Half a raised cosine, from above 0 to below 1."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(samples) + 0.5) / max(samples, 1))).astype(np.float32)


def _gain_to(snr_db: float, speech: _Floats, noise: _Floats) -> np.float32:
    """The factor that brings a noise to a ratio under speech; 0 for a noise without a sound."""
    power = _mean_power(noise)
    return np.float32(np.sqrt(_mean_power(speech) / power / 10 ** (snr_db / 10)) if power else 0.0)


def _mean_power(waveform: _Floats) -> float:
    return float(np.mean(np.square(waveform, dtype=np.float64))) if len(waveform) else 0.0


def _peak(waveform: _Floats) -> float:
    return float(np.abs(waveform).max(initial=0.0))
