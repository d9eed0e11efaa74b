"""The code blocks of README.md run as printed, but for the length of the training and the place of the export."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_first_block_is_the_two_commands():
    commands = [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()]
    assert commands == ["scripts/demo", "scripts/test"]
    assert all(os.access(ROOT / command, os.X_OK) for command in commands)


def test_links_lead_somewhere():
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert targets
    assert all((ROOT / target).exists() for target in targets)


@pytest.mark.slow
def test_own_data_and_embedding_run(tmp_path):
    commands = blocks("sh")[1].replace(". .venv/bin/activate\n", "")
    short = "--preset quick --epochs 1 --steps-per-epoch 2 --long-state-rows 0"
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, arguments in (("runnel", "-m runnel.apps.cli"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        (programs / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-euc", commands.replace("--preset quick", short)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "date,temp_max,temp_max 5%,temp_max 95%,temp_max last known" in done.stdout
    assert "90% interval" in done.stdout

    (program,) = blocks("python")
    (tmp_path / "embed.py").write_text(re.sub(r'"runs/demo/[^"]*"', '"runs/mine/export/saved_model"', program))
    embedded = subprocess.run(
        [sys.executable, "-I", "embed.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert len(embedded.stdout.splitlines()) == 3
