"""What a service does with exports: TensorFlow, NumPy and json, nothing of this project. A program, not a test.

    python -I tensorflow_only_client.py FOLDER NUMBER SAVED_MODEL...

Types the pieces of text in FOLDER/NUMBER.json, hexadecimal bytes, into each model m, from the state in
FOLDER/state-m.npz, or from the start if there is none; leaves the state there. Writes to FOLDER/NUMBER-m.npz the
suggestions after each piece and, for the first of these processes, those for all of its text at once.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(saved_model: str, pieces: list[bytes], state_file: Path, results: Path) -> None:
    loaded = tf.saved_model.load(saved_model)
    seen = {}
    if state_file.exists():
        with np.load(state_file) as stored:
            state = {name: tf.constant(stored[name]) for name in stored.files}
    else:
        state = loaded.initial_state(batch_size=tf.constant(1))
        served = loaded.signatures["serving_default"](text=tf.constant([b"".join(pieces)]))
        seen["served_suggestions"] = served["suggestions"].numpy()[0].astype(np.bytes_)
        seen["served_scores"] = served["scores"].numpy()[0]
    answers, sizes = [], set()
    for piece in pieces:
        outputs = loaded.step(text=tf.constant([piece]), **state)
        state = {name: outputs[name] for name in state}
        answers.append((outputs["suggestions"].numpy()[0], outputs["scores"].numpy()[0]))
        sizes.add(sum(value.numpy().nbytes for value in state.values()))
    np.savez(state_file, **{name: value.numpy() for name, value in state.items()})

    suggestions, scores = zip(*answers, strict=True)
    seen |= {"suggestions": np.array(suggestions, np.bytes_), "scores": np.array(scores), "sizes": np.array([*sizes])}
    np.savez(results, **seen)


if __name__ == "__main__":
    folder, number = Path(sys.argv[1]), sys.argv[2]
    typed = [bytes.fromhex(piece) for piece in json.loads((folder / f"{number}.json").read_text())]
    for place, path in enumerate(sys.argv[3:]):
        main(path, typed, folder / f"state-{place}.npz", folder / f"{number}-{place}.npz")
    assert not any(name.split(".")[0] == "runnel" for name in sys.modules)
