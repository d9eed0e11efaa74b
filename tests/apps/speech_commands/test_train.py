import dataclasses
import json
import math
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from runnel.apps.speech_commands import train as module
from runnel.apps.speech_commands.config import Advanced, Config
from runnel.apps.speech_commands.data import load_data
from runnel.apps.speech_commands.model import build_model
from runnel.apps.speech_commands.train import main, train_network
from runnel.shared.export.manifest import read_manifest
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.run_folder import RunFolder

LABELS = ["high", "low", "rise", "_unknown_", "_silence_"]


class EnoughSeenError(Exception):
    """The rest would only take time."""


def stop(*_: object) -> None:
    raise EnoughSeenError


@pytest.fixture(scope="module")
def config(trained: Any) -> Config:
    return Config.from_dict(trained.manifest["config"])


# === One epoch ===


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_one_epoch_moves_every_weight_and_keeps_the_loss_bounded(config: Config, tmp_path: Path, cell: str) -> None:
    options = {"epochs": 1, "averaging": 0.0, "depth": 2, "batch_size": 64, "word_weight": 0.0, "jit_compile": False}
    advanced = dataclasses.replace(config.advanced, **options)  # type: ignore[arg-type]
    config = dataclasses.replace(config, advanced=advanced, cell=cell)  # type: ignore[arg-type]
    data = load_data(config)
    run = RunFolder(tmp_path, "speech_commands", config.to_dict(), "")
    train_network(data, config, run, pytest.fail)

    header, line = (line.split(",") for line in run.log_csv.read_text().splitlines())
    log = dict(zip(header, map(float, line), strict=True))
    assert 0.3 < log["loss"] < math.log(len(LABELS)) + 0.5
    trained = CheckpointStore(run.checkpoints).latest_valid(pytest.fail)
    assert trained
    assert all(np.isfinite(array).all() for array in trained.arrays.values())
    keras.utils.set_random_seed(config.advanced.seed)
    fresh = build_model(config, len(data.labels), data.feature_mean, data.feature_scale)
    moved = [(trained.arrays[f"model/{i}"] != v.numpy()).any() for i, v in enumerate(fresh.variables) if v.trainable]
    assert all(moved)
    carried = [array for name, array in trained.arrays.items() if name.startswith("carried/")]
    assert all(np.abs(array).max() > 0 for array in carried)
    assert len(carried) == 3 + 2 * (2 if cell == "lstm" else 1)  # convolutions, recurrent layers


# === A whole run ===


def test_run_folder_holds_what_its_description_says(trained: Any) -> None:
    names = sorted(path.name for path in trained.run.iterdir())
    assert names == ["baseline", "checkpoints", "config.json", "export", "finished.json", "log.csv"]
    assert "exported to" in trained.said


def test_what_was_trained_hears_what_it_was_trained_for(trained: Any) -> None:
    clips = trained.manifest["metrics"]["clips"]
    assert clips["accuracy"]["estimate"] > 0.8
    assert clips["accuracy"]["estimate"] > max(score["estimate"] for score in clips["baselines"].values()) - 0.2
    assert {"convolutional network"} < clips["baselines"].keys()


def test_manifest_says_what_a_client_must_know(trained: Any) -> None:
    manifest = read_manifest(trained.export, "speech_commands")
    meanings = manifest["meanings"]
    assert meanings["labels"] == LABELS
    assert (meanings["sample_rate"], meanings["frame_samples"]) == (16_000, 320)
    assert meanings["thresholds"].keys() == {"high", "low", "rise"}
    assert all(0.3 <= threshold <= 0.999 for threshold in meanings["thresholds"].values())
    assert len(meanings["feature_mean"]) == len(meanings["feature_scale"]) == 16
    json.dumps(manifest, allow_nan=False)


def test_finished_run_says_so(trained: Any, runnel: Callable) -> None:
    code, out, err = runnel(*trained.command)
    assert (code, err) == (0, "")
    assert "is finished; its export is in" in out

    code, _, err = runnel(*trained.command, "--cell", "lstm")
    assert (code, err.count("\n")) == (2, 1)
    assert 'config.cell = "lstm", not "gru"' in err


def test_main_is_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("runnel.apps.cli.main", lambda arguments: seen.append(arguments) or 0)
    assert main(["--preset", "quick"]) == 0
    assert seen == [["train", "speech_commands", "--preset", "quick"]]


# === Killed and continued ===


@pytest.mark.slow
def test_sigkill_at_random_moments_gives_bit_equal_weights(trained: Any, train_killed: Callable) -> None:
    """The optimizer, the averaged weights and the state that streams carry on are equal too."""
    small = {"units": 6, "filters": 2, "bands": 12, "depth": 1, "epochs": 3, "batch_size": 4, "slots": 1}
    small["jit_compile"] = False  # compiling takes longer than all of these trainings
    names = train_killed("speech_commands", Config(data=str(trained.clips), advanced=Advanced(**small)))
    assert {"carried/hidden_0", "carried/front_0_frames"} < names


# === Going on from an export ===


def test_init_from_goes_on_from_the_exported_weights_labels_and_statistics(
    trained: Any, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_clips: Callable
) -> None:
    """With a learning rate of next to nothing, the weights are those of the export afterwards."""
    clips = write_clips(tmp_path / "other", seed=5)
    (clips / "high").rename(clips / "chirp")  # no command of the export
    (clips / "chirp").rename(clips / "high")
    (clips / "_unknown_").rename(clips / "falling")
    advanced = dataclasses.replace(config.advanced, epochs=1, learning_rate=1e-12, averaging=0.0, seed=3)
    asked = dataclasses.replace(config, data=str(clips), init_from=str(trained.export), advanced=advanced)
    seen: list[Any] = []
    monkeypatch.setattr(module, "measure", lambda run, data, *_: seen.append(data) or stop())
    with pytest.raises(EnoughSeenError):
        module.train(asked, tmp_path / "run", lambda line: None, datetime(2026, 1, 2))
    (data,) = seen
    assert list(data.labels) == LABELS
    assert "_unknown_" in data.corpus.splits["train"].labels  # what the export does not know
    assert "falling" not in data.corpus.splits["train"].labels
    assert list(data.feature_mean) == trained.manifest["meanings"]["feature_mean"]
    checkpoint = CheckpointStore(tmp_path / "run" / "checkpoints").latest_valid(pytest.fail)
    assert checkpoint
    exported = keras.models.load_model(trained.export / "model.keras")
    for place, variable in enumerate(exported.variables):
        if variable.trainable:
            np.testing.assert_allclose(checkpoint.arrays[f"model/{place}"], variable.numpy(), atol=1e-8)


def test_init_from_data_that_lack_a_command(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    shutil.copytree(trained.clips, tmp_path / "clips")
    shutil.rmtree(tmp_path / "clips" / "low")
    options = ("--data", "clips", "--init-from", trained.export, "--out", "run")
    code, _, err = runnel("train", "speech_commands", *options)
    assert (code, err.count("\n")) == (2, 1)
    assert "low" in err
    assert not (tmp_path / "run").exists()


# === export ===


def test_what_is_exported_is_the_best_checkpoint(trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(trained.run, tmp_path / "run", ignore=shutil.ignore_patterns("export"))
    seen = []
    monkeypatch.setattr(module, "build_stream", lambda network, *_: seen.append(network) or stop())
    with pytest.raises(EnoughSeenError):
        module.export(tmp_path / "run", "best", lambda line: None)
    exported = keras.models.load_model(trained.export / "model.keras")
    for found, expected in zip(seen[0].get_weights(), exported.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_export_refuses_changed_data(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    description = json.loads((trained.run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(description | {"data_fingerprint": "other"}))
    code, _, err = runnel("export", "run")
    assert (code, err.count("\n")) == (2, 1)
    assert "have changed since" in err
    assert sorted(path.name for path in run.iterdir()) == ["config.json"]
