"""Uses an exported forecaster as any service would: through its SavedModel and manifest, without the network's code."""

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import tensorflow as tf

from runnel.apps.forecasting.config import Config, StreamOptions
from runnel.apps.forecasting.data import load_data
from runnel.datasets.series.live_rows import read_live_rows
from runnel.datasets.series.load_series import load_series
from runnel.datasets.series.read_dataset import BUILDER_NAMES
from runnel.datasets.series.read_for_columns import read_for_columns
from runnel.datasets.series.series_table import Series
from runnel.shared.export.load_export import load_export
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.streaming.replay import start
from runnel.shared.terminal.show_table import csv_line, show_table

__all__ = ["evaluate_export", "predict", "stream"]

Say = Callable[[str], None]

_SHOWN_LEVELS = (0.05, 0.95)


def predict(export_dir: Path, inputs: Sequence[str], say: Say) -> None:
    """Forecasts after the last row of every series of every input, beside the last known value.

    Args:
        export_dir: the export.
        inputs: CSV or Parquet files with the columns that the export was trained on, or names of our datasets.
        say: called with each line of the answer.

    Raises:
        InputError: an input cannot be used.
    """
    manifest, model = load_export(export_dir, "forecasting")
    series = [one for source in inputs for one in _read(source, manifest)]
    rows = []
    for one in series:
        answer = model.serving_default(
            history=tf.constant(one.values[None]),
            timestamp=tf.constant(one.timestamps[None]),
            length=tf.constant([len(one.timestamps)], tf.int32),
        )
        rows += _forecast_rows(one, {name: value.numpy()[0] for name, value in answer.items()}, manifest["meanings"])
    header = _forecast_header(manifest["meanings"])
    first = 0 if len(series) > 1 or manifest["meanings"]["series_id_column"] else 1  # one series needs no name
    show_table(header[first:], [row[first:] for row in rows], say)


def stream(export_dir: Path, lines: TextIO, say: Say, options: StreamOptions | None = None) -> None:
    """Reads rows of CSV as they arrive and answers each at once: how unusual it is, and the next step's forecast.

    A row that cannot be read is left out, and a number that cannot be read counts as missing; both are said on standard
    error, so that one slip of a sensor does not end a watch.

    Args:
        export_dir: the export.
        lines: a header line, then rows; one session for each value of the series-id column, if there is one.
        say: called with each line of the answer.
        options: which rows are answered; all by default.

    Raises:
        InputError: the header lacks a column.
    """
    options = options or StreamOptions()
    manifest, model = load_export(export_dir, "forecasting")
    meanings, advanced = manifest["meanings"], manifest["config"]["advanced"]
    rows = read_live_rows(
        lines,
        meanings["columns"],
        meanings["time_column"],
        meanings["series_id_column"],
        decimal=advanced["decimal"],
        delimiter=advanced["delimiter"],
        complain=_complain,
    )
    fresh = start(model, 1)
    states: dict[str, dict[str, tf.Tensor]] = {}
    first = 0 if meanings["series_id_column"] else 1
    header = [meanings["series_id_column"], meanings["time_column"], "anomaly_score", "alarm", "forecast for"]
    say(csv_line([*header[first:], *_value_names(meanings)]))
    for row in rows:
        state = states.get(row.series_id, fresh)
        if row.timestamp <= int(state["state_timestamp"][0]):
            _complain(f"{_instant(row.timestamp)} is not later than the row before it; left out")
        outputs = model.step(
            observation=tf.constant(row.values[None, None]),
            timestamp=tf.constant([[row.timestamp]], tf.int64),
            length=tf.constant([1], tf.int32),
            **state,
        )
        states[row.series_id] = {key: outputs[key] for key in state}
        is_alarm = bool(outputs["alarm"].numpy()[0, 0])
        if options.alarms_only and not is_alarm:
            continue
        quantiles = outputs["quantiles"].numpy()[0, 0]  # [Y, Q] of the next step
        upcoming = int(outputs["forecast_timestamp"].numpy()[0, 0])
        cells = [_number(value) for target in quantiles for value in _middle_and_bounds(target, meanings)]
        score = float(outputs["anomaly_score"].numpy()[0, 0])
        judged = [f"{score:.3f}", "ALARM" if is_alarm else ""]
        say(csv_line([row.series_id, _instant(row.timestamp), *judged, _instant(upcoming), *cells][first:]))


def evaluate_export(export_dir: Path, data: str | None, say: Say) -> None:
    """Streams the test split of some data through an export and tells its errors beside those of the baselines.

    Args:
        export_dir: the export.
        data: a source of data with the columns of the export; what it was trained on by default.
        say: called with each line.

    Raises:
        InputError: the data cannot be used.
    """
    from runnel.apps.forecasting.evaluate import evaluate_all, verdicts  # needs Keras; the other answers start without

    manifest, model = load_export(export_dir, "forecasting")
    config = Config.from_dict(manifest["config"])
    if data is not None:
        config = dataclasses.replace(config, data=data, time_column=None)  # found out: it may have another name
    spec = SeriesSpec.from_dict(manifest["meanings"]["spec"])
    loaded, config = load_data(config, spec, require_label=data is None)
    metrics = evaluate_all(model, loaded, config, manifest["meanings"]["alarms"]["alarm"]).metrics
    names = list(metrics["scaled_pinball"])
    rows = [
        [target, *(_number(errors[name]) for name in names)]
        for target, errors in metrics["mean_absolute_error"].items()
    ]
    rows.append(["pinball loss, in mean steps", *(_number(metrics["scaled_pinball"][name]) for name in names)])
    show_table(["mean absolute error", *names], rows, say)
    for line in verdicts(metrics):
        say(line)
    for width, value in metrics["coverage"].items():
        say(
            f"{width} interval: {value['estimate']:.1%} of truths inside ({value['lower']:.1%} .. {value['upper']:.1%})"
        )


def _read(source: str, manifest: Mapping[str, Any]) -> Iterable[Series]:
    meanings, config = manifest["meanings"], manifest["config"]
    if source in BUILDER_NAMES:
        targets = meanings["targets"]
        return load_series(
            source, targets=targets, features=[c for c in meanings["columns"] if c not in targets]
        ).series
    trained_on_file = config["data"] not in BUILDER_NAMES and not config["data"].startswith("tfds:")
    return read_for_columns(
        source,
        meanings["columns"],
        meanings["time_column"] if trained_on_file else None,
        meanings["series_id_column"],
        decimal=config["advanced"]["decimal"],
        delimiter=config["advanced"]["delimiter"],
    )


def _forecast_header(meanings: Mapping[str, Any]) -> list[str]:
    lasts = [f"{target} last known" for target in meanings["targets"]]
    return [meanings["series_id_column"] or "series", meanings["time_column"], *_value_names(meanings), *lasts]


def _value_names(meanings: Mapping[str, Any]) -> list[str]:
    bounds = [f"{level:.0%}" for level in _SHOWN_LEVELS]
    return [name for target in meanings["targets"] for name in (target, *(f"{target} {bound}" for bound in bounds))]


def _forecast_rows(series: Series, answer: Mapping[str, np.ndarray], meanings: Mapping[str, Any]) -> list[list[str]]:
    targets = len(meanings["targets"])
    known = pd.DataFrame(series.values[:, :targets]).ffill().iloc[-1]  # what repeating the last value would say
    return [
        [
            series.series_id,
            _instant(int(timestamp)),
            *(_number(value) for target in quantiles for value in _middle_and_bounds(target, meanings)),
            *map(_number, known),
        ]
        for timestamp, quantiles in zip(answer["forecast_timestamp"], answer["quantiles"], strict=True)
    ]


def _middle_and_bounds(quantiles: np.ndarray, meanings: Mapping[str, Any]) -> list[float]:
    levels = np.array(meanings["quantile_levels"])
    return [float(quantiles[np.argmin(np.abs(levels - level))]) for level in (0.5, *_SHOWN_LEVELS)]


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _instant(timestamp: int) -> str:
    """ISO 8601, without the clock at midnight."""
    text = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return text.removesuffix(" 00:00:00")


def _number(value: float) -> str:
    """Six significant digits, never in exponents; nothing for a missing value."""
    if not np.isfinite(value):
        return ""
    decimals = min(6, max(0, 5 - int(np.floor(np.log10(max(abs(value), 1e-9))))))
    return f"{value:.{decimals}f}"
