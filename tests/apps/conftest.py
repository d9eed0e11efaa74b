import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


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


@pytest.fixture
def run_alone(request: pytest.FixtureRequest) -> Callable[..., subprocess.CompletedProcess]:
    """Runs a program beside the test that asks in a process that is told nothing of the project."""

    def run(program: str, *arguments: object) -> subprocess.CompletedProcess:
        command = [sys.executable, "-I", str(request.path.with_name(program)), *map(str, arguments)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    return run
