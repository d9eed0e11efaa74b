"""Errors of forecasts: quantile (pinball) loss, coverage of intervals, and the usual point errors.

One rule throughout: a missing truth (NaN) is not counted, and where nothing is counted the result is NaN. A missing
forecast of a truth that is there counts against the forecaster: its error is infinite, its interval does not cover, its
direction is wrong.
"""

import math
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runnel.shared.evaluation.bootstrap import ConfidenceInterval, moving_block_bootstrap

__all__ = [
    "absolute_errors",
    "coverage_with_interval",
    "directional_accuracy",
    "directional_hits",
    "interval_coverage",
    "mean_absolute_error",
    "mean_counted",
    "mean_squared_error",
    "pinball_loss",
    "pinball_losses",
    "quantile_coverage",
    "squared_errors",
    "wilson_interval",
]


def mean_counted(values: ArrayLike, axis: int | tuple[int, ...] | None = None) -> NDArray[np.float64]:
    """Averages what is there: the mean of the values that are not NaN.

    Args:
        values: float array of any shape, NaN = not counted.
        axis: axes to average over; all if left out. `(0, 2)` of [N, H, Y] gives the error by horizon, `(1, 2)` one loss
            an origin.

    Returns:
        float64 array without those axes (zero-dimensional for all); NaN where nothing was counted.
    """
    array = np.asarray(values, dtype=np.float64)
    counted = ~np.isnan(array)
    total = np.where(counted, array, 0.0).sum(axis=axis)
    count = counted.sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def absolute_errors(truth: ArrayLike, forecast: ArrayLike) -> NDArray[np.float64]:
    """Absolute error of each element; NaN where the truth is missing, infinite where only the forecast is."""
    truth, forecast = _same_shape(truth, forecast, "forecast")
    return _charge_missing(truth, np.abs(truth - forecast))


def squared_errors(truth: ArrayLike, forecast: ArrayLike) -> NDArray[np.float64]:
    """Squared error of each element; NaN where the truth is missing, infinite where only the forecast is."""
    return np.square(absolute_errors(truth, forecast))


def mean_absolute_error(truth: ArrayLike, forecast: ArrayLike) -> float:
    """Mean absolute error over the elements whose truth is there, in the unit of the truth."""
    return float(mean_counted(absolute_errors(truth, forecast)))


def mean_squared_error(truth: ArrayLike, forecast: ArrayLike) -> float:
    """Mean squared error over the elements whose truth is there, in the squared unit of the truth."""
    return float(mean_counted(squared_errors(truth, forecast)))


def pinball_losses(truth: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> NDArray[np.float64]:
    """Quantile loss of each element, averaged over the levels.

    For level q and error e = truth - quantile it is max(q e, (q - 1) e) (Koenker and Bassett 1978). Twice its mean over
    evenly spaced levels approximates the continuous ranked probability score; at the level 0.5 it is half the absolute
    error.

    Args:
        truth: float [N, ...], NaN = missing.
        quantiles: float [N, ..., Q], one forecast a level on the last axis.
        levels: float [Q], each in (0, 1).

    Returns:
        float64 [N, ...], in the unit of the truth; NaN where the truth is missing, infinite where only a quantile is.

    Raises:
        ValueError: the shapes do not belong together, or a level is not in (0, 1).
    """
    truth, quantiles = np.asarray(truth, np.float64), np.asarray(quantiles, np.float64)
    levels = _checked_levels(levels, quantiles)
    _same_shape(truth, quantiles[..., 0], "quantiles without their last axis")
    error = truth[..., None] - quantiles
    return _charge_missing(truth, np.maximum(levels * error, (levels - 1) * error).mean(axis=-1))


def pinball_loss(truth: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> float:
    """Mean quantile loss over elements and levels; arguments and errors as for `pinball_losses`."""
    return float(mean_counted(pinball_losses(truth, quantiles, levels)))


def quantile_coverage(truth: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> NDArray[np.float64]:
    """Share of truths at or below each quantile: equal to the levels for a calibrated forecaster.

    Args:
        truth: float [N, ...], NaN = missing.
        quantiles: float [N, ..., Q].
        levels: float [Q], each in (0, 1).

    Returns:
        float64 [Q], in [0, 1]; NaN when no truth is there.

    Raises:
        ValueError: the shapes do not belong together, or a level is not in (0, 1).
    """
    truth, quantiles = np.asarray(truth, np.float64), np.asarray(quantiles, np.float64)
    _checked_levels(levels, quantiles)
    _same_shape(truth, quantiles[..., 0], "quantiles without their last axis")
    below = np.where(np.isnan(truth)[..., None], np.nan, truth[..., None] <= quantiles)
    return mean_counted(below, axis=tuple(range(truth.ndim)))


def interval_coverage(truth: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    """Share of truths inside [lower, upper], bounds included; arrays of one shape, a missing truth is not counted."""
    return float(mean_counted(_inside(truth, lower, upper)))


def coverage_with_interval(
    truth: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    method: Literal["block_bootstrap", "wilson"] = "block_bootstrap",
    block: int | None = None,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> ConfidenceInterval:
    """Coverage of a prediction interval with its own sampling interval.

    Args:
        truth: float [N] or [N, ...], rows in order of time, NaN = missing.
        lower: lower bounds, shaped as the truth.
        upper: upper bounds, shaped as the truth.
        method: "block_bootstrap" for rows that depend on each other, as misses in a series do; "wilson" for independent
            elements. Where all or none are covered a bootstrap has no width, and Wilson's interval over the rows is
            given.
        block: rows drawn together by the bootstrap; the cube root of N if left out.
        draws: number of bootstrap samples.
        seed: seed of the bootstrap.
        confidence: nominal coverage of the sampling interval.

    Returns:
        The coverage in [0, 1] with its interval; its `method` says in words which of the two it is. For several
        elements a row, the bootstrap averages the coverage of rows (missing elements left out of their row).

    Raises:
        ValueError: the shapes differ, or the method is unknown.
    """
    if method not in ("block_bootstrap", "wilson"):
        raise ValueError(f"method is {method!r}; give 'block_bootstrap' or 'wilson'")
    inside = _inside(truth, lower, upper)
    if method == "wilson":
        return wilson_interval(int(np.nansum(inside)), int(np.sum(~np.isnan(inside))), confidence)
    rows = mean_counted(inside, axis=tuple(range(1, inside.ndim)))
    if mean_counted(rows) in (0.0, 1.0):
        return wilson_interval(int(np.nansum(rows)), int(np.sum(~np.isnan(rows))), confidence)
    return moving_block_bootstrap(rows, block, draws, seed, confidence)


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> ConfidenceInterval:
    """Interval of a proportion over independent trials (Wilson 1927), sound near 0 and 1 and for few trials.

    Args:
        successes: how many trials succeeded.
        trials: how many there were; for 0 everything is NaN.
        confidence: nominal coverage of the interval, in (0, 1).

    Returns:
        successes / trials with its interval, within [0, 1].

    Raises:
        ValueError: more successes than trials, or a negative number.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials; give 0 <= successes <= trials")
    if trials == 0:
        return ConfidenceInterval(math.nan, math.nan, math.nan, confidence, "Wilson")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    scale = 1 + z**2 / trials
    centre = (share + z**2 / (2 * trials)) / scale
    half = z * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / scale
    lower = 0.0 if successes == 0 else centre - half
    upper = 1.0 if successes == trials else centre + half
    return ConfidenceInterval(share, lower, upper, confidence, "Wilson, independent trials")


def directional_hits(truth_change: ArrayLike, predicted_change: ArrayLike) -> NDArray[np.float64]:
    """Scores the predicted direction of each change.

    Args:
        truth_change: float [N, ...], what changed; NaN = missing. A change of zero has no direction and is not counted.
        predicted_change: float of that shape, what was predicted. Zero, as a random walk predicts, counts as half a
            hit: a coin.

    Returns:
        float64 of that shape: 1 = right, 0 = wrong or no prediction, 0.5 = no direction predicted, NaN = not counted.

    Raises:
        ValueError: the shapes differ.
    """
    truth, predicted = _same_shape(truth_change, predicted_change, "predicted_change")
    hits = np.where(predicted == 0, 0.5, np.sign(truth) == np.sign(predicted))
    return np.where(np.isnan(truth) | (truth == 0), np.nan, hits)


def directional_accuracy(truth_change: ArrayLike, predicted_change: ArrayLike) -> float:
    """Share of changes whose direction was predicted; arguments and errors as for `directional_hits`."""
    return float(mean_counted(directional_hits(truth_change, predicted_change)))


def _inside(truth: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> NDArray[np.float64]:
    """1 inside, 0 outside, NaN where the truth is missing."""
    truth, lower = _same_shape(truth, lower, "lower")
    truth, upper = _same_shape(truth, upper, "upper")
    return np.where(np.isnan(truth), np.nan, (lower <= truth) & (truth <= upper))


def _same_shape(truth: ArrayLike, other: ArrayLike, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    truth, other = np.asarray(truth, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if truth.shape != other.shape:
        raise ValueError(f"{name} has shape {other.shape} and the truth {truth.shape}; give arrays of one shape")
    return truth, other


def _charge_missing(truth: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN where the truth is missing; infinite where the error is undefined for another reason."""
    return np.where(np.isnan(truth), np.nan, np.where(np.isnan(errors), np.inf, errors))


def _checked_levels(levels: ArrayLike, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    levels = np.asarray(levels, dtype=np.float64)
    if levels.ndim != 1 or not np.all((levels > 0) & (levels < 1)):
        raise ValueError(f"levels are {levels.tolist()}; give a list of numbers between 0 and 1")
    if quantiles.ndim < 1 or quantiles.shape[-1] != len(levels) or not len(levels):
        raise ValueError(
            f"quantiles have shape {quantiles.shape} for {len(levels)} levels; the last axis holds one a level"
        )
    return levels
