"""What a service does with exports: TensorFlow, NumPy and json, nothing of this project. A program, not a test.

    python -I tensorflow_only_client.py SAVED_MODEL SESSIONS.npz STATE.npz RESULTS.json

Streams the sessions, one a row and each as long as it is, in pieces of drawn lengths, empty ones among them, from the
state in STATE.npz, or from the start if there is none; leaves the state there. Writes to RESULTS.json the events of
each session, the number of its frames, the sizes that the state had, and how many milliseconds the median step took.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(saved_model: str, sessions: list[np.ndarray], state_file: Path, results: Path) -> None:
    loaded = tf.saved_model.load(saved_model)
    rows = len(sessions)
    if state_file.exists():
        with np.load(state_file) as stored:
            state = {name: tf.constant(stored[name]) for name in stored.files}
    else:
        state = loaded.initial_state(batch_size=tf.constant(rows))
    events: list[list[list]] = [[] for _ in sessions]
    frames, sizes, times = np.zeros(rows, np.int64), set(), []
    random, sent = np.random.default_rng(0), np.zeros(rows, np.int64)
    while any(begin < len(session) for begin, session in zip(sent, sessions, strict=True)):
        # Nothing, a sample, part of a frame, a second: every row its own.
        wanted = random.choice([0, 1, 100, 320, 1000, 16_000], size=rows)
        pieces = [session[begin : begin + size] for session, begin, size in zip(sessions, sent, wanted, strict=True)]
        lengths = np.array([len(piece) for piece in pieces], np.int32)
        waveform = np.full((rows, lengths.max()), np.nan, np.float32)
        for row, piece in zip(waveform, pieces, strict=True):
            row[: len(piece)] = piece
        begin = time.perf_counter()
        outputs = loaded.step(waveform=tf.constant(waveform), length=tf.constant(lengths), **state)
        state = {name: outputs[name] for name in state}
        columns = [outputs[f"event_{name}"].numpy() for name in ("label", "sample", "confidence")]
        for row in range(rows):
            for label, sample, confidence in zip(*(column[row] for column in columns), strict=True):
                if label:
                    events[row].append([label.decode(), int(sample), float(confidence)])
        times.append(time.perf_counter() - begin)
        frames += outputs["frame_count"].numpy()
        sizes.add(sum(value.numpy().nbytes for value in state.values()))
        sent += lengths
    np.savez(state_file, **{name: value.numpy() for name, value in state.items()})
    found = {"events": events, "frames": frames.tolist(), "sizes": sorted(sizes), "step_ms": 1e3 * np.median(times)}
    results.write_text(json.dumps(found))


if __name__ == "__main__":
    saved_model, file, state_file, results = sys.argv[1:]
    with np.load(file) as stored:
        spoken = [stored[name] for name in stored.files]
    main(saved_model, spoken, Path(state_file), Path(results))
    assert not any(name.split(".")[0] == "runnel" for name in sys.modules)
