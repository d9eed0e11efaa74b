"""The program of the application's README runs as printed, but for the place of the export."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

README = Path(__file__).parents[3] / "apps" / "speech_commands" / "README.md"


@pytest.mark.slow
def test_microphone(trained: Any, recogniser: Any, tmp_path: Path, spoken: Callable) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    program = re.sub(r'"runs/demo/[^"]*"', repr(str(trained.export / "saved_model")), program)
    (tmp_path / "listen.py").write_text(program)
    words = [spoken(label, seed=7) for label in ("low", "rise", "high") for _ in range(2)]
    audio = np.round(np.concatenate([np.pad(word, (8_000, 8_000)) for word in words]) * 32768).astype("<i2")
    done = subprocess.run(
        [sys.executable, "-I", "listen.py"], cwd=tmp_path, input=audio.tobytes(), capture_output=True, check=True
    )
    state = recogniser.initial_state(batch_size=tf.constant(1))
    waveform = tf.constant(audio[None] / np.float32(32768))
    outputs = recogniser.step(waveform=waveform, length=tf.constant([len(audio)]), **state)
    labels, samples = (outputs[f"event_{name}"].numpy()[0] for name in ("label", "sample"))
    assert len(labels) >= 2
    expected = [f"{label.decode()} {sample / 16_000}" for label, sample in zip(labels, samples, strict=True)]
    assert done.stdout.decode().splitlines() == expected
