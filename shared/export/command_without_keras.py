"""How to run a program where TensorFlow is installed and Keras is not."""

import sys
from pathlib import Path

__all__ = ["command_without_keras"]

# TensorFlow imports Keras wherever it finds it.
_HIDE_KERAS = """
import runpy, sys
sys.modules["keras"] = None
"""
_WAIT = """
import tensorflow
if not sys.stdin.readline():
    sys.exit("nobody waits for an answer any more")
"""
_RUN = """
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def command_without_keras(program: str | Path, *arguments: object, waits: bool = False) -> list[str]:
    """The command that runs a Python file, isolated from this project, as if Keras could not be imported.

    Args:
        program: the file.
        arguments: what the program is given.
        waits: whether the process first imports TensorFlow and then waits for a line on its standard input; it ends
            without having run the program if there comes none.
    """
    start = _HIDE_KERAS + (_WAIT if waits else "") + _RUN
    return [sys.executable, "-I", "-c", start, str(program), *map(str, arguments)]
