import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HOUR = 3600
START = 1_709_251_200  # 2024-03-01
COLUMNS = ("flow", "temperature", "pressure")
OPTIONS = (
    *("--target", "flow", "temperature", "--features", "pressure", "--series-id", "meter"),
    *("--context", "12", "--horizon", "3", "--units", "8", "--epochs", "2", "--steps-per-epoch", "4"),
    *("--batch-size", "8", "--long-state-rows", "40"),
)


@dataclass(frozen=True)
class Trained:
    """A forecaster that was trained for a few steps on two short series."""

    run: Path
    export: Path
    csv: Path
    said: str

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.export / "manifest.json").read_text())


def sensor_rows(rows: int, seed: int, level: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """Timestamps int64 [T] on an hourly grid with gaps, and values float32 [T, 3] with missing ones."""
    random = np.random.default_rng(seed)
    hours = np.cumsum(random.choice([1, 1, 1, 1, 1, 1, 2, 5], rows))
    day = 2 * np.pi * hours / 24
    flow = level * (1 + 0.1 * np.sin(day) + 0.02 * random.normal(size=rows))
    temperature = 15 + 5 * np.cos(day) + random.normal(size=rows)
    values = np.stack([flow, temperature, 1000 + random.normal(size=rows)], axis=1).astype(np.float32)
    values[random.random(values.shape) < 0.05] = np.nan
    return START + HOUR * hours, values


def write_sensors(path: Path, rows: int, seed: int) -> Path:
    """A file of two series, one of a much higher level."""
    lines = ["when,meter," + ",".join(COLUMNS)]
    for name, level in (("north", 10.0), ("south", 400.0)):
        timestamps, values = sensor_rows(rows, seed, level)
        for timestamp, row in zip(timestamps, values, strict=True):
            cells = ["" if np.isnan(value) else f"{value:.3f}" for value in row]
            lines.append(",".join([str(np.datetime64(int(timestamp), "s")), name, *cells]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, train_in_process: Callable[..., str]) -> Trained:
    folder = tmp_path_factory.mktemp("forecasting")
    csv = write_sensors(folder / "sensors.csv", 110, seed=0)
    run = folder / "run"
    said = train_in_process("forecasting", "--data", csv, *OPTIONS, "--out", run)
    return Trained(run, run / "export", csv, said)


@pytest.fixture(scope="session")
def loaded(trained: Trained) -> Any:
    """The export as TensorFlow alone loads it."""
    import tensorflow as tf

    return tf.saved_model.load(str(trained.export / "saved_model"))


@pytest.fixture(scope="session")
def data(trained: Trained) -> tuple[Any, Any]:
    """The training data and the decided options."""
    from runnel.apps.forecasting.config import Config
    from runnel.apps.forecasting.data import load_data

    return load_data(Config.from_dict(trained.manifest["config"]))


@pytest.fixture(scope="session", name="write_sensors")
def write_sensors_fixture() -> Callable[..., Path]:
    return write_sensors
