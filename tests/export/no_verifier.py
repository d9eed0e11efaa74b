"""Stands in for the verification of an export, which takes ten seconds of a test about something else."""

import contextlib
from pathlib import Path
from typing import Any

__all__ = ["NoVerifier"]


class NoVerifier(contextlib.AbstractContextManager):
    """Finds nothing, in no time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __exit__(self, *_: object) -> None:
        pass

    def verify(self, *_: object) -> dict[str, Any]:
        (self._folder / "verification.json").write_text("{}")
        return {"state_bytes_per_session": 0}
