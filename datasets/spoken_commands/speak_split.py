"""The name of a split -> all its clips and recordings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
import soxr

from runnel.datasets.audio.background_noise import KINDS, background_noise, to_pcm
from runnel.datasets.audio.speech_corpus import BACKGROUND, SILENCE, UNKNOWN
from runnel.datasets.spoken_commands.babble import babble
from runnel.datasets.spoken_commands.draw_speakers import Speaker, draw_speakers
from runnel.datasets.spoken_commands.espeak import Espeak
from runnel.datasets.spoken_commands.unknown_texts import COMMANDS, pseudo_words, unknown_texts

__all__ = ["SAMPLE_RATE", "SPEAKERS", "Clip", "speak_split"]

SAMPLE_RATE = 16_000  # Hz
SPEAKERS = {"train": 600, "validation": 80, "test": 120}  # Each says every command once, and some other texts.
_UNKNOWN_EACH = {"train": 9, "validation": 10, "test": 10}
_PSEUDO_EACH = {"train": 3, "validation": 0, "test": 0}
_SILENCES = {"train": 240, "validation": 80, "test": 120}
_SILENCE_KINDS = ("brown", "fan", "hum", "pink", "white")
_SILENCE_PEAK = (-70.0, -34.0)  # dB below full scale
_QUIET = (0.1, 0.3)  # seconds before and after what is spoken
_RECORDINGS_OF_A_KIND = 8
_BABBLES = 10
_BABBLE_UTTERANCES = 60
_RECORDING = (20.0, 40.0)  # seconds
_EVENTFUL = ("beeps", "clicks", "knocks", "music")  # no sound in them is like another, and some are taken for words
_TIMES_LONGER = {"train": 1, "validation": 3, "test": 3}  # are those and babble: hours hear every sound again and again
_AUDIBLE = 1e-3  # of the loudest sample


@dataclass(frozen=True, eq=False)
class Clip:
    """One example.

    Attributes:
        audio: int16 [N] at 16 kHz.
        label: A command, `UNKNOWN`, `SILENCE`, or `BACKGROUND` of a long recording.
        speaker: The name of who speaks; "" where nobody does.
        text: What is spoken, or the kind of the background.
    """

    audio: np.ndarray
    label: str
    speaker: str
    text: str


def speak_split(split: str) -> Iterator[Clip]:
    """Makes a split: clips speaker by speaker, then silence, then the recordings of backgrounds.

    The same split is the same samples, whatever was made before.

    Args:
        split: "train", "validation" or "test".

    Raises:
        InputError: The speech engine is not installed, or does not run on this machine.
    """
    number = list(SPEAKERS).index(split)
    rng = np.random.default_rng([20, number])
    with Espeak(seed=1 + number) as engine:
        speakers = list(draw_speakers(split, SPEAKERS[split], rng))
        yield from _speech(engine, split, speakers, rng)
        yield from _silence(_SILENCES[split], rng)
        yield from _backgrounds(_TIMES_LONGER[split], rng)
        yield from _babbles(_TIMES_LONGER[split], engine, unknown_texts(split), speakers, rng)


def _speech(engine: Espeak, split: str, speakers: Sequence[Speaker], rng: np.random.Generator) -> Iterator[Clip]:
    """Every speaker says each command once and some other texts, which take turns."""
    texts = cycle(rng.permutation(unknown_texts(split)).tolist())
    for speaker in speakers:
        others = [*islice(texts, _UNKNOWN_EACH[split]), *pseudo_words(_PSEUDO_EACH[split], rng)]
        for text, label in [*((text, text) for text in COMMANDS), *((text, UNKNOWN) for text in others)]:
            before, after = (np.zeros(int(rng.uniform(*_QUIET) * SAMPLE_RATE), np.int16) for _ in range(2))
            spoken = _utterance(engine, text, speaker, rng)
            yield Clip(np.concatenate([before, spoken, after]), label, speaker.name, text)


def _utterance(engine: Espeak, text: str, speaker: Speaker, rng: np.random.Generator) -> np.ndarray:
    """Speaks a text and cuts off the silence around it: int16 [N] at 16 kHz."""
    spoken = engine.say(text, speaker.next_voice(rng))
    loudness = np.abs(spoken.astype(np.int32))
    audible = np.flatnonzero(loudness > _AUDIBLE * loudness.max())
    return soxr.resample(spoken[audible[0] : audible[-1] + 1], engine.sample_rate, SAMPLE_RATE, "HQ")


def _silence(count: int, rng: np.random.Generator) -> Iterator[Clip]:
    """One second of quiet, steady noise each."""
    for number in range(count):
        kind = _SILENCE_KINDS[number % len(_SILENCE_KINDS)]
        noise = background_noise(kind, 1.0, int(rng.integers(1 << 30)))
        yield Clip(to_pcm(noise, 10 ** (rng.uniform(*_SILENCE_PEAK) / 20)), SILENCE, "", kind)


def _backgrounds(longer: int, rng: np.random.Generator) -> Iterator[Clip]:
    """Recordings of each kind of background, the eventful ones so many times as long."""
    for kind in KINDS:
        for _ in range(_RECORDINGS_OF_A_KIND):
            seed = int(rng.integers(1 << 30))
            seconds = rng.uniform(*_RECORDING) * (longer if kind in _EVENTFUL else 1)
            yield Clip(background_noise(kind, seconds, seed), BACKGROUND, "", kind)


def _babbles(
    longer: int, engine: Espeak, texts: Sequence[str], speakers: Sequence[Speaker], rng: np.random.Generator
) -> Iterator[Clip]:
    """Recordings of people who speak over each other, and say no command; so many times as long, and as much said."""
    for _ in range(_BABBLES):
        chosen = rng.choice(len(speakers), 12, replace=False)
        utterances = [
            _utterance(engine, str(rng.choice(texts)), speakers[chosen[number % len(chosen)]], rng)
            for number in range(_BABBLE_UTTERANCES * longer)
        ]
        yield Clip(babble(utterances, rng.uniform(*_RECORDING) * longer, rng), BACKGROUND, "", "babble")
