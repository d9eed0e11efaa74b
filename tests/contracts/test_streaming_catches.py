"""The streaming contract finds what it is there to find: each stream below breaks one rule."""

from collections.abc import Callable, Collection

import numpy as np
import pytest
import tensorflow as tf
from contracts.streaming import (
    ROWS,
    Compiled,
    Example,
    Stream,
    Tensors,
    check_any_chunking,
    check_causality,
    check_functions_equal_eager,
    check_gradients,
    check_padding,
    check_rows_do_not_leak,
    check_state_form,
    check_state_survives_serialisation,
    check_twin,
    check_whole_equals_steps,
)


class RunningSum:
    """A sound stream: the sum so far of the valid values."""

    final: Collection[str] = ()

    def initial_state(self, batch: int) -> Tensors:
        return {"sum": tf.zeros([batch])}

    def run(self, inputs: Tensors, mask: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        sums = state["sum"][:, None] + tf.cumsum(self.added(inputs["x"], mask), axis=1)
        return {"y": sums}, {"sum": tf.concat([state["sum"][:, None], sums], axis=1)[:, -1]}

    def added(self, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return tf.where(mask, x, 0.0)

    def step(self, inputs_t: Tensors, mask_t: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        outputs, state = self.run({"x": inputs_t["x"][:, None]}, mask_t[:, None], state)
        return {"y": outputs["y"][:, 0]}, state


class CountsPadding(RunningSum):
    def added(self, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return x


class MultipliesByTheMask(RunningSum):
    def added(self, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return x * tf.cast(mask, tf.float32)


class CentersTheBatch(RunningSum):
    def added(self, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return super().added(x, mask) - tf.reduce_mean(tf.where(mask, x, 0.0), axis=0, keepdims=True)


class LooksAhead(RunningSum):
    def added(self, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        values = super().added(x, mask)
        return values + tf.concat([values[:, 1:], tf.zeros_like(values[:, :1])], axis=1)


class ForgetsBetweenCalls(RunningSum):
    def run(self, inputs: Tensors, mask: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        outputs, _ = super().run(inputs, mask, state)
        return outputs, state


class StepsDifferently(RunningSum):
    def step(self, inputs_t: Tensors, mask_t: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        outputs, state = super().step(inputs_t, mask_t, state)
        return {"y": outputs["y"] * (1 + 1e-4)}, state


class StateGrows(RunningSum):
    def run(self, inputs: Tensors, mask: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        outputs, _ = super().run(inputs, mask, {"sum": state["sum"]})
        return outputs, {"sum": tf.reduce_sum(outputs["y"], axis=1), "seen": inputs["x"]}


class RemembersOnItself(RunningSum):
    """Keeps a sum beside the state."""

    def __init__(self) -> None:
        self.total = 0.0

    def run(self, inputs: Tensors, mask: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        self.total += 1.0
        outputs, state = super().run(inputs, mask, state)
        return {"y": outputs["y"] + self.total}, state


class KnowsGraphMode(RunningSum):
    def added(self, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return super().added(x, mask) * (1.0 if tf.executing_eagerly() else 2.0)


class NaNGradients(RunningSum):
    def added(self, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return tf.where(mask, x * tf.sqrt(x * x), 0.0)


class Suggests(RunningSum):
    """Lists two words, the other way round in a batch of one row; their scores differ by `lead`."""

    final: Collection[str] = ("suggestions", "scores")

    def __init__(self, lead: float) -> None:
        self.lead = lead

    def run(self, inputs: Tensors, mask: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        outputs, state = super().run(inputs, mask, state)
        rows = len(inputs["x"])
        words = tf.constant([["fox", "dog"] if rows > 1 else ["dog", "fox"]])
        scores = tf.constant([[0.3, 0.3 - self.lead]])
        return {**outputs, "suggestions": tf.tile(words, [rows, 1]), "scores": tf.tile(scores, [rows, 1])}, state


VALUES = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
EXAMPLE = Example({"x": VALUES}, [9, 5, 0, 1])


@pytest.mark.parametrize("check", ROWS, ids=lambda check: check.__name__)
def test_a_sound_stream_passes(check: Callable[[Stream, Example], None]) -> None:
    check(RunningSum(), EXAMPLE)


@pytest.mark.parametrize(
    ("check", "stream"),
    [
        (check_whole_equals_steps, StepsDifferently()),
        (check_whole_equals_steps, ForgetsBetweenCalls()),
        (check_any_chunking, ForgetsBetweenCalls()),
        (check_any_chunking, LooksAhead()),
        (check_padding, CountsPadding()),
        (check_padding, MultipliesByTheMask()),
        (check_rows_do_not_leak, CentersTheBatch()),
        (check_causality, LooksAhead()),
        (check_state_form, StateGrows()),
        (check_state_survives_serialisation, RemembersOnItself()),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_broken_stream_fails(check: Callable[[Stream, Example], None], stream: Stream) -> None:
    with pytest.raises(AssertionError):
        check(stream, EXAMPLE)


def test_another_answer_in_graphs_fails() -> None:
    check_functions_equal_eager(RunningSum(), Compiled(RunningSum(), EXAMPLE), EXAMPLE)
    with pytest.raises(AssertionError):
        check_functions_equal_eager(KnowsGraphMode(), Compiled(KnowsGraphMode(), EXAMPLE), EXAMPLE)


def test_lists_may_differ_where_their_scores_tie() -> None:
    check_rows_do_not_leak(Suggests(lead=1e-6), EXAMPLE)
    with pytest.raises(AssertionError, match="suggestions"):
        check_rows_do_not_leak(Suggests(lead=1e-3), EXAMPLE)


def test_nan_gradients_fail() -> None:
    check_gradients(RunningSum(), EXAMPLE, [])
    with pytest.raises(AssertionError):
        check_gradients(NaNGradients(), EXAMPLE, [])


def test_another_equation_than_the_twin_fails() -> None:
    def sums(inputs: dict) -> tuple[dict, dict]:
        y = np.cumsum(inputs["x"])
        return {"y": y}, {"sum": y[-1]}

    check_twin(RunningSum(), EXAMPLE, sums)
    with pytest.raises(AssertionError):
        check_twin(LooksAhead(), EXAMPLE, sums)
