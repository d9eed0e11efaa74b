"""How to run a program where TensorFlow is installed and Keras is not."""

import sys
from pathlib import Path

__all__ = ["command_without_keras"]

# TensorFlow imports Keras wherever it finds it.
_START = """
import runpy, sys
sys.modules["keras"] = None
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def command_without_keras(program: str | Path, *arguments: object) -> list[str]:
    """The command that runs a Python file, isolated from this project, as if Keras could not be imported."""
    return [sys.executable, "-I", "-c", _START, str(program), *map(str, arguments)]
