"""Recorded inputs, and what the model in memory answered, for the process that verifies an export."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf

__all__ = ["Probe", "record_probe"]

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Probe:
    """One batch of inputs, whole and cut into pieces in several ways.

    Attributes:
        serve: inputs of `serving_default`, with the batch first.
        chunkings: several ways to cut the same input; each is a list of inputs of `step`. The first is the finest.
        final: results of `step` that after the last piece equal those of `serving_default`.
        growing: results of `step` that concatenate over the pieces, with the axis of concatenation.
        columns: outputs whose entries along an axis have units of their own: each is compared on its own scale.
    """

    serve: Arrays
    chunkings: Sequence[Sequence[Arrays]]
    final: tuple[str, ...]
    growing: Mapping[str, int]
    columns: Mapping[str, int] = field(default_factory=dict)


def record_probe(probe: Probe, functions: Mapping[str, Callable], folder: Path) -> None:
    """Runs a probe through the functions in memory and writes inputs and answers to `folder`.

    Args:
        probe: the inputs.
        functions: `initial_state`, `step` and `serving_default`.
        folder: gets `probe.json` (how to run it) and `probe.npz` (all arrays).
    """
    arrays = {f"serve/{name}": _plain(value) for name, value in probe.serve.items()}
    for index, pieces in enumerate(probe.chunkings):
        for position, piece in enumerate(pieces):
            arrays |= {f"chunking/{index}/{position}/{name}": _plain(value) for name, value in piece.items()}
    served = functions["serving_default"](**_tensors(probe.serve))
    arrays |= {f"expected/serve/{name}": _plain(value) for name, value in served.items()}

    batch = len(next(iter(probe.serve.values())))
    outputs = functions["initial_state"](batch_size=tf.constant(batch))
    state = outputs
    for piece in probe.chunkings[0]:
        outputs = functions["step"](**_tensors(piece), **state)
        state = {name: value for name, value in outputs.items() if name.startswith("state_")}
    arrays |= {f"expected/step/{name}": _plain(value) for name, value in outputs.items()}

    np.savez(folder / "probe.npz", allow_pickle=False, **arrays)
    plan = {
        "chunkings": [len(pieces) for pieces in probe.chunkings],
        "final": probe.final,
        "growing": dict(probe.growing),
        "columns": dict(probe.columns),
    }
    (folder / "probe.json").write_text(json.dumps(plan))


def _tensors(arrays: Arrays) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in arrays.items()}


def _plain(value: object) -> np.ndarray:
    """An array without objects: text becomes fixed-width UTF-8 bytes."""
    array = tf.convert_to_tensor(value).numpy()
    return array.astype(np.bytes_) if array.dtype == object else array
