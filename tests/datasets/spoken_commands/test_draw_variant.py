import numpy as np

from runnel.datasets.spoken_commands.draw_variant import draw_variant
from runnel.datasets.spoken_commands.espeak import Espeak, EspeakVoice


def spectrum(samples):
    """Share of the power in bands of 500 Hz."""
    power = np.abs(np.fft.rfft(samples.astype(float), 22_050)) ** 2
    bands = power[:10_000].reshape(20, -1).sum(axis=1)
    return bands / bands.sum()


def test_every_drawn_voice_speaks_and_none_is_like_another():
    rng = np.random.default_rng(0)
    definitions = [draw_variant(rng) for _ in range(40)]
    assert definitions[:2] == [draw_variant(same) for same in [np.random.default_rng(0)] for _ in range(2)]
    with Espeak() as engine:
        spoken = [
            engine.say("off", EspeakVoice("en-us", f"drawn{number}", definition))
            for number, definition in enumerate(definitions)
        ]
    assert all(3_000 < len(samples) < 20_000 and np.abs(samples.astype(int)).max() > 1_000 for samples in spoken)
    spectra = np.array([spectrum(samples) for samples in spoken])
    apart = np.abs(spectra[:, None] - spectra).sum(axis=2)[~np.eye(40, dtype=bool)]
    assert apart.min() > 0.02
    assert np.median(apart) > 0.4


def test_no_drawn_voice_drawls_a_phrase_for_seconds():
    """Lengths that are added to none can come to ten seconds."""
    rng = np.random.default_rng(1)
    definitions = [draw_variant(rng) for _ in range(100)]
    assert sum("stressLength" in definition for definition in definitions) > 10
    with Espeak() as engine:
        spoken = [
            engine.say("recognize speech", EspeakVoice("en-us", f"drawn{number}", definition))
            for number, definition in enumerate(definitions)
        ]
    assert max(map(len, spoken)) < 1.7 * engine.sample_rate


def test_a_drawn_voice_says_the_same_samples_again():
    """Breath of the sixth of Klatt's voices would not be the same."""
    rng = np.random.default_rng(2)
    definitions = [draw_variant(rng) for _ in range(100)]
    assert any("klatt 6" in definition for definition in definitions)
    first, second = [], []
    for spoken in (first, second):
        with Espeak() as engine:
            spoken += [
                engine.say("yes", EspeakVoice("en-us", f"drawn{number}", definition)).tobytes()
                for number, definition in enumerate(definitions)
            ]
    assert first == second
