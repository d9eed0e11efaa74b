import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.shared.evaluation.bootstrap import (
    ConfidenceInterval,
    PairedSkill,
    default_block_length,
    moving_block_bootstrap,
    paired_skill,
)

NAN = float("nan")


def autoregressive(count: int, memory: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=count)
    for row in range(1, count):
        noise[row] += memory * noise[row - 1]
    return noise


@pytest.mark.parametrize(
    ("count", "horizon", "block"), [(1000, 1, 10), (1000, 96, 96), (100, 96, 25), (27, 1, 3), (3, 1, 1), (0, 1, 1)]
)
def test_default_block_length(count: int, horizon: int, block: int) -> None:
    assert default_block_length(count, horizon) == block


def test_bootstrap_of_independent_values_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, size=400)
    interval = moving_block_bootstrap(values, block=1, draws=4000)
    assert interval.estimate == pytest.approx(values.mean())
    half = 1.96 * values.std() / math.sqrt(400)
    assert interval.upper - interval.estimate == pytest.approx(half, rel=0.08)
    assert interval.estimate - interval.lower == pytest.approx(half, rel=0.08)


def test_blocks_widen_the_interval_of_dependent_values() -> None:
    values = autoregressive(2000, 0.9, seed=2)
    single, blocks = (moving_block_bootstrap(values, block=block) for block in (1, 60))
    # the mean of such values spreads sqrt((1 + 0.9) / (1 - 0.9)) = 4.4 times as far as that of independent ones
    assert 3.0 < (blocks.upper - blocks.lower) / (single.upper - single.lower) < 5.5


def test_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    hits = [moving_block_bootstrap(autoregressive(300, 0.5, seed), 12, draws=300).contains(0.0) for seed in range(150)]
    assert 0.86 <= np.mean(hits) <= 0.99


def test_bootstrap_draws_whole_blocks() -> None:
    # blocks of two that wrap around draw 0 + 10, 10 + 20, 20 + 30 or 30 + 0: two of them average 5 .. 25, never 0 or 30
    interval = moving_block_bootstrap([0.0, 10.0, 20.0, 30.0], block=2, draws=500, confidence=0.999)
    assert (interval.lower, interval.upper) == (5.0, 25.0)


def test_the_last_block_is_cut_to_the_number_of_values() -> None:
    # five rows are two blocks of two and one row: the 5 is drawn at most three times in five
    interval = moving_block_bootstrap([0.0, 0.0, 0.0, 0.0, 5.0], block=2, draws=2000, confidence=0.999)
    assert (interval.lower, interval.upper) == (0.0, 3.0)


def test_missing_values_are_not_counted() -> None:
    interval = moving_block_bootstrap([1.0, NAN, 3.0, NAN, 2.0, 2.0], block=1)
    assert interval.estimate == 2.0
    assert interval.lower <= 2.0 <= interval.upper


@pytest.mark.parametrize("values", [[], [NAN, NAN]])
def test_nothing_counted_gives_nan(values: list[float]) -> None:
    interval = moving_block_bootstrap(values)
    assert all(math.isnan(number) for number in (interval.estimate, interval.lower, interval.upper))
    assert not interval.contains(0.0)


def test_one_value_has_no_interval() -> None:
    interval = moving_block_bootstrap([3.0])
    assert interval.estimate == 3.0
    assert math.isnan(interval.lower)


def test_the_seed_decides_the_draws() -> None:
    values = autoregressive(50, 0.5, seed=3)
    assert moving_block_bootstrap(values, seed=4) == moving_block_bootstrap(values, seed=4)
    assert moving_block_bootstrap(values, seed=4) != moving_block_bootstrap(values, seed=5)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([[1.0, 2.0]], {}, "shape"),
        ([1.0, math.inf], {}, "infinite at row 1"),
        ([1.0, 2.0, 3.0], {"block": 2}, "block is 2"),
        ([1.0, 2.0], {"block": 0}, "block is 0"),
        ([1.0, 2.0], {"draws": 0}, "draws"),
        ([1.0, 2.0], {"confidence": 95}, "confidence"),
    ],
)
def test_bootstrap_refuses_bad_input(values: list, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        moving_block_bootstrap(values, **options)


def test_skill_by_hand() -> None:
    # rows with a missing loss count for neither: means 2 and 4
    skill = paired_skill([1.0, NAN, 3.0, 9.0, 2.0, 2.0], [4.0, 1.0, 4.0, NAN, 5.0, 3.0], block=1)
    assert (skill.model_loss, skill.baseline_loss, skill.count) == (2.0, 4.0, 4)
    assert skill.skill == 0.5


@given(st.floats(0.1, 3.0), st.integers(0, 10))
def test_skill_of_proportional_losses_is_certain(factor: float, seed: int) -> None:
    baseline = np.random.default_rng(seed).exponential(size=60)
    interval = paired_skill(factor * baseline, baseline, draws=50).interval
    np.testing.assert_allclose([interval.estimate, interval.lower, interval.upper], 1 - factor, atol=1e-9)


def test_verdicts() -> None:
    random = np.random.default_rng(0)
    baseline = random.exponential(size=400)
    better = paired_skill(0.9 * baseline + random.normal(0, 0.01, 400) ** 2, baseline).verdict("the random walk")
    assert better.startswith("The model beats the random walk (skill +")
    worse = paired_skill(1.2 * baseline, baseline).verdict("climatology", model="LSTM")
    assert worse == "LSTM does not beat climatology (skill -20.0 %, 95 % interval -20.0 .. -20.0 %)."
    tie = paired_skill(random.permutation(baseline), baseline).verdict("the random walk")
    assert tie.startswith("The model cannot be told apart from the random walk (skill ")


def test_verdict_is_decided_by_the_interval() -> None:
    def verdict(lower: float, upper: float) -> str:
        return PairedSkill(ConfidenceInterval(0.012, lower, upper), 1.0, 1.0, 9).verdict("B")

    assert (
        verdict(-0.008, 0.031) == "The model cannot be told apart from B (skill +1.2 %, 95 % interval -0.8 .. 3.1 %)."
    )
    assert verdict(0.003, 0.031) == "The model beats B (skill +1.2 %, 95 % interval 0.3 .. 3.1 %)."
    assert verdict(0.0, 0.031).startswith("The model cannot be told apart")
    assert "interval -0.0" not in verdict(-0.0001, 0.031)


def test_identical_losses_cannot_be_told_apart_even_when_all_are_zero() -> None:
    for losses in (np.zeros(20), np.arange(20.0)):
        skill = paired_skill(losses, losses)
        assert (skill.skill, skill.interval.lower, skill.interval.upper) == (0.0, 0.0, 0.0)
        assert "cannot be told apart" in skill.verdict("B")


def test_a_perfect_baseline_is_infinitely_better() -> None:
    assert "does not beat B (skill -inf %" in paired_skill(np.ones(20), np.zeros(20)).verdict("B")


def test_too_few_rows_for_a_verdict() -> None:
    assert "no row has both losses" in paired_skill([1.0, NAN], [NAN, 1.0]).verdict("B")
    assert "one row alone" in paired_skill([1.0], [2.0]).verdict("B")


@pytest.mark.parametrize(
    ("model", "baseline", "message"),
    [([1.0], [1.0, 2.0], "rows"), ([-1.0], [1.0], "negative"), ([1.0, math.inf], [1.0, 1.0], "infinite at row 1")],
)
def test_skill_refuses_bad_input(model: list, baseline: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_skill(model, baseline)
