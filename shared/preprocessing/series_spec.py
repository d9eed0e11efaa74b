"""What is learnt from the training rows of some series before any network sees them."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import tensorflow as tf

from runnel.shared.preprocessing.calendar_features import choose_calendar_periods
from runnel.shared.preprocessing.time_grid import TimeGrid, fit_time_grid

__all__ = ["SeriesSpec", "Transform", "fit_series_spec"]

Transform = Literal["none", "difference", "log_return"]

_RANDOM_WALK_RATIO = 0.15
_LARGEST_LIKENESS = 0.25
_LARGEST_VALUE = 1e18  # float32 holds sums of squares of anything smaller


@dataclass(frozen=True)
class SeriesSpec:
    """Everything that the preprocessing of series needs to know; fitted on training rows alone.

    Attributes:
        columns: names of the F columns, the Y targets first.
        targets: Y, the number of targets.
        transform: what is modelled: `none` (values), `difference` (their steps) or `log_return` (the logarithms of
            their ratios; values at or below zero count as missing).
        scale: [F], typical size of a value's deviation (`none`) or of its step (otherwise), within one series.
        grid: the regular grid of time steps.
        calendar_periods: periods in seconds that become features.
    """

    columns: tuple[str, ...]
    targets: int
    transform: Transform
    scale: tuple[float, ...]
    grid: TimeGrid
    calendar_periods: tuple[int, ...]

    def clean(self, values: Any) -> tf.Tensor:
        """Values float32 [...] with NaN for what cannot be used.

        That is infinities and what only stands for a missing value (beyond 1e18), and values <= 0 for `log_return`.
        """
        values = tf.convert_to_tensor(values, tf.float32)
        smallest = 0.0 if self.transform == "log_return" else -_LARGEST_VALUE
        return tf.where((smallest < values) & (values < _LARGEST_VALUE), values, np.nan)

    def relative(self, values: Any, level: Any) -> tf.Tensor:
        """Values [...] seen from a level: log(values / level) for `log_return`, else values - level.

        Taken from the ratio, a small return keeps the digits that a difference of two logarithms would lose.
        """
        return tf.math.log(values / level) if self.transform == "log_return" else tf.subtract(values, level)

    def absolute(self, offsets: Any, level: Any) -> tf.Tensor:
        """The inverse of `relative`: offsets [...] from a level, back in raw units."""
        return level * tf.exp(offsets) if self.transform == "log_return" else tf.add(level, offsets)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "SeriesSpec":
        """The inverse of `to_dict`, of its JSON form too."""
        return cls(
            columns=tuple(data["columns"]),
            targets=data["targets"],
            transform=data["transform"],
            scale=tuple(data["scale"]),
            grid=TimeGrid(**data["grid"]),
            calendar_periods=tuple(data["calendar_periods"]),
        )


def fit_series_spec(
    columns: tuple[str, ...],
    targets: int,
    timestamps: list[np.ndarray],
    values: list[np.ndarray],
    transform: Transform | Literal["auto"],
) -> SeriesSpec:
    """Fits the specification to the training rows of one or more series.

    `auto` takes steps instead of values where the first target moves like a random walk: its steps are small beside its
    spread, and one says little about the next. It takes logarithms where no value of any column is at or below zero as
    well. A smooth series, such as a temperature every ten minutes, has small steps too, but one is like the next.

    Args:
        columns: names of the F columns, targets first.
        targets: Y.
        timestamps: one int64 [T] for each series, rising.
        values: one float32 [T, F] for each series, NaN where missing.
        transform: a transform or `auto`.
    """
    if transform == "auto":
        transform = _choose_transform(values)
    if transform not in get_args(Transform):
        raise ValueError(f"Received transform={transform!r}; expected auto or one of {', '.join(get_args(Transform))}.")
    grid = fit_time_grid(timestamps)
    spec = SeriesSpec(
        columns=tuple(columns),
        targets=targets,
        transform=transform,
        scale=(1.0,) * len(columns),
        grid=grid,
        calendar_periods=choose_calendar_periods(timestamps, grid),
    )
    return dataclasses.replace(spec, scale=_fit_scale(spec, values))


def _fit_scale(spec: SeriesSpec, values: list[np.ndarray]) -> tuple[float, ...]:
    """Root mean square of the deviations from the series' own mean, or of the steps from row to row, per column."""
    cleaned = [spec.clean(series).numpy() for series in values]
    if spec.transform == "none":
        deviations = [series - _known_mean(series) for series in cleaned]
    else:
        deviations = [spec.relative(series[1:], series[:-1]).numpy() for series in cleaned]
    scale = np.sqrt(_known_mean(np.concatenate(deviations).astype(np.float64) ** 2))
    return tuple(float(value) for value in np.where(np.isfinite(scale) & (scale > 0), scale, 1.0))


def _known_mean(values: np.ndarray) -> np.ndarray:
    """The mean over rows of what is not missing; 0 where all is, of which NumPy's nanmean would warn."""
    return np.nansum(values, axis=0, dtype=np.float64) / np.maximum(np.sum(~np.isnan(values), axis=0), 1)


def _choose_transform(values: list[np.ndarray]) -> Transform:
    targets = [series[np.isfinite(series[:, 0]), 0].astype(np.float64) for series in values]
    ratios = [np.std(np.diff(target)) / max(np.std(target), 1e-12) for target in targets if len(target) > 1]
    likeness = [_likeness_of_steps(target) for target in targets if len(target) > 2]
    if not ratios or np.median(ratios) > _RANDOM_WALK_RATIO or np.median(likeness) > _LARGEST_LIKENESS:
        return "none"
    return "log_return" if all(np.all(series[np.isfinite(series)] > 0) for series in values) else "difference"


def _likeness_of_steps(values: np.ndarray) -> float:
    """Absolute correlation of each step with the next; 0 for the steps of a random walk."""
    steps = np.diff(values)
    spread = np.sum(steps**2)
    return float(abs(np.sum(steps[1:] * steps[:-1])) / spread) if spread > 0 else 0.0
