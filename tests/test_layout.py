"""Where things stand: every application has the same files, every package is listed, tests mirror the tree."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PORTIONS = ("apps", "datasets", "shared")
APPLICATION_FILES = {
    "README.md",
    "__init__.py",
    "client.py",
    "config.py",
    "data.py",
    "evaluate.py",
    "model.py",
    "report.py",
    "streaming.py",
    "train.py",
}
# One folder of tests for each package; the first level of shared/ is left out: tests/layers tests shared/layers.
TESTS_OF_PACKAGE = {"runnel.apps": "apps", "runnel.datasets": "datasets", "runnel.shared": "."}
TESTS_OF_EVERYTHING = {"contracts", "golden"}

applications = sorted(folder.parent.name for folder in (ROOT / "apps").glob("*/__init__.py"))
packages = sorted(file.parent for portion in PORTIONS for file in (ROOT / portion).rglob("__init__.py"))


def setuptools_table():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]


def test_there_are_applications():
    assert "forecasting" in applications


@pytest.mark.parametrize("application", applications)
def test_application_has_the_common_files(application):
    missing = APPLICATION_FILES - {file.name for file in (ROOT / "apps" / application).iterdir()}
    assert not missing


@pytest.mark.parametrize("package", packages, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_package_init_is_empty(package):
    assert (package / "__init__.py").read_bytes() == b""


@pytest.mark.parametrize("portion", PORTIONS)
def test_portion_is_a_typed_namespace(portion):
    assert not (ROOT / portion / "__init__.py").exists(), "it would hide the other portions of runnel"
    assert (ROOT / portion / "py.typed").read_bytes() == b""
    assert (ROOT / "typings" / "runnel" / portion).resolve() == ROOT / portion


@pytest.mark.parametrize("portion", PORTIONS)
def test_every_folder_of_modules_is_a_package(portion):
    folders = {file.parent for file in (ROOT / portion).rglob("*.py")} - {ROOT / portion}
    assert folders <= set(packages)


def test_packages_of_pyproject_equal_the_tree():
    expected = {f"runnel.{portion}" for portion in PORTIONS}
    expected |= {"runnel." + ".".join(package.relative_to(ROOT).parts) for package in packages}
    assert setuptools_table()["packages"] == sorted(expected)
    assert setuptools_table()["package-dir"] == {f"runnel.{portion}": portion for portion in PORTIONS}


def mirrored_folder(package):
    portion, *rest = package.relative_to(ROOT).parts
    return (ROOT / "tests" / TESTS_OF_PACKAGE[f"runnel.{portion}"]).joinpath(*rest)


def test_test_folders_mirror_the_packages():
    expected = {mirrored_folder(package) for package in packages} | {
        ROOT / "tests" / "apps",
        ROOT / "tests" / "datasets",
    }
    holding_tests = {file.parent for file in (ROOT / "tests").rglob("test_*.py")} - {ROOT / "tests"}
    strangers = holding_tests - expected - {ROOT / "tests" / name for name in TESTS_OF_EVERYTHING}
    assert not strangers, "folders of tests/ that mirror no package"


@pytest.mark.parametrize("package", packages, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_package_has_tests(package):
    assert list(mirrored_folder(package).rglob("test_*.py")), f"no test file under {mirrored_folder(package)}"
