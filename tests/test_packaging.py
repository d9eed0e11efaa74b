"""The wheel: nothing but runnel/, every module and data file of the tree, and a base install without the extras."""

import email
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PORTIONS = ("apps", "datasets", "shared")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Returns a copy of what the wheel is built from: building writes into the source folder."""
    copy = tmp_path_factory.mktemp("source")
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    for portion in PORTIONS:
        shutil.copytree(ROOT / portion, copy / portion, ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


def files_of_the_tree(source):
    return {f"runnel/{file.relative_to(source).as_posix()}" for portion in PORTIONS for file in files(source / portion)}


def files(folder):
    return [file for file in folder.rglob("*") if file.is_file()]


def test_wheel_holds_every_file_under_runnel_and_nothing_else(wheel, source):
    names = {name for name in wheel.namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert names == files_of_the_tree(source)


def test_wheel_holds_the_command_and_the_license(wheel):
    content = {name.split("/", 1)[1]: name for name in wheel.namelist() if ".dist-info/" in name}
    assert "runnel = runnel.apps.cli:main" in wheel.read(content["entry_points.txt"]).decode()
    assert wheel.read(content["licenses/LICENSE"]) == (ROOT / "LICENSE").read_bytes()


def required_names(wheel, extra):
    """Returns the names required by the base install, or by one extra."""
    metadata = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    required = email.message_from_bytes(wheel.read(metadata)).get_all("Requires-Dist")
    chosen = [line for line in required if (f'extra == "{extra}"' in line if extra else "extra ==" not in line)]
    return {
        "".join(letter if letter.isalnum() or letter in "-_" else " " for letter in line).split()[0] for line in chosen
    }


def test_base_install_holds_none_of_the_demo_extra(wheel):
    demo = required_names(wheel, "demo")
    assert {"arch", "vega_datasets"} <= demo
    assert not demo & required_names(wheel, "")
    assert "tensorflow" in required_names(wheel, "")


def test_every_direct_requirement_is_pinned_for_the_scripts():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    direct = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["demo"]
    direct += project["dependency-groups"]["dev"] + project["build-system"]["requires"]
    lines = (ROOT / "scripts" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if not line.startswith("#")}
    assert {normalized(requirement) for requirement in direct} <= pinned
    assert all("==" in line for line in lines if not line.startswith("#"))
    assert lines[3:] == sorted(lines[3:])


def normalized(requirement):
    name = requirement.split(">")[0].split("=")[0].split("<")[0].split("[")[0]
    return name.strip().lower().replace("_", "-")
