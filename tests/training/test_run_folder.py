import json
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from runnel.shared.errors import InputError
from runnel.shared.training.run_folder import RunFolder, load_run, open_run

CONFIG = {"model": {"units": 8, "cell": "gru"}, "quantiles": (0.1, 0.9), "seed": 1}


def start(runs_root: Path, out: Path | None = None, **changes: Any) -> RunFolder:
    arguments: dict[str, Any] = {
        "application": "forecasting",
        "config": CONFIG,
        "data_fingerprint": "abc",
        "out": out,
        "runs_root": runs_root,
        "now": datetime(2024, 5, 1, 12, 30, 7),
    }
    return open_run(**(arguments | changes))


def test_without_out_every_run_gets_a_new_folder(tmp_path: Path) -> None:
    paths = [start(tmp_path / "runs").path for _ in range(3)]
    parent = tmp_path / "runs" / "forecasting"
    assert paths == [parent / f"2024-05-01_12-30-07{suffix}" for suffix in ("", "-2", "-3")]


def test_the_configuration_is_on_disk_before_training(tmp_path: Path) -> None:
    run = start(tmp_path, out=tmp_path / "run")
    assert json.loads((run.path / "config.json").read_text()) == {
        "application": "forecasting",
        "config": {"model": {"units": 8, "cell": "gru"}, "quantiles": [0.1, 0.9], "seed": 1},
        "data_fingerprint": "abc",
    }
    assert load_run(run.path) == run


def test_paths_lie_inside_the_run(tmp_path: Path) -> None:
    run = start(tmp_path, out=tmp_path / "run")
    assert run.checkpoints == tmp_path / "run" / "checkpoints"
    assert run.log_csv == tmp_path / "run" / "log.csv"
    assert run.export_dir == tmp_path / "run" / "export"


def test_out_continues_an_equal_run_and_tells_whether_it_is_finished(tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = start(tmp_path, out)
    (out / "checkpoints").mkdir()
    again = start(tmp_path, out)
    assert again == first
    assert not again.finished
    again.mark_finished()
    assert start(tmp_path, out).finished


def test_the_hint_is_quoted_for_a_shell(tmp_path: Path) -> None:
    run = start(tmp_path, out=tmp_path / "a run's folder")
    assert shlex.split(run.resume_hint) == ["--out", str(run.path)]


@pytest.mark.parametrize("left", [[], [".config.json.partial"]])
def test_an_empty_folder_or_one_killed_at_once_becomes_a_run(tmp_path: Path, left: list[str]) -> None:
    out = tmp_path / "run"
    out.mkdir()
    for name in left:
        (out / name).write_text("{")
    assert start(tmp_path, out).path == out
    assert [item.name for item in out.iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"config": CONFIG | {"seed": 2}}, ["config.seed = 2, not 1"]),
        ({"config": {"seed": 1, "quantiles": [0.1, 0.9], "model": {"units": 9}}}, ["config.model.units = 9, not 8"]),
        ({"config": CONFIG | {"new": None}}, ["config.new = null, not absent"]),
        ({"data_fingerprint": "abd"}, ['data_fingerprint = "abd", not "abc"']),
        ({"application": "translation"}, ['application = "translation", not "forecasting"']),
        ({"config": {"a": 1, "b": 1, "c": 1}}, ["config.a = 1, not absent", "and 4 more"]),
    ],
)
def test_another_configuration_or_other_data_are_refused(
    tmp_path: Path, changes: dict[str, Any], words: list[str]
) -> None:
    out = tmp_path / "run"
    start(tmp_path, out)
    before = (out / "config.json").read_bytes()
    with pytest.raises(InputError) as caught:
        start(tmp_path, out, **changes)
    message = str(caught.value)
    assert all(word in message for word in [*words, str(out), "--out"])
    assert "\n" not in message
    assert (out / "config.json").read_bytes() == before


def test_a_file_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "file"
    out.write_text("mine")
    with pytest.raises(InputError, match="holds no training run; expected"):
        start(tmp_path, out)
    assert out.read_text() == "mine"


@pytest.mark.parametrize(("name", "content"), [("notes.txt", "mine"), ("config.json", "{}"), ("config.json", "[")])
def test_a_folder_with_something_else_is_refused(tmp_path: Path, name: str, content: str) -> None:
    out = tmp_path / "folder"
    out.mkdir()
    (out / name).write_text(content)
    with pytest.raises(InputError, match="holds no training run; expected"):
        start(tmp_path, out)
    assert [item.read_text() for item in out.iterdir()] == [content]


def test_a_missing_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no training run"):
        load_run(tmp_path / "missing")
