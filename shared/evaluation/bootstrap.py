"""Bootstrap intervals for values that depend on their neighbours in time.

Forecast losses of adjacent rows are correlated, so rows are drawn in blocks: the moving-block bootstrap (Künsch 1989),
with blocks that wrap around the end (Politis and Romano 1992) so that every row is drawn equally often. Intervals are
percentiles of the drawn statistics; they are approximate and too narrow for a few dozen values.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ConfidenceInterval", "PairedSkill", "default_block_length", "moving_block_bootstrap", "paired_skill"]


@dataclass(frozen=True)
class ConfidenceInterval:
    """An estimate with its sampling interval, in the unit of the statistic.

    Attributes:
        estimate: the statistic on the values as they are; NaN when nothing was counted.
        lower: lower bound; NaN when fewer than two values were counted.
        upper: upper bound; NaN when fewer than two values were counted.
        confidence: nominal probability that the interval holds the true value.
        method: how the interval was made, in words, for the reader of a report.
    """

    estimate: float
    lower: float
    upper: float
    confidence: float = 0.95
    method: str = ""

    def contains(self, value: float) -> bool:
        """Says whether `value` lies inside, bounds included; false where there is no interval."""
        return self.lower <= value <= self.upper

    def to_dict(self) -> dict[str, float]:
        """The `estimate` with its `lower` and `upper` bound, as plain data for a manifest."""
        return {"estimate": self.estimate, "lower": self.lower, "upper": self.upper}


@dataclass(frozen=True)
class PairedSkill:
    """How much smaller the loss of a model is than that of a baseline on the same rows.

    Attributes:
        interval: skill, 1 - mean(model) / mean(baseline), with its interval: 0 is a tie, 1 is perfect, negative is
            worse.
        model_loss: mean loss of the model over the counted rows.
        baseline_loss: mean loss of the baseline over the same rows.
        count: rows counted, those where both losses are present.
    """

    interval: ConfidenceInterval
    model_loss: float
    baseline_loss: float
    count: int

    @property
    def skill(self) -> float:
        """The estimate: 1 - mean(model) / mean(baseline)."""
        return self.interval.estimate

    def verdict(self, baseline: str, model: str = "The model") -> str:
        """Says in one sentence whether the model beats the baseline.

        Args:
            baseline: name of the baseline as a reader knows it, for example "the random walk".
            model: subject of the sentence.

        Returns:
            "MODEL beats / does not beat / cannot be told apart from BASELINE (skill +1.2 %, 95 % interval 0.3 .. 2.1
            %)."
            "beats" needs an interval above zero, "does not beat" one below zero (the baseline is better).
        """
        interval = self.interval
        if self.count == 0:
            return f"{model} cannot be compared with {baseline}: no row has both losses."
        if math.isnan(interval.lower):
            return f"{model} cannot be told apart from {baseline} (one row alone gives no interval)."
        relation = "cannot be told apart from"
        if interval.lower > 0:
            relation = "beats"
        elif interval.upper < 0:
            relation = "does not beat"
        bounds = f"{_percent(interval.lower)} .. {_percent(interval.upper)}"
        confidence = f"{100 * interval.confidence:.0f} % interval"
        return f"{model} {relation} {baseline} (skill {100 * self.skill:+.1f} %, {confidence} {bounds} %)."


def default_block_length(count: int, horizon: int = 1) -> int:
    """Gives the block length for `count` values: the cube root of the count, and no shorter than the horizon.

    Losses of forecasts `horizon` rows ahead share up to `horizon` - 1 rows of truth with their neighbours, so shorter
    blocks would cut that dependence. At most a quarter of the values, so that at least four blocks are drawn.

    Args:
        count: number of values, in order of time.
        horizon: rows ahead that each value covers.

    Returns:
        Block length in rows, at least 1.
    """
    return max(1, min(max(math.ceil(round(count ** (1 / 3), 9)), horizon), count // 4))


def moving_block_bootstrap(
    values: ArrayLike, block: int | None = None, draws: int = 2000, seed: int = 0, confidence: float = 0.95
) -> ConfidenceInterval:
    """Estimates the mean of dependent values with a block-bootstrap interval.

    Args:
        values: float [N], in order of time; NaN is not counted but keeps its place in time.
        block: rows drawn together; `default_block_length(N)` if left out.
        draws: number of bootstrap samples.
        seed: seed of the draws; the same seed gives the same interval.
        confidence: nominal coverage of the interval, in (0, 1).

    Returns:
        The mean of the counted values with its interval.

    Raises:
        ValueError: `values` is not one-dimensional or holds infinities, or an option is out of range.
    """
    series = _checked(values, "values")
    counted = ~np.isnan(series)
    columns = np.stack([np.where(counted, series, 0.0), counted.astype(np.float64)], axis=1)
    chosen = default_block_length(len(series)) if block is None else block
    sums = _resampled_sums(columns, chosen, draws, seed)
    means = _mean(sums[:, 0], sums[:, 1])
    estimate = float(_mean(*columns.sum(axis=0)))
    return _percentile_interval(estimate, means, int(counted.sum()), confidence, chosen)


def paired_skill(
    model_loss: ArrayLike,
    baseline_loss: ArrayLike,
    block: int | None = None,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedSkill:
    """Compares two losses on the same rows: skill = 1 - mean(model) / mean(baseline), with a block-bootstrap interval.

    Both losses are drawn with the same blocks, so what makes a stretch of time hard for both does not widen the
    interval.

    Args:
        model_loss: float [N], not negative, in order of time.
        baseline_loss: float [N], not negative; a row counts where neither loss is NaN.
        block: rows drawn together; `default_block_length(N)` if left out. Give `default_block_length(N, horizon)` for
            losses of several rows ahead.
        draws: number of bootstrap samples.
        seed: seed of the draws; the same seed gives the same interval.
        confidence: nominal coverage of the interval, in (0, 1).

    Returns:
        The skill with its interval, both mean losses and the number of rows.

    Raises:
        ValueError: the losses differ in length, are not one-dimensional, are negative or infinite (a forecast was
            missing).
    """
    model, baseline = _checked(model_loss, "model_loss"), _checked(baseline_loss, "baseline_loss")
    if model.shape != baseline.shape:
        raise ValueError(
            f"model_loss has {len(model)} rows and baseline_loss {len(baseline)}; give both for the same rows"
        )
    if np.nanmin(np.concatenate([model, baseline, [0.0]])) < 0:
        raise ValueError("a loss is negative; skill is a ratio of losses that are zero or more")
    counted = ~np.isnan(model) & ~np.isnan(baseline)
    columns = np.where(counted[:, None], np.stack([model, baseline], axis=1), 0.0)
    columns = np.concatenate([columns, counted[:, None]], axis=1)
    chosen = default_block_length(len(model)) if block is None else block
    model_sum, baseline_sum, count = columns.sum(axis=0)
    sums = _resampled_sums(columns, chosen, draws, seed)
    skills = _skill(sums[:, 0], sums[:, 1], sums[:, 2])
    estimate = float(_skill(model_sum, baseline_sum, count))
    interval = _percentile_interval(estimate, skills, int(count), confidence, chosen)
    return PairedSkill(interval, float(_mean(model_sum, count)), float(_mean(baseline_sum, count)), int(count))


def _checked(values: ArrayLike, name: str) -> NDArray[np.float64]:
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1:
        raise ValueError(f"{name} has shape {series.shape}; give one value a row, [N]")
    if np.isinf(series).any():
        row = int(np.flatnonzero(np.isinf(series))[0])
        raise ValueError(
            f"{name} is infinite at row {row}; a loss is infinite where a forecast is missing: score rows that have one"
        )
    return series


def _resampled_sums(columns: NDArray[np.float64], block: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Sums of each column over bootstrap samples of N rows: [N, K] -> [draws, K], by differences of a running sum."""
    count = len(columns)
    if not 1 <= block <= max(1, count // 2):
        raise ValueError(f"block is {block} for {count} values; give 1 to half of the values, or leave it out")
    if draws < 1:
        raise ValueError(f"draws is {draws}; give 1 or more")
    if count == 0:
        return np.zeros((draws, columns.shape[1]))
    wrapped = np.concatenate([np.zeros_like(columns[:1]), columns, columns[:block]])
    running = np.cumsum(wrapped, axis=0)
    lengths = np.full(math.ceil(count / block), block)
    lengths[-1] = count - block * (len(lengths) - 1)
    random = np.random.default_rng(seed)
    sums = np.empty((draws, columns.shape[1]))
    for draw in range(draws):
        starts = random.integers(0, count, size=len(lengths))
        sums[draw] = (running[starts + lengths] - running[starts]).sum(axis=0)
    return sums


def _mean(total: ArrayLike, count: ArrayLike) -> NDArray[np.float64]:
    """Total over count, NaN where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.asarray(count) > 0, np.divide(total, count), np.nan)


def _skill(model: ArrayLike, baseline: ArrayLike, count: ArrayLike) -> NDArray[np.float64]:
    """1 - model / baseline; two losses of zero tie, and a loss above a perfect baseline is infinitely worse."""
    model, baseline = np.asarray(model), np.asarray(baseline)
    with np.errstate(invalid="ignore", divide="ignore"):
        skill = np.where((model == 0) & (baseline == 0), 0.0, 1.0 - np.divide(model, baseline))
    return np.where(np.asarray(count) > 0, skill, np.nan)


def _percentile_interval(
    estimate: float, drawn: NDArray[np.float64], count: int, confidence: float, block: int
) -> ConfidenceInterval:
    """Interval between the percentiles of the drawn statistics; none for fewer than two counted values."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; give a number between 0 and 1, such as 0.95")
    method = f"moving-block bootstrap, blocks of {block}"
    drawn = drawn[~np.isnan(drawn)]
    if count < 2 or not len(drawn):
        return ConfidenceInterval(estimate, math.nan, math.nan, confidence, method)
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(drawn, [tail, 1 - tail], method="inverted_cdf")  # no interpolation: -inf stays -inf
    return ConfidenceInterval(estimate, float(lower), float(upper), confidence, method)


def _percent(fraction: float) -> str:
    """A fraction as a percentage with one decimal, without a minus before zero."""
    return f"{round(100 * fraction, 1) + 0.0:.1f}"
