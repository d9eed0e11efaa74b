"""The driver of every application: data, run folder, training, evaluation, and one verified export."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeAlias, TypeVar

import keras

from runnel.shared.errors import InputError
from runnel.shared.evaluation.report import Report, write_report
from runnel.shared.export.export_model import ExportContent, export_model
from runnel.shared.export.load_export import network_file
from runnel.shared.export.manifest import read_manifest
from runnel.shared.export.probe import Probe
from runnel.shared.export.signatures import Servable
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.fit_run import WhichCheckpoint
from runnel.shared.training.history import History
from runnel.shared.training.run_folder import RunFolder, load_run, open_run

__all__ = [
    "Application",
    "Loaded",
    "MeasuredModel",
    "Options",
    "Say",
    "export_application",
    "train_application",
]

Say: TypeAlias = Callable[[str], None]


class Options(Protocol):
    """The options of an application: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def data(self) -> str:
        """The name of a dataset, or the path of a file or folder."""

    @property
    def init_from(self) -> str | None:
        """An export to go on from."""

    def with_training_of(self, other: Self) -> Self:
        """The network of these options with the data and the training of others, to go on from an export."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""


Config = TypeVar("Config", bound=Options)
Data = TypeVar("Data")


@dataclass(frozen=True)
class Loaded(Generic[Config, Data]):
    """What an application read.

    Attributes:
        data: what it trains on.
        config: its options, all decided.
        fingerprint: identifies the content of the data.
        notes: lines for the user about the data.
        summary: follows "training in RUN".
    """

    data: Data
    config: Config
    fingerprint: str
    notes: Sequence[str] = ()
    summary: str = ""


@dataclass(frozen=True)
class MeasuredModel:
    """A trained network as it will be exported, and what was measured of it.

    Attributes:
        servable: what is exported.
        network: the Keras model inside.
        probe: inputs that the verification replays.
        meanings: what a client must know to read inputs and outputs, plain data.
        metrics: what was measured, beside the baselines, plain data.
        verdicts: the main figures, a line each for the user.
        report: from the logs of the epochs to the page.
    """

    servable: Servable
    network: keras.Model
    probe: Probe
    meanings: dict[str, Any]
    metrics: dict[str, Any]
    verdicts: Sequence[str]
    report: Callable[[Sequence[Mapping[str, Any]]], Report]


@dataclass(frozen=True)
class Application(Generic[Config, Data]):
    """What is an application's own.

    Attributes:
        name: its name, such as `forecasting`.
        config_type: the class of its options.
        fitted: what the network of an export was trained with and must be used with, by its names in the meanings.
        is_dataset: whether a source of data is the name of a dataset, and no path.
        load: from options, and with `init_from` what was `fitted` for that export, to the data.
        train_network: trains the network of a run from where its checkpoints stand.
        measure: evaluates a checkpoint of a run, as it will be exported.
    """

    name: str
    config_type: type[Config]
    fitted: tuple[str, ...]
    is_dataset: Callable[[str], bool]
    load: Callable[[Config, Mapping[str, Any]], Loaded[Config, Data]]
    train_network: Callable[[Data, Config, RunFolder, Say], None]
    measure: Callable[[RunFolder, Data, Config, WhichCheckpoint, Say], MeasuredModel]


def train_application(
    application: Application[Config, Data], config: Config, out: Path | None, say: Say, now: datetime
) -> RunFolder:
    """Trains, evaluates, exports and verifies; goes on with an unfinished run.

    Args:
        application: what is trained.
        config: its options.
        out: the run folder to start or to go on with; a new one by default.
        say: called with each line for the user.
        now: the time, which names a new run folder.

    Raises:
        InputError: bad input or options.
        ExportError: the export did not pass its verification.
        KeyboardInterrupt: on Ctrl-C, once the run can be gone on with.
    """
    loaded, fingerprint = _load(application, config)
    for note in loaded.notes:
        say(note)
    options = _stored_where_moved(application.name, loaded.config, fingerprint, out)
    run = open_run(application.name, options, fingerprint, out, Path("runs"), now)
    if run.finished:
        say(f"{run.path} is finished; its export is in {run.export_dir}")
        return run
    say(f"training in {run.path}{loaded.summary}")
    try:
        application.train_network(loaded.data, loaded.config, run, say)
        _export(application, loaded, run, "best", say)
    except KeyboardInterrupt:
        say(f"stopped; to go on, repeat the command with {run.resume_hint}")
        raise
    run.mark_finished()
    return run


def export_application(
    application: Application[Config, Data], run_folder: Path, which: WhichCheckpoint, say: Say
) -> RunFolder:
    """Evaluates and exports a checkpoint of a run, finished or not.

    Raises:
        InputError: the folder holds no run of this application, or no checkpoint yet, or what it learned from has
            changed.
        ExportError: the export did not pass its verification.
    """
    run = load_run(run_folder)
    loaded, fingerprint = _load(application, application.config_type.from_dict(dict(run.config)))
    if fingerprint != run.data_fingerprint:
        config = loaded.config
        are_same_data = run.data_fingerprint.startswith(loaded.fingerprint)
        changed = f"the export in {config.init_from} has" if are_same_data else f"the data in {config.data} have"
        raise InputError(f"{changed} changed since {run_folder} was trained; expected the same as then")
    _export(application, loaded, run, which, say)
    return run


def _load(application: Application[Config, Data], config: Config) -> tuple[Loaded[Config, Data], str]:
    """The data, with the decided options, and the fingerprint of all that the network learns from.

    With `init_from`, shape and preprocessing are those of that export, and the fingerprint says which one it was.
    """
    if config.init_from is None:
        loaded = _with_whole_paths(application, application.load(config, {}))
        return loaded, loaded.fingerprint
    manifest = read_manifest(Path(config.init_from), application.name)
    network_file(Path(config.init_from), manifest)
    fitted = {name: manifest["meanings"][name] for name in application.fitted}
    begin = hashlib.sha256(json.dumps([manifest["files"]["model.keras"], *fitted.values()]).encode()).hexdigest()
    config = application.config_type.from_dict(manifest["config"]).with_training_of(config)
    loaded = _with_whole_paths(application, application.load(config, fitted))
    return loaded, f"{loaded.fingerprint}, going on from the export {begin}"


def _with_whole_paths(application: Application[Config, Data], loaded: Loaded[Config, Data]) -> Loaded[Config, Data]:
    """The same, where the data that were read and the export can be found from any folder."""
    config = loaded.config
    data = config.data if application.is_dataset(config.data) else str(Path(config.data).resolve())
    init_from = config.init_from and str(Path(config.init_from).resolve())
    return dataclasses.replace(loaded, config=dataclasses.replace(config, data=data, init_from=init_from))


def _stored_where_moved(name: str, config: Options, fingerprint: str, out: Path | None) -> dict[str, Any]:
    """The options to compare with those of the run in `out`, if there is one; what is the same may have been moved."""
    options = config.to_dict()
    if out is not None:
        with contextlib.suppress(InputError):
            run = load_run(out)
            if (run.application, run.data_fingerprint) == (name, fingerprint):
                options |= {moved: run.config[moved] for moved in ("data", "init_from")}
    return options


def _export(
    application: Application[Config, Data],
    loaded: Loaded[Config, Data],
    run: RunFolder,
    which: WhichCheckpoint,
    say: Say,
) -> None:
    newest = CheckpointStore(run.checkpoints).latest_valid(say)
    history = History.of(newest).rows if newest else []
    measured = application.measure(run, loaded.data, loaded.config, which, say)
    for line in measured.verdicts:
        say(line)
    content = ExportContent(
        application=application.name,
        config=loaded.config.to_dict(),
        data={"source": Path(loaded.config.data).name, "fingerprint": loaded.fingerprint},
        meanings=measured.meanings,
        metrics=measured.metrics,
        write_report=lambda path: write_report(measured.report(history), path),
    )
    say("exporting and verifying in a clean process")
    export_model(measured.servable, measured.network, measured.probe, content, run.export_dir)
    say(f"exported to {run.export_dir}")
