from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the tests of an application, which share a trained export, in one process; others go by their file."""
    for item in items:
        place = item.path.relative_to(TESTS)
        shared = place.parent if place.parts[0] == "apps" else place
        item.add_marker(pytest.mark.xdist_group(str(shared)))
