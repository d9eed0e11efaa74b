import dataclasses
import json
import math
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.translation import train as module
from runnel.apps.translation.config import Advanced, Config
from runnel.apps.translation.data import load_data
from runnel.apps.translation.model import build_model
from runnel.apps.translation.train import main, train_network
from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.shared.errors import InputError
from runnel.shared.export.manifest import read_manifest
from runnel.shared.training import application
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.run_folder import RunFolder


@pytest.fixture(scope="module")
def config(trained: Any) -> Config:
    return Config.from_dict(trained.manifest["config"])


# === One training step ===


@pytest.fixture
def _eagerly() -> Any:
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def eagerly(test: Callable) -> Callable:
    """For a single step, tracing takes far longer than running."""
    warning = "ignore:Even though the .tf.config.experimental_run_functions_eagerly"  # tf.data is traced all the same
    return pytest.mark.usefixtures("_eagerly")(pytest.mark.filterwarnings(warning)(test))


@eagerly
@pytest.mark.parametrize(
    "options",
    [
        {"simultaneous": True, "cell": "gru"},
        {"encoder": "bidirectional", "cell": "lstm"},
        {"attention": "none", "cell": "lstm"},
        {"attention": "none", "encoder": "bidirectional", "cell": "simple_rnn"},
    ],
)
def test_one_step_moves_every_weight_and_keeps_the_loss_bounded(
    sentences: Callable, write_tsv: Callable, tmp_path: Path, options: dict[str, Any]
) -> None:
    pairs = write_tsv(tmp_path / "pairs.tsv", sentences(80, 0))
    advanced = Advanced(units=6, embedding=4, depth=2, epochs=1, steps_per_epoch=1, batch_tokens=100, averaging=0.0)
    config = Config(data=str(pairs), vocabulary=400, advanced=advanced, **options)
    data = load_data(config)
    run = RunFolder(tmp_path, "translation", config.to_dict(), "")
    train_network(data, config, run, pytest.fail)

    header, line = (line.split(",") for line in run.log_csv.read_text().splitlines())
    log = dict(zip(header, map(float, line), strict=True))
    for name in ("loss", "val_loss"):
        assert log[name] == pytest.approx(math.log(data.tokenizer.size), abs=0.3)  # no token was preferred yet
    assert 0 <= log["val_accuracy"] <= 1
    trained = CheckpointStore(run.checkpoints).latest_valid(pytest.fail)
    assert trained
    assert all(np.isfinite(array).all() for array in trained.arrays.values())
    keras.utils.set_random_seed(config.advanced.seed)
    fresh = build_model(config, data.tokenizer.size)
    moved = {
        v.path: (trained.arrays[f"model/{i}"] != v.numpy()).any() for i, v in enumerate(fresh.variables) if v.trainable
    }
    assert len(moved) > 12
    assert all(moved.values()), moved


# === A whole run ===


def test_run_folder_holds_what_its_description_says(trained: Any) -> None:
    names = sorted(path.name for path in trained.run.iterdir())
    assert names == ["checkpoints", "config.json", "export", "finished.json", "log.csv"]
    assert "exported to" in trained.said
    assert len((trained.run / "log.csv").read_text().splitlines()) == 4


def test_manifest_says_what_a_client_must_know(trained: Any) -> None:
    manifest = read_manifest(trained.export, "translation")
    meanings = manifest["meanings"]
    assert (meanings["attention"], meanings["encoder"], meanings["can_wait_k"]) == ("additive", "unidirectional", True)
    assert (meanings["window"], meanings["longest_word"], meanings["beam"]) == (128, 30, 2)
    assert meanings["vocabulary"][:3] == ["<pad>", "<start>", "<end>"]
    assert {"▁cat", "▁chat", "é", "\u202f"} < set(meanings["vocabulary"])
    assert meanings["defaults"] == {"state_wait_k": 0}
    assert meanings["inputs"].keys() == {"text", "final"}
    assert meanings["outputs"].keys() == {"committed", "finished", "translation", "score"}
    assert manifest["data"] == {"source": "pairs.tsv", "fingerprint": load_pairs(trained.pairs).fingerprint}
    json.dumps(manifest, allow_nan=False)


def test_the_toy_language_is_learnt_whole_and_in_time(trained: Any) -> None:
    metrics = trained.manifest["metrics"]
    assert metrics["scores"]["model"]["exact"]["estimate"] > 0.9
    assert metrics["scores"]["model"]["bleu"]["lower"] > metrics["scores"]["word by word"]["bleu"]["estimate"]
    lags = [metrics["simultaneous"][wait]["al"] for wait in ("1", "2", "3", "7")]
    assert lags == sorted(lags)
    assert lags[-1] == pytest.approx(metrics["simultaneous"]["0"]["al"])
    assert metrics["simultaneous"]["2"]["bleu"]["estimate"] > 90


def test_the_report_is_beside_it(trained: Any) -> None:
    page = (trained.export / "report.html").read_text()
    assert "While the speaker speaks" in page
    assert page.count("<svg") >= 2


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
    assert seen == [["train", "translation", "--preset", "quick"]]


def test_run_without_out_gets_a_folder_of_its_own(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "train_network", lambda *_: None)
    monkeypatch.setattr(application, "_export", lambda *_: None)
    run = module.train(config, None, lambda line: None, datetime(2026, 1, 2, 3, 4, 5))
    assert run.path == Path("runs/translation/2026-01-02_03-04-05")
    assert run.finished


def test_what_is_left_out_is_said(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_tsv: Callable, sentences: Callable
) -> None:
    monkeypatch.setattr(module, "train_network", stop)
    long = [(f"long {place} " * 60, "long") for place in range(30)]
    pairs = write_tsv(tmp_path / "pairs.tsv", [*sentences(100, 1), *long])
    said: list[str] = []
    with pytest.raises(EnoughSeenError):
        module.train(dataclasses.replace(config, data=str(pairs)), tmp_path / "run", said.append, datetime(2026, 1, 2))
    count = sum(source.startswith("long") for source in load_pairs(pairs).splits["train"].sources)
    assert count > 20
    assert any(line.endswith(f"more than 100 subwords: {count} pairs") for line in said), said


# === Killed and continued ===


@pytest.mark.slow
def test_sigkill_at_random_moments_gives_bit_equal_weights(trained: Any, train_killed: Callable) -> None:
    """The optimizer and the averaged weights are equal too."""
    small = {"units": 6, "embedding": 4, "depth": 1, "epochs": 3, "steps_per_epoch": 8, "batch_tokens": 60}
    config = Config(data=str(trained.pairs), vocabulary=400, simultaneous=True, advanced=Advanced(**small))
    names = train_killed("translation", config)
    assert any(name.startswith("optimizer/") for name in names)


# === A network without attention to compare with ===


def test_the_same_network_without_attention_is_trained_beside_it(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advanced = dataclasses.replace(
        config.advanced, baseline_epochs=1, epochs=1, steps_per_epoch=1, units=6, embedding=4
    )
    config = dataclasses.replace(config, advanced=advanced)
    data = load_data(config)
    run = RunFolder(tmp_path, "translation", config.to_dict(), "")
    plain = config.without_attention
    assert plain
    assert (plain.attention, plain.can_wait_k, plain.advanced.epochs) == ("none", False, 1)
    trained = []
    monkeypatch.setattr(module, "train_network", lambda data, config, run, say: trained.append((config, run.path)))
    monkeypatch.setattr(module, "_trained", lambda *_: build_model(plain, data.tokenizer.size, use_cudnn=False))
    monkeypatch.setattr(module, "build_servable", lambda stream: SimpleNamespace(module=stream))
    rival = module._without_attention(run, data, config, lambda line: None)
    assert trained == [(plain, tmp_path / "without_attention")]
    assert rival.translator.bridge is not None


def test_no_other_network_is_trained_where_none_is_asked_for(config: Config, tmp_path: Path) -> None:
    assert config.without_attention is None
    assert dataclasses.replace(config, attention="none", simultaneous=None).without_attention is None
    run = RunFolder(tmp_path, "translation", config.to_dict(), "")
    assert module._without_attention(run, None, config, pytest.fail) is None


# === Going on from an export ===


class EnoughSeenError(Exception):
    """The rest would only take time."""


def stop(*_: object) -> None:
    raise EnoughSeenError


def init_from(trained: Any, export: Path, *options: object) -> list[object]:
    pairs = ["train", "translation", "--data", trained.pairs, "--init-from", export, "--out", "run"]
    return [*pairs, "--epochs", 1, "--steps-per-epoch", 1, *options]


@eagerly
def test_init_from_goes_on_from_the_exported_weights_and_words(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentences: Callable, write_tsv: Callable
) -> None:
    """With a learning rate of next to nothing, the weights are those of the export afterwards."""
    other = write_tsv(tmp_path / "other.tsv", [*sentences(100, 8), *(("Unheard-of words.",) * 2,) * 3])
    advanced = {"epochs": 1, "steps_per_epoch": 1, "batch_tokens": 100, "learning_rate": 1e-12, "averaging": 0.0}
    asked = Config(data=str(other), init_from=str(trained.export))
    asked = dataclasses.replace(asked, advanced=dataclasses.replace(asked.advanced, **advanced))
    monkeypatch.setattr(module, "measure", stop)
    said: list[str] = []
    with pytest.raises(EnoughSeenError):
        module.train(asked, tmp_path / "run", said.append, datetime(2026, 1, 2))
    assert said[-1].endswith(f"{len(trained.manifest['meanings']['vocabulary'])} subwords")
    checkpoint = CheckpointStore(tmp_path / "run" / "checkpoints").latest_valid(pytest.fail)
    assert checkpoint
    built = build_model(Config(advanced=Advanced(units=48, embedding=32, depth=1)), 400).variables
    places = [place for place, variable in enumerate(built) if variable.trainable]  # among seeds of the dropout
    exported = keras.models.load_model(trained.export / "model.keras").trainable_variables
    assert len(exported) == 19
    for place, variable in zip(places, exported, strict=True):
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
    ("option", "value", "own"),
    [
        *(("--units", 7, 48), ("--cell", "lstm", "gru"), ("--attention", "none", "additive")),
        *(("--encoder", "bidirectional", "unidirectional"), ("--vocabulary", 999, 400)),
    ],
)
def test_init_from_an_export_of_another_network(
    trained: Any, runnel: Callable, tmp_path: Path, option: str, value: object, own: object
) -> None:
    code, _, err = runnel(*init_from(trained, trained.export, option, value))
    assert (code, err.count("\n")) == (2, 1)
    assert f"received {option} {value} with --init-from; expected {own}, as in the export" in err
    assert not (tmp_path / "run").exists()


def test_a_run_is_tied_to_the_words_of_the_export_that_it_began_with(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "train_network", stop)
    export, run = tmp_path / "export", tmp_path / "run"
    shutil.copytree(trained.export, export)
    config = Config(data=str(trained.pairs), init_from=str(export))
    for _ in range(2):  # the second time it goes on
        with pytest.raises(EnoughSeenError):
            module.train(config, run, lambda line: None, datetime(2026, 1, 2))
    manifest = json.loads((export / "manifest.json").read_text())
    manifest["meanings"]["vocabulary"].append("cats")
    (export / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"going on from the export .* expected what the run in"):
        module.train(config, run, lambda line: None, datetime(2026, 1, 2))


# === export ===


def test_what_is_exported_is_the_best_checkpoint(trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(trained.run, tmp_path / "run", ignore=shutil.ignore_patterns("export"))
    seen = []

    def watched(network: keras.Model, tokenizer: object, config: Config) -> None:
        seen.append(network)
        raise EnoughSeenError

    monkeypatch.setattr(module, "build_stream", watched)
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


def test_export_of_a_run_without_a_checkpoint(trained: Any, runnel: Callable, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    shutil.copy(trained.run / "config.json", tmp_path / "run")
    code, _, err = runnel("export", "run", "--checkpoint", "best")
    assert (code, err.count("\n")) == (2, 1)
    assert "holds no best checkpoint yet" in err
