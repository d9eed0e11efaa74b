import re
from typing import Any

import pytest


@pytest.fixture(scope="module")
def page(trained: Any) -> str:
    return (trained.export / "report.html").read_text()


def test_says_whether_the_model_is_worth_using(trained: Any, page: str) -> None:
    for baseline in trained.manifest["metrics"]["skill"].values():
        for comparison in baseline.values():
            assert comparison["verdict"].split(" (")[0] in page


def test_names_the_users_columns_and_draws_its_plots(page: str) -> None:
    assert "Forecasting flow, temperature" in page
    assert page.count("<svg") >= 6


def test_tells_its_limits(page: str) -> None:
    assert "The horizon is fixed at 3 steps" in page


def test_asks_the_network_for_nothing(page: str) -> None:
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
