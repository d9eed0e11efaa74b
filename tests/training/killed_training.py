"""Trains once in one piece, and once killed with SIGKILL at random moments; a program of its own, not a test.

    python killed_training.py FOLDER KILLS SEED

Every attempt is a fresh process. Forked, they share one import of TensorFlow; nothing has run in it by then.
Writes FOLDER/whole.json and FOLDER/killed.json: what each ended with, and where each attempt went on.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
from training.toy_problem import Calls, ToyProblem

# However fast the machine, no attempt gets further than SECONDS_TO_LIVE / SECONDS_A_BATCH + 1 = 7 of the 36 batches.
SECONDS_A_BATCH = 0.05
SECONDS_TO_LIVE = 0.3


def train(folder: Path, started: Callable[[], None]) -> None:
    lines = folder / "reports.txt"
    folder.mkdir(exist_ok=True)

    def report(line: str) -> None:
        with lines.open("a") as file:
            file.write(line + "\n")

    problem = ToyProblem(recurrent=True)
    history = problem.fit(
        folder / "checkpoints",
        callbacks=[
            keras.callbacks.CSVLogger(folder / "log.csv"),
            keras.callbacks.EarlyStopping(patience=2),
            Calls("on_train_batch_end", lambda call: started()),
            Calls("on_train_batch_begin", lambda call: time.sleep(SECONDS_A_BATCH)),
        ],
        seconds_between_checkpoints=0.05,
        report=report,
    )
    result = {
        "digest": problem.digest(),
        "epochs": history.epochs,
        "finished": history.finished,
        "log": (folder / "log.csv").read_text(),
        "reports": lines.read_text().splitlines() if lines.exists() else [],
    }
    folder.with_suffix(".json").write_text(json.dumps(result))


def attempt(folder: Path, seconds: float | None) -> int:
    """Trains in a fork; kills it `seconds` after its first batch, None never. Returns the exit status of waitpid."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        train(folder, lambda: os.write(writer, b"."))
        os._exit(0)
    os.close(writer)
    if seconds is not None and os.read(reader, 1):
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(reader)
    return status


def main(folder: Path, kills: int, seed: int) -> None:
    draws = random.Random(seed)
    assert attempt(folder / "whole", None) == 0
    statuses = [attempt(folder / "killed", draws.uniform(0, SECONDS_TO_LIVE)) for _ in range(kills)]
    assert statuses == [signal.SIGKILL] * kills, f"an attempt ended before it was killed: {statuses}"
    assert attempt(folder / "killed", None) == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
