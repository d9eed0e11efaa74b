import pytest

from runnel.datasets.text.text_corpus import fingerprint_of


def test_fingerprint_is_of_the_content():
    splits = {"train": ("one", "two"), "validation": ("three",), "test": ("four",)}
    fingerprint = fingerprint_of(splits)
    assert len(fingerprint) == 64
    assert fingerprint == fingerprint_of(dict(splits))


@pytest.mark.parametrize(
    "other",
    [
        {"train": ("onetwo",), "validation": ("three",), "test": ("four",)},
        {"train": ("one", "two"), "validation": ("four",), "test": ("three",)},
        {"train": ("one",), "validation": ("two", "three"), "test": ("four",)},
        {"train": ("one", "two"), "validation": ("three",), "test": ("foür",)},
    ],
)
def test_any_other_content_gives_another(other):
    assert fingerprint_of(other) != fingerprint_of(
        {"train": ("one", "two"), "validation": ("three",), "test": ("four",)}
    )
