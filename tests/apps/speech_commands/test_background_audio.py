import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.speech_commands.background_audio import BackgroundAudio, BackgroundDraw
from runnel.apps.speech_commands.config import Advanced
from runnel.apps.speech_commands.recordings import Recordings

SAMPLES, RATE = 8_000, 16_000
ADVANCED = Advanced(batch_size=8, babble_share=0.25, noise_share=1.0)
NOISE_HERTZ = 200.0
TALK_HERTZ = (1000.0, 1400.0, 1900.0, 2500.0, 3200.0, 4000.0, 5000.0, 6000.0)


def tone(hertz: float) -> np.ndarray:
    """A second of a tone, int16."""
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE)).astype(np.int16)


def background(talks: bool = True, **options: float) -> BackgroundAudio:
    """Noise is a low tone; what people say are high ones, a second each, behind a command."""
    clips = Recordings.of([tone(100.0), *(tone(hertz) for hertz in TALK_HERTZ)])
    advanced = dataclasses.replace(ADVANCED, **options)
    return BackgroundAudio([tone(NOISE_HERTZ)], clips.joined(1) if talks else None, advanced, SAMPLES)


def heard(source: BackgroundAudio, seed: int) -> tuple[BackgroundDraw, np.ndarray, np.ndarray]:
    """A draw, its samples and their level."""
    draw = source.draw(tf.constant([seed, 0]))
    samples, level = source.sound(draw)
    return draw, samples.numpy(), level.numpy()


def tones(samples: np.ndarray) -> set[float]:
    """Which of the tones are in it, whatever their level down to 30 dB below the loudest one."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    at = {hertz: power[round(hertz * len(samples) / RATE)] for hertz in (100.0, NOISE_HERTZ, *TALK_HERTZ)}
    return {hertz for hertz, value in at.items() if value > 1e-3 * max(at.values())}


def test_so_many_windows_have_people_in_place_of_a_recording() -> None:
    places = set()
    for seed in range(10):
        draw, samples, _ = heard(background(), seed)
        babbles = draw.babbles.numpy()
        assert babbles.sum() == 2
        for window, has_babble in zip(samples, babbles, strict=True):
            assert (tones(window) == {NOISE_HERTZ}) != has_babble
            assert not has_babble or tones(window) <= set(TALK_HERTZ)  # no command, no noise
        places |= set(np.flatnonzero(babbles).tolist())
    assert len(places) > 5


def test_a_share_that_is_no_whole_number_of_windows_holds_over_many_batches() -> None:
    source = background(batch_size=2, babble_share=0.25)
    counts = []
    for seed in range(200):
        draw, samples, _ = heard(source, seed)
        babbles = draw.babbles.numpy()
        assert [tones(window) == {NOISE_HERTZ} for window in samples] == (~babbles).tolist()
        counts.append(babbles.sum())
    assert set(counts) == {0, 1}
    assert 75 < sum(counts) < 125


@pytest.mark.parametrize(("crowd", "count"), [(0.0, 2), (0.5, 4), (0.999, 6)])
def test_babble_is_of_two_to_six_voices(crowd: float, count: int) -> None:
    source = background()
    draw = source.draw(tf.constant([0, 0]))
    voices = tf.tile((tf.range(6.0) + 0.2)[None] / len(TALK_HERTZ), [2, 1])  # each within a tone of its own
    draw = draw._replace(crowd=tf.fill([2], crowd), voices=voices, distance=tf.zeros([2, 6]))
    for window in source.sound(draw)[0].numpy()[draw.babbles.numpy()]:
        assert tones(window) == set(TALK_HERTZ[:count])


def test_the_farthest_voice_is_20_db_softer() -> None:
    source = background()
    draw = source.draw(tf.constant([0, 0]))
    near, far = (source.sound(draw._replace(distance=tf.fill([2, 6], distance)))[1] for distance in (0.0, 1.0))
    np.testing.assert_allclose((near - far).numpy()[draw.babbles.numpy()], 20.0, atol=1e-3)


def test_no_two_windows_have_the_same_babble() -> None:
    found = []
    for seed in range(40):
        draw, samples, _ = heard(background(), seed)
        found += [frozenset(tones(window)) for window in samples[draw.babbles.numpy()]]
    assert len(set(found)) > 0.7 * len(found)


def test_the_level_is_that_of_what_is_heard() -> None:
    _, samples, level = heard(background(), 3)
    np.testing.assert_allclose(level, 10 * np.log10(np.mean(samples**2, axis=1)), atol=0.1)


@pytest.mark.parametrize(("talks", "share"), [(False, 0.25), (True, 0.0)])
def test_nobody_babbles_without_other_words_or_a_share(talks: bool, share: float) -> None:
    draw, samples, _ = heard(background(talks, babble_share=share), 0)
    assert not draw.babbles.numpy().any()
    assert all(tones(window) == {NOISE_HERTZ} for window in samples)


def test_the_same_seed_gives_the_same() -> None:
    (_, one, _), (_, two, _), (_, other, _) = (heard(background(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.01


def test_joined_recordings_share_their_samples() -> None:
    recordings = Recordings.of([np.full(length, value, np.int16) for value, length in ((1, 3), (2, 2), (3, 4))])
    joined = recordings.joined(1)
    assert joined.samples is recordings.samples
    whole = joined.at(tf.constant([0]), tf.range(6)[None]) * 32768
    np.testing.assert_array_equal(whole, [[2, 2, 3, 3, 3, 3]])
    around = joined.excerpt(tf.constant([0]), tf.constant([0.5]), 5) * 32768
    np.testing.assert_array_equal(around, [[3, 3, 3, 2, 2]])
