import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.training.optimizer import build_optimizer


def rates(optimizer: keras.optimizers.Optimizer, steps: list[int]) -> list[float]:
    result = []
    for step in steps:
        optimizer.iterations.assign(step)
        result.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    return result


def test_the_learning_rate_warms_up_and_falls_to_zero() -> None:
    # Warm-up: from 0.8 / 4 by equal steps to 0.8. Cosine over the other 10 steps: half of it in the middle.
    optimizer = build_optimizer(0.8, steps=14, warmup_steps=4)
    assert rates(optimizer, [0, 2, 4, 9, 14, 20]) == pytest.approx([0.2, 0.5, 0.8, 0.4, 0.0, 0.0], abs=1e-6)


def test_without_warm_up_it_starts_at_the_peak() -> None:
    assert rates(build_optimizer(0.8, steps=10), [0, 5, 10]) == pytest.approx([0.8, 0.4, 0.0], abs=1e-6)


def test_options_reach_the_optimizer() -> None:
    optimizer = build_optimizer(1e-3, 10, weight_decay=0.02, clip_norm=0.5, averaging=0.99)
    assert isinstance(optimizer, keras.optimizers.AdamW)
    assert (optimizer.weight_decay, optimizer.global_clipnorm) == (0.02, 0.5)
    assert (optimizer.use_ema, optimizer.ema_momentum) == (True, 0.99)
    assert not build_optimizer(1e-3, 10).use_ema


@pytest.mark.parametrize(("steps", "warmup_steps"), [(10, 10), (10, -1), (0, 0)])
def test_a_warm_up_as_long_as_the_run_is_refused(steps: int, warmup_steps: int) -> None:
    with pytest.raises(ValueError, match="expected 0 <= warmup_steps < steps"):
        build_optimizer(1e-3, steps, warmup_steps)


def test_an_average_that_never_moves_is_refused() -> None:
    with pytest.raises(ValueError, match="averaging=1"):
        build_optimizer(1e-3, 10, averaging=1)


def moved(name: str, gradient: np.ndarray) -> dict[str, np.ndarray]:
    """How far the first step, at a rate of 1, moves the matrix of a hidden layer, its bias and the output's matrix."""
    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(2, name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, use_bias=False, name="output")(hidden))
    before = [value.numpy() for value in model.trainable_variables]
    optimizer = build_optimizer(1.0, 10, name=name, output_layers=["output"])
    optimizer.build(model.trainable_variables)
    optimizer.apply([tf.constant(gradient, tf.float32), tf.constant([1.0, -4.0]), tf.constant(gradient, tf.float32)])
    names = ("hidden", "bias", "output")
    return {name: (was - now.numpy()) for name, was, now in zip(names, before, model.trainable_variables, strict=True)}


def test_muon_moves_a_matrix_alike_in_all_directions_and_leaves_the_rest_to_adamw() -> None:
    # A gradient with singular values of 5 and 0.5: Adam goes by the signs of its entries, Muon by its directions.
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    gradient = turn @ np.diag([5.0, 0.5])
    by_muon, by_adamw = moved("muon", gradient), moved("adamw", gradient)
    signs = np.sign(gradient)
    for step in (by_adamw["hidden"], by_adamw["output"], by_muon["output"]):
        np.testing.assert_allclose(step, signs, rtol=1e-4)
    np.testing.assert_allclose(by_muon["bias"], [1.0, -1.0], rtol=1e-4)
    # 0.2 * sqrt(2) times what has the same directions and singular values between 0.7 and 1.2.
    lengths = np.linalg.norm(by_muon["hidden"], axis=0) / (0.2 * np.sqrt(2))
    assert np.all((lengths > 0.65) & (lengths < 1.25))
    np.testing.assert_allclose(by_muon["hidden"] / np.linalg.norm(by_muon["hidden"], axis=0), turn, atol=1e-3)
