"""Trains once in one piece, and once killed with SIGKILL at random moments; a program of its own, not a test.

    python killed_training.py TEXT FOLDER KILLS SEED

Every attempt is a fork of one process that has imported TensorFlow and run nothing in it. Leaves the runs in
FOLDER/whole and FOLDER/killed, and what each attempt said in FOLDER/*.txt.
"""

import functools
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras

from runnel.apps.autocomplete import train as module
from runnel.apps.autocomplete.config import Advanced, Config
from runnel.apps.autocomplete.data import load_data
from runnel.shared.training.run_folder import RunFolder

# However fast the machine, no attempt gets further than SECONDS_TO_LIVE / SECONDS_A_BATCH + 1 = 7 of the 24 batches.
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


def train(text: str, folder: Path, started: Callable[[], object]) -> None:
    folder.mkdir(exist_ok=True)
    config = Config(
        data=text,
        advanced=Advanced(units=6, embedding=4, depth=1, epochs=3, steps_per_epoch=8, batch_size=4, window=8),
    )
    module.fit = functools.partial(module.fit, seconds_between_checkpoints=0.05)  # type: ignore[assignment]
    module.Progress = lambda: Slow(started)  # type: ignore[assignment, misc]
    with folder.with_suffix(".txt").open("a") as said:
        run = RunFolder(folder, "autocomplete", config.to_dict(), "")
        module.train_network(load_data(config), config, run, lambda line: print(line, file=said, flush=True))


def attempt(text: str, folder: Path, seconds: float | None) -> int:
    """Trains in a fork; kills it `seconds` after its first batch, None never. Returns the exit status of waitpid."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        train(text, folder, lambda: os.write(writer, b"."))
        os._exit(0)
    os.close(writer)
    if seconds is not None and os.read(reader, 1):
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(reader)
    return status


def main(text: str, folder: Path, kills: int, seed: int) -> None:
    draws = random.Random(seed)
    assert attempt(text, folder / "whole", None) == 0
    statuses = [attempt(text, folder / "killed", draws.uniform(0.1, SECONDS_TO_LIVE)) for _ in range(kills)]
    assert statuses == [signal.SIGKILL] * kills, f"an attempt ended before it was killed: {statuses}"
    assert attempt(text, folder / "killed", None) == 0


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
