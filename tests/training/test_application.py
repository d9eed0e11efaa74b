import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from runnel.shared.errors import InputError
from runnel.shared.storage.checksums import sha256_of
from runnel.shared.training import application as module
from runnel.shared.training.application import (
    Application,
    Loaded,
    MeasuredModel,
    export_application,
    train_application,
)
from runnel.shared.training.run_folder import RunFolder, load_run

NOW = datetime(2026, 1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Config:
    """Options without a network."""

    data: str
    init_from: str | None = None
    units: int = 4
    epochs: int = 1

    def with_training_of(self, other: "Config") -> "Config":
        return dataclasses.replace(other, units=self.units)

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Config":
        return cls(**data)


class Toy:
    """An application that reads a text file and writes down what it is asked for; an export is a line in `exports`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple] = []
        self.said: list[str] = []
        self.exports: list[tuple] = []
        self.interrupted = False
        monkeypatch.setattr(module, "export_model", lambda *arguments: self.exports.append(arguments))
        self.application = Application(
            name="toy",
            config_type=Config,
            fitted=("words",),
            is_dataset=lambda source: source == "built_in",
            load=self.load,
            train_network=self.train_network,
            measure=self.measure,
        )

    def load(self, config: Config, fitted: Mapping[str, Any]) -> Loaded[Config, str]:
        self.asked.append(("load", config, dict(fitted)))
        text = "built in" if config.data == "built_in" else Path(config.data).read_text()
        return Loaded(text, config, f"print of {text}", notes=["a note"], summary=f": {len(text)} characters")

    def train_network(self, data: str, config: Config, run: RunFolder, say: Callable[[str], None]) -> None:
        self.asked.append(("train_network", data, config.units))
        if self.interrupted:
            raise KeyboardInterrupt

    def measure(self, run: RunFolder, data: str, config: Config, which: str, say: Callable[[str], None]) -> Any:
        self.asked.append(("measure", data, which))
        say("measuring")
        nothing: Any = None
        return MeasuredModel(
            nothing, nothing, nothing, {"words": ["a"]}, {"loss": 1.0}, ["a verdict"], lambda _: nothing
        )

    def train(self, config: Config, out: Path | None) -> RunFolder:
        return train_application(self.application, config, out, self.said.append, NOW)

    def export(self, run_folder: Path, which: Any = "last") -> RunFolder:
        return export_application(self.application, run_folder, which, self.said.append)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Toy:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("abc")
    return Toy(monkeypatch)


@pytest.fixture
def export_dir(tmp_path: Path) -> Path:
    """An export of a network of 9 units that knows two words."""
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "model.keras").write_bytes(b"weights")
    write_manifest(folder, words=["a", "b"])
    return folder


def write_manifest(folder: Path, words: list[str], **meanings: Any) -> None:
    manifest = {
        "application": "toy",
        "schema_version": 1,
        "config": {"data": "elsewhere", "init_from": None, "units": 9, "epochs": 7},
        "meanings": {"words": words, **meanings},
        "files": {"model.keras": sha256_of(folder / "model.keras")},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


# === From data to export ===


def test_what_happens_and_what_is_said(toy: Toy, tmp_path: Path) -> None:
    run = toy.train(Config("text.txt"), None)
    assert run.path == Path("runs/toy/2026-01-02_03-04-05")
    assert run.finished
    assert [name for name, *_ in toy.asked] == ["load", "train_network", "measure"]
    assert toy.asked[1:] == [("train_network", "abc", 4), ("measure", "abc", "best")]
    assert toy.said == [
        "a note",
        f"training in {run.path}: 3 characters",
        "measuring",
        "a verdict",
        "exporting and verifying in a clean process",
        f"exported to {run.path}/export",
    ]
    ((*_, content, target),) = toy.exports
    assert target == run.export_dir
    assert (content.application, content.metrics, content.meanings) == ("toy", {"loss": 1.0}, {"words": ["a"]})
    assert content.data == {"source": "text.txt", "fingerprint": "print of abc"}
    assert content.config["data"] == str(tmp_path / "text.txt")


def test_a_finished_run_is_left_alone(toy: Toy, tmp_path: Path) -> None:
    toy.train(Config("text.txt"), tmp_path / "run")
    toy.said.clear()
    toy.train(Config("text.txt"), tmp_path / "run")
    assert toy.said == ["a note", f"{tmp_path}/run is finished; its export is in {tmp_path}/run/export"]
    assert len(toy.exports) == 1


def test_an_interrupted_run_says_how_to_go_on_and_does(toy: Toy, tmp_path: Path) -> None:
    toy.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        toy.train(Config("text.txt"), Path("a run"))
    assert toy.said[-1] == "stopped; to go on, repeat the command with --out 'a run'"
    assert not load_run(Path("a run")).finished

    toy.interrupted = False
    assert toy.train(Config("text.txt"), Path("a run")).finished


def test_a_checkpoint_of_a_run_is_exported_without_training(toy: Toy, tmp_path: Path) -> None:
    toy.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        toy.train(Config("text.txt"), tmp_path / "run")
    toy.asked.clear()
    assert not toy.export(tmp_path / "run").finished
    assert [name for name, *_ in toy.asked] == ["load", "measure"]
    assert toy.asked[-1] == ("measure", "abc", "last")
    assert len(toy.exports) == 1


# === Data that moved or changed ===


def test_the_same_data_may_move_and_others_are_refused(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.train(Config("text.txt"), tmp_path / "run")
    stored = load_run(tmp_path / "run").config["data"]
    assert stored == str(tmp_path / "text.txt")

    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    toy.export(tmp_path / "run")  # found from another folder
    (tmp_path / "text.txt").rename("moved.txt")
    toy.train(Config("moved.txt"), tmp_path / "run")
    assert load_run(tmp_path / "run").config["data"] == stored

    Path("moved.txt").write_text("other")
    with pytest.raises(InputError, match=r"data_fingerprint = .*; expected what the run in"):
        toy.train(Config("moved.txt"), tmp_path / "run")


def test_other_options_are_refused(toy: Toy, tmp_path: Path) -> None:
    toy.train(Config("text.txt"), tmp_path / "run")
    with pytest.raises(InputError, match=r"config\.units = 5, not 4; expected what the run in"):
        toy.train(Config("text.txt", units=5), tmp_path / "run")


def test_the_name_of_a_dataset_is_no_path(toy: Toy, tmp_path: Path) -> None:
    assert toy.train(Config("built_in"), tmp_path / "run").config["data"] == "built_in"


def test_export_refuses_changed_data(toy: Toy, tmp_path: Path) -> None:
    toy.train(Config("text.txt"), tmp_path / "run")
    (tmp_path / "text.txt").write_text("other")
    with pytest.raises(InputError) as caught:
        toy.export(tmp_path / "run")
    what = f"the data in {tmp_path}/text.txt have changed since {tmp_path}/run was trained"
    assert str(caught.value) == f"{what}; expected the same as then"


# === Going on from an export ===


def test_goes_on_with_the_network_and_what_was_fitted_for_it(toy: Toy, export_dir: Path) -> None:
    run = toy.train(Config("text.txt", init_from="old", epochs=2), Path("run"))
    _, config, fitted = toy.asked[0]
    assert (config.units, config.epochs, config.data) == (9, 2, "text.txt")
    assert fitted == {"words": ["a", "b"]}
    assert run.config["init_from"] == str(export_dir)
    assert run.data_fingerprint.startswith("print of abc, going on from the export ")
    assert toy.exports[0][3].data["fingerprint"] == "print of abc"


def test_the_export_may_move_too(toy: Toy, export_dir: Path, tmp_path: Path) -> None:
    toy.train(Config("text.txt", init_from="old"), Path("run"))
    export_dir.rename(tmp_path / "elsewhere")
    assert toy.train(Config("text.txt", init_from="elsewhere"), Path("run")).config["init_from"] == str(export_dir)


def test_what_the_network_does_not_need_may_change(toy: Toy, export_dir: Path) -> None:
    toy.train(Config("text.txt", init_from="old"), Path("run"))
    write_manifest(export_dir, words=["a", "b"], colour="red")
    toy.export(Path("run"))


def replace_network(folder: Path) -> None:
    (folder / "model.keras").write_bytes(b"other weights")
    write_manifest(folder, words=["a", "b"])


@pytest.mark.parametrize("change", [replace_network, lambda folder: write_manifest(folder, words=["a"])])
def test_a_run_is_tied_to_the_export_that_it_began_with(
    toy: Toy, export_dir: Path, change: Callable[[Path], None]
) -> None:
    config = Config("text.txt", init_from="old")
    toy.train(config, Path("run"))
    change(export_dir)
    with pytest.raises(InputError, match=r"going on from the export .* expected what the run in"):
        toy.train(config, Path("run"))
    with pytest.raises(InputError, match=f"^the export in {export_dir} has changed since run was trained; expected"):
        toy.export(Path("run"))


def test_a_damaged_export_is_refused_before_a_run_is_opened(toy: Toy, export_dir: Path) -> None:
    (export_dir / "model.keras").write_bytes(b"half")
    with pytest.raises(InputError, match=r"model\.keras is missing or damaged"):
        toy.train(Config("text.txt", init_from="old"), Path("run"))
    assert not Path("run").exists()
    assert not toy.asked
