"""How the tests are shared out between the processes of scripts/test."""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling


class ByTrainedExport(LoadScopeScheduling):
    """Keeps the tests of an application, which share a trained export, in one process; others go by their file."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(nodeid.partition("::")[0])
        return str(file.parent if file.is_relative_to("tests/apps") else file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByTrainedExport:
    return ByTrainedExport(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files with slow tests first, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
