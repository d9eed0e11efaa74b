import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.forecasting import train as module
from runnel.apps.forecasting.config import Config
from runnel.apps.forecasting.model import build_model
from runnel.apps.forecasting.train import main, quantile_loss, train_network
from runnel.shared.export.manifest import read_manifest
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.preprocessing.time_grid import TimeGrid
from runnel.shared.training import application
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.run_folder import RunFolder

SPEC = SeriesSpec(("a",), 1, "none", (1.0,), TimeGrid("second", 60), ())


# === The loss ===


def outputs(quantiles: float, level: float = 10.0, scale: float = 2.0) -> dict[str, tf.Tensor]:
    return {
        "quantiles": tf.fill([1, 1, 2, 1, 19], quantiles),
        "level": tf.fill([1, 1, 1], level),
        "scale": tf.fill([1, 1, 1], scale),
    }


def test_loss_worked_by_hand() -> None:
    """At 14 the truth is 2 above the quantiles, relative to level and scale; at 6 it is 2 below."""
    for truth in (14.0, 6.0):
        total, count = quantile_loss(outputs(0.0), tf.fill([1, 1, 2, 1], truth), SPEC)
        assert float(total) == pytest.approx(2 * 2 * 0.5)  # two steps ahead, and the mean of the levels is a half
        assert float(count) == 2


def test_perfect_forecast_costs_nothing() -> None:
    assert float(quantile_loss(outputs(1.5), tf.fill([1, 1, 2, 1], 13.0), SPEC)[0]) == pytest.approx(0, abs=1e-6)


def test_a_heavier_median_worked_by_hand() -> None:
    """Only the median is wrong, by 2: its loss is 1, its weight 1 + 19 of 19 + 19."""
    quantiles = 2.0 * tf.one_hot(9, 19) + tf.zeros([1, 1, 1, 1, 19])
    total, _ = quantile_loss({**outputs(0.0), "quantiles": quantiles}, tf.fill([1, 1, 1, 1], 10.0), SPEC, 19.0)
    assert float(total) == pytest.approx(20 / 38)


def test_unknown_targets_count_for_nothing_and_spoil_no_gradient() -> None:
    quantiles = tf.Variable(tf.zeros([1, 1, 2, 1, 19]))
    targets = tf.constant([14.0, np.nan], shape=[1, 1, 2, 1])
    with tf.GradientTape() as tape:
        total, count = quantile_loss({**outputs(0.0), "quantiles": quantiles}, targets, SPEC)
    assert (float(total), float(count)) == (pytest.approx(1.0), 1.0)
    gradient = tape.gradient(total, quantiles).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient[0, 0, 1] == 0).all()


# === One training step ===


@pytest.mark.parametrize("options", [{"cell": "lstm"}, {"architecture": "segment"}])
def test_one_step_moves_every_weight_and_keeps_the_loss_bounded(
    data: tuple[Any, Any], tmp_path: Path, options: dict[str, Any]
) -> None:
    rows, config = data
    advanced = dataclasses.replace(config.advanced, epochs=1, steps_per_epoch=1, averaging=0.0, segment=5, depth=2)
    config = dataclasses.replace(config, advanced=advanced, **options)
    run = RunFolder(tmp_path, "forecasting", config.to_dict(), "")
    train_network(rows, config, run, pytest.fail)

    (log,) = [line.split(",") for line in run.log_csv.read_text().splitlines()[1:]]
    assert all(np.isfinite(float(cell)) and float(cell) < 10 for cell in log)
    trained = CheckpointStore(run.checkpoints).latest_valid(pytest.fail)
    assert trained
    keras.utils.set_random_seed(config.advanced.seed)
    fresh = build_model(config, rows.spec)
    assert all(np.isfinite(array).all() for array in trained.arrays.values())
    moved = [(trained.arrays[f"model/{i}"] != v.numpy()).any() for i, v in enumerate(fresh.variables) if v.trainable]
    assert all(moved)


# === A whole run ===


def test_run_folder_holds_what_its_description_says(trained: Any) -> None:
    names = sorted(path.name for path in trained.run.iterdir())
    assert names == ["checkpoints", "config.json", "export", "finished.json", "log.csv"]
    assert "exported to" in trained.said
    assert len((trained.run / "log.csv").read_text().splitlines()) == 3


def test_manifest_says_what_a_client_must_know(trained: Any) -> None:
    manifest = read_manifest(trained.export, "forecasting")
    meanings = manifest["meanings"]
    assert meanings["columns"] == ["flow", "temperature", "pressure"]
    assert meanings["targets"] == ["flow", "temperature"]
    assert (meanings["time_column"], meanings["series_id_column"]) == ("when", "meter")
    assert meanings["horizon"] == 3
    assert meanings["quantile_levels"] == pytest.approx(np.arange(1, 20) / 20)
    assert manifest["data"]["source"] == "sensors.csv"
    assert Config.from_dict(manifest["config"]).context == 12
    assert manifest["metrics"]["rows"] > 0
    assert manifest["metrics"]["mean_absolute_error"].keys() == {"flow", "temperature"}
    json.dumps(manifest, allow_nan=False)


def test_finished_run_says_so(trained: Any, runnel: Callable) -> None:
    config = json.loads((trained.run / "config.json").read_text())["config"]
    options = ["--context", 12, "--horizon", 3, "--units", 8, "--epochs", 2, "--steps-per-epoch", 4, "--batch-size", 8]
    columns = ["--target", *config["target"], "--features", *config["features"], "--series-id", "meter"]
    command = ["train", "forecasting", "--data", trained.csv, *columns, *options, "--long-state-rows", 40]
    code, out, err = runnel(*command, "--out", trained.run)
    assert (code, err) == (0, "")
    assert "is finished; its export is in" in out

    code, _, err = runnel(*command, "--cell", "lstm", "--out", trained.run)
    assert (code, err.count("\n")) == (2, 1)
    assert 'config.cell = "lstm", not "gru"' in err


def test_main_is_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("runnel.apps.cli.main", lambda arguments: seen.append(arguments) or 0)
    assert main(["--preset", "quick"]) == 0
    assert seen == [["train", "forecasting", "--preset", "quick"]]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda export: shutil.rmtree(export), "no readable manifest.json"),
        (lambda export: (export / "model.keras").unlink(), "model.keras"),
        (lambda export: (export / "model.keras").write_bytes(b"half"), "model.keras"),
    ],
)
def test_init_from_what_is_no_export(
    trained: Any, runnel: Callable, tmp_path: Path, change: Callable, part: str
) -> None:
    export = tmp_path / "export"
    shutil.copytree(trained.export, export)
    change(export)
    command = ["train", "forecasting", "--data", trained.csv, "--series-id", "meter", "--init-from", export]
    code, _, err = runnel(*command, "--epochs", 1, "--steps-per-epoch", 1, "--out", "run")
    assert (code, err.count("\n")) == (2, 1)
    assert part in err
    assert not (tmp_path / "run").exists()


def test_init_from_an_export_of_other_columns(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    command = ["train", "forecasting", "--data", trained.csv, "--series-id", "meter", "--init-from", trained.export]
    code, _, err = runnel(*command, "--target", "pressure", "--out", "run")
    assert (code, err.count("\n")) == (2, 1)
    assert "expected those that" in err
    assert not (tmp_path / "run").exists()


# === Interrupted, continued, exported ===


def wait_for(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


# What a shell starts in the background ignores interrupts, and so does all that it starts, these tests for one.
INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from runnel.apps.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_fine_tuning_interrupted_exported_and_continued(
    trained: Any, runnel: Callable, tmp_path: Path, write_sensors: Callable
) -> None:
    other = write_sensors(tmp_path / "other.csv", 130, seed=5)
    command = ["train", "forecasting", "--data", str(other), "--series-id", "meter"]
    command += ["--init-from", str(trained.export), "--epochs", "2", "--steps-per-epoch", "150", "--batch-size", "8"]
    command += ["--learning-rate", "1e-4", "--long-state-rows", "0", "--out", "a run"]
    log = tmp_path / "a run" / "log.csv"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *command],
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for((tmp_path / "a run" / "checkpoints" / "step-00000150").exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out.splitlines()[-1] == "stopped; to go on, repeat the command with --out 'a run'"
    assert not (tmp_path / "a run" / "finished.json").exists()

    code, out, err = runnel("export", "a run", "--checkpoint", "last")
    assert code == 0, err
    first = read_manifest(tmp_path / "a run" / "export")
    assert first["meanings"]["spec"] == trained.manifest["meanings"]["spec"]
    assert first["data"]["source"] == "other.csv"
    assert (first["config"]["context"], first["config"]["advanced"]["units"]) == (12, 8)

    code, out, err = runnel(*command)
    assert code == 0, err
    assert "continuing after step" in out
    assert "(epoch 2, " in out
    assert (tmp_path / "a run" / "finished.json").exists()
    assert log.read_text().count("\n") == 3
    second = read_manifest(tmp_path / "a run" / "export")
    assert second["files"] != first["files"]
    drift = [
        np.abs(new - old).max()
        for new, old in zip(
            keras.models.load_model(tmp_path / "a run" / "export" / "model.keras").get_weights(),
            keras.models.load_model(trained.export / "model.keras").get_weights(),
            strict=True,
        )
    ]
    assert 0 < max(drift) < 0.1  # it went on from those weights, at a small learning rate


@pytest.mark.slow
def test_sigkill_at_random_moments_gives_bit_equal_weights(data: tuple[Any, Any], train_killed: Callable) -> None:
    """The optimizer and the averaged weights are equal too."""
    _, config = data
    advanced = dataclasses.replace(config.advanced, epochs=3, steps_per_epoch=8)
    names = train_killed("forecasting", dataclasses.replace(config, advanced=advanced))
    assert {name.split("/")[0] for name in names} >= {"model", "optimizer"}


def test_export_refuses_changed_data(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    description = json.loads((trained.run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(description | {"data_fingerprint": "other"}))
    code, _, err = runnel("export", "run")
    assert (code, err.count("\n")) == (2, 1)
    assert "have changed since" in err


def test_export_of_a_run_without_a_checkpoint(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    shutil.copy(trained.run / "config.json", tmp_path / "run")
    code, _, err = runnel("export", "run", "--checkpoint", "best")
    assert (code, err.count("\n")) == (2, 1)
    assert "holds no best checkpoint yet" in err


# === The backtest ===


@pytest.mark.slow
def test_every_fold_is_fitted_to_its_own_past(
    data: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, config = data
    advanced = dataclasses.replace(config.advanced, folds=2, epochs=1, steps_per_epoch=2, evaluation_rows=10)
    config = dataclasses.replace(config, advanced=advanced)
    seen = []

    def watched(table: Any, options: Any, spec: Any = None, test_share: float = 0.2) -> Any:
        seen.append((max(series.timestamps[-1] for series in table.series), spec, test_share))
        return module_prepare(table, options, spec, test_share)

    module_prepare = module.prepare
    monkeypatch.setattr(module, "prepare", watched)
    run = RunFolder(tmp_path, "forecasting", config.to_dict(), "")
    folds = module.backtest(rows, config, run, lambda line: None)
    timestamps = rows.table.series[0].timestamps
    assert [fold["train_rows"] for fold in folds] == [55, 82]
    assert [
        (last <= timestamps[fold["train_rows"] - 1], spec) for (last, spec, _), fold in zip(seen, folds, strict=True)
    ] == [(True, None)] * 2
    assert all(np.isfinite(loss) for fold in folds for loss in fold["scaled_pinball"].values())


def test_run_without_out_gets_a_folder_of_its_own(
    data: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "train_network", lambda *_: None)
    monkeypatch.setattr(application, "_export", lambda *_: None)
    run = module.train(data[1], None, lambda line: None, datetime(2026, 1, 2, 3, 4, 5))
    assert run.path == Path("runs/forecasting/2026-01-02_03-04-05")
    assert run.finished
