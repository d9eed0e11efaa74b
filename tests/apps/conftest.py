import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export.no_verifier import NoVerifier


@pytest.fixture
def runnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Callable:
    """Runs a command in this process, in an empty folder; gives its exit code, output and errors."""
    from runnel.apps.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def train_in_process() -> Callable[..., str]:
    """Trains an application in this process; gives all that it said."""
    from runnel.apps.cli import main

    def train(*arguments: object) -> str:
        with pytest.MonkeyPatch.context() as patch:
            said: list[str] = []
            patch.setattr("runnel.apps.cli._say", said.append)
            assert main(["train", *map(str, arguments)]) == 0
        return "\n".join(said)

    return train


@pytest.fixture(scope="session")
def _load_once() -> Callable[[Path, str], tuple[dict[str, Any], Any]]:
    """`load_export`, which remembers what it has loaded."""
    from runnel.shared.export.load_export import load_export

    loaded: dict[tuple[Path, str], tuple[dict[str, Any], Any]] = {}

    def load_once(export_dir: Path, application: str) -> tuple[dict[str, Any], Any]:
        key = (export_dir.resolve(), application)
        if key not in loaded:
            loaded[key] = load_export(export_dir, application)
        return loaded[key]

    return load_once


@pytest.fixture(scope="module")
def _load_each_export_once(_load_once: Callable) -> Iterator[None]:
    """Saves the clients the time of loading an export that they have loaded before."""
    from runnel.apps.cli import APPLICATIONS

    with pytest.MonkeyPatch.context() as patch:
        for application in APPLICATIONS:
            patch.setattr(f"runnel.apps.{application}.client.load_export", _load_once)
        yield


@pytest.fixture
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports are not verified: the test is about something else, and others verify the same kind of model."""
    monkeypatch.setattr("runnel.shared.export.export_model.Verifier", NoVerifier)


@pytest.fixture
def run_alone(request: pytest.FixtureRequest) -> Callable[..., subprocess.CompletedProcess]:
    """Runs a program beside the test that asks in a process that has TensorFlow, and neither Keras nor the project."""
    from runnel.shared.export.command_without_keras import command_without_keras

    def run(program: str, *arguments: object) -> subprocess.CompletedProcess:
        command = command_without_keras(request.path.with_name(program), *arguments)
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def train_killed(tmp_path: Path) -> Callable[[str, Any], set[str]]:
    """Trains in one piece, and killed once with SIGKILL; gives the names of all that is bit-equal in the end.

    The options are for at least 24 batches, a checkpoint of which is written within their 50 milliseconds.
    """
    from runnel.shared.training.checkpoint import CheckpointStore

    def train(application: str, config: Any) -> set[str]:
        program = Path(__file__).with_name("killed_training.py")
        options = json.dumps(config.to_dict())
        command = [sys.executable, str(program), application, options, str(tmp_path), "1", "3"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        whole, killed = (
            CheckpointStore(tmp_path / part / "checkpoints").latest_valid(pytest.fail) for part in ("whole", "killed")
        )
        assert whole
        assert killed
        assert whole.arrays.keys() == killed.arrays.keys()
        for name, array in whole.arrays.items():
            np.testing.assert_array_equal(killed.arrays[name], array, err_msg=name)
        assert (tmp_path / "whole" / "log.csv").read_text() == (tmp_path / "killed" / "log.csv").read_text()
        resumed = [line for line in (tmp_path / "killed.txt").read_text().splitlines() if line.startswith("continuing")]
        assert any("(epoch" in line for line in resumed), resumed
        assert not (tmp_path / "whole.txt").read_text()
        return set(whole.arrays)

    return train
