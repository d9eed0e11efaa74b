from pathlib import Path

from runnel.datasets.builders.data_folder import data_folder


def test_the_variable_wins(tmp_path):
    assert data_folder({"RUNNEL_DATA_DIR": str(tmp_path / "my data")}) == tmp_path / "my data"


def test_a_checkout_keeps_its_own(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    assert data_folder({"XDG_CACHE_HOME": "/elsewhere"}, tmp_path) == tmp_path / ".cache"


def test_an_installation_uses_a_folder_of_the_user(tmp_path):
    assert data_folder({"XDG_CACHE_HOME": str(tmp_path)}, tmp_path) == tmp_path / "runnel"
    assert data_folder({}, tmp_path) == Path.home() / ".cache" / "runnel"


def test_this_checkout():
    root = Path(__file__).parents[3]
    assert data_folder({}) == root / ".cache"
