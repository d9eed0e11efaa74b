import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from contracts.adapters import AudioStream
from contracts.streaming import ROWS, Example
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.apps.speech_commands.config import Advanced, Config
from runnel.apps.speech_commands.data import SpeechData
from runnel.apps.speech_commands.model import build_model
from runnel.apps.speech_commands.pad_waveforms import with_silence_after
from runnel.apps.speech_commands.streaming import SpeechCommandsStream, build_stream
from runnel.datasets.audio.speech_corpus import Clips, SpeechCorpus
from runnel.shared.evaluation.detection_scores import Event, Word, match_events
from runnel.shared.export.signatures import build_servable
from runnel.shared.layers.clip_posterior import ClipPosterior
from runnel.shared.layers.event_detector import EventDetector
from runnel.shared.preprocessing.log_mel import LogMel

GOLDEN = Path(__file__).parents[2] / "golden" / "speech_commands_signatures.json"
HOP, RATE, BANDS = 320, 16_000, 12
THRESHOLDS = (0.13, 0.05, np.inf, np.inf)
LABELS = ("go", "stop", "_unknown_", "_silence_")
CONFIG = Config(advanced=Advanced(bands=BANDS, units=8, depth=2, filters=2, smoothing_frames=2, refractory_frames=2))


def network() -> keras.Model:
    """Random weights that hear something now and then."""
    keras.utils.set_random_seed(0)
    model = build_model(CONFIG, len(LABELS), [-4.0] * BANDS, [3.0] * BANDS, use_cudnn=False)
    random = np.random.default_rng(0)
    model.set_weights([weight + random.normal(scale=0.5, size=weight.shape) for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def module() -> Any:
    nothing = {split: Clips((), (), ()) for split in ("train", "validation", "test")}
    data = SpeechData(SpeechCorpus("none", LABELS, nothing, {}, ""), LABELS, (-4.0,) * BANDS, (3.0,) * BANDS)
    return build_servable(build_stream(network(), data, CONFIG, THRESHOLDS)).module


@pytest.fixture(scope="module")
def module_of_short_frames() -> Any:
    """The same with frames of eight samples, so that few samples make many frames."""
    hop = 8
    features = LogMel(RATE, hop, 16 * hop, BANDS)
    detector, clip = EventDetector(THRESHOLDS, 2, 2, hop), ClipPosterior(2, len(LABELS))
    return build_servable(SpeechCommandsStream(network(), features, detector, clip, LABELS)).module


def noisy(seconds: float, seed: int) -> np.ndarray:
    """Noise whose loudness and pitch change all the time, float32 [N]."""
    random = np.random.default_rng(seed)
    samples = round(seconds * RATE)
    loudness = np.repeat(random.uniform(0, 0.3, samples // 800 + 1), 800)[:samples]
    pitch = np.cumsum(np.repeat(random.uniform(200, 6000, samples // 1600 + 1), 1600)[:samples]) / RATE
    return (loudness * (np.sin(2 * np.pi * pitch) + 0.3 * random.normal(size=samples))).clip(-1, 1).astype(np.float32)


def hear(module: Any, pieces: list[np.ndarray], state: Any = None) -> tuple[list[tuple], np.ndarray, Any]:
    """One session: its events (label, sample, confidence), its posteriors [M, C], and the state."""
    state = module.initial_state(batch_size=tf.constant(1)) if state is None else state
    events, posteriors = [], list[np.ndarray]()
    for piece in pieces:
        outputs = module.step(waveform=tf.constant(piece[None]), length=tf.constant([len(piece)]), **state)
        state = {name: outputs[name] for name in state}
        posteriors.append(outputs["probabilities"].numpy()[0, : outputs["frame_count"].numpy()[0]])
        events += _events(outputs, 0)
    return events, np.concatenate(posteriors), state


def _events(outputs: Any, row: int) -> list[tuple]:
    columns = (outputs[f"event_{name}"].numpy()[row] for name in ("label", "sample", "confidence"))
    return [event for event in zip(*columns, strict=True) if event[0]]


def assert_same_events(actual: list[tuple], expected: list[tuple]) -> None:
    assert [event[:2] for event in actual] == [event[:2] for event in expected]
    np.testing.assert_allclose([e[2] for e in actual], [e[2] for e in expected], atol=1e-4)


def serve(module: Any, clips: list[np.ndarray], padding: float = np.nan) -> tuple[list[bytes], np.ndarray]:
    longest = max(map(len, clips), default=0)
    waveform = np.stack([np.pad(clip, (0, longest - len(clip)), constant_values=padding) for clip in clips])
    answer = module.serving_default(waveform=tf.constant(waveform), length=tf.constant([len(clip) for clip in clips]))
    return answer["label"].numpy().tolist(), answer["probabilities"].numpy()


# === The streaming contract ===


@pytest.mark.parametrize("check", ROWS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_contract(module_of_short_frames: Any, check: Callable) -> None:
    waveform = np.stack([noisy(45 / RATE, seed) for seed in range(4)])
    check(AudioStream(module_of_short_frames, 8), Example({"waveform": waveform}, [45, 26, 0, 1]))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, 3 * RATE), max_size=30).map(sorted))
def test_any_chunks_of_some_seconds_give_the_same(module: Any, cuts: list[int]) -> None:
    waveform = noisy(3, 1)
    events, posteriors, state = hear(module, [waveform])
    assert len(events) > 3
    pieces = [waveform[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(waveform)], strict=True)]
    chunk_events, chunk_posteriors, chunk_state = hear(module, pieces)
    assert_same_events(chunk_events, events)
    np.testing.assert_allclose(chunk_posteriors, posteriors, atol=1e-5)
    for name, value in state.items():
        np.testing.assert_allclose(chunk_state[name], value, atol=1e-4, err_msg=name)


def test_many_sessions_in_one_batch_are_each_session_alone(module: Any) -> None:
    """32 sessions of unequal length, in chunks of random sizes, many of them empty."""
    random = np.random.default_rng(0)
    sessions = [noisy(seconds, seed) for seed, seconds in enumerate(random.uniform(0, 8, 32))]
    places, events = [0] * len(sessions), [list[tuple]() for _ in sessions]
    state = module.initial_state(batch_size=tf.constant(len(sessions)))
    while any(place < len(session) for place, session in zip(places, sessions, strict=True)):
        sizes = random.choice([0, 0, 1, 319, 320, 321, 4000, 20_000], len(sessions))
        pieces = [session[place : place + size] for session, place, size in zip(sessions, places, sizes, strict=True)]
        waveform = np.full((len(pieces), max(map(len, pieces))), np.nan, np.float32)
        for row, piece in zip(waveform, pieces, strict=True):
            row[: len(piece)] = piece
        length = tf.constant([len(piece) for piece in pieces])
        outputs = module.step(waveform=tf.constant(waveform), length=length, **state)
        state = {name: outputs[name] for name in state}
        places = [place + len(piece) for place, piece in zip(places, pieces, strict=True)]
        for row, found in enumerate(events):
            found += _events(outputs, row)
    assert sum(map(len, events)) > 100
    for session, found in zip(sessions, events, strict=True):
        assert_same_events(found, hear(module, [session])[0])


def test_memory_of_one_long_call_is_bounded_by_blocks_and_gives_the_same(module: Any) -> None:
    waveform = noisy(40, 2)  # eight blocks
    whole, posteriors, _ = hear(module, [waveform])
    events, chunk_posteriors, _ = hear(module, np.array_split(waveform, 77))
    assert_same_events(events, whole)
    np.testing.assert_allclose(chunk_posteriors, posteriors, atol=1e-5)


# === Results ===


def test_an_event_is_a_command_above_its_threshold_at_the_end_of_a_frame(module: Any) -> None:
    events, posteriors, _ = hear(module, [noisy(10, 3)])
    smoothed = (posteriors[1:] + posteriors[:-1]) / 2
    for label, sample, confidence in events:
        frame = sample // HOP - 1
        assert sample % HOP == 0
        assert label.decode() in LABELS[:2]
        expected = smoothed[frame - 1] if frame else posteriors[0]
        assert confidence == pytest.approx(expected[LABELS.index(label.decode())], abs=1e-5)
        assert confidence >= dict(zip(LABELS, THRESHOLDS, strict=True))[label.decode()]
    gaps = np.diff([sample for _, sample, _ in events])
    assert gaps.min() >= 2 * HOP  # the refractory time


def test_posteriors_sum_to_one_and_padding_is_zero(module: Any) -> None:
    waveform = np.stack([noisy(0.2, 4), noisy(0.2, 5)])
    state = module.initial_state(batch_size=tf.constant(2))
    outputs = module.step(waveform=tf.constant(waveform), length=tf.constant([3200, 700]), **state)
    assert outputs["frame_count"].numpy().tolist() == [10, 2]
    np.testing.assert_allclose(outputs["probabilities"].numpy().sum(axis=2), [[1] * 10, [1] * 2 + [0] * 8], atol=1e-5)


def test_clips_of_unequal_length_are_each_clip_alone(module: Any) -> None:
    clips = [noisy(seconds, seed) for seed, seconds in enumerate((1.0, 0.03, 0.0, 2.7, 0.019))]
    labels, probabilities = serve(module, clips)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    for clip, label, row in zip(clips, labels, probabilities, strict=True):
        alone_label, alone = serve(module, [clip])
        assert alone_label == [label]
        np.testing.assert_allclose(alone[0], row, atol=1e-5)
    assert labels[2] == labels[4] == b"_silence_"  # no complete frame
    assert probabilities[2].tolist() == probabilities[4].tolist() == [0, 0, 0, 1]


def test_a_clip_is_heard_with_the_silence_in_which_its_end_is_decided_on(module: Any) -> None:
    clip, smoother = noisy(0.5, 9), ClipPosterior(CONFIG.advanced.smoothing_frames, len(LABELS))

    def answer(waveform: np.ndarray) -> np.ndarray:
        _, posteriors, _ = hear(module, [waveform])
        state = smoother.step(tf.constant(posteriors[None]), tf.constant([len(posteriors)]), smoother.initial_state(1))
        return smoother.result(state).numpy()[0]

    _, found = serve(module, [clip])
    np.testing.assert_allclose(found, [answer(with_silence_after(clip, CONFIG.advanced.smoothing_frames))], atol=1e-5)
    assert np.abs(found - answer(clip)).max() > 1e-3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_counts_as_silence(module: Any, value: float) -> None:
    waveform = noisy(1, 6)
    spoiled, mended = waveform.copy(), waveform.copy()
    spoiled[5000:5010], mended[5000:5010] = value, 0
    np.testing.assert_array_equal(hear(module, [spoiled])[1], hear(module, [mended])[1])
    assert np.isfinite(hear(module, [np.full(RATE, value, np.float32)])[1]).all()


def test_samples_beyond_full_scale_are_clipped(module: Any) -> None:
    waveform = 3 * noisy(0.5, 7)
    np.testing.assert_array_equal(hear(module, [waveform])[1], hear(module, [waveform.clip(-1, 1)])[1])
    assert np.isfinite(hear(module, [np.full(RATE, 1e38, np.float32)])[1]).all()


def test_no_rows_are_legal(module: Any) -> None:
    state = module.initial_state(batch_size=tf.constant(0))
    outputs = module.step(waveform=tf.zeros([0, 400]), length=tf.zeros([0], tf.int32), **state)
    assert outputs["event_label"].shape[0] == outputs["probabilities"].shape[0] == 0


def test_the_state_does_not_grow_and_an_old_one_hears_as_a_fresh_one_does(module: Any) -> None:
    """Nothing is summed up over a stream: after silence as long as the memory, only the count of frames differs."""
    _, _, old = hear(module, [noisy(60, 8)])
    sizes = {name: value.shape for name, value in old.items()}
    assert sizes == {name: value.shape for name, value in module.initial_state(batch_size=tf.constant(1)).items()}
    assert old["state_frames"].numpy().tolist() == [60 * RATE // HOP]


# === The export ===


def test_signatures_are_the_golden_ones(trained: Any) -> None:
    """A difference is a breaking change: it belongs into CHANGELOG.md, and then into the golden file."""
    found = {
        signature: {
            side: {name: f"{spec['dtype']} {spec['shape']}" for name, spec in specs.items()}
            for side, specs in sides.items()
        }
        for signature, sides in trained.manifest["signatures"].items()
    }
    assert found == json.loads(GOLDEN.read_text())


def test_verification_measured_what_was_promised(trained: Any) -> None:
    measured = json.loads((trained.export / "verification.json").read_text())
    assert measured["passed"]
    assert measured["state_bytes_per_session"] == trained.manifest["state"]["bytes_per_session"] < 64 * 1024


def test_words_are_heard_in_a_stream_without_a_reset(recogniser: Any, spoken: Callable) -> None:
    """Tones that were not in the training, with pauses, in chunks of 20 ms."""
    random, pieces, words = np.random.default_rng(0), [], []
    for seed, label in enumerate(["high", "low", "rise", "low", "high", "rise"] * 2):
        begin = sum(map(len, pieces))
        pieces += [spoken(label, seed=1000 + seed), random.normal(scale=1e-3, size=RATE).astype(np.float32)]
        words.append(Word(label, begin, begin + len(pieces[-2])))
    waveform = np.concatenate(pieces)
    frames = [waveform[begin : begin + HOP] for begin in range(0, len(waveform), HOP)]
    heard, _, _ = hear(recogniser, frames)
    matched = match_events([Event(label.decode(), int(sample)) for label, sample, _ in heard], words)
    assert len(matched.hits) >= len(words) - 2
    assert len(matched.false_alarms) <= 2
