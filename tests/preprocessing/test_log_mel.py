from pathlib import Path

import librosa
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.shared.preprocessing.log_mel import LogMel

RATE, HOP, WINDOW, BANDS = 16_000, 320, 640, 40
TOLERANCE = 1e-4  # nats, where a band is within 60 dB of the loudest band of its frame
LARGEST_ERROR = 1e-3  # nats, anywhere: single precision rounds what leaks from a full-scale sine into far bands
features = LogMel()
step = tf.function(
    features.step,
    input_signature=[
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None], tf.int32),
        {"samples": tf.TensorSpec([None, WINDOW - 1], tf.float32), "waiting": tf.TensorSpec([None], tf.int32)},
    ],
    autograph=False,
    jit_compile=False,
)


def whole(waveform, module=features, run=step):
    """Features [M, bands] and the final state of one recording [N]."""
    values, count, state = run(
        tf.constant(waveform[None], tf.float32), tf.constant([len(waveform)]), module.initial_state(1)
    )
    assert values.shape[1] == count[0]
    return values.numpy()[0], {name: value.numpy()[0] for name, value in state.items()}


def librosa_log_mel(
    waveform, rate=RATE, hop=HOP, window=WINDOW, bands=BANDS, low=20.0, high=None, floor=features.floor
):
    """In double precision."""
    padded = np.concatenate([np.zeros(window - hop), waveform.astype(np.float64)])
    mel = librosa.feature.melspectrogram(
        y=padded, sr=rate, center=False, n_fft=window, hop_length=hop, power=2, n_mels=bands, fmin=low, fmax=high
    )
    return np.log(mel.T + floor)


def speech_like(samples, rate=RATE, level=0.3):
    """A buzz of a gliding pitch through two moving resonances, with pauses, and hiss where it is unvoiced."""
    time = np.arange(samples) / rate
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / rate
    voice = np.zeros(samples)
    for harmonic in range(1, 30):
        frequency = 120 * harmonic
        resonances = (500 + 200 * np.sin(3 * time), 1500 + 600 * np.cos(2 * time))
        voice += sum(np.exp(-(((frequency - r) / 150) ** 2)) for r in resonances) * np.sin(harmonic * phase)
    hiss = np.random.default_rng(1).normal(size=samples) * (np.sin(2 * np.pi * 1.3 * time) > 0.8)
    speech = (voice * (np.sin(2 * np.pi * 2 * time) > -0.3) + hiss).astype(np.float32)
    return level * speech / np.abs(speech).max()


def noise(samples, level=0.1, seed=0):
    return (level * np.random.default_rng(seed).normal(size=samples)).astype(np.float32)


SIGNALS = {
    "speech": speech_like(32_000),
    "soft speech": speech_like(16_000, level=1e-3),
    "white noise": noise(16_000).clip(-1, 1),
    "least significant bit": np.round(noise(16_000, level=1.0)) / 32_768,
    "sine at full scale": np.sin(0.3 * np.arange(16_000)).astype(np.float32),
    "square wave at full scale": np.sign(np.sin(0.01 * np.arange(16_000) + 0.1)).astype(np.float32),
    "zeros": np.zeros(1_000, np.float32),
    "no whole number of frames": noise(3 * HOP + 123).clip(-1, 1),
}


def assert_close_to_librosa(actual, expected):
    is_near = expected > expected.max(axis=1, keepdims=True) - np.log(1e6)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=LARGEST_ERROR)
    np.testing.assert_allclose(actual[is_near], expected[is_near], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", SIGNALS)
def test_features_are_those_of_librosa(name):
    actual, _ = whole(SIGNALS[name])
    assert_close_to_librosa(actual, librosa_log_mel(SIGNALS[name]))


@pytest.mark.parametrize(
    ("rate", "hop", "window", "bands", "low", "high"),
    [(8_000, 80, 200, 23, 100.0, None), (16_000, 160, 401, 30, 0.0, 7_000.0), (16_000, 512, 512, 64, 0.0, None)],
)
def test_other_sizes_are_those_of_librosa_too(rate, hop, window, bands, low, high):
    module = LogMel(rate, hop, window, bands, low, high)
    waveform = speech_like(5_000, rate)
    actual, state = whole(waveform, module, module.step)
    expected = librosa_log_mel(waveform, rate, hop, window, bands, low, high, module.floor)
    assert_close_to_librosa(actual, expected)
    assert state["samples"].shape == (window - 1,)
    assert state["waiting"] == 5_000 % hop


def test_a_sine_worked_by_hand():
    amplitude, bin_ = 0.5, 40  # 1,000 Hz, a whole number of periods in the window
    actual, _ = whole(amplitude * np.sin(2 * np.pi * bin_ * np.arange(WINDOW) / WINDOW))
    # The sum of the window is 320: half of it is at the bin, and half of that, by Hann, at each of its neighbours.
    power = np.zeros(WINDOW // 2 + 1)
    power[bin_], power[[bin_ - 1, bin_ + 1]] = (amplitude * 160) ** 2, (amplitude * 80) ** 2
    mel = librosa.filters.mel(sr=RATE, n_fft=WINDOW, n_mels=BANDS, fmin=20.0) @ power
    np.testing.assert_allclose(actual[1], np.log(mel + features.floor), atol=1e-3)


def test_a_frame_ends_with_its_hop_and_sees_one_window():
    impulse = np.zeros(5 * HOP, np.float32)
    impulse[2 * HOP + 100] = 1  # in the third hop
    actual, _ = whole(impulse)
    is_silent = np.all(np.abs(actual - np.log(features.floor)) < 1e-3, axis=1)
    np.testing.assert_array_equal(is_silent, [True, True, False, False, True])


def test_the_floor_is_white_noise_80_db_below_full_scale():
    mel = np.exp(whole(noise(320_000, level=1e-4))[0][2:]) - features.floor
    np.testing.assert_allclose(mel.mean(axis=0), features.floor, rtol=0.15)


def test_the_last_bit_of_a_silence_hardly_shows():
    dither = np.random.default_rng(0).integers(-1, 2, 32_000) / 32_768
    shown = whole(dither)[0] - np.log(features.floor)
    assert 0 < shown.max() < 0.4
    assert np.abs(shown).mean() < 0.1
    whisper = whole(noise(32_000, level=10 ** (-60 / 20)))[0] - np.log(features.floor)
    assert whisper.mean() > 4


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 0), (319, 0), (320, 1), (639, 1), (640, 2)])
def test_a_frame_is_complete_with_its_last_sample(samples, frames):
    actual, state = whole(noise(samples))
    assert actual.shape == (frames, BANDS)
    assert state["waiting"] == samples - frames * HOP
    np.testing.assert_array_equal(state["samples"], np.concatenate([np.zeros(WINDOW), noise(samples)])[1 - WINDOW :])


@pytest.mark.parametrize("samples", [0, 1, 320, 641])
def test_a_batch_may_be_empty(samples):
    for run in (step, features.step):
        values, count, state = run(tf.zeros([0, samples]), tf.zeros([0], tf.int32), features.initial_state(0))
        assert values.shape == (0, 0, BANDS)
        assert count.shape == (0,)
        assert state["samples"].shape == (0, WINDOW - 1)


def test_a_row_is_the_same_alone_and_beside_others():
    lengths = [1_700, 0, 641, 50]
    waveform = np.stack([noise(1_700, seed=seed) for seed in range(4)]).clip(-1, 1)
    spoiled = np.where(np.arange(1_700) < np.array(lengths)[:, None], waveform, np.nan)
    values, count, state = step(tf.constant(spoiled, tf.float32), lengths, features.initial_state(4))
    np.testing.assert_array_equal(count, [5, 0, 2, 0])
    assert values.shape == (4, 5, BANDS)
    for row, length in enumerate(lengths):
        expected, expected_state = whole(waveform[row, :length])
        np.testing.assert_allclose(values[row, : count[row]], expected, atol=TOLERANCE)
        np.testing.assert_array_equal(values[row, count[row] :], np.zeros((5 - count[row], BANDS)))
        for name, value in expected_state.items():
            np.testing.assert_array_equal(state[name][row], value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_counts_as_zero(bad):
    waveform = noise(1_000)
    waveform[[0, 500, 999]] = 0
    expected, expected_state = whole(waveform)
    waveform[[0, 500, 999]] = bad
    actual, state = whole(waveform)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(state["samples"], expected_state["samples"])


def test_beyond_full_scale_is_clipped():
    waveform = noise(2_000, level=3.0)
    np.testing.assert_array_equal(whole(waveform)[0], whole(waveform.clip(-1, 1))[0])


def test_a_length_is_never_more_than_there_is():
    waveform = tf.constant(noise(1_400).reshape(2, 700))
    expected = step(waveform, [700, 0], features.initial_state(2))
    actual = step(waveform, [2_000_000_000, -5], features.initial_state(2))
    tf.nest.map_structure(np.testing.assert_array_equal, actual, expected)


pieces_of_a_row = st.lists(st.one_of(st.sampled_from([0, 1, HOP - 1, HOP, WINDOW]), st.integers(0, 900)), max_size=6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=st.lists(pieces_of_a_row, min_size=1, max_size=4))
def test_any_cutting_gives_the_same_frames_and_state(rows):
    recordings = [noise(sum(pieces), seed=seed).clip(-1, 1) for seed, pieces in enumerate(rows)]
    found, state = [np.zeros((0, BANDS))] * len(rows), features.initial_state(len(rows))
    done = np.zeros(len(rows), int)
    for call in range(max(map(len, rows))):
        lengths = [pieces[call] if call < len(pieces) else 0 for pieces in rows]
        chunk = np.full((len(rows), max(lengths)), np.nan, np.float32)
        for row, length in enumerate(lengths):
            chunk[row, :length] = recordings[row][done[row] : done[row] + length]
        done += lengths
        values, count, state = step(tf.constant(chunk), lengths, state)
        assert values.shape[1] == max(count)
        found = [np.concatenate([before, new[:n]]) for before, new, n in zip(found, values.numpy(), count, strict=True)]
    for row, recording in enumerate(recordings):
        expected, expected_state = whole(recording)
        np.testing.assert_allclose(found[row], expected, rtol=0, atol=TOLERANCE)
        for name, value in expected_state.items():
            np.testing.assert_array_equal(state[name][row], value)


def test_a_saved_model_gives_the_same(tmp_path: Path):
    module = tf.Module()
    module.features, module.step = features, step
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    arguments = (tf.constant(noise(2_000).reshape(2, -1)), tf.constant([1_000, 321]), features.initial_state(2))
    tf.nest.map_structure(np.testing.assert_array_equal, loaded.step(*arguments), step(*arguments))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hop": 0}, "hop=0"),
        ({"hop": 641}, "expected 1 <= hop <= window"),
        ({"low": -1.0}, "low=-1.0"),
        ({"low": 4_000.0, "high": 4_000.0}, "expected 0 <= low < high"),
        ({"high": 8_001.0}, "high <= 8000.0"),
    ],
)
def test_sizes_have_bounds(options, message):
    with pytest.raises(ValueError, match=message):
        LogMel(**options)
