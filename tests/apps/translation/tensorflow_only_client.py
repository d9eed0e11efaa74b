"""What a service does with an export: TensorFlow, NumPy and json, nothing of this project. A program, not a test.

    python -I tensorflow_only_client.py SAVED_MODEL ASKED.json SAID.json

ASKED holds {`text`, hexadecimal bytes, `wait_k`} for each sentence, all of one talk, one after the other. Each is sent
in pieces of random size. Writes to SAID for each what was `streamed`, what `greedy` gives, both as hexadecimal bytes,
how many `pieces` there were, and the `sizes` of the state in bytes.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf


def main(saved_model: str, asked: Path, said: Path) -> None:
    loaded = tf.saved_model.load(saved_model)
    state = loaded.initial_state(batch_size=tf.constant(1))
    random, answers = np.random.default_rng(5), []
    for sentence in json.loads(asked.read_text()):
        text = bytes.fromhex(sentence["text"])
        state["state_wait_k"] = tf.constant([sentence["wait_k"]])
        cuts = [0, *sorted(random.integers(0, len(text) + 1, random.integers(2, 6))), len(text)]
        pieces = [text[begin:end] for begin, end in itertools.pairwise(cuts)]
        streamed, sizes = b"", set()
        for place, piece in enumerate(pieces):
            final = place == len(pieces) - 1
            outputs = loaded.step(text=tf.constant([piece]), final=tf.constant([final]), **state)
            state = {name: outputs[name] for name in state}
            streamed += outputs["committed"].numpy()[0]
            sizes.add(sum(value.numpy().nbytes for value in state.values()))
        greedy = loaded.signatures["greedy"](text=tf.constant([text]))["translation"].numpy()[0]
        answers.append(
            {"streamed": streamed.hex(), "greedy": greedy.hex(), "pieces": len(pieces), "sizes": sorted(sizes)}
        )
    said.write_text(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    assert not any(name.split(".")[0] == "runnel" for name in sys.modules)
