"""A data source to training examples: splits by time, what is fitted to the training rows, windows."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from runnel.apps.forecasting.config import Config
from runnel.datasets.series.load_series import load_series
from runnel.datasets.series.series_table import Series, SeriesTable
from runnel.shared.errors import InputError
from runnel.shared.preprocessing.series_spec import SeriesSpec, fit_series_spec
from runnel.shared.preprocessing.series_windows import SeriesWindows, TimeSplit, split_by_timestamp, split_instants
from runnel.shared.training.without_autotuning import without_autotuning

__all__ = [
    "ForecastingData",
    "load_data",
    "padded_rows",
    "prepare",
    "splits_at",
    "training_batches",
    "until",
    "validation_batches",
    "window_rows",
]

_HORIZON = {"log_return": 1, "difference": 7, "none": 7}


@dataclass(frozen=True)
class ForecastingData:
    """Series, where each is split, and what was fitted to the training rows alone."""

    table: SeriesTable
    splits: tuple[TimeSplit, ...]  # one for each series
    spec: SeriesSpec


def load_data(
    config: Config, spec: SeriesSpec | None = None, require_label: bool = True
) -> tuple[ForecastingData, Config]:
    """Reads the source and fills in what the configuration leaves open.

    Args:
        config: the options.
        spec: of a model to go on from, in place of a newly fitted one; the columns must be the same.
        require_label: refuses data without the label column that the options name.

    Returns:
        the data, and the configuration with every option decided.

    Raises:
        InputError: the source cannot be used.
    """
    table = load_series(
        config.data,
        time_column=config.time_column,
        targets=config.target,
        features=config.features,
        series_id=config.series_id,
        label=config.label,
        require_label=require_label,
        decimal=config.advanced.decimal,
        delimiter=config.advanced.delimiter,
    )
    return prepare(table, config, spec)


def prepare(
    table: SeriesTable, config: Config, spec: SeriesSpec | None = None, test_share: float = 0.2
) -> tuple[ForecastingData, Config]:
    """Splits series by time, fits what is fitted to training rows, and fills in what the configuration leaves open.

    Args:
        table: the series.
        config: the options.
        spec: what was fitted before, in place of a new one.
        test_share: share of all rows in the test split, where the source does not say where it begins.

    Raises:
        InputError: no series has enough training rows, or a target is never known where it must be.
    """
    starts = (table.split_starts if test_share else None) or split_instants(
        [series.timestamps for series in table.series], test=test_share
    )
    splits = tuple(split_by_timestamp(series.timestamps, *starts) for series in table.series)
    horizon = config.horizon or max(_HORIZON.values())
    needed, longest = config.context + horizon, max(split.validation for split in splits)
    if longest < needed:
        rows = max(len(series.timestamps) for series in table.series)
        raise InputError(
            f"received {rows} rows, {longest} of them for training; expected at least {needed} training rows, context "
            f"({config.context}) and horizon ({horizon}) together; give more rows, or a smaller --context or --horizon"
        )
    _refuse_unknown_targets(table, splits)
    fitted = _fit(table, splits, config, needed)
    if spec and (spec.grid.unit, spec.grid.step) != (fitted.grid.unit, fitted.grid.step):
        raise InputError(
            f"received rows {_distance(fitted)} apart; expected {_distance(spec)}, which the model was trained on; "
            "give data of that rhythm, or train anew"
        )
    spec = spec or fitted
    resolved = dataclasses.replace(
        config,
        target=table.targets,
        features=table.columns[len(table.targets) :],
        time_column=table.time_column,
        series_id=table.series_id_column,
        label=table.label_column,
        horizon=config.horizon or _HORIZON[spec.transform],
        advanced=dataclasses.replace(config.advanced, transform=spec.transform),
    )
    return ForecastingData(table, splits, spec), resolved


def _refuse_unknown_targets(table: SeriesTable, splits: tuple[TimeSplit, ...]) -> None:
    """Refuses a target without a value in one of the splits, and a series without one before its test rows."""
    for index, name in enumerate(table.targets):
        known = [
            (np.isfinite(series.values[:, index]), split) for series, split in zip(table.series, splits, strict=True)
        ]
        parts = {
            "training": [rows[: split.validation] for rows, split in known],
            "validation": [rows[split.validation : split.test] for rows, split in known],
            "test": [rows[split.test :] for rows, split in known],
        }
        for part, rows in parts.items():
            if sum(map(len, rows)) and not any(map(np.any, rows)):
                raise InputError(
                    f"column '{name}' has no value in the rows for {part}; expected some; rows are split in order of "
                    "time into training, validation and test: give more of them, or another --target"
                )
        for series, (rows, split) in zip(table.series, known, strict=True):
            if 0 < split.test < split.end and not rows[: split.test].any():
                raise InputError(
                    f"series '{series.series_id}' has no value of '{name}' before its test rows; expected some to "
                    "forecast from; delete its rows, or choose another --target"
                )


def until(table: SeriesTable, last: int) -> SeriesTable:
    """The rows of every series up to and including an instant; series that had not begun are left out."""
    ends = [int(np.searchsorted(series.timestamps, last, side="right")) for series in table.series]
    cut = tuple(series.take(slice(0, end)) for series, end in zip(table.series, ends, strict=True) if end)
    return dataclasses.replace(table, series=cut)


def splits_at(table: SeriesTable, test_start: int) -> tuple[TimeSplit, ...]:
    """Test splits that begin at an instant, everything before it being known."""
    return tuple(split_by_timestamp(series.timestamps, test_start, test_start) for series in table.series)


def padded_rows(series: Sequence[Series], spans: Sequence[tuple[int, int]]) -> dict[str, np.ndarray]:
    """The rows [begin, end) of every series as one padded batch of `step` inputs."""
    lengths = [max(end - begin, 0) for begin, end in spans]
    longest = max(lengths)
    observation = np.full((len(series), longest, series[0].values.shape[1]), np.nan, np.float32)
    timestamp = np.zeros((len(series), longest), np.int64)
    for index, (one, (begin, _), length) in enumerate(zip(series, spans, lengths, strict=True)):
        observation[index, :length] = one.values[begin : begin + length]
        timestamp[index, :length] = one.timestamps[begin : begin + length]
    return {"observation": observation, "timestamp": timestamp, "length": np.array(lengths, np.int32)}


def window_rows(data: ForecastingData, config: Config) -> tuple[int, int]:
    """Rows in a training window, and how many of the last ones are forecast from.

    The first of those has seen `context` rows; a recurrent model forecasts from `context` rows of a window, a window
    model from the last alone.
    """
    context = config.context
    if config.architecture == "segment":
        return context, 1
    longest = max(split.validation for split in data.splits)
    supervised = min(context, longest - context)
    return context + supervised - 1, supervised


def training_batches(data: ForecastingData, config: Config) -> Callable[[int], tf.data.Dataset]:
    """From an epoch to its batches of windows, an order that is a function of (seed, epoch, index) alone.

    Every window of the training split comes once before any comes again, in a new order each time round.
    """
    rows, supervised = window_rows(data, config)
    windows = _windows(data, config, [split.validation for split in data.splits])
    ends = windows.ends(rows)
    advanced = config.advanced

    def batches(epoch: int) -> tf.data.Dataset:
        size = advanced.steps_per_epoch * advanced.batch_size
        chosen = ends[_shuffled(len(ends), epoch * size, size, advanced.seed)]
        steps = tf.data.Dataset.from_tensor_slices(chosen.reshape(advanced.steps_per_epoch, advanced.batch_size))
        return steps.map(lambda batch: windows.gather(batch, rows, supervised), num_parallel_calls=2).prefetch(4)

    return batches


def validation_batches(data: ForecastingData, config: Config) -> tf.data.Dataset:
    """Windows that forecast from every row of the validation split, once each but for an overlap at its end."""
    rows, supervised = window_rows(data, config)
    windows = _windows(data, config, [split.test for split in data.splits])
    first = [split.validation + supervised - 2 for split in data.splits]
    last = windows.offsets[1:] - 1
    ends = np.unique(np.concatenate([windows.ends(rows, first, supervised), last[windows.lengths >= rows]]))
    batches = (
        tf.data.Dataset.from_tensor_slices(ends)
        .batch(4 * config.advanced.batch_size)
        .map(lambda batch: windows.gather(batch, rows, supervised))
        .cache()
    )
    return without_autotuning(batches)


def _fit(table: SeriesTable, splits: tuple[TimeSplit, ...], config: Config, needed: int) -> SeriesSpec:
    """What is learnt from training rows; series too short for a window do not count."""
    usable = [
        (series.timestamps[: split.validation], series.values[: split.validation])
        for series, split in zip(table.series, splits, strict=True)
        if split.validation >= needed
    ]
    timestamps, values = zip(*usable, strict=True)
    return fit_series_spec(table.columns, len(table.targets), list(timestamps), list(values), config.advanced.transform)


def _distance(spec: SeriesSpec) -> str:
    return f"{spec.grid.step} {spec.grid.unit.replace('_', ' ')}{'s' if spec.grid.step != 1 else ''}"


def _windows(data: ForecastingData, config: Config, ends: list[int]) -> SeriesWindows:
    """Windows over the first rows of every series, up to its end."""
    series = list(zip(data.table.series, ends, strict=True))
    return SeriesWindows(
        [one.timestamps[:end] for one, end in series],
        [one.values[:end] for one, end in series],
        data.spec.targets,
        data.spec.grid,
        config.horizon,
    )


def _shuffled(count: int, first: int, size: int, seed: int) -> np.ndarray:
    """Places `first` .. `first + size` of an endless sequence of permutations of `count` things, int64 [size]."""
    rounds = range(first // count, -(-(first + size) // count))
    permutations = [
        tf.random.experimental.index_shuffle(tf.range(count), [seed, number], count - 1) for number in rounds
    ]
    skipped = first - rounds.start * count
    return np.concatenate(permutations)[skipped : skipped + size].astype(np.int64)
