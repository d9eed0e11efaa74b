import hashlib
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from runnel.datasets.spoken_commands import espeak as module
from runnel.datasets.spoken_commands.espeak import Espeak, EspeakVoice, find_engine
from runnel.shared.errors import InputError, RunnelError

VOICE = EspeakVoice("en-us", "f2")
# f2 wavers, klatt4 hisses, whisper is breath: each takes its noise from another place.
FINGERPRINT = """
import hashlib
from runnel.datasets.spoken_commands.espeak import Espeak, EspeakVoice
digest = hashlib.sha256()
with Espeak(seed=7) as engine:
    for variant in ("f2", "klatt4", "whisper", "Mr serious"):
        for text in ("stop", "recognize speech"):
            digest.update(engine.say(text, EspeakVoice("en-gb-scotland", variant, rate=150)).tobytes())
fingerprint = digest.hexdigest()
"""


@pytest.fixture(scope="module")
def engine():
    with Espeak() as engine:
        yield engine


def fingerprint():
    names = {}
    exec(FINGERPRINT, names)
    return names["fingerprint"]


def pitch_of(samples, rate):
    """Hz: the lag at which the middle of the sound resembles itself most."""
    middle = samples[len(samples) // 4 : len(samples) // 2].astype(float)
    similarity = np.correlate(middle, middle, "full")[len(middle) :]
    low, high = rate // 500, rate // 60
    return rate / (low + 1 + np.argmax(similarity[low:high]))


def one_line(caught):
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_samples(engine):
    samples = engine.say("stop", VOICE)
    assert engine.sample_rate == 22_050
    assert samples.dtype == np.int16
    assert 0.3 < len(samples) / engine.sample_rate < 1.0
    assert 500 < np.abs(samples.astype(int)).max() < 32_767


def test_parameters_have_their_effect(engine):
    slow, quick = (engine.say("yesterday", replace(VOICE, rate=rate)) for rate in (100, 300))
    assert len(slow) > 1.5 * len(quick)
    low, high = (engine.say("ah", replace(VOICE, variant="m2", pitch=pitch, pitch_range=0)) for pitch in (10, 90))
    assert pitch_of(high, 22_050) > 1.4 * pitch_of(low, 22_050)
    soft, loud = (np.abs(engine.say("no", replace(VOICE, volume=volume))).max() for volume in (20, 80))
    assert loud == pytest.approx(4 * soft, rel=0.15)


def test_languages_and_texts_differ(engine):
    words = {engine.say("water", replace(VOICE, language=language)).tobytes() for language in ("en", "en-us", "de")}
    assert len(words) == 3
    assert len(engine.say("größer", replace(VOICE, language="de"))) > 1000  # UTF-8


def test_same_samples_in_a_new_process_whatever_was_said_before(engine):
    engine.say("something else", VOICE)
    here = fingerprint()
    assert here == fingerprint()
    done = subprocess.run(
        [sys.executable, "-c", FINGERPRINT + "print(fingerprint)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == here


def test_two_at_once_do_not_disturb_each_other():
    def say(engine):
        return engine.say("right", VOICE).tobytes()

    with Espeak() as alone:
        expected = [say(alone) for _ in range(3)]
    assert len(set(expected)) == 3  # The voice wavers.
    with Espeak() as first:
        got = [say(first)]
        with Espeak() as second:
            assert [say(second) for _ in range(3)] == expected
        got += [say(first), say(first)]
    assert got == expected


def test_a_voice_of_our_own(engine):
    low, high = (f"language variant\npitch {hertz} {hertz}\nroughness 0\nflutter 0\n" for hertz in (90, 180))
    spoken = [
        engine.say("mama", EspeakVoice("en-us", "own", definition=definition, pitch_range=0))
        for definition in (low, high, low)
    ]
    pitches = [pitch_of(samples, engine.sample_rate) for samples in spoken]
    assert pitches[0] == pytest.approx(pitches[2])
    assert 1.8 < pitches[1] / pitches[0] < 2.3


def test_a_voice_of_our_own_leaves_the_one_of_that_name_in_the_package():
    file = find_engine()[1] / "voices" / "!v" / "f2"
    before = file.read_bytes()
    with Espeak() as engine:
        engine.say("yes", replace(VOICE, definition="language variant\npitch 90 90\n"))
    assert file.read_bytes() == before


def test_the_seed_matters_to_breath():
    def breath(seed):
        with Espeak(seed) as engine:
            return engine.say("stop", replace(VOICE, variant="whisper")).tobytes()

    assert breath(1) == breath(1)
    assert breath(1) != breath(2)


@pytest.mark.parametrize(
    ("text", "voice", "message"),
    [
        ("", VOICE, "received the text '', which has no sound"),
        ("  ", VOICE, "received the text '  ', which has no sound"),
        ("yes", replace(VOICE, variant="f99"), "received the voice variant 'f99'; expected a file of "),
        ("yes", replace(VOICE, language="xx"), "received the language 'xx'; expected one of espeak-ng"),
        ("yes", replace(VOICE, rate=79), "received the rate 79 of a voice; expected 80 to 450"),
        ("yes", replace(VOICE, pitch=101), "received the pitch 101 of a voice; expected 0 to 100"),
    ],
)
def test_what_it_refuses(engine, text, voice, message):
    with pytest.raises(InputError) as caught:
        engine.say(text, voice)
    assert one_line(caught).startswith(message)
    assert len(engine.say("yes", VOICE)) > 1000  # It goes on working.


@pytest.mark.parametrize(
    ("function", "code", "message"),
    [
        ("espeak_Synth", 1, "espeak-ng could not speak 'yes': buffer full (1)"),
        ("espeak_Synth", -1, "espeak-ng could not speak 'yes': internal error (-1)"),
        ("espeak_SetParameter", 2, "espeak-ng could not set the rate 170: not found (2)"),
    ],
)
def test_return_codes_are_checked(function, code, message):
    with Espeak() as engine:
        failing = mock.patch.object(engine._library, function, return_value=code)
        with failing, pytest.raises(RunnelError, match=re.escape(message)):
            engine.say("yes", VOICE)


def test_a_failing_end_is_told():
    engine = Espeak()
    with pytest.raises(RunnelError, match="could not end"), engine:
        engine._library.espeak_Terminate = lambda: -1


def test_a_failing_end_hides_no_other_error():
    def fail(engine):
        with engine:
            engine._library.espeak_Terminate = lambda: -1
            raise RunnelError("another error")

    with pytest.raises(RunnelError, match="another error"):
        fail(Espeak())


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Espeak() as engine:
        engine.say("yes", VOICE)
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def found(library, data):
    return mock.patch.object(module, "find_engine", return_value=(library, data))


def test_a_long_path_of_the_data(tmp_path):
    library, data = find_engine()
    deep = tmp_path.joinpath(*["x" * 60] * 4)
    deep.mkdir(parents=True)
    (deep / "data").symlink_to(data)

    def digest():
        with Espeak() as engine:
            return hashlib.sha256(engine.say("stop", VOICE).tobytes()).hexdigest()

    expected = digest()
    with found(library, deep / "data"):
        assert digest() == expected


def test_a_long_path_for_temporary_files(tmp_path, monkeypatch):
    library, data = find_engine()
    deep = tmp_path.joinpath(*["x" * 60] * 4)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    (deep / "data").symlink_to(data)
    with found(library, deep / "data"), pytest.raises(InputError) as caught, Espeak():
        pass
    assert "set TMPDIR to a shorter one" in one_line(caught)
    assert list(deep.iterdir()) == [deep / "data"]


def test_a_library_that_does_not_load(tmp_path):
    (tmp_path / "libespeak-ng.so").write_text("no library")
    with found(tmp_path / "libespeak-ng.so", tmp_path), pytest.raises(InputError) as caught, Espeak():
        pass
    assert one_line(caught).startswith("espeak-ng cannot be loaded here (")


def test_another_library(tmp_path):
    from numpy.random import mtrand

    with found(Path(mtrand.__file__), tmp_path), pytest.raises(InputError) as caught, Espeak():
        pass
    assert one_line(caught).startswith("espeak-ng cannot be loaded here (")


def test_data_that_is_not_there(tmp_path):
    with found(find_engine()[0], tmp_path), pytest.raises(InputError) as caught, Espeak():
        pass
    assert one_line(caught).startswith(f"espeak-ng does not start with its data in {tmp_path} (code ")


def test_a_missing_package():
    with mock.patch.dict(sys.modules, {"espeakng_loader": None}), pytest.raises(InputError) as caught:
        find_engine()
    assert "'espeakng_loader'" in one_line(caught)
    assert 'pip install "runnel[demo]"' in one_line(caught)


def test_a_package_for_another_machine(monkeypatch, tmp_path):
    monkeypatch.setattr("espeakng_loader.get_library_path", lambda: str(tmp_path / "none.so"))
    with pytest.raises(InputError, match="for this machine"):
        find_engine()


def test_a_damaged_package(monkeypatch):
    monkeypatch.setattr("espeakng_loader.get_data_path", mock.Mock(side_effect=RuntimeError("no data")))
    with pytest.raises(InputError, match=r"damaged \(no data\)"):
        find_engine()
