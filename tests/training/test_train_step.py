import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.training.train_step import TrainStep


def build_step(spec: tf.TensorSpec) -> tuple[TrainStep, list[int]]:
    """A step whose loss is weight times batch mean, weight 1, learning rate 1; and how often it was traced."""
    inputs = keras.Input([1])
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))
    traces: list[int] = []

    def loss(batch: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        traces.append(1)
        mean = tf.reduce_mean(model(batch, training=True))
        return mean, {"count": tf.shape(batch)[0], "absolute": tf.abs(mean)}

    return TrainStep(model, keras.optimizers.SGD(1.0), loss, spec), traces


def column(*values: float) -> tf.Tensor:
    return tf.constant([[value] for value in values])


def test_a_step_moves_the_weight_by_the_gradient() -> None:
    step, _ = build_step(tf.TensorSpec([None, 1]))
    step(column(2.0, 4.0), first=True)
    # The gradient of weight * 3 is 3.
    np.testing.assert_allclose(step.model.get_weights()[0], [[1.0 - 3.0]])
    assert step.steps.numpy() == 1


def test_means_begin_anew_with_the_first_batch() -> None:
    step, _ = build_step(tf.TensorSpec([None, 1]))
    step(column(0.5), first=True)  # loss 0.5; weight 1 -> 0.5
    step(column(-1.0, -1.0), first=False)  # loss -0.5; weight 0.5 -> 1.5
    assert step.means(2) == pytest.approx({"loss": 0.0, "absolute": 0.5, "count": 1.5})
    step(column(2.0), first=True)  # loss 3.0
    assert step.means(1) == pytest.approx({"loss": 3.0, "absolute": 3.0, "count": 1.0})


def test_batches_of_any_size_share_one_trace() -> None:
    step, traces = build_step(tf.TensorSpec([None, 1]))
    step(column(1.0), first=True)
    once = len(traces)
    for size in (2, 3, 1):
        step(column(*[1.0] * size), first=False)
    assert len(traces) == once


def test_there_are_no_means_before_the_first_batch() -> None:
    step, _ = build_step(tf.TensorSpec([None, 1]))
    assert step.names == []
    assert step.means(1) == {}
