import numpy as np
import pytest

from runnel.datasets.audio.background_noise import KINDS, background_noise, background_noises, to_pcm
from runnel.shared.errors import InputError


def spectrum(kind, seconds=20, seed=5):
    sound = background_noise(kind, seconds, seed) / 32_768
    return np.fft.rfftfreq(len(sound), 1 / 16_000), np.abs(np.fft.rfft(sound)) ** 2


def octave_levels(kind):
    """dB of each octave from 125 to 4,000 Hz."""
    frequency, power = spectrum(kind)
    edges = 125 * 2.0 ** np.arange(6)
    return [10 * np.log10(power[(low <= frequency) & (frequency < 2 * low)].sum()) for low in edges[:-1]]


def suddenness(kind, seed):
    """How much louder the loudest of the frames of 20 ms is than the one in the middle, dB."""
    frames = (background_noise(kind, 20, seed) / 32_768).reshape(-1, 320)
    level = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    return level.max() - np.median(level)


@pytest.mark.parametrize("kind", KINDS)
def test_form_of_every_kind(kind):
    sound = background_noise(kind, 2.5, seed=1)
    assert sound.dtype == np.int16
    assert sound.shape == (40_000,)
    peak = 20 * np.log10(np.abs(sound.astype(int)).max() / 32_768)
    assert -26.1 < peak < -3.9
    np.testing.assert_array_equal(sound, background_noise(kind, 2.5, seed=1))
    other = background_noise(kind, 2.5, seed=2)
    assert abs(np.corrcoef(sound, other)[0, 1]) < 0.2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [0, 1, 2, 77])
def test_tiny_lengths(kind, samples):
    assert background_noise(kind, samples / 16_000, seed=0).shape == (samples,)


def test_kinds_of_one_seed_have_nothing_in_common():
    sounds = np.array([background_noise(kind, 4, seed=3) for kind in KINDS], float)
    across = np.corrcoef(sounds) - np.eye(len(KINDS))
    assert np.abs(across).max() < 0.2


def test_recordings_of_all_kinds():
    sounds, again, others = (background_noises(seed, each=2, seconds=1.0) for seed in (0, 0, 1))
    assert [sound.shape for sound in sounds] == [(16_000,)] * 2 * len(KINDS)
    np.testing.assert_array_equal(sounds, again)
    assert len(np.unique([*sounds, *others], axis=0)) == 4 * len(KINDS)


@pytest.mark.parametrize(("kind", "step"), [("white", 3.01), ("pink", 0.0), ("brown", -3.01)])
def test_colour(kind, step):
    # Twice the frequencies in each octave: white power is 3 dB up an octave, pink level, brown 3 dB down.
    assert np.diff(octave_levels(kind)) == pytest.approx([step] * 4, abs=0.5)


@pytest.mark.parametrize("seed", [1, 2])
def test_hum_is_harmonics_of_the_mains(seed):
    frequency, power = spectrum("hum", seed=seed)
    share = max(
        power[(np.abs(frequency - mains * np.round(frequency / mains)) < 3) & (frequency > 40)].sum()
        for mains in (50, 60)
    )
    assert share > 0.9 * power.sum()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_only_some_kinds_are_sudden(seed):
    assert min(suddenness(kind, seed) for kind in ("beeps", "clicks", "knocks")) > 20
    assert max(suddenness(kind, seed) for kind in ("fan", "hum", "pink", "rain", "white")) < 12


def test_music_has_tones_of_one_scale():
    # Most power stands in a few of the bins of 1 Hz, unlike noise.
    def share(kind):
        power = np.sort(spectrum(kind, seconds=10)[1])
        return power[-len(power) // 100 :].sum() / power.sum()

    assert share("music") > 0.8
    assert share("pink") < 0.6


def test_to_pcm():
    np.testing.assert_array_equal(to_pcm(np.array([0.0, 2.0, -4.0]), 0.5), [0, 8192, -16384])
    np.testing.assert_array_equal(to_pcm(np.array([1.0, -1.0]), 1.0), [32_767, -32_767])
    np.testing.assert_array_equal(to_pcm(np.zeros(3), 0.5), [0, 0, 0])
    assert to_pcm(np.zeros(0), 0.5).dtype == np.int16


def test_unknown_kind_and_bad_length():
    with pytest.raises(InputError, match=r"received the background noise 'wind'; expected one of beeps, brown, "):
        background_noise("wind", 1.0, 0)
    for seconds in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="expected a length from 0 on"):
            background_noise("white", seconds, 0)
