"""Forecasts that any model must beat: the last value, the same season, the climate.

Every baseline is fitted on training rows alone. A baseline knows only how to make point forecasts; `fit_baseline` adds
quantiles, from the spread of its own errors over the training rows. Rows are equally spaced steps; an *origin* is the
index of the last row that is known, and its forecast covers the H rows after it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Baseline",
    "BaselineForecast",
    "Climatology",
    "FittedBaseline",
    "PointForecaster",
    "RepeatLast",
    "SeasonalNaive",
    "Spread",
    "fit_baseline",
    "future_rows",
    "running_volatility",
]

SECONDS_PER_HOUR = 3600
DAYS_PER_YEAR = 366  # day 60 is 29 February or 1 March; the smoothing makes the difference immaterial
HOURS_PER_DAY = 24

Spread = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""values [T, Y] -> a size for each row [T, Y]; row t may depend on rows up to t alone."""


class PointForecaster(Protocol):
    """Makes point forecasts from what was fitted and the rows up to each origin."""

    def __call__(
        self, values: NDArray[np.float64], origins: NDArray[np.int64], target_timestamps: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Forecasts the rows after each origin.

        Args:
            values: float64 [T, Y], NaN = missing. Row t may influence the forecasts of origins >= t alone.
            origins: int64 [N], index of the last known row of each forecast.
            target_timestamps: int64 [N, H], Unix seconds of the rows to forecast.

        Returns:
            float64 [N, H, Y]; NaN where nothing is known yet.
        """
        ...


class Baseline(Protocol):
    """A way to forecast without a model."""

    @property
    def name(self) -> str:
        """What a reader of the report calls it."""
        ...

    def fit(self, values: NDArray[np.float64], timestamps: NDArray[np.int64]) -> PointForecaster:
        """Fits on training rows: values float64 [T, Y] (NaN = missing), timestamps int64 [T] in Unix seconds."""
        ...


@dataclass(frozen=True)
class BaselineForecast:
    """Forecasts of one baseline.

    Attributes:
        point: float64 [N, H, Y], NaN where nothing is known yet.
        quantiles: float64 [N, H, Y, Q], not decreasing over Q.
    """

    point: NDArray[np.float64]
    quantiles: NDArray[np.float64]


@dataclass(frozen=True)
class RepeatLast:
    """Repeats the last value that is there: the random walk of prices.

    For prices that grow, give log prices and take the exponential of the quantiles: errors then scale with the level.
    """

    name: str = "repeat last"

    def fit(self, values: NDArray[np.float64], timestamps: NDArray[np.int64]) -> PointForecaster:
        """Has nothing to learn from the training rows."""
        del values, timestamps
        return _repeat_last


@dataclass(frozen=True)
class SeasonalNaive:
    """Repeats what stood one season earlier; where that is missing, one more season earlier.

    Attributes:
        period: rows in a season, 1 or more: 24 for days of hourly rows, 7 for weeks of daily rows.
    """

    period: int

    def __post_init__(self) -> None:
        if self.period < 1:
            raise ValueError(f"period is {self.period}; give the rows of a season, 1 or more")

    @property
    def name(self) -> str:
        """What a reader of the report calls it."""
        return f"seasonal naive ({self.period} rows)"

    def fit(self, values: NDArray[np.float64], timestamps: NDArray[np.int64]) -> PointForecaster:
        """Has nothing to learn from the training rows."""
        del values, timestamps
        return self._forecast

    def _forecast(
        self, values: NDArray[np.float64], origins: NDArray[np.int64], target_timestamps: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        steps = np.arange(1, target_timestamps.shape[1] + 1)
        seasons_back = -(-steps // self.period)
        rows = origins[:, None] + steps - seasons_back * self.period  # [N, H], none after its origin
        filled = _fill_forward(values, self.period)
        return np.where((rows >= 0)[..., None], filled[np.maximum(rows, 0)], np.nan)


@dataclass(frozen=True)
class Climatology:
    """Forecasts the training mean of the time of year or of day, whatever the last values were.

    Attributes:
        cycle: "day_of_year" for daily weather, "hour_of_day" for daily rhythms; both in UTC.
        smoothing: days or hours on each side that are averaged with equal weight, around the turn of the cycle too.
    """

    cycle: Literal["day_of_year", "hour_of_day"] = "day_of_year"
    smoothing: int = 7

    def __post_init__(self) -> None:
        if self.cycle not in ("day_of_year", "hour_of_day"):
            raise ValueError(f"cycle is {self.cycle!r}; give 'day_of_year' or 'hour_of_day'")
        if not 0 <= self.smoothing < self._length // 2:
            raise ValueError(f"smoothing is {self.smoothing}; give 0 to {self._length // 2 - 1} for {self.cycle}")

    @property
    def name(self) -> str:
        """What a reader of the report calls it."""
        return f"climatology ({self.cycle.replace('_', ' ')})"

    @property
    def _length(self) -> int:
        return DAYS_PER_YEAR if self.cycle == "day_of_year" else HOURS_PER_DAY

    def fit(self, values: NDArray[np.float64], timestamps: NDArray[np.int64]) -> PointForecaster:
        """Averages the training rows by their place in the cycle; a place that no row is near gets the mean of all."""
        counted = ~np.isnan(values)
        present = np.where(counted, values, 0.0)
        total, count = (self._smoothed_sum(part, timestamps) for part in (present, counted.astype(np.float64)))
        everywhere = _divide(present.sum(axis=0), counted.sum(axis=0))
        means = np.where(count > 0, _divide(total, count), everywhere)  # [cycle, Y]

        def forecast(
            values: NDArray[np.float64], origins: NDArray[np.int64], target_timestamps: NDArray[np.int64]
        ) -> NDArray[np.float64]:
            del values, origins
            return means[self._place(target_timestamps)]

        return forecast

    def _smoothed_sum(self, values: NDArray[np.float64], timestamps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sum over the rows at or near each place of the cycle: [T, Y] -> [cycle, Y]."""
        total = np.zeros((self._length, values.shape[1]))
        np.add.at(total, self._place(timestamps), values)
        shifts = range(-self.smoothing, self.smoothing + 1)
        return np.stack([np.roll(total, shift, axis=0) for shift in shifts]).sum(axis=0)

    def _place(self, timestamps: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.cycle == "hour_of_day":
            return timestamps // SECONDS_PER_HOUR % HOURS_PER_DAY
        days = timestamps.astype("datetime64[s]").astype("datetime64[D]")
        return (days - days.astype("datetime64[Y]")).astype(np.int64)


@dataclass(frozen=True)
class FittedBaseline:
    """A baseline after fitting, with the spread of its training errors.

    Attributes:
        name: what a reader of the report calls it.
        point_forecaster: makes the point forecasts.
        residual_quantiles: float64 [H, Y, Q], quantiles of truth - forecast over the training rows, in units of the
            spread at the origin; NaN where there are none.
        spread: how large errors are expected to be at each row; one everywhere if left out.
    """

    name: str
    point_forecaster: PointForecaster
    residual_quantiles: NDArray[np.float64]
    spread: Spread | None = None

    def forecast(self, values: ArrayLike, origins: ArrayLike, target_timestamps: ArrayLike) -> BaselineForecast:
        """Forecasts the rows after each origin.

        Args:
            values: float [T, Y], NaN = missing; any rows, in training or after it.
            origins: int [N], index of the last known row of each forecast.
            target_timestamps: int64 [N, H], Unix seconds of the rows to forecast; H as in fitting.

        Returns:
            Point forecasts and quantiles.

        Raises:
            ValueError: a shape is not as it was in fitting, or an origin is not a row.
        """
        values, rows = _checked_values(values), np.asarray(origins, dtype=np.int64)
        stamps = np.asarray(target_timestamps, dtype=np.int64)
        horizon, targets, _ = self.residual_quantiles.shape
        if values.shape[1] != targets or stamps.shape != (len(rows), horizon):
            raise ValueError(
                f"received {values.shape[1]} targets and target_timestamps of shape {stamps.shape} for {len(rows)} "
                f"origins; {self.name} was fitted for {targets} targets and a horizon of {horizon}"
            )
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(values):
            raise ValueError(f"origins are {rows.min()} to {rows.max()}; the values have rows 0 to {len(values) - 1}")
        point = self.point_forecaster(values, rows, stamps)
        unit = _units(self.spread, values, rows)
        return BaselineForecast(point, point[..., None] + unit[..., None] * self.residual_quantiles)


def fit_baseline(
    baseline: Baseline,
    values: ArrayLike,
    timestamps: ArrayLike,
    *,
    horizon: int,
    levels: Sequence[float],
    spread: Spread | None = None,
) -> FittedBaseline:
    """Fits a baseline and the quantiles of its errors, for each step ahead, on training rows.

    The errors are those of every training origin with rows after it. Climatology's are from the rows that it was
    averaged over, so its quantiles are slightly narrow on short series.

    Args:
        baseline: what to fit.
        values: float [T, Y], the TRAINING rows alone, NaN = missing.
        timestamps: int64 [T], Unix seconds, strictly increasing.
        horizon: rows to forecast, 1 or more and fewer than T.
        levels: quantile levels, each in (0, 1), increasing.
        spread: values [T, Y] -> how large errors are expected to be after each row [T, Y], such as
            `running_volatility`; the quantiles then scale with it. One everywhere if left out.

    Returns:
        The fitted baseline.

    Raises:
        ValueError: the arrays do not belong together, the levels do not increase within (0, 1), or there are too few
            rows.
    """
    train, stamps = _checked_values(values), np.asarray(timestamps, dtype=np.int64)
    if stamps.shape != (len(train),):
        raise ValueError(f"timestamps have shape {stamps.shape} for {len(train)} rows; give one timestamp a row")
    if not 1 <= horizon < len(train):
        raise ValueError(f"horizon is {horizon} for {len(train)} training rows; give 1 to {len(train) - 1}")
    chances = np.asarray(levels, dtype=np.float64)
    if not len(chances) or np.any(np.diff(chances, prepend=0.0, append=1.0) <= 0):
        raise ValueError(f"levels are {list(levels)}; give increasing numbers between 0 and 1")
    forecaster = baseline.fit(train, stamps)
    origins = np.arange(len(train))
    padded = np.concatenate([train, np.full((horizon, train.shape[1]), np.nan)])
    later = np.concatenate([stamps, np.repeat(stamps[-1], horizon)])  # past the end there is no truth: any time
    point = forecaster(train, origins, future_rows(later, origins, horizon))
    residuals = (future_rows(padded, origins, horizon) - point) / _units(spread, train, origins)
    return FittedBaseline(baseline.name, forecaster, _quantiles_of_present(residuals, chances), spread)


def running_volatility(values: NDArray[np.float64], decay: float = 0.94) -> NDArray[np.float64]:
    """Root of the exponentially weighted mean of squared steps up to each row (RiskMetrics 1996): [T, Y] -> [T, Y].

    Missing steps are passed over; before the first step, the first known volatility stands in.
    """
    squares = np.diff(_fill_forward(values, period=1), axis=0, prepend=np.nan) ** 2
    total, weight = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    variance = np.full(values.shape, np.nan)
    for row, square in enumerate(squares):
        known = ~np.isnan(square)
        total = np.where(known, decay * total + np.where(known, square, 0.0), total)
        weight = np.where(known, decay * weight + 1, weight)
        variance[row] = _divide(total, weight)
    first = np.argmax(variance > 0, axis=0)
    floor = np.take_along_axis(variance, first[None], axis=0)
    return np.sqrt(np.where(variance > 0, variance, floor))


def future_rows(array: ArrayLike, origins: ArrayLike, horizon: int) -> np.ndarray:
    """Takes the rows after each origin: the truth, or the timestamps, of a forecast.

    Args:
        array: any type, [T, ...].
        origins: int [N], each with `horizon` rows after it.
        horizon: rows to take.

    Returns:
        [N, H, ...] of the same type.

    Raises:
        ValueError: an origin has fewer than `horizon` rows after it, or is before the first row.
    """
    rows = np.asarray(array)
    first = np.asarray(origins, dtype=np.int64) + 1
    if len(first) and (first.min() < 0 or first.max() + horizon > len(rows)):
        raise ValueError(
            f"origins are {first.min() - 1} to {first.max() - 1} with {horizon} rows after each; there are {len(rows)}"
        )
    return rows[first[:, None] + np.arange(horizon)]


def _units(spread: Spread | None, values: NDArray[np.float64], origins: NDArray[np.int64]) -> NDArray[np.float64]:
    """The spread at each origin [N, 1, Y]."""
    return np.ones((1, 1, 1)) if spread is None else spread(values)[origins][:, None]


def _repeat_last(
    values: NDArray[np.float64], origins: NDArray[np.int64], target_timestamps: NDArray[np.int64]
) -> NDArray[np.float64]:
    last = _fill_forward(values, period=1)[origins]
    return np.repeat(last[:, None], target_timestamps.shape[1], axis=1)


def _fill_forward(values: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Each missing value becomes the last one that is there a whole number of periods earlier: [T, Y] -> [T, Y]."""
    present = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    for phase in range(min(period, len(values))):
        present[phase::period] = np.maximum.accumulate(present[phase::period], axis=0)
    filled = np.take_along_axis(values, np.maximum(present, 0), axis=0)
    return np.where(present >= 0, filled, np.nan)


def _divide(total: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Total over count, NaN where nothing was counted."""
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _quantiles_of_present(residuals: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles over the first axis of what is not NaN: [N, H, Y] -> [H, Y, Q]; NaN where nothing is."""
    horizon, targets = residuals.shape[1:]
    result = np.full((horizon, targets, len(levels)), np.nan)
    for step in range(horizon):
        for target in range(targets):
            present = residuals[~np.isnan(residuals[:, step, target]), step, target]
            if len(present):
                result[step, target] = np.quantile(present, levels)
    return result


def _checked_values(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError(f"values have shape {array.shape}; give [T, Y], one column a target")
    return array
