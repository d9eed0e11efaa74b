"""What a service does with an export: TensorFlow and NumPy, nothing of this project. A program, not a test.

    python -I tensorflow_only_client.py SAVED_MODEL ROWS.csv FIRST LAST STATE.npz RESULTS.npz

Streams rows FIRST to LAST of a file of (Unix seconds, values) one by one from the state in STATE.npz, or from the start
if there is none; leaves the state there, and writes what it saw. At the end of the file it asks for the whole at once.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(saved_model: str, rows: str, first: int, last: int, state_file: Path, results: str) -> None:
    loaded = tf.saved_model.load(saved_model)
    with Path(rows).open() as file:
        table = [[float(cell or "nan") for cell in row] for row in csv.reader(file)]
    timestamp = np.array([row[0] for row in table], np.int64)[None]
    values = np.array([row[1:] for row in table], np.float32)[None]

    if state_file.exists():
        with np.load(state_file) as stored:
            state = {name: tf.constant(stored[name]) for name in stored.files}
    else:
        state = loaded.initial_state(batch_size=tf.constant(1))
    scores, alarms, sizes = [], [], set()
    for row in range(first, last):
        piece = {"observation": values[:, row : row + 1], "timestamp": timestamp[:, row : row + 1]}
        outputs = loaded.step(**{name: tf.constant(value) for name, value in piece.items()}, length=[1], **state)
        state = {name: outputs[name] for name in state}
        scores.append(outputs["anomaly_score"].numpy()[0, 0])
        alarms.append(outputs["alarm"].numpy()[0, 0])
        sizes.add(sum(value.numpy().nbytes for value in state.values()))
    np.savez(state_file, **{name: value.numpy() for name, value in state.items()})

    seen = {"scores": np.array(scores), "alarms": np.array(alarms), "sizes": np.array(sorted(sizes))}
    for name in ("forecast", "quantiles", "forecast_timestamp"):
        seen[name] = outputs[name].numpy()[0]
    if last == len(table):
        served = loaded.signatures["serving_default"](
            history=tf.constant(values), timestamp=tf.constant(timestamp), length=tf.constant([len(table)])
        )
        scored = loaded.signatures["score"](
            history=tf.constant(values), timestamp=tf.constant(timestamp), length=tf.constant([len(table)])
        )
        seen |= {f"served_{name}": value.numpy()[0] for name, value in (served | scored).items()}
    np.savez(results, **seen)
    assert not any(name.split(".")[0] == "runnel" for name in sys.modules)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]), sys.argv[6])
