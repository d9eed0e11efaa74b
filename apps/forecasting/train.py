"""Trains the forecaster: data, network, training, evaluation, and one verified export."""

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

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
from runnel.apps.forecasting.evaluate import evaluate, verdicts
from runnel.apps.forecasting.model import build_model
from runnel.apps.forecasting.report import build_report
from runnel.apps.forecasting.streaming import ForecastStream, build_probe, describe_meanings
from runnel.datasets.series.series_table import SeriesTable
from runnel.shared.errors import InputError
from runnel.shared.evaluation.backtest import rolling_origin_backtest, rolling_origin_folds
from runnel.shared.evaluation.report import write_report
from runnel.shared.export.export_model import ExportContent, export_model
from runnel.shared.export.load_export import network_file
from runnel.shared.export.manifest import read_manifest
from runnel.shared.export.signatures import Servable, build_servable
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.layers.quantile_head import quantile_levels
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.loop import fit
from runnel.shared.training.optimizer import build_optimizer
from runnel.shared.training.progress import Progress
from runnel.shared.training.run_folder import RunFolder, load_run, open_run
from runnel.shared.training.variables import load_weights

__all__ = ["backtest", "export", "main", "quantile_loss", "train", "train_network"]

APPLICATION = "forecasting"

Say = Callable[[str], None]


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
    data, config = _load(config)
    for note in data.table.notes:
        say(note)
    run = open_run(APPLICATION, config.to_dict(), data.table.fingerprint, out, Path("runs"), now)
    if run.finished:
        say(f"{run.path} is finished; its export is in {run.export_dir}")
        return run
    say(f"training in {run.path}")
    try:
        train_network(data, config, run, say)
        _export(run, data, config, "best", say)
    except KeyboardInterrupt:
        say(f"stopped; to go on, repeat the command with {run.resume_hint}")
        raise
    run.mark_finished()
    return run


def export(run_folder: Path, checkpoint: Literal["best", "last"], say: Say) -> RunFolder:
    """Evaluates and exports a checkpoint of a run, finished or not.

    Raises:
        InputError: the folder holds no run of this application, or no checkpoint yet.
        ExportError: the export did not pass its verification.
    """
    run = load_run(run_folder)
    config = Config.from_dict(dict(run.config))
    data, config = _load(config)
    if data.table.fingerprint != run.data_fingerprint:
        raise InputError(
            f"the data in {config.data} have changed since {run_folder} was trained; expected the same data"
        )
    _export(run, data, config, checkpoint, say)
    return run


def train_network(data: ForecastingData, config: Config, run: RunFolder, say: Say) -> None:
    """Trains the network of a run from where its checkpoints stand."""
    keras.utils.set_random_seed(config.advanced.seed)
    _, supervised = window_rows(data, config)
    network = build_model(config, data.spec, rows=supervised)
    if config.init_from:
        network.set_weights(keras.models.load_model(Path(config.init_from) / "model.keras").get_weights())
    advanced = config.advanced
    steps = advanced.epochs * advanced.steps_per_epoch
    fit(
        model=network,
        optimizer=build_optimizer(
            advanced.learning_rate,
            steps,
            steps // 20,
            advanced.weight_decay,
            clip_norm=1.0,
            averaging=advanced.averaging,
        ),
        loss=lambda batch: _training_loss(network, batch, data.spec, advanced.median_weight),
        batches=training_batches(data, config),
        validate=_validation(network, data, config),
        epochs=advanced.epochs,
        callbacks=[
            Progress(),
            keras.callbacks.CSVLogger(str(run.log_csv)),
            keras.callbacks.EarlyStopping("val_loss", patience=advanced.patience),
        ],
        store=CheckpointStore(run.checkpoints),
        report=say,
    )


def _load(config: Config) -> tuple[ForecastingData, Config]:
    """The data and the decided options; with `init_from`, shape and preprocessing are those of that export."""
    if config.init_from is None:
        return load_data(config)
    manifest = read_manifest(Path(config.init_from), APPLICATION)
    network_file(Path(config.init_from), manifest)
    spec = SeriesSpec.from_dict(manifest["meanings"]["spec"])
    data, config = load_data(Config.from_dict(manifest["config"]).with_training_of(config), spec)
    if data.table.columns != spec.columns:
        raise InputError(
            f"received the columns {', '.join(data.table.columns)}; expected those that {config.init_from} was trained "
            f"on: {', '.join(spec.columns)}; choose them with --target and --features"
        )
    return data, config


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
        return fold_data.spec, _servable(fold_run, fold_data, fold_config, "best", say)[0]

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


def _export(run: RunFolder, data: ForecastingData, config: Config, which: Literal["best", "last"], say: Say) -> None:
    servable, network = _servable(run, data, config, which, say)
    newest = CheckpointStore(run.checkpoints).latest_valid(say)
    history = History.of(newest).rows if newest else []
    say("evaluating on the test split, row by row")
    evaluation = evaluate(
        servable.module, data, config.context, config.advanced.evaluation_rows, config.advanced.long_state_rows
    )
    if config.advanced.folds:
        evaluation.metrics["backtest"] = backtest(data, config, run, say)
    for line in verdicts(evaluation.metrics):
        say(line)
    content = ExportContent(
        application=APPLICATION,
        config=config.to_dict(),
        data={"source": Path(config.data).name, "fingerprint": data.table.fingerprint},
        meanings=describe_meanings(data, config),
        metrics=evaluation.metrics,
        write_report=lambda path: write_report(build_report(evaluation, data, config, history), path),
    )
    say("exporting and verifying in a clean process")
    export_model(servable, network, build_probe(data), content, run.export_dir)
    say(f"exported to {run.export_dir}")


def _servable(
    run: RunFolder, data: ForecastingData, config: Config, which: Literal["best", "last"], say: Say
) -> tuple[Servable, keras.Model]:
    """What a checkpoint of a run would export, and its network."""
    store = CheckpointStore(run.checkpoints)
    checkpoint = store.best(say) if which == "best" else store.latest_valid(say)
    if checkpoint is None:
        raise InputError(f"{run.path} holds no {which} checkpoint yet; expected a run that has trained for a while")
    network = build_model(config, data.spec, use_cudnn=False)
    load_weights(network, checkpoint, averaged=config.advanced.averaging > 0)
    stream = ForecastStream(network, data.spec, config.horizon, config.advanced.adaptation_rate)
    return build_servable(stream), network


def main(arguments: Sequence[str] | None = None) -> int:
    """The same as `runnel train forecasting`."""
    from runnel.apps.cli import main as command_line

    return command_line(["train", APPLICATION, *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
