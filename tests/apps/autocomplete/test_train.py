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

from runnel.apps.autocomplete import train as module
from runnel.apps.autocomplete.config import Advanced, Config
from runnel.apps.autocomplete.data import load_data
from runnel.apps.autocomplete.model import build_model
from runnel.apps.autocomplete.train import main, train_network
from runnel.datasets.text.load_text import load_text
from runnel.shared.errors import InputError
from runnel.shared.export.manifest import read_manifest
from runnel.shared.storage.checksums import sha256_of
from runnel.shared.training import application
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.run_folder import RunFolder


@pytest.fixture(scope="module")
def config(trained: Any) -> Config:
    return Config.from_dict(trained.manifest["config"])


# === One training step ===


@pytest.mark.parametrize("options", [{"cell": "lstm"}, {"cell": "gru", "level": "char"}])
def test_one_step_moves_every_weight_and_keeps_the_loss_bounded(
    config: Config, tmp_path: Path, options: dict[str, Any]
) -> None:
    advanced = dataclasses.replace(config.advanced, epochs=1, steps_per_epoch=1, averaging=0.0, depth=2)
    config = dataclasses.replace(config, advanced=advanced, **options)
    data = load_data(config)
    run = RunFolder(tmp_path, "autocomplete", config.to_dict(), "")
    train_network(data, config, run, pytest.fail)

    header, line = (line.split(",") for line in run.log_csv.read_text().splitlines())
    log = dict(zip(header, map(float, line), strict=True))
    assert log["loss"] == pytest.approx(math.log(data.tokenizer.size), abs=0.3)  # no token was preferred yet
    assert log["val_perplexity"] == pytest.approx(math.exp(log["val_loss"]), rel=1e-5)
    trained = CheckpointStore(run.checkpoints).latest_valid(pytest.fail)
    assert trained
    assert all(np.isfinite(array).all() for array in trained.arrays.values())
    keras.utils.set_random_seed(config.advanced.seed)
    fresh = build_model(config, data.tokenizer.size)
    moved = [(trained.arrays[f"model/{i}"] != v.numpy()).any() for i, v in enumerate(fresh.variables) if v.trainable]
    assert all(moved)
    assert any(np.abs(array).max() > 0 for name, array in trained.arrays.items() if name.startswith("carried/"))


# === A whole run ===


def test_run_folder_holds_what_its_description_says(trained: Any) -> None:
    names = sorted(path.name for path in trained.run.iterdir())
    assert names == ["checkpoints", "config.json", "export", "finished.json", "log.csv"]
    assert "exported to" in trained.said
    assert len((trained.run / "log.csv").read_text().splitlines()) == 3


def test_manifest_says_what_a_client_must_know(trained: Any, trained_on_characters: Any) -> None:
    manifest = read_manifest(trained.export, "autocomplete")
    meanings = manifest["meanings"]
    assert (meanings["level"], meanings["suggestions"]) == ("word", 5)
    assert meanings["vocabulary"][:2] == ["<unk>", "</p>"]
    assert {"▁The", "▁well-known", "▁café", "."} < set(meanings["vocabulary"])
    assert 0 < meanings["cache_weight"] == manifest["metrics"]["cache"]["weight"] < 1
    assert manifest["data"]["source"] == "story.txt"
    assert meanings["defaults"].keys() | {"prompt"} == manifest["signatures"]["generate"]["inputs"].keys()
    json.dumps(manifest, allow_nan=False)

    of_characters = trained_on_characters.manifest
    assert of_characters["meanings"]["cache_weight"] == 0
    assert not any("cache" in name for name in of_characters["signatures"]["step"]["inputs"])
    assert {"é", "🙂", "\n"} < set(of_characters["meanings"]["vocabulary"])
    json.dumps(of_characters, allow_nan=False)


def test_the_cache_has_the_weight_that_is_best_on_the_validation_split(trained: Any) -> None:
    cache = trained.manifest["metrics"]["cache"]
    assert cache["loss"] < cache["loss_without"]
    assert cache["loss_without"] == pytest.approx(best_validation_loss(trained), rel=1e-4)


def best_validation_loss(trained: Any) -> float:
    header, *lines = ((trained.run / "log.csv").read_text()).splitlines()
    place = header.split(",").index("val_loss")
    return min(float(line.split(",")[place]) for line in lines)


def test_finished_run_says_so(trained: Any, runnel: Callable) -> None:
    code, out, err = runnel(*trained.command)
    assert (code, err) == (0, "")
    assert "is finished; its export is in" in out

    code, _, err = runnel(*trained.command, "--cell", "gru")
    assert (code, err.count("\n")) == (2, 1)
    assert 'config.cell = "gru", not "lstm"' in err


def test_main_is_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("runnel.apps.cli.main", lambda arguments: seen.append(arguments) or 0)
    assert main(["--preset", "quick"]) == 0
    assert seen == [["train", "autocomplete", "--preset", "quick"]]


def test_run_without_out_gets_a_folder_of_its_own(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "train_network", lambda *_: None)
    monkeypatch.setattr(application, "_export", lambda *_: None)
    run = module.train(config, None, lambda line: None, datetime(2026, 1, 2, 3, 4, 5))
    assert run.path == Path("runs/autocomplete/2026-01-02_03-04-05")
    assert run.finished


# === Killed and continued ===


@pytest.mark.slow
def test_sigkill_at_random_moments_gives_bit_equal_weights(trained: Any, train_killed: Callable) -> None:
    """The optimizer, the averaged weights and the state that windows carry on are equal too."""
    small = {"units": 6, "embedding": 4, "depth": 1, "epochs": 3, "steps_per_epoch": 8, "batch_size": 4, "window": 8}
    names = train_killed("autocomplete", Config(data=str(trained.text), advanced=Advanced(**small)))
    assert {"carried/hidden_0", "carried/cell_0"} < names


# === Going on from an export ===


class EnoughSeenError(Exception):
    """The rest would only take time."""


def stop(*_: object) -> None:
    raise EnoughSeenError


def init_from(trained: Any, export: Path, *options: object) -> list[object]:
    text = ["train", "autocomplete", "--data", trained.text, "--init-from", export, "--out", "run"]
    return [*text, "--epochs", 1, "--steps-per-epoch", 1, "--batch-size", 4, *options]


def test_init_from_goes_on_from_the_exported_weights_and_words(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentences: Callable
) -> None:
    """With a learning rate of next to nothing, the weights are those of the export afterwards."""
    (tmp_path / "other.txt").write_text(sentences(120, 8) + "Unheard-of words, unheard-of words.\n\n" * 3)
    advanced = {"epochs": 1, "steps_per_epoch": 1, "batch_size": 4, "learning_rate": 1e-12, "averaging": 0.0}
    asked = Config(data=str(tmp_path / "other.txt"), init_from=str(trained.export))
    asked = dataclasses.replace(asked, advanced=dataclasses.replace(asked.advanced, **advanced))
    monkeypatch.setattr(module, "_measure", stop)
    said: list[str] = []
    with pytest.raises(EnoughSeenError):
        module.train(asked, tmp_path / "run", said.append, datetime(2026, 1, 2))
    assert f" {len(trained.manifest['meanings']['vocabulary'])} different ones" in said[-1]
    checkpoint = CheckpointStore(tmp_path / "run" / "checkpoints").latest_valid(pytest.fail)
    assert checkpoint
    exported = keras.models.load_model(trained.export / "model.keras")
    trainable = [(place, v) for place, v in enumerate(exported.variables) if v.trainable]
    assert len(trainable) == 7  # embeddings, bias, 3 of the LSTM, 2 of the projection
    for place, variable in trainable:
        np.testing.assert_allclose(checkpoint.arrays[f"model/{place}"], variable.numpy(), atol=1e-8)


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
    code, _, err = runnel(*init_from(trained, export))
    assert (code, err.count("\n")) == (2, 1)
    assert part in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "value", "own"), [("--level", "char", "word"), ("--units", 7, 12), ("--cell", "gru", "lstm")]
)
def test_init_from_an_export_of_another_network(
    trained: Any, runnel: Callable, tmp_path: Path, option: str, value: object, own: object
) -> None:
    code, _, err = runnel(*init_from(trained, trained.export, option, value))
    assert (code, err.count("\n")) == (2, 1)
    assert f"received {option} {value} with --init-from; expected {own}, as in the export" in err
    assert not (tmp_path / "run").exists()


class GoingOn:
    """A run that goes on from a copy of an export, with a checkpoint of its own."""

    def __init__(self, trained: Any, folder: Path) -> None:
        self.export, self.run = folder / "export", folder / "run"
        shutil.copytree(trained.export, self.export)
        self.config = Config(data=str(trained.text), init_from=str(self.export))
        self.open()
        shutil.copytree(trained.run / "checkpoints", self.run / "checkpoints")

    def open(self) -> None:
        with pytest.raises(EnoughSeenError):
            module.train(self.config, self.run, lambda line: None, datetime(2026, 1, 2))

    def replace_network(self) -> None:
        """By one of other weights, as training anew into the same folder does."""
        network = keras.models.load_model(self.export / "model.keras")
        network.set_weights([weight + 1 for weight in network.get_weights()])
        network.save(self.export / "model.keras")
        self.rewrite(lambda manifest: manifest["files"].update({"model.keras": sha256_of(self.export / "model.keras")}))

    def replace_words(self) -> None:
        self.rewrite(lambda manifest: manifest["meanings"].update(vocabulary=["<unk>", "</p>", "a"]))

    def rewrite(self, change: Callable) -> None:
        manifest = json.loads((self.export / "manifest.json").read_text())
        change(manifest)
        (self.export / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("change", [GoingOn.replace_network, GoingOn.replace_words])
def test_a_run_is_tied_to_the_export_that_it_began_with(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable
) -> None:
    monkeypatch.setattr(module, "train_network", stop)
    monkeypatch.setattr(module, "_measure", stop)
    going_on = GoingOn(trained, tmp_path)
    going_on.open()  # goes on
    with pytest.raises(EnoughSeenError):
        module.export(going_on.run, "best", pytest.fail)

    change(going_on)
    with pytest.raises(InputError, match=r"going on from the export .* expected what the run in") as caught:
        module.train(going_on.config, going_on.run, pytest.fail, datetime(2026, 1, 2))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"the export in .* has changed since .* was trained; expected the same"):
        module.export(going_on.run, "best", pytest.fail)


def test_a_run_from_scratch_is_known_by_its_text_alone(trained: Any) -> None:
    description = json.loads((trained.run / "config.json").read_text())
    assert description["data_fingerprint"] == load_text(trained.text).fingerprint
    assert trained.manifest["data"]["fingerprint"] == description["data_fingerprint"]


# === From another folder ===


def test_a_run_finds_its_text_from_any_folder(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runnel: Callable
) -> None:
    monkeypatch.setattr(module, "train_network", stop)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    shutil.copy(trained.text, tmp_path / "a" / "story.txt")
    monkeypatch.chdir(tmp_path / "a")
    options = [*trained.command[2:-4], "--out", "../run"]
    (place,) = (number for number, option in enumerate(options) if option == "--data")
    options[place + 1] = "story.txt"
    with pytest.raises(EnoughSeenError):
        runnel("train", "autocomplete", *options)
    stored = json.loads((tmp_path / "run" / "config.json").read_text())["config"]["data"]
    assert stored == str(tmp_path / "a" / "story.txt")

    monkeypatch.chdir(tmp_path / "b")
    options[place + 1] = "../a/story.txt"  # goes on
    with pytest.raises(EnoughSeenError):
        runnel("train", "autocomplete", *options)
    (tmp_path / "a" / "story.txt").rename(tmp_path / "b" / "moved.txt")
    options[place + 1] = "moved.txt"  # the same text
    with pytest.raises(EnoughSeenError):
        runnel("train", "autocomplete", *options)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"]["data"] == stored
    (tmp_path / "b" / "moved.txt").write_text("Another text altogether. " * 100 + trained.text.read_text())
    code, _, err = runnel("train", "autocomplete", *options)
    assert (code, err.count("\n")) == (2, 1)
    assert "data_fingerprint" in err


# === export ===


@pytest.mark.parametrize("cache", [True, False])
def test_what_is_exported_is_the_best_checkpoint_and_no_cache_leaves_it_out(
    trained: Any, runnel: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: bool
) -> None:
    shutil.copytree(trained.run, tmp_path / "run", ignore=shutil.ignore_patterns("export"))
    description = json.loads((tmp_path / "run" / "config.json").read_text())
    description["config"]["cache"] = cache
    (tmp_path / "run" / "config.json").write_text(json.dumps(description))
    seen = []

    def watched(network: keras.Model, tokenizer: object, config: Config, weight: float) -> None:
        seen.append((network, weight))
        raise EnoughSeenError

    monkeypatch.setattr(module, "build_stream", watched)
    with pytest.raises(EnoughSeenError):
        module.export(tmp_path / "run", "best", lambda line: None)
    ((network, weight),) = seen
    assert (weight > 0) == cache
    exported = keras.models.load_model(trained.export / "model.keras")
    for found, expected in zip(network.get_weights(), exported.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


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
