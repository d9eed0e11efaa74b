import keras
import pytest

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
