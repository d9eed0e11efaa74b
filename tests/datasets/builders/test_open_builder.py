import pytest

from runnel.datasets.builders.open_builder import is_dataset_name, open_builder
from runnel.shared.errors import InputError

OURS = ("python_reference", "tiny_shakespeare_plays")


def test_what_names_a_dataset():
    assert is_dataset_name("python_reference", OURS)
    assert is_dataset_name("tfds:anything", OURS)
    assert not is_dataset_name("sp500_daily", OURS)  # Ours, but not for this caller.
    assert not is_dataset_name("python_reference.txt", OURS)


def test_ours_open_by_either_name(tmp_path):
    builders = [
        open_builder(name, OURS, tmp_path) for name in ("tiny_shakespeare_plays", "tfds:tiny_shakespeare_plays")
    ]
    assert {str(builder.data_dir) for builder in builders} == {str(tmp_path / "tiny_shakespeare_plays" / "1.0.0")}
    assert not any(tmp_path.iterdir())  # Nothing is prepared yet.


def test_an_unknown_name(tmp_path):
    with pytest.raises(InputError, match=r"one of python_reference, tiny_shakespeare_plays, or a file") as caught:
        open_builder("tfds:no_such_dataset_anywhere", OURS, tmp_path)
    assert "\n" not in str(caught.value)
