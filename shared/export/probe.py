"""Recorded inputs, and what the model in memory answered, for the process that verifies an export."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["Probe", "record_probe"]

Arrays = Mapping[str, np.ndarray]
EVERYWHERE = {"initial_state", "step", "serving_default"}  # the signatures of every application


@dataclass(frozen=True)
class Probe:
    """One batch of inputs, whole and cut into pieces in several ways.

    Attributes:
        serve: inputs of `serving_default`, with the batch first.
        chunkings: several ways to cut the same input; each is a list of inputs of `step`. The first is the finest.
        final: results of `step` that after the last piece equal those of `serving_default`.
        growing: results of `step` that concatenate over the pieces, with the axis of concatenation.
        columns: outputs whose entries along an axis have units of their own: each is compared on its own scale.
        extra: {signature: inputs} for each that an application has besides; a state is the initial one for the batch
            of `serve`, and not among the inputs.
        ranked: {output: scores}: lists of text [B, K], best first, that may differ where their scores, which are
            probabilities [B, K], tie.
        ragged: {output: marks}: results of `step` [B, N, ...] of which each row has some valid entries, which
            concatenate over the pieces, and else zeros, -1 or "". What marks them is another output of `step`: either
            int32 [B], how many come first, which adds up over the pieces; or text [B, N], "" where there is none.
        appended: {result: (signature, output)}: text [B] of `step` that joins over the pieces, and the output of one of
            `extra` that it then equals.
        starts: what a client may set in the initial state, each {`state_...`: [B, ...]}: from there, too, all chunkings
            must agree, and a row alone with itself among others.
    """

    serve: Arrays
    chunkings: Sequence[Sequence[Arrays]]
    final: tuple[str, ...]
    growing: Mapping[str, int]
    columns: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ranked: Mapping[str, str] = field(default_factory=dict)
    ragged: Mapping[str, str] = field(default_factory=dict)
    appended: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    starts: Sequence[Arrays] = ()


def record_probe(probe: Probe, functions: Mapping[str, Any], folder: Path) -> None:
    """Runs a probe through the functions in memory and writes inputs and answers to `folder`.

    Args:
        probe: the inputs.
        functions: the traced signatures.
        folder: gets `probe.json` (how to run it) and `probe.npz` (all arrays).

    Raises:
        ValueError: the probe has not exactly the signatures that there are.
    """
    if probe.extra.keys() != functions.keys() - EVERYWHERE:
        raise ValueError(
            f"received a probe of the extra signatures {sorted(probe.extra)}; expected one of each of "
            f"{sorted(functions.keys() - EVERYWHERE)}; fill Probe.extra"
        )
    arrays = {f"serve/{name}": _plain(value) for name, value in probe.serve.items()}
    for index, pieces in enumerate(probe.chunkings):
        for position, piece in enumerate(pieces):
            arrays |= {f"chunking/{index}/{position}/{name}": _plain(value) for name, value in piece.items()}
    served = functions["serving_default"](**_tensors(probe.serve))
    arrays |= {f"expected/serve/{name}": _plain(value) for name, value in served.items()}

    batch = len(next(iter(probe.serve.values())))
    start = functions["initial_state"](batch_size=tf.constant(batch))
    outputs = state = start
    for piece in probe.chunkings[0]:
        outputs = functions["step"](**_tensors(piece), **state)
        state = {name: value for name, value in outputs.items() if name.startswith("state_")}
    arrays |= {f"expected/step/{name}": _plain(value) for name, value in outputs.items()}
    for signature, inputs in probe.extra.items():
        arrays |= {f"extra/{signature}/{name}": _plain(value) for name, value in inputs.items()}
        outputs = _call(functions[signature], inputs, start)
        arrays |= {f"expected/extra/{signature}/{name}": _plain(value) for name, value in outputs.items()}

    for index, entries in enumerate(probe.starts):
        arrays |= {f"start/{index}/{name}": _plain(value) for name, value in entries.items()}

    np.savez(folder / "probe.npz", allow_pickle=False, **arrays)
    plan = {
        "chunkings": [len(pieces) for pieces in probe.chunkings],
        "final": probe.final,
        "growing": dict(probe.growing),
        "columns": dict(probe.columns),
        "extra": list(probe.extra),
        "ranked": dict(probe.ranked),
        "ragged": dict(probe.ragged),
        "appended": dict(probe.appended),
        "starts": len(probe.starts),
    }
    (folder / "probe.json").write_text(json.dumps(plan))


def _call(function: Any, inputs: Arrays, state: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Results of a signature, given the state if it takes one."""
    taken = function.structured_input_signature[1]
    return function(**_tensors(inputs), **{name: value for name, value in state.items() if name in taken})


def _tensors(arrays: Arrays) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in arrays.items()}


def _plain(value: object) -> np.ndarray:
    """An array without objects: text becomes fixed-width bytes with a full stop, as NumPy drops NULs from their end."""
    tensor = tf.convert_to_tensor(value)
    array = np.array(tensor.numpy(), object if tensor.dtype == tf.string else None)
    if array.dtype != object:
        return array
    return np.array([text + b"." for text in array.ravel()], np.bytes_).reshape(array.shape)
