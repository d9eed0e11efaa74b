import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.streaming.replay import replay, start


class Counter(tf.Module):
    """Counts and sums what it is given; says how often it was called in Python."""

    calls = 0

    def initial_state(self, batch_size):
        return {"state_sum": tf.zeros([batch_size]), "state_rows": tf.zeros([batch_size], tf.int32)}

    def step(self, x, state_sum, state_rows):
        self.calls += 1
        total = state_sum + tf.reduce_sum(x, axis=1)
        return {"mean": total, "state_sum": total, "state_rows": state_rows + tf.shape(x)[1]}


def pieces(*lengths):
    return [{"x": np.full((2, length), 1.5, np.float32)} for length in lengths]


def test_start_asks_for_a_batch():
    state = start(Counter(), 3)
    assert {name: value.shape.as_list() for name, value in state.items()} == {"state_sum": [3], "state_rows": [3]}


def test_results_of_each_piece_and_the_state_after_it():
    module = Counter()
    answers = list(replay(module, pieces(1, 0, 3), start(module, 2)))
    assert [results["mean"].tolist() for results, _ in answers] == [[1.5, 1.5], [1.5, 1.5], [6.0, 6.0]]
    assert [state["state_rows"].numpy().tolist() for _, state in answers] == [[1, 1], [1, 1], [4, 4]]
    assert all(isinstance(results["mean"], np.ndarray) for results, _ in answers)
    assert all(results.keys() == {"mean"} for results, _ in answers)


def test_goes_on_from_a_state():
    module = Counter()
    *_, (_, state) = replay(module, pieces(2), start(module, 2))
    ((results, _),) = replay(module, pieces(1), state)
    assert results["mean"].tolist() == [4.5, 4.5]


def test_no_piece_gives_nothing():
    module = Counter()
    assert list(replay(module, [], start(module, 2))) == []
    assert module.calls == 0


def test_pieces_are_taken_one_at_a_time():
    module = Counter()

    def arriving():
        for count, piece in enumerate(pieces(1, 1, 1)):
            assert module.calls == count
            yield piece

    for count, _ in enumerate(replay(module, arriving(), start(module, 2)), 1):
        assert module.calls == count


def test_a_missing_input_is_refused():
    module = Counter()
    with pytest.raises(TypeError, match="x"):
        next(replay(module, [{}], start(module, 2)))
