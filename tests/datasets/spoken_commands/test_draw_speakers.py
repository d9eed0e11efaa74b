from collections import Counter

import numpy as np
import pytest

from runnel.datasets.spoken_commands.draw_speakers import FAMILIES, LANGUAGES, LEFT_OUT, draw_speakers
from runnel.datasets.spoken_commands.espeak import Espeak, EspeakVoice, find_engine

SPLITS = ("train", "validation", "test")


def variants(split):
    return [variant for family in FAMILIES[split] for variant in family]


def test_each_variant_of_the_engine_is_in_one_split_or_left_out():
    listed = [*(variant for split in SPLITS for variant in variants(split)), *LEFT_OUT]
    assert len(set(listed)) == len(listed)
    there = sorted(path.name for path in (find_engine()[1] / "voices" / "!v").iterdir())
    assert sorted(listed) == there


def test_numbered_versions_of_a_voice_stay_together():
    for stem in ("robosoft", "klatt", "iven", "steph", "Gene", "anika"):
        assert len({split for split in SPLITS for variant in variants(split) if variant.startswith(stem)}) == 1


def test_every_voice_speaks():
    with Espeak() as engine:
        for split in SPLITS:
            for variant in variants(split):
                assert len(engine.say("go", EspeakVoice("en-us", variant))) > 2000
        for language in LANGUAGES:
            assert len(engine.say("go", EspeakVoice(language, "m2"))) > 2000


@pytest.mark.parametrize("split", SPLITS)
def test_speakers(split):
    speakers = list(draw_speakers(split, 60, np.random.default_rng(0)))
    assert speakers == list(draw_speakers(split, 60, np.random.default_rng(0)))
    assert speakers != list(draw_speakers(split, 60, np.random.default_rng(1)))
    assert len({speaker.name for speaker in speakers}) == 60
    drawn = [speaker.voice.variant for speaker in speakers if speaker.voice.definition]
    assert len(set(drawn)) == (40 if split == "train" else 0)
    for speaker in speakers:
        assert speaker.voice.variant in (*variants(split), *drawn)
        assert speaker.name.startswith(f"{speaker.voice.language}+{speaker.voice.variant}-")
    assert {speaker.voice.language for speaker in speakers} == set(LANGUAGES)


def test_families_take_turns():
    families = FAMILIES["test"]
    speakers = draw_speakers("test", 10 * len(families), np.random.default_rng(0))
    of = {variant: family[0] for family in families for variant in family}
    assert set(Counter(of[speaker.voice.variant] for speaker in speakers).values()) == {10}


def test_no_two_utterances_alike():
    rng = np.random.default_rng(0)
    (speaker,) = draw_speakers("train", 1, rng)
    voices = [speaker.next_voice(rng) for _ in range(200)]
    assert len(set(voices)) > 20
    assert {voice.variant for voice in voices} == {speaker.voice.variant}
    assert all(abs(voice.rate / speaker.voice.rate - 1) <= 0.085 for voice in voices)
    assert all(abs(voice.pitch - speaker.voice.pitch) <= 4 for voice in voices)
