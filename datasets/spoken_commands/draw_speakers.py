"""The voices of each split -> speakers: a language, a variant of the voice, pitch, rate and volume."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from runnel.datasets.spoken_commands.draw_variant import draw_variant
from runnel.datasets.spoken_commands.espeak import EspeakVoice

__all__ = ["FAMILIES", "LANGUAGES", "LEFT_OUT", "Speaker", "draw_speakers"]

# English as espeak-ng 1.52 speaks it; "en" is British. Left out: en-shaw, which reads the Shavian alphabet.
LANGUAGES = (
    "en", "en-029", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp", "en-us", "en-us-nyc",
)  # fmt: skip

# Variants that sound alike, or are numbered versions of one voice, are a family, and a family is in one split.
FAMILIES: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "train": (
            ("Alex", "Mike", "croak", "grandpa", "john", "m1", "m3", "m5", "m6", "max", "mike2"),
            ("adam", "benjamin", "edward", "edward2", "klatt", "klatt2", "klatt3", "klatt4", "klatt5", "klatt6"),
            ("robosoft", "robosoft2", "robosoft3", "robosoft4", "robosoft5", "robosoft6", "robosoft7", "robosoft8"),
            ("iven", "iven2", "iven3", "iven4"), ("steph", "steph2", "steph3"), ("Michael", "gustave", "marcelo"),
            ("Andy", "AnxiousAndy"), ("Gene", "Gene2"), ("anika", "anikaRobot"),
            ("Demonic",), ("RicishayMax",), ("Storm",), ("Tweaky",), ("announcer",), ("antonio",), ("belinda",),
            ("boris",), ("david",), ("ed",), ("f1",), ("f3",), ("m2",), ("m4",), ("norbert",), ("pablo",),
            ("whisper",), ("whisperf",), ("zac",),
        ),
        "validation": (
            ("aunty", "f4", "linda"), ("Mario", "Nguyen", "m7"), ("michel", "miguel"),
            ("Jacky",), ("Lee",), ("UniRobot",), ("grandma",), ("ian",), ("pedro",), ("sandro",),
        ),
        "test": (
            ("Denis", "Diogo", "Henrique", "Hugo"), ("quincy", "rob", "robert"), ("f2", "f5"),
            ("Andrea",), ("Annie",), ("Marco",), ("Mr serious",), ("m8",), ("paul",), ("shelby",), ("travis",),
            ("victor",),
        ),
    }
)  # fmt: skip

LEFT_OUT = MappingProxyType(
    {
        **dict.fromkeys(("Alicia", "RicishayMax2", "RicishayMax3", "kaukovalta"), "its words are hard to tell apart"),
        **dict.fromkeys(("Reed", "caleb"), "its breath comes from a generator that cannot be seeded here"),
        "fast": "the plain voice, made to try high rates",
    }
)


@dataclass(frozen=True)
class Speaker:
    """Somebody who speaks.

    Attributes:
        name: "en-us+f2-017": the language, the variant and a number within the split.
        voice: How they speak on average.
    """

    name: str
    voice: EspeakVoice

    def next_voice(self, rng: np.random.Generator) -> EspeakVoice:
        """Returns the voice for one utterance: nobody says a word twice alike."""
        return replace(
            self.voice,
            rate=round(self.voice.rate * rng.uniform(0.92, 1.08)),
            pitch=int(np.clip(self.voice.pitch + rng.integers(-4, 5), 0, 100)),
        )


def draw_speakers(split: str, count: int, rng: np.random.Generator) -> Iterator[Speaker]:
    """Draws speakers; each family of variants is about equally frequent.

    Two of three to train on have a voice that was drawn too: the engine has too few of its own to learn from them what
    matters in a voice and what does not.

    Args:
        split: "train", "validation" or "test".
        count: How many.
        rng: Where the draws come from.
    """
    families, every = FAMILIES[split], 3 if split == "train" else 1
    for number in range(count):
        variant, definition = str(rng.choice(families[number // every % len(families)])), ""
        if number % every:
            variant, definition = f"drawn{number:03d}", draw_variant(rng)
        voice = EspeakVoice(
            language=str(rng.choice(LANGUAGES)),
            variant=variant,
            definition=definition,
            rate=int(rng.integers(125, 215)),
            pitch=int(rng.integers(25, 76)),
            pitch_range=int(rng.integers(25, 76)),
            volume=int(rng.integers(25, 71)),
        )
        yield Speaker(f"{voice.language}+{variant}-{number:03d}", voice)
