"""A clean process that verifies an export, started before there is one: by then it has imported TensorFlow."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runnel.shared.errors import ExportError
from runnel.shared.export import verify
from runnel.shared.export.command_without_keras import command_without_keras
from runnel.shared.export.probe import Probe, record_probe

__all__ = ["Verifier"]

_RESULT = "verification.json"


class Verifier:
    """Waits from entering the context on for the export in a folder to be complete.

    Args:
        folder: holds the SavedModel by the time `verify` is called.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        # In the folder, so that a kill leaves nothing else; under a name that no later writer of the folder will use.
        self._probe = Path(tempfile.mkdtemp(dir=self._folder))
        self._process = subprocess.Popen(
            command_without_keras(verify.__file__, self._folder, self._probe, self._probe / _RESULT, waits=True),
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()  # does nothing where it has ended
        self._process.communicate()

    def verify(self, probe: Probe, signatures: dict[str, Any]) -> dict[str, Any]:
        """Replays a probe on what the folder holds now, once, and writes `verification.json` there.

        Args:
            probe: the inputs.
            signatures: the traced functions in memory, whose answers are those to be found again.

        Returns:
            what was measured.

        Raises:
            ExportError: the answers differ, or the process broke off.
        """
        record_probe(probe, signatures, self._probe)
        _, said = self._process.communicate("go on\n")
        code, result = self._process.returncode, self._probe / _RESULT
        if code not in (0, 1) or not result.exists():
            raise ExportError(
                f"the verification of the export broke off with exit code {code}; nothing was written: "
                f"{' '.join(said.split())[-500:]}"
            )
        measured: dict[str, Any] = json.loads(result.read_text())
        if not measured["passed"]:
            raise ExportError(f"the export did not pass its verification; nothing was written: {json.dumps(measured)}")
        result.rename(self._folder / _RESULT)
        shutil.rmtree(self._probe)
        return measured
