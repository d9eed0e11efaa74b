"""Which module may import which, read from the source without running it."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PORTIONS = ("apps", "datasets", "shared")
HEAVY = {"keras", "tensorflow", "tensorflow_datasets"}

modules = sorted(file for portion in PORTIONS for file in (ROOT / portion).rglob("*.py") if file.name != "__init__.py")
each_module = pytest.mark.parametrize("module", modules, ids=lambda file: str(file.relative_to(ROOT)))
light_modules = [file for file in modules if file.name == "config.py"] + [ROOT / "apps" / "cli.py"]


def import_nodes(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def names_of(nodes):
    """Returns the dotted names that these statements import; `from a import b` gives a and a.b."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def forbidden_prefixes(module):
    """Returns the packages that a module of this place in the tree must not import."""
    portion, second, *_ = module.relative_to(ROOT).parts
    if portion == "shared":
        return {"runnel.apps", "runnel.datasets"}
    if portion == "datasets":
        return {"runnel.apps"}
    if second == "cli.py":
        return set()
    others = {folder.parent.name for folder in (ROOT / "apps").glob("*/__init__.py")} - {second}
    return {f"runnel.apps.{other}" for other in others}


def is_within(name, package):
    return name == package or name.startswith(package + ".")


def violations(names, prefixes):
    return sorted(name for name in names for prefix in prefixes if is_within(name, prefix))


def parsed(module):
    return ast.parse(module.read_text(encoding="utf-8"))


def test_the_rules_catch_a_wrong_import():
    names = names_of(import_nodes(ast.parse("def f():\n    from runnel.apps import forecasting")))
    assert violations(names, forbidden_prefixes(ROOT / "shared" / "layers" / "x.py")) == [
        "runnel.apps",
        "runnel.apps.forecasting",
    ]
    assert violations({"runnel.shared.errors"}, forbidden_prefixes(ROOT / "apps" / "forecasting" / "x.py")) == []


@each_module
def test_imports_point_one_way(module):
    assert violations(names_of(import_nodes(parsed(module))), forbidden_prefixes(module)) == []


@each_module
def test_imports_are_absolute_and_under_runnel(module):
    nodes = import_nodes(parsed(module))
    assert not [node.lineno for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
    assert not [name for name in names_of(nodes) if name.split(".")[0] in PORTIONS]


def transitive_imports(module):
    """Returns every name that importing a module imports, through modules of this project, at the top level."""
    names, waiting, seen = set(), [module], set()
    while waiting:
        current = waiting.pop()
        seen.add(current)
        found = names_of(node for node in parsed(current).body if isinstance(node, ast.Import | ast.ImportFrom))
        names |= found
        files = {ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in found if name.startswith("runnel.")}
        waiting += [file for file in files if file.exists() and file not in seen]
    return names


@pytest.mark.parametrize("module", light_modules, ids=lambda file: str(file.relative_to(ROOT)))
def test_options_load_without_tensorflow(module):
    assert not {name for name in transitive_imports(module) if name.split(".")[0] in HEAVY}


@pytest.mark.parametrize("client", sorted((ROOT / "apps").glob("*/client.py")), ids=lambda file: file.parent.name)
def test_answers_start_without_keras(client):
    assert not {name for name in transitive_imports(client) if name.split(".")[0] == "keras"}


HELP_PROGRAM = """
import sys
from runnel.apps.cli import main
sys.argv = ["runnel", "--help"]
try:
    status = main()
except SystemExit as stop:
    status = stop.code
print("heavy:", sorted({"keras", "tensorflow", "tensorflow_datasets"} & sys.modules.keys()), file=sys.stderr)
sys.exit(status)
"""


def test_help_answers_without_tensorflow():
    result = subprocess.run([sys.executable, "-c", HELP_PROGRAM], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "train" in result.stdout
    assert result.stderr.splitlines()[-1] == "heavy: []"


def public_modules():
    return [module for module in modules if not module.name.startswith("_")]


def constants_classes_functions(name):
    return (not name.isupper(), not name[0].isupper(), name)


@pytest.mark.parametrize("module", public_modules(), ids=lambda file: str(file.relative_to(ROOT)))
def test_all_is_sorted_and_complete(module):
    name = "runnel." + ".".join(module.relative_to(ROOT).with_suffix("").parts)
    loaded = importlib.import_module(name)
    defined = {
        key
        for key, value in vars(loaded).items()
        if not key.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == name
    }
    assert loaded.__all__ == sorted(loaded.__all__, key=constants_classes_functions)
    assert all(hasattr(loaded, key) for key in loaded.__all__)
    assert defined <= set(loaded.__all__), "public names that __all__ leaves out"
