from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runnel.datasets.audio import load_speech
from runnel.datasets.audio.background_noise import background_noises


@pytest.fixture(autouse=True)
def short_noises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generates a second of each kind of noise: all that is made otherwise takes seconds to compute."""
    monkeypatch.setattr(load_speech, "background_noises", partial(background_noises, each=1, seconds=1.0))


@pytest.fixture
def write_audio(tmp_path: Path) -> Callable[..., Path]:
    """Writes samples [N] or [N, channels] to a file of the test's own folder."""

    def write_file(name: str, samples: np.ndarray, rate: int = 16_000, subtype: str | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, rate, subtype=subtype)
        return path

    return write_file


@pytest.fixture
def word() -> Callable[[int], np.ndarray]:
    """Makes a clip of a tenth of a second; each number gives another one."""

    def make(number: int) -> np.ndarray:
        return np.random.default_rng(number).integers(-3000, 3000, 1600, dtype=np.int16)

    return make
