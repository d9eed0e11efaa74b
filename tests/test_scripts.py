"""What the scripts say, in one line and with exit status 2, on a machine where they cannot work."""

import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ("check", "demo", "setup", "test")
TOOLS = ("dirname", "mkdir", "rm", "sh")


@pytest.fixture
def checkout(tmp_path):
    """Returns a copy of the scripts in a folder with a space in its name, with nothing set up."""
    copy = tmp_path / "a checkout"
    shutil.copytree(ROOT / "scripts", copy / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture
def commands(tmp_path):
    """Returns a folder that holds the few commands the scripts use, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def add_python(commands, name, version, importable=""):
    """Adds a command that answers what the set-up asks a Python: its version, and whether it can import the modules."""
    command = commands / name
    command.write_text(
        f'#!/bin/sh\ncase $2 in\n*version_info*) echo {version} ;;\n"import {importable}") ;;\n*) exit 1 ;;\nesac\n'
    )
    command.chmod(0o755)


def run(checkout, commands, script="setup", home="/nonexistent", arguments=()):
    environment = {"PATH": str(commands), "HOME": home}
    command = [str(checkout / "scripts" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)


def assert_refused(result, *parts):
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_python(checkout, commands, script):
    assert_refused(run(checkout, commands, script), "found none", "expected 3.11, 3.12 or 3.13")


def test_home_unset(checkout, commands):
    environment = {"PATH": str(commands)}
    result = subprocess.run(
        [str(checkout / "scripts" / "setup")], capture_output=True, text=True, env=environment, check=False
    )
    assert_refused(result, "found none")


def test_wrong_versions(checkout, commands):
    add_python(commands, "python3.13", "3.14")
    add_python(commands, "python3", "3.9")
    assert_refused(run(checkout, commands), "python3.13 of version 3.14", "python3 of version 3.9")


def test_placeholder_that_does_not_run(checkout, commands):
    (commands / "python3.12").write_text("#!/bin/sh\necho 'python3.12: command not found' >&2\nexit 127\n")
    (commands / "python3.12").chmod(0o755)
    add_python(commands, "python3", "3.10")
    assert_refused(run(checkout, commands), "python3 of version 3.10")


def test_missing_venv_module(checkout, commands):
    add_python(commands, "python3", "3.12", importable="nothing")
    assert_refused(run(checkout, commands), "python3 has no venv or ensurepip module", "python3-venv")


def test_first_usable_python_is_taken(checkout, commands):
    add_python(commands, "python3.13", "3.13", importable="nothing")
    add_python(commands, "python3.11", "3.11", importable="ensurepip, venv")
    (checkout / "scripts" / "make_environment.py").write_text("")
    result = run(checkout, commands)
    assert result.stderr == ""
    assert result.returncode == 1, "the stand-in python3.11 was asked to run make_environment.py"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_demo_help_sets_nothing_up(checkout, commands, flag):
    result = run(checkout, commands, "demo", arguments=[flag])
    assert result.returncode == 0
    assert "Usage" in result.stdout
    assert not (checkout / ".venv").exists()


def test_demo_refuses_unknown_arguments(checkout, commands):
    assert_refused(run(checkout, commands, "demo", arguments=["--fast"]), "--fast")


def test_foreign_environment_is_left_alone(checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "mine").write_text("keep")
    result = make_environment(checkout)
    assert_refused(result, "was not made by this set-up")
    assert (checkout / ".venv" / "mine").read_text() == "keep"


def make_environment(checkout, *arguments):
    command = [sys.executable, str(checkout / "scripts" / "make_environment.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)


def test_unfinished_environment_is_not_ready(checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "runnel-setup.json").write_text('{"unfinished": true}')
    assert make_environment(checkout, "--is-ready").returncode == 1


@pytest.fixture
def module(checkout, monkeypatch):
    """Returns make_environment.py of the copied checkout as a module."""
    spec = importlib.util.spec_from_file_location("make_environment", checkout / "scripts" / "make_environment.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def record(module, **changes):
    module.ENVIRONMENT.mkdir()
    module.SCRATCH.mkdir(parents=True)
    module.record_state({**module.expected_state(), **changes})


def test_complete_environment_is_ready(module):
    record(module)
    assert module.main(["--is-ready"]) == 0


@pytest.mark.parametrize(
    ("changes", "updated"),
    [
        ({"requirements": "other"}, True),
        ({"project": "other"}, True),
        ({"python": "3.1"}, False),
        ({"checkout": "/elsewhere"}, False),
    ],
)
def test_changed_files_update_and_a_move_rebuilds(module, changes, updated):
    record(module, **changes)
    assert module.main(["--is-ready"]) == 1
    assert module.can_be_updated(module.recorded_state(), module.expected_state()) is updated


def test_half_written_record_counts_as_none(module):
    record(module)
    module.STATE.write_text(module.STATE.read_text()[:20])
    assert module.recorded_state() == {}


@pytest.mark.parametrize(
    ("content", "lacks"), [("flags\t: fpu sse2\n", True), ("flags\t: fpu avx avx2\n", False), ("model: x\n", False)]
)
def test_processor_without_avx(module, tmp_path, content, lacks):
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(content)
    assert module.lacks_avx(cpuinfo) is lacks


def test_no_list_of_processor_flags(module, tmp_path):
    assert module.lacks_avx(tmp_path / "absent") is False


def test_machine_without_tensorflow(module, monkeypatch):
    monkeypatch.setattr(module.platform, "machine", lambda: "riscv64")
    with pytest.raises(module.SetupError, match="riscv64; expected one of"):
        module.check_machine()


def test_too_little_disk(module):
    with pytest.raises(module.SetupError, match=r"100 MB free .* expected"):
        module.check_disk(100)
    module.check_disk(1e6)


def test_large_downloads_are_told(module):
    line = "  Downloading tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl (273.8 MB)\n"
    assert module.LARGE_DOWNLOAD.search(line).groups() == (
        "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
        "273.8 MB",
    )
    assert not module.LARGE_DOWNLOAD.search("  Downloading six-1.17.0-py2.py3-none-any.whl (11 kB)\n")


def test_an_interrupted_demo_leaves_nothing_running(checkout):
    (checkout / "scripts" / "setup").write_text('cd -- "$(dirname -- "$0")/.."\n')
    python, begun = checkout / ".venv" / "bin" / "python", checkout / "begun"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho $$ >> "{begun}"\nexec sleep 60\n')
    python.chmod(0o755)
    ours, theirs = os.pipe()
    command = [checkout / "scripts" / "demo"]
    demo = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, pass_fds=[theirs])
    os.close(theirs)
    while not begun.exists() or len(begun.read_text().split()) < 2:  # data in the background, and the first training
        assert demo.poll() is None
        time.sleep(0.01)
    os.killpg(demo.pid, signal.SIGINT)  # what Ctrl-C does; a shell keeps it from what runs in the background
    assert demo.wait(timeout=20) == 130
    assert select.select([ours], [], [], 20)[0]  # the pipe is closed when nobody is left who has its other end
    os.close(ours)
