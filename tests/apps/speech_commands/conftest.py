import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

RATE = 16_000
OPTIONS = (
    *("--units", "24", "--depth", "1", "--filters", "4", "--bands", "16", "--dropout", "0", "--batch-size", "8"),
    *("--epochs", "16", "--learning-rate", "0.01", "--averaging", "0.5", "--slot-seconds", "0.8", "--masks", "0"),
    *("--validation-hours", "0.02", "--evaluation-hours", "0.03", "--baseline-epochs", "1"),
    *("--smoothing-frames", "5", "--refractory-frames", "15", "--false-alarms-per-hour", "20"),
    # Both are of use once most words are told apart: this training is over then.
    *("--confusion-weight", "0", "--babble-share", "0"),
    "--no-jit-compile",  # compiling takes longer than all of this training
)
SPEAKERS = ("ada", "ben", "cleo", "dora", "emil", "finn", "gina", "hugo", "iris", "jan")
WORDS = {"high": (2600, 2600), "low": (500, 500), "rise": (400, 3000), "_unknown_": (3000, 400)}  # Hz, begin and end


@dataclass(frozen=True)
class Trained:
    """A recogniser that was trained for some seconds on tones."""

    run: Path
    export: Path
    clips: Path
    said: str

    @property
    def command(self) -> list[str]:
        """What trained it."""
        return ["train", "speech_commands", *OPTIONS, "--data", str(self.clips), "--out", str(self.run)]

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.export / "manifest.json").read_text())


def spoken(label: str, seed: int = 0, voice: float = 1.0) -> np.ndarray:
    """A "word" in [-1, 1]: a tone that keeps its pitch, rises or falls, with silence around it."""
    random = np.random.default_rng([seed, len(label), ord(label[0])])
    seconds = random.uniform(0.3, 0.4)
    time = np.arange(round(seconds * RATE)) / RATE
    begin, end = (voice * hertz for hertz in WORDS[label])
    tone = np.sin(2 * np.pi * (begin * time + (end - begin) * time**2 / (2 * seconds)))
    tone *= np.minimum(1, np.minimum(time, time[::-1]) / 0.02) * random.uniform(0.2, 0.6)
    before, after = (np.zeros(round(random.uniform(0.05, 0.15) * RATE)) for _ in range(2))
    word = np.concatenate([before, tone, after])
    return (word + random.normal(scale=1e-3, size=len(word))).astype(np.float32)


def write_clips(folder: Path, speakers: tuple[str, ...] = SPEAKERS, seed: int = 0) -> Path:
    """FOLDER/label/label_speaker_index.wav, two of each speaker, and some noise."""
    for number, speaker in enumerate(speakers):
        for label in WORDS:
            (folder / label).mkdir(parents=True, exist_ok=True)
            for index in range(2):
                clip = spoken(label, seed=100 * seed + 10 * number + index, voice=0.9 + 0.02 * number)
                soundfile.write(folder / label / f"{label}_{speaker}_{index}.wav", clip, RATE)
    (folder / "_background_noise_").mkdir()
    noise = np.random.default_rng(seed).normal(scale=0.02, size=20 * RATE)
    soundfile.write(folder / "_background_noise_" / "hiss.wav", noise, RATE)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, train_in_process: Callable[..., str]) -> Trained:
    """A recogniser of three tones."""
    folder = tmp_path_factory.mktemp("speech-commands")
    trained = Trained(folder / "run", folder / "run" / "export", write_clips(folder / "clips"), "")
    said = train_in_process(*trained.command[1:])
    return Trained(trained.run, trained.export, trained.clips, said)


@pytest.fixture(scope="session")
def recogniser(trained: Trained) -> Any:
    """The export, as TensorFlow alone loads it."""
    import tensorflow as tf

    return tf.saved_model.load(str(trained.export / "saved_model"))


@pytest.fixture(scope="session", name="spoken")
def spoken_fixture() -> Callable[..., np.ndarray]:
    return spoken


@pytest.fixture(scope="session", name="write_clips")
def write_clips_fixture() -> Callable[..., Path]:
    return write_clips
