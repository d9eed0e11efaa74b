import re
from typing import Any

import pytest


@pytest.fixture(scope="module")
def page(trained: Any) -> str:
    return (trained.export / "report.html").read_text()


def test_says_whether_the_model_is_worth_using(trained: Any, page: str) -> None:
    metrics = trained.manifest["metrics"]
    for verdict in (metrics["likelihood"]["verdict"], metrics["state_age"]["verdict"]):
        assert verdict.split(" (")[0] in page
    assert all(name in page for name in metrics["typing"])


def test_shows_suggestions_samples_and_plots(page: str) -> None:
    assert "typed so far" in page
    assert "temperature 0.8" in page
    assert page.count("<svg") >= 2


def test_bits_a_character_stand_beside_characters_alone(page: str, trained_on_characters: Any) -> None:
    assert "bits a character" not in page
    assert "bits a character" in (trained_on_characters.export / "report.html").read_text()


def test_says_against_what_keys_are_counted(page: str) -> None:
    assert "counted against all keys of the text" in page


def test_tells_the_limits_of_its_level(page: str, trained_on_characters: Any) -> None:
    assert "Autocomplete by words" in page
    assert "not in its vocabulary are never suggested" in page
    other = (trained_on_characters.export / "report.html").read_text()
    assert "Autocomplete by characters" in other
    assert "a word that does not exist" in other


def test_asks_the_network_for_nothing(page: str) -> None:
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
