"""Trains an application once in one piece, and once killed with SIGKILL at random moments; a program, not a test.

    python killed_training.py APPLICATION CONFIG FOLDER KILLS SEED

CONFIG is the JSON of its options, for at least 24 batches. Every attempt is a fork of one process that has imported
TensorFlow and run nothing in it. Leaves the runs in FOLDER/whole and FOLDER/killed, and what each attempt said in
FOLDER/*.txt.
"""

import functools
import importlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras

from runnel.shared.training import fit_run
from runnel.shared.training.application import Application
from runnel.shared.training.run_folder import RunFolder

# However fast the machine, no attempt gets further than SECONDS_TO_LIVE / SECONDS_A_BATCH + 1 = 7 batches.
SECONDS_A_BATCH = 0.05
SECONDS_TO_LIVE = 0.3


class Slow(keras.callbacks.Callback):
    """In the place of the progress bar."""

    def __init__(self, started: Callable[[], object]) -> None:
        super().__init__()
        self._started = started

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        time.sleep(SECONDS_A_BATCH)

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self._started()


def train(application: Application, options: str, folder: Path, started: Callable[[], object]) -> None:
    folder.mkdir(exist_ok=True)
    loaded = application.load(application.config_type.from_dict(json.loads(options)), {})
    fit_run.fit = functools.partial(fit_run.fit, seconds_between_checkpoints=0.05)  # type: ignore[assignment]
    fit_run.Progress = lambda: Slow(started)  # type: ignore[assignment, misc]
    run = RunFolder(folder, application.name, loaded.config.to_dict(), "")
    with folder.with_suffix(".txt").open("a") as said:
        application.train_network(loaded.data, loaded.config, run, lambda line: print(line, file=said, flush=True))


def attempt(train_in: Callable[[Callable[[], object]], None], seconds: float | None) -> int:
    """Trains in a fork; kills it `seconds` after its first batch, None never. Returns the exit status of waitpid."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        train_in(lambda: os.write(writer, b"."))
        os._exit(0)
    os.close(writer)
    if seconds is not None and os.read(reader, 1):
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(reader)
    return status


def main(name: str, options: str, folder: Path, kills: int, seed: int) -> None:
    application = importlib.import_module(f"runnel.apps.{name}.train")._application()
    whole, killed = (functools.partial(train, application, options, folder / part) for part in ("whole", "killed"))
    draws = random.Random(seed)
    assert attempt(whole, None) == 0
    statuses = [attempt(killed, draws.uniform(0.2, SECONDS_TO_LIVE)) for _ in range(kills)]
    assert statuses == [signal.SIGKILL] * kills, f"an attempt ended before it was killed: {statuses}"
    assert attempt(killed, None) == 0


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
