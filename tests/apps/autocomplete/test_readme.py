"""The program of the application's README runs as printed, but for the place of the export."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

README = Path(__file__).parents[3] / "apps" / "autocomplete" / "README.md"


@pytest.mark.slow
def test_backspace(trained: Any, words: Any, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    program = re.sub(r'"runs/demo/[^"]*"', repr(str(trained.export / "saved_model")), program)
    (tmp_path / "backspace.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-I", "backspace.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = words.serving_default(text=tf.constant(["The quick brown "]))["suggestions"].numpy()[0]
    assert ast.literal_eval(done.stdout) == [word.decode() for word in expected]
