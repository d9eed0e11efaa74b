import ctypes
import re

import numpy as np
import pytest

from runnel.datasets.spoken_commands.draw_speakers import LANGUAGES
from runnel.datasets.spoken_commands.espeak import Espeak
from runnel.datasets.spoken_commands.unknown_texts import COMMANDS, pseudo_words, unknown_texts

SPLITS = ("train", "validation", "test")


def test_the_commands():
    words = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
    assert list(COMMANDS) == sorted([*words, "recognize speech", "wreck a nice beach"])


@pytest.mark.parametrize("split", SPLITS)
def test_texts_of_a_split(split):
    texts = unknown_texts(split)
    assert len(texts) > 100
    assert len(set(texts)) == len(texts)
    assert all(re.fullmatch(r"[a-z]+( [a-z]+)*", text) for text in texts)
    assert not [text for text in texts if set(text.split()) & set(COMMANDS)]  # No text has a command in it.


def test_each_split_has_texts_of_its_own():
    train, validation, test = (set(unknown_texts(split)) for split in SPLITS)
    common = train & validation & test
    assert len(common) > 60
    near = {"gone", "offer", "leapt", "stopping", "recognise", "a nice peach", "wreck"}
    assert near <= train - common
    assert train & validation == train & test == validation & test == common
    assert min(len(part - common) for part in (train, validation, test)) >= 30


def test_words_that_do_not_exist_have_no_end():
    words = pseudo_words(2000, np.random.default_rng(0))
    assert words == pseudo_words(2000, np.random.default_rng(0))
    assert all(re.fullmatch(r"[a-z]{4,30}", word) for word in words)
    assert len(set(words)) > 1990
    assert not set(words) & {*COMMANDS, *(text for split in SPLITS for text in unknown_texts(split))}


def pronunciation(engine, text):
    """The phonemes without stress and gaps, as the engine says them."""
    speak = engine._library.espeak_TextToPhonemes
    speak.restype, speak.argtypes = ctypes.c_char_p, [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    return re.sub(r"[\s',]", "", speak(ctypes.byref(ctypes.c_char_p(text.encode())), 1, 0).decode())


def test_no_text_sounds_exactly_like_a_command():
    texts = sorted({text for split in SPLITS for text in unknown_texts(split)})
    with Espeak() as engine:
        for language in LANGUAGES:
            assert engine._library.espeak_SetVoiceByName(language.encode()) == 0
            commands = {pronunciation(engine, text) for text in COMMANDS}
            assert len(commands) == len(COMMANDS)
            assert pronunciation(engine, "know") in commands
            assert not [text for text in texts if pronunciation(engine, text) in commands]
