"""Backtests without look-ahead: folds whose origin rolls forward, and a check that a forecaster knows no future.

An *origin* is the index of the last row that is known.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from runnel.shared.errors import RunnelError

__all__ = [
    "Fold",
    "FoldResult",
    "Forecaster",
    "LookAheadError",
    "check_no_look_ahead",
    "look_ahead_error",
    "rolling_origin_backtest",
    "rolling_origin_folds",
]

Data = TypeVar("Data")
Model = TypeVar("Model")
Score = TypeVar("Score")

Forecaster = Callable[[np.ndarray, np.ndarray], ArrayLike]
"""(values [T, F], timestamps int64 [T]) -> forecasts [T, ...]: entry t is made when row t is the last known."""


class LookAheadError(RunnelError):
    """A forecast depends on rows that come after it."""


class Fold(NamedTuple):
    """Rows to fit on and rows to score, as slices of one series; the origin is the last training row."""

    train: slice
    test: slice


@dataclass(frozen=True)
class FoldResult(Generic[Score]):
    """What one fold gave."""

    fold: Fold
    score: Score


def rolling_origin_folds(n_rows: int, folds: int, minimum_train: int) -> list[Fold]:
    """Cuts a series into folds with a growing training part (Tashman 2000).

    The rows after the first `minimum_train` are cut into `folds` test parts, as equal as can be; each is scored by a
    model that is fitted on all rows before it.

    Args:
        n_rows: rows of the series.
        folds: number of folds, 1 or more.
        minimum_train: rows before the first test part, 1 or more.

    Returns:
        The folds in order of time; every row after `minimum_train` is in one test part.

    Raises:
        ValueError: fewer rows than `minimum_train` + `folds`, or a number below 1.
    """
    if folds < 1 or minimum_train < 1:
        raise ValueError(f"folds is {folds} and minimum_train {minimum_train}; give 1 or more for each")
    if n_rows < minimum_train + folds:
        raise ValueError(
            f"{n_rows} rows do not hold {minimum_train} training rows and {folds} folds; give fewer of either"
        )
    edges = np.linspace(minimum_train, n_rows, folds + 1).round().astype(int).tolist()
    return [Fold(slice(0, start), slice(start, stop)) for start, stop in itertools.pairwise(edges)]


def rolling_origin_backtest(
    known: Callable[[int], Data],
    folds: Sequence[Fold],
    fit: Callable[[Data], Model],
    score: Callable[[Model, Data, slice], Score],
) -> list[FoldResult[Score]]:
    """Fits and scores one model a fold; nothing that is fitted, normalisation included, can see past the origin.

    Args:
        known: from a number of rows to data that hold just the first so many; the only way to the data.
        folds: which rows to fit on and to score, as from `rolling_origin_folds`.
        fit: data -> model; it is handed the training rows and nothing else.
        score: (model, data, test slice) -> score; it is handed the rows up to the end of the test part, so that
            forecasts can start from the history before it.

    Returns:
        One result a fold, in the order of the folds.

    Raises:
        ValueError: a test part begins before its training part ends.
    """
    results = []
    for fold in folds:
        if fold.test.start < fold.train.stop:
            raise ValueError(
                f"training rows end at {fold.train.stop} and test rows begin at {fold.test.start}; they overlap"
            )
        model = fit(known(fold.train.stop))
        results.append(FoldResult(fold, score(model, known(fold.test.stop), fold.test)))
    return results


def look_ahead_error(
    forecast: Forecaster,
    values: ArrayLike,
    timestamps: ArrayLike,
    origin: int,
    *,
    timestamps_known: bool = False,
    seed: int = 0,
) -> float:
    """Measures how far forecasts up to the origin change when everything after the origin is replaced by garbage.

    The rows after the origin are replaced by noise at another level and scale, by missing values, and by nothing at all
    (the series ends at the origin, which catches what depends on its length).

    Args:
        forecast: what is tested; it is handed copies.
        values: float [T, F], NaN = missing.
        timestamps: int64 [T], Unix seconds, strictly increasing.
        origin: index of the last row that is kept; at least one row after it.
        timestamps_known: keep the later timestamps, for a forecaster that may know the calendar of its targets; they
            are otherwise replaced too.
        seed: seed of the noise.

    Returns:
        Largest absolute change of any forecast made at the rows 0 to `origin`, in the unit of the forecasts; 0.0 for a
        forecaster without look-ahead, infinite where a value appears or disappears.

    Raises:
        ValueError: the origin has no row after it, or the forecaster does not give one entry a row.
    """
    return max(_look_ahead_changes(forecast, values, timestamps, origin, timestamps_known, seed).values())


def check_no_look_ahead(
    forecast: Forecaster,
    values: ArrayLike,
    timestamps: ArrayLike,
    origins: Sequence[int] | None = None,
    *,
    timestamps_known: bool = False,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> None:
    """Raises if forecasts depend on later rows; arguments as for `look_ahead_error`.

    Args:
        forecast: what is tested; it is handed copies.
        values: float [T, F], NaN = missing.
        timestamps: int64 [T], Unix seconds, strictly increasing.
        origins: where to test; a quarter, half and three quarters of the rows if left out.
        timestamps_known: keep the later timestamps.
        tolerance: change that is put down to rounding, in the unit of the forecasts.
        seed: seed of the noise.

    Raises:
        LookAheadError: a forecast changed by more than the tolerance; the message says at which origin and under what.
    """
    rows = len(np.asarray(values))
    for origin in origins if origins is not None else sorted({rows // 4, rows // 2, 3 * rows // 4}):
        changes = _look_ahead_changes(forecast, values, timestamps, origin, timestamps_known, seed)
        garbage, change = max(changes.items(), key=lambda item: item[1])
        if change > tolerance:
            raise LookAheadError(
                f"look-ahead: forecasts made up to row {origin} change by {change:.3g} when the rows after it "
                f"are {garbage}; at most {tolerance:g} was expected. Fit scalers on training rows alone and let "
                "windows end at their own row"
            )


def _look_ahead_changes(
    forecast: Forecaster, values: ArrayLike, timestamps: ArrayLike, origin: int, timestamps_known: bool, seed: int
) -> dict[str, float]:
    """Largest change up to the origin for each kind of garbage, by its name."""
    values, timestamps = _checked_rows(values, timestamps)
    kept = origin + 1
    if not 1 <= kept < len(values):
        raise ValueError(f"origin is {origin} for {len(values)} rows; give 0 to {len(values) - 2}")
    expected = _forecasts(forecast, values, timestamps)[:kept]
    random = np.random.default_rng(seed)
    later = timestamps if timestamps_known else _other_timestamps(timestamps, kept, random)
    noise, missing = values.copy(), values.copy()
    noise[kept:] = _noise_like(values, len(values) - kept, random)
    missing[kept:] = np.nan
    replaced = {
        "replaced by noise": (noise, later),
        "replaced by missing values": (missing, later),
        "removed": (values[:kept], timestamps[:kept]),
    }
    return {name: _largest_change(expected, _forecasts(forecast, *rows)[:kept]) for name, rows in replaced.items()}


def _forecasts(forecast: Forecaster, values: np.ndarray, timestamps: np.ndarray) -> NDArray[np.float64]:
    result = np.asarray(forecast(values.copy(), timestamps.copy()), dtype=np.float64)
    if result.shape[:1] != values.shape[:1]:
        raise ValueError(
            f"the forecaster gave shape {result.shape} for {len(values)} rows; the first axis must hold one entry a row"
        )
    return result


def _noise_like(values: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Noise far from the values of each column: twenty spreads above, at ten times the spread."""
    finite = np.where(np.isfinite(values), values, 0.0).astype(np.float64)
    spread = finite.std(axis=0) + np.abs(finite).max(axis=0) * 0.01 + 1e-3
    noise = finite.mean(axis=0) + spread * (20 + 10 * random.standard_normal((count, *values.shape[1:])))
    return noise.astype(values.dtype)


def _other_timestamps(timestamps: np.ndarray, kept: int, random: np.random.Generator) -> np.ndarray:
    """The same timestamps up to the origin, then increasing ones of another spacing."""
    spacing = max(1, int(np.median(np.diff(timestamps))))
    steps = random.integers(2 * spacing, 9 * spacing, size=len(timestamps) - kept, endpoint=True)
    return np.concatenate([timestamps[:kept], timestamps[kept - 1] + np.cumsum(steps)])


def _largest_change(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Largest absolute difference; two missing values are equal, one alone is infinitely different."""
    if before.shape != after.shape:
        return float("inf")
    if not before.size:
        return 0.0
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    with np.errstate(invalid="ignore"):
        change = np.where(same, 0.0, np.abs(before - after))
    return float(np.where(np.isnan(change), np.inf, change).max())


def _checked_rows(values: ArrayLike, timestamps: ArrayLike) -> tuple[np.ndarray, NDArray[np.int64]]:
    values, timestamps = np.asarray(values), np.asarray(timestamps, dtype=np.int64)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    if values.ndim < 1 or timestamps.shape != values.shape[:1]:
        raise ValueError(
            f"values have shape {values.shape} and timestamps {timestamps.shape}; give one timestamp a row"
        )
    return values, timestamps
