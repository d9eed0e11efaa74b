import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.shared.layers.event_detector import EventDetector, Events, pack_events

NEVER = np.inf
HOP = 320


def detect_by_frames(probabilities, thresholds, smoothing, refractory):
    """The definition, frame by frame, for one row [M, C]: [(class, frame, confidence), ...]."""
    events, armed, last = [], np.ones(len(thresholds), bool), -np.inf
    for frame in range(len(probabilities)):
        smoothed = probabilities[max(0, frame + 1 - smoothing) : frame + 1].astype(np.float64).mean(axis=0)
        above = smoothed >= thresholds
        may_fire = above & armed
        armed |= ~above
        if may_fire.any() and frame - last >= refractory:
            winner = max(np.flatnonzero(may_fire), key=lambda one: smoothed[one])
            events.append((winner, frame, smoothed[winner]))
            armed[winner], last = False, frame
    return events


def rows_of(events):
    """[[(class, sample, confidence), ...], ...], padding left out."""
    rows = zip(*(values.numpy().tolist() for values in events), strict=True)
    return [[event for event in zip(*row, strict=True) if event[0] >= 0] for row in rows]


def detect(detector, probabilities, state=None, thresholds=None):
    """Events of one row [M, C] as (class, frame), and the state."""
    probabilities = np.array(probabilities, np.float32)
    state = detector.initial_state(1) if state is None else state
    count = tf.constant([len(probabilities)])
    events, state = detector.step(tf.constant(probabilities[None]), count, state, thresholds)
    return [(class_, sample // detector.hop - 1) for class_, sample, _ in rows_of(events)[0]], state


def one_class(values):
    """Posteriors [M, 2] of a command, and of silence."""
    return [[value, 1 - value] for value in values]


# === By hand ===


def test_fires_once_while_held_and_again_after_falling_below():
    detector = EventDetector([0.5, NEVER], smoothing=1, refractory=1, hop=HOP)
    held = [0.1, 0.5, 0.9, 0.7, 0.49, 0.6, 0.2]
    assert detect(detector, one_class(held))[0] == [(0, 1), (0, 5)]


def test_fires_at_the_end_of_the_refractory_time_if_still_above():
    detector = EventDetector([0.5, 0.5, NEVER], smoothing=1, refractory=4, hop=HOP)
    first, second, none = [0.9, 0, 0.1], [0, 0.9, 0.1], [0, 0, 1]
    assert detect(detector, [none, first, second, second, second, second])[0] == [(0, 1), (1, 5)]
    assert detect(detector, [none, first, second, second, second, none])[0] == [(0, 1)]


def test_the_same_class_falls_and_rises_within_the_refractory_time():
    detector = EventDetector([0.5, NEVER], smoothing=1, refractory=4, hop=HOP)
    assert detect(detector, one_class([0.9, 0.1, 0.9, 0.9, 0.9, 0.9]))[0] == [(0, 0), (0, 4)]


def test_of_several_the_largest_fires_and_the_other_waits():
    detector = EventDetector([0.2, 0.3, NEVER], smoothing=1, refractory=2, hop=HOP)
    assert detect(detector, [[0.4, 0.5, 0.1]] * 4)[0] == [(1, 0), (0, 2)]


def test_what_cannot_fire_does_not_stand_in_the_way():
    detector = EventDetector([0.2, NEVER], smoothing=1, refractory=1, hop=HOP)
    assert detect(detector, [[0.3, 0.7]])[0] == [(0, 0)]


def test_smoothing_delays_and_confidence_is_the_smoothed_posterior():
    detector = EventDetector([0.59, NEVER], smoothing=3, refractory=1, hop=100)
    values = np.float32(one_class([0, 0, 0.9, 0.9, 0.9]))[None]
    events, _ = detector.step(tf.constant(values), tf.constant([5]), detector.initial_state(1))
    assert [values.shape for values in events] == [(1, 1)] * 3
    assert [values.dtype for values in events] == [tf.int32, tf.int64, tf.float32]
    assert (events.class_index.numpy().item(), events.sample.numpy().item()) == (0, 400)  # (0 + 0.9 + 0.9) / 3 at 3
    assert events.confidence.numpy().item() == pytest.approx(0.6)


def test_padding_of_rows_with_fewer_events():
    detector = EventDetector([0.5, NEVER], smoothing=1, refractory=1, hop=HOP)
    rows = np.float32([one_class(row) for row in ([0.9, 0, 0.9, 0], [0, 0, 0, 0], [0, 0, 0, 0.8])])
    events, _ = detector.step(tf.constant(rows), tf.constant([4, 4, 4]), detector.initial_state(3))
    assert events.class_index.numpy().tolist() == [[0, 0], [-1, -1], [0, -1]]
    assert events.sample.numpy().tolist() == [[320, 960], [-1, -1], [1280, -1]]
    np.testing.assert_array_equal(events.confidence, np.float32([[0.9, 0.9], [0, 0], [0.8, 0]]))


def test_refractory_time_and_arming_go_on_in_the_next_call():
    detector = EventDetector([0.5, NEVER], smoothing=1, refractory=4, hop=HOP)
    found, state = detect(detector, one_class([0.9]))
    assert found == [(0, 0)]
    assert (state["armed"].numpy().tolist(), state["rest"].numpy().tolist()) == ([[0, 1]], [3])
    found, state = detect(detector, one_class([0.9, 0.1, 0.9]), state)
    assert found == []
    assert (state["armed"].numpy().tolist(), state["rest"].numpy().tolist()) == ([[1, 1]], [0])
    assert detect(detector, one_class([0.9]), state)[0] == [(0, 4)]


def test_thresholds_of_a_call():
    detector, values = EventDetector([0.5, NEVER], smoothing=1, refractory=1, hop=HOP), one_class([0.3, 0.6])
    assert detect(detector, values)[0] == [(0, 1)]
    assert detect(detector, values, thresholds=np.float32([0.2, NEVER]))[0] == [(0, 0)]
    both, thresholds = tf.constant(np.float32([values] * 2)), np.float32([[0.7, NEVER], [0.3, 0.6]])
    events, _ = detector.step(both, tf.constant([2, 2]), detector.initial_state(2), thresholds)
    assert events.class_index.numpy().tolist() == [[-1, -1], [1, 0]]


def test_the_sample_goes_beyond_32_bits():
    detector = EventDetector([0.5, NEVER], smoothing=2, refractory=1, hop=HOP)
    hour = 180_000
    found, state = detect(detector, one_class([0.0] * (hour - 1) + [1.0]))
    assert found == [(0, hour - 1)]
    state = state | {"frames": tf.constant([2**31], tf.int64)}
    assert detect(detector, one_class([0.0, 0.0, 0.8, 0.8]), state)[0] == [(0, 2**31 + 3)]


@pytest.mark.parametrize(("batch", "frames"), [(0, 3), (2, 0), (0, 0)])
def test_no_rows_and_no_frames(batch, frames):
    detector = EventDetector([0.1, NEVER], smoothing=3, refractory=2, hop=HOP)
    state = detector.initial_state(batch)
    events, after = detector.step(tf.ones([batch, frames, 2]), tf.fill([batch], frames), state)
    assert [values.shape for values in events] == [(batch, 0)] * 3
    for name, value in state.items():
        np.testing.assert_array_equal(after[name], value)


def test_packing_puts_the_padding_last():
    events = Events(
        tf.constant([[3, -1, -1, 1], [-1, -1, 2, -1]]),
        tf.constant([[5, -1, -1, 9], [-1, -1, 7, -1]], tf.int64),
        tf.constant([[0.5, 0, 0, 0.9], [0, 0, 0.7, 0]]),
    )
    packed = pack_events(events)
    assert packed.class_index.numpy().tolist() == [[3, 1], [2, -1]]
    assert packed.sample.numpy().tolist() == [[5, 9], [7, -1]]
    np.testing.assert_array_equal(packed.confidence, np.float32([[0.5, 0.9], [0.7, 0]]))
    for none in (tf.zeros([0, 3], tf.int32), tf.zeros([2, 0], tf.int32), tf.fill([2, 3], -1)):
        rows = none.shape[0]
        assert [values.shape for values in pack_events(Events(none, none, none))] == [(rows, 0)] * 3


# === Against the definition ===


class Compiled:
    """A detector whose step knows neither the rows nor the frames nor the thresholds."""

    def __init__(self, smoothing, refractory, classes=3):
        self.detector = EventDetector([0.5] * classes, smoothing, refractory, HOP)
        state = {
            name: tf.TensorSpec([None, *value.shape[1:]], value.dtype)
            for name, value in self.detector.initial_state(1).items()
        }
        frames, counts = tf.TensorSpec([None, None, classes]), tf.TensorSpec([None], tf.int32)
        signature = [frames, counts, state, tf.TensorSpec([classes])]
        self.step = tf.function(self.detector.step, input_signature=signature)


COMPILED = [Compiled(*sizes) for sizes in ((1, 0), (4, 1), (3, 5))]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    compiled=st.sampled_from(COMPILED),
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=1, max_size=6),
)
def test_any_chunks_of_any_rows_are_the_definition(compiled, seed, cuts):
    """Each piece takes so many frames of each row as `cuts` says; what stands behind them is NaN."""
    generator, detector = np.random.default_rng(seed), compiled.detector
    lengths = np.sum(cuts, axis=0)
    rows = [generator.dirichlet([0.3] * 3, length).astype(np.float32) for length in lengths]
    thresholds = np.float32([generator.uniform(0.2, 0.8), generator.uniform(0.2, 0.8), generator.choice([0.5, NEVER])])
    found, begins, state = [[] for _ in rows], np.zeros(3, int), detector.initial_state(3)
    for counts in cuts:
        piece = np.full((3, max(counts), 3), np.nan, np.float32)
        for row, count in enumerate(counts):
            piece[row, :count] = rows[row][begins[row] : begins[row] + count]
        begins += counts
        events, state = compiled.step(piece, counts, state, thresholds)
        new = rows_of(events)
        assert events.class_index.shape[1] == max(map(len, new))
        for row, more in enumerate(new):
            found[row] += more
    for row, actual in enumerate(found):
        expected = detect_by_frames(rows[row], thresholds, detector.smoother.smoothing, detector.refractory)
        assert [event[:2] for event in actual] == [(class_, (frame + 1) * HOP) for class_, frame, _ in expected]
        np.testing.assert_allclose([event[2] for event in actual], [event[2] for event in expected], rtol=1e-6)
