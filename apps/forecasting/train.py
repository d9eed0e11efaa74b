"""Trains the forecaster: data, network, training, evaluation, and one verified export."""

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from runnel.apps.forecasting.alarms import fit_anomalies
from runnel.apps.forecasting.config import Config
from runnel.apps.forecasting.data import (
    ForecastingData,
    load_data,
    prepare,
    splits_at,
    training_batches,
    until,
    validation_batches,
    window_rows,
)
from runnel.apps.forecasting.evaluate import evaluate, evaluate_all, verdicts
from runnel.apps.forecasting.model import build_model
from runnel.apps.forecasting.report import build_report
from runnel.apps.forecasting.streaming import ForecastStream, build_probe, describe_meanings
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.series.read_dataset import BUILDER_NAMES
from runnel.datasets.series.series_table import SeriesTable
from runnel.shared.errors import InputError
from runnel.shared.evaluation.backtest import rolling_origin_backtest, rolling_origin_folds
from runnel.shared.export.signatures import Servable, build_servable
from runnel.shared.layers.anomaly_score import AnomalySpec
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.layers.quantile_head import quantile_levels
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.training.application import (
    Application,
    Loaded,
    MeasuredModel,
    Say,
    export_application,
    train_application,
)
from runnel.shared.training.fit_run import WhichCheckpoint, choose_checkpoint, fit_run, start_from_export
from runnel.shared.training.run_folder import RunFolder
from runnel.shared.training.variables import load_weights

__all__ = ["backtest", "export", "main", "quantile_loss", "train", "train_network"]

APPLICATION = "forecasting"


@dataclass(frozen=True, eq=False)
class _Trained:
    """What a checkpoint of a run would export, its network, and what is known of normal errors."""

    servable: Servable
    network: keras.Model
    anomalies: AnomalySpec


def train(config: Config, out: Path | None, say: Say, now: datetime) -> RunFolder:
    """Trains, evaluates, exports and verifies; goes on with an unfinished run.

    Args:
        config: the options.
        out: the run folder to start or to go on with; a new one by default.
        say: called with each line for the user.
        now: the time, which names a new run folder.

    Raises:
        InputError: bad input or options.
        ExportError: the export did not pass its verification.
        KeyboardInterrupt: on Ctrl-C, once the run can be gone on with.
    """
    return train_application(_application(), config, out, say, now)


def export(run_folder: Path, checkpoint: WhichCheckpoint, say: Say) -> RunFolder:
    """Evaluates and exports a checkpoint of a run, finished or not.

    Raises:
        InputError: the folder holds no run of this application, or no checkpoint yet, or what it learned from has
            changed.
        ExportError: the export did not pass its verification.
    """
    return export_application(_application(), run_folder, checkpoint, say)


def train_network(data: ForecastingData, config: Config, run: RunFolder, say: Say) -> None:
    """Trains the network of a run from where its checkpoints stand."""
    keras.utils.set_random_seed(config.advanced.seed)
    _, supervised = window_rows(data, config)
    network = build_model(config, data.spec, rows=supervised)
    start_from_export(network, config.init_from)
    advanced = config.advanced
    fit_run(
        network,
        run,
        advanced,
        say,
        steps_per_epoch=advanced.steps_per_epoch,
        loss=lambda batch: _training_loss(network, batch, data.spec, advanced.median_weight),
        batches=training_batches(data, config),
        validate=_validation(network, data, config),
    )


def _application() -> Application[Config, ForecastingData]:
    """What the shared driver of training and export asks of this application."""
    return Application(
        name=APPLICATION,
        config_type=Config,
        fitted=("spec",),
        is_dataset=lambda source: is_dataset_name(source, BUILDER_NAMES),
        load=_load,
        train_network=train_network,
        measure=_measure,
    )


def _load(config: Config, fitted: Mapping[str, Any]) -> Loaded[Config, ForecastingData]:
    """The data and the decided options; what is `fitted` comes from the export to go on from."""
    spec = SeriesSpec.from_dict(fitted["spec"]) if fitted else None
    data, config = load_data(config, spec)
    if spec and data.table.columns != spec.columns:
        raise InputError(
            f"received the columns {', '.join(data.table.columns)}; expected those that {config.init_from} was trained "
            f"on: {', '.join(spec.columns)}; choose them with --target and --features"
        )
    return Loaded(data, config, data.table.fingerprint, data.table.notes)


def backtest(data: ForecastingData, config: Config, run: RunFolder, say: Say) -> list[dict[str, Any]]:
    """Trains anew on the rows before each of several origins and scores the rows after it.

    All that is fitted, preprocessing included, is fitted in each fold to its training rows alone.

    Returns:
        for each fold its numbers of rows and the mean losses of model and baselines.
    """
    timestamps = max((series.timestamps for series in data.table.series), key=len)
    folds = rolling_origin_folds(len(timestamps), config.advanced.folds, minimum_train=len(timestamps) // 2)

    def fit_fold(table: SeriesTable) -> tuple[SeriesSpec, Servable]:
        rows = max(len(series.timestamps) for series in table.series)
        say(f"backtest: training on the first {rows} rows")
        fold_run = dataclasses.replace(run, path=run.path / "backtest" / str(rows))
        fold_run.path.mkdir(parents=True, exist_ok=True)
        # Weights from elsewhere may have seen what comes after the origin.
        fold_data, fold_config = prepare(table, dataclasses.replace(config, init_from=None), test_share=0)
        train_network(fold_data, fold_config, fold_run, say)
        return fold_data.spec, _servable(fold_run, fold_data, fold_config, "best", say).servable

    def score_fold(fitted: tuple[SeriesSpec, Servable], table: SeriesTable, test: slice) -> dict[str, Any]:
        spec, servable = fitted
        scored = ForecastingData(table, splits_at(table, timestamps[test.start]), spec)
        metrics = evaluate(servable.module, scored, config.context, config.advanced.evaluation_rows).metrics
        return {"scaled_pinball": metrics["scaled_pinball"], "test_rows": metrics["rows"]}

    results = rolling_origin_backtest(lambda rows: until(data.table, timestamps[rows - 1]), folds, fit_fold, score_fold)
    return [{"train_rows": result.fold.train.stop, **result.score} for result in results]


def quantile_loss(
    outputs: Mapping[str, tf.Tensor], targets: tf.Tensor, spec: SeriesSpec, median_weight: float = 0.0
) -> tuple[tf.Tensor, tf.Tensor]:
    """Pinball loss (Koenker & Bassett 1978) of the forecasts, relative to level and scale.

    Args:
        outputs: of the network.
        targets: float32 [B, R, H, Y] in raw units, NaN where unknown: those count for nothing.
        spec: what was fitted to the training rows.
        median_weight: by how much the median counts more than the other levels, whose weight is 1.

    Returns:
        the sum over known targets of the weighted mean over levels, and the number of known targets.
    """
    level, scale = outputs["level"][:, :, None], outputs["scale"][:, :, None]
    truth = spec.relative(spec.clean(targets), level) / scale  # [B, R, H, Y]
    error = truth[..., None] - outputs["quantiles"]
    known = tf.math.is_finite(error)
    error = tf.where(known, error, 0.0)
    levels = tf.constant(quantile_levels())
    weights = 1 + median_weight * tf.one_hot(len(levels) // 2, len(levels))
    losses = tf.reduce_sum(weights * tf.maximum(levels * error, (levels - 1) * error), axis=-1) / tf.reduce_sum(weights)
    return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(known[..., 0], tf.float32))


def _forward(network: keras.Model, batch: Mapping[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
    state = initial_state(network.layers, tf.shape(batch["mask"])[0])
    inputs = {name: batch[name] for name in ("observation", "timestamp", "mask")}
    outputs, _ = network({**inputs, "state": state}, training=training)
    return outputs


def _training_loss(
    network: keras.Model, batch: Mapping[str, tf.Tensor], spec: SeriesSpec, median_weight: float
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    total, count = quantile_loss(_forward(network, batch, training=True), batch["targets"], spec, median_weight)
    return total / tf.maximum(count, 1.0), {}


def _validation(network: keras.Model, data: ForecastingData, config: Config) -> Callable[[], dict[str, float]]:
    """Scores the network on the validation split: one number over all its known targets."""
    batches = validation_batches(data, config)

    @tf.function
    def sums(batch: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        outputs = _forward(network, batch, training=False)
        return quantile_loss(outputs, batch["targets"], data.spec, config.advanced.median_weight)

    def validate() -> dict[str, float]:
        totals = [[float(value) for value in sums(batch)] for batch in batches]
        total, count = (sum(column) for column in zip(*totals, strict=True))
        return {"loss": total / max(count, 1.0)}

    return validate


def _measure(run: RunFolder, data: ForecastingData, config: Config, which: WhichCheckpoint, say: Say) -> MeasuredModel:
    """What a checkpoint of a run would export, measured on the test split."""
    trained = _servable(run, data, config, which, say)
    say("evaluating on the test split, row by row")
    evaluation = evaluate_all(
        trained.servable.module, data, config, trained.anomalies.alarm, config.advanced.long_state_rows
    )
    if config.advanced.folds:
        evaluation.metrics["backtest"] = backtest(data, config, run, say)
    return MeasuredModel(
        servable=trained.servable,
        network=trained.network,
        probe=build_probe(data),
        meanings=describe_meanings(data, config, trained.anomalies),
        metrics=evaluation.metrics,
        verdicts=verdicts(evaluation.metrics),
        report=lambda history: build_report(evaluation, data, config, history),
    )


def _servable(run: RunFolder, data: ForecastingData, config: Config, which: WhichCheckpoint, say: Say) -> _Trained:
    """What a checkpoint of a run would export."""
    checkpoint = choose_checkpoint(run, which, say)
    network = build_model(config, data.spec, use_cudnn=False)
    load_weights(network, checkpoint, averaged=config.advanced.averaging > 0)
    anomalies = fit_anomalies(network, data, config)
    stream = ForecastStream(network, data.spec, config.horizon, config.advanced.adaptation_rate, anomalies)
    return _Trained(build_servable(stream), network, anomalies)


def main(arguments: Sequence[str] | None = None) -> int:
    """The same as `runnel train forecasting`."""
    from runnel.apps.cli import main as command_line

    return command_line(["train", APPLICATION, *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
