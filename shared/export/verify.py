"""Verifies an export in a process that has TensorFlow and NumPy, no Keras, and nothing of this project.

Run by path, isolated: `python -I verify.py EXPORT_DIR PROBE_DIR RESULT.json`. Exit code 0 if everything held, 1 if not.
It must not import anything else: what it proves is that a service can do without.
"""

import functools
import io
import json
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

__all__ = ["Export", "main", "ranked_distance", "verify"]

TOLERANCE = 1e-5  # float32, relative to the largest magnitude of the output
TIE = 1e-5  # absolute, between probabilities
LATENCY_STEPS = 200
FORBIDDEN = ("Assign", "Cudnn", "PyFunc")
DRAWING = (
    "CandidateSampler",
    "Multinomial",
    "NonDeterministicInts",
    "Random",
    "Rng",
    "Shuffle",
    "StatefulUniform",
    "TruncatedNormal",
)
MAY_DRAW = ("generate",)  # signatures that sample on purpose, by operations that are functions of a seed

Outputs = dict[str, Any]


class Export:
    """A loaded export, driven as a client would."""

    def __init__(self, folder: Path) -> None:
        self.loaded = tf.saved_model.load(str(folder / "saved_model"))
        self.signatures = self.loaded.signatures

    def serve(self, inputs: dict) -> Outputs:
        """Results for a whole input."""
        return _to_numpy(self.signatures["serving_default"](**_to_tensors(inputs)))

    def initial_state(self, batch: int) -> Outputs:
        """The state before any input."""
        return _to_numpy(self.signatures["initial_state"](batch_size=tf.constant(batch, tf.int32)))

    def step(self, piece: dict, state: dict) -> tuple[Outputs, Outputs]:
        """Results for one piece, and the state after it."""
        outputs = _to_numpy(self.signatures["step"](**_to_tensors({**piece, **state})))
        new_state = {name: outputs.pop(name) for name in state}
        return outputs, new_state

    def call(self, name: str, inputs: dict, state: dict) -> Outputs:
        """Results of any signature, given the state if it takes one."""
        signature = self.signatures[name]
        taken = signature.structured_input_signature[1]
        state = {key: value for key, value in state.items() if key in taken}
        return _to_numpy(signature(**_to_tensors({**inputs, **state})))

    def stream(self, pieces: list[dict], state: dict) -> tuple[list[Outputs], Outputs]:
        """Results for each piece, and the state after the last."""
        results = []
        for piece in pieces:
            outputs, state = self.step(piece, state)
            results.append(outputs)
        return results, state


def verify(export_folder: Path, probe_folder: Path) -> dict:
    """Replays the probes and measures how far the answers lie apart, as a share of each output's magnitude.

    A graph with forbidden operations is not run.
    """
    forbidden = _forbidden_operations(export_folder)
    if forbidden:
        return {"passed": False, "forbidden_operations": forbidden}
    plan = json.loads((probe_folder / "probe.json").read_text())
    arrays = np.load(probe_folder / "probe.npz")
    export = Export(export_folder)
    chunkings = [
        [_under(arrays, f"chunking/{index}/{position}/") for position in range(count)]
        for index, count in enumerate(plan["chunkings"])
    ]
    checks = _measure(export, plan, arrays, chunkings)
    return {
        "passed": all(value <= TOLERANCE for value in checks.values()),
        "tolerance": TOLERANCE,
        "checks": checks,
        "forbidden_operations": forbidden,
        "state_bytes_per_session": int(sum(value[0].nbytes for value in export.initial_state(1).values())),
        "saved_model_bytes": sum(p.stat().st_size for p in (export_folder / "saved_model").rglob("*") if p.is_file()),
        "step_latency_ms": _latency(export, chunkings[0]),
        "tensorflow": tf.__version__,
    }


def _measure(export: Export, plan: dict, arrays: Any, chunkings: list[list[dict]]) -> dict[str, float]:
    """How far apart the answers lie that should be equal: {check: distance}."""
    serve_inputs = _under(arrays, "serve/")
    batch = len(next(iter(serve_inputs.values())))
    start = export.initial_state(batch)
    starts = [start, *({**start, **_under(arrays, f"start/{index}/")} for index in range(plan["starts"]))]
    served = export.serve(serve_inputs)
    streams = [[export.stream(pieces, one) for pieces in chunkings] for one in starts]  # [start][chunking]
    ragged, appended = plan["ragged"], plan["appended"]
    join = functools.partial(_join, growing=plan["growing"], ragged=ragged, appended=appended)
    results, last_state = streams[0][0]
    finest, last_piece = join(results), results[-1]
    coarsest = min(range(len(chunkings)), key=lambda index: len(chunkings[index]))
    expected_step = _under(arrays, "expected/step/")
    state_names = [name for name in expected_step if name in last_state]
    distance = functools.partial(_distance, columns=plan["columns"], ranked=plan["ranked"])
    extra = {name: export.call(name, _under(arrays, f"extra/{name}/"), start) for name in plan["extra"]}
    whole = {**_pick(served, plan["final"]), **{name: extra[by][output] for name, (by, output) in appended.items()}}
    names = [*{*ragged, *ragged.values(), *appended}]
    row_of = functools.partial(_row_of_stream, export, chunkings[coarsest], join, names)
    everything = [piece for every in streams for results, _ in every for piece in results]
    return {
        "reloaded_equals_in_process": max(
            distance(served, _under(arrays, "expected/serve/")),
            distance({**last_piece, **last_state}, expected_step),
            *(distance(outputs, _under(arrays, f"expected/extra/{name}/")) for name, outputs in extra.items()),
        ),
        "step_equals_whole": distance(_pick(finest, [*whole]), whole),
        "chunkings_agree": max(_disagreement(every, join, distance) for every in streams),
        "one_equals_many": max(
            distance(*both)
            for row in range(batch)
            for both in (
                (export.serve(_row(serve_inputs, row)), _row(served, row)),
                *(row_of(row, one, every[coarsest][0]) for one, every in zip(starts, streams, strict=True)),
            )
        ),
        "serialised_state_continues": distance(_continue_serialised(export, chunkings[0], start), last_state),
        "padding_is_empty": float(not all(_is_padded(piece, ragged) for piece in everything)),
        "state_keeps_its_form": 0.0 if _same_form(start, last_state) and state_names else 1.0,
    }


def _continue_serialised(export: Export, pieces: list[dict], start: dict) -> dict:
    """The last state when the state half-way went through bytes."""
    half = len(pieces) // 2
    _, state = export.stream(pieces[:half], start)
    buffer = io.BytesIO()
    np.savez(buffer, **state)
    restored = np.load(io.BytesIO(buffer.getvalue()))
    return export.stream(pieces[half:], {name: restored[name] for name in restored.files})[1]


def _disagreement(streams: list[tuple[list[Outputs], Outputs]], join: Callable, distance: Callable) -> float:
    """How far results and last states of several cuttings lie from those of the first."""
    joined = [{**join(results), **state} for results, state in streams]
    return max(distance(one, joined[0]) for one in joined)


def _join(
    pieces: list[Outputs], growing: Mapping[str, int], ragged: Mapping[str, str], appended: Collection[str]
) -> Outputs:
    """Results over all pieces.

    Growing ones and appended text end to end, the valid entries of ragged ones, of the others the last.
    """
    joined = {name: np.concatenate([piece[name] for piece in pieces], axis) for name, axis in growing.items()}
    joined |= {name: np.sum([piece[name] for piece in pieces], axis=0) for name in appended}
    for name, by in ragged.items():
        valid = np.concatenate([_valid(piece[by], piece[name].shape[1]) for piece in pieces], axis=1)
        joined[name] = _pack(np.concatenate([piece[name] for piece in pieces], axis=1), valid)
        if by not in ragged:
            joined[by] = sum(piece[by] for piece in pieces)
    return pieces[-1] | joined


def _valid(marks: np.ndarray, width: int) -> np.ndarray:
    """Which entries [B, N] are valid: those whose text is not empty, or so many from the first."""
    return marks != b"" if marks.dtype == object else np.arange(width) < marks[:, None]


def _pack(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Values [B, N, ...] whose valid entries come first in their row, with zeros or empty text behind them."""
    length = np.sum(valid, axis=1)
    order = np.argsort(~valid, axis=1, kind="stable")[:, : np.max(length, initial=0)]
    packed = values[np.arange(len(values))[:, None], order]
    packed[np.arange(packed.shape[1]) >= length[:, None]] = b"" if values.dtype == object else 0
    return packed


def _is_padded(outputs: Outputs, ragged: Mapping[str, str]) -> bool:
    """Whether ragged results have room for all their entries, and nothing but zeros, -1 or "" where there is none."""
    for name, by in ragged.items():
        values, marks = outputs[name], outputs[by]
        valid = _valid(marks, values.shape[1])
        has_room = marks.dtype == object or np.array_equal(np.sum(valid, axis=1), marks)
        if not has_room or any(value not in (0, -1, b"") for value in values[~valid].ravel().tolist()):
            return False
    return True


def _row_of_stream(
    export: Export, pieces: list[dict], join: Callable, names: list[str], row: int, start: dict, results: list[Outputs]
) -> tuple[Outputs, Outputs]:
    """These results of a row alone, and what they were among others."""
    if not names:
        return {}, {}
    alone, _ = export.stream([_row(piece, row) for piece in pieces], _row(start, row))
    among = [_row(outputs, row) for outputs in results]
    return _pick(join(alone), names), _pick(join(among), names)


def _latency(export: Export, pieces: list[dict]) -> dict[str, float]:
    """Median and 95th percentile of one step with a batch of one, in milliseconds; recorded, never judged."""
    state = _to_tensors(export.initial_state(1))
    rows = [_to_tensors({name: value[:1] for name, value in piece.items()}) for piece in pieces]
    step = export.signatures["step"]
    seconds = []
    for index in range(LATENCY_STEPS):
        begin = time.perf_counter()
        outputs = step(**rows[index % len(rows)], **state)
        seconds.append(time.perf_counter() - begin)
        state = {name: outputs[name] for name in state}
    p50, p95 = np.percentile(np.array(seconds[LATENCY_STEPS // 10 :]) * 1e3, [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3)}


def _forbidden_operations(folder: Path) -> list[str]:
    """Operations that keep state, draw random numbers, need a GPU or call Python, as FUNCTION:OPERATION.

    A function that only signatures of `MAY_DRAW` reach may draw as a function of a seed.
    """
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model" / "saved_model.pb").read_bytes())
    found = []
    for meta in saved.meta_graphs:
        functions = {function.signature.name: function for function in meta.graph_def.library.function}
        drawing = _reached([root for name in MAY_DRAW for root in _entries(meta, name)], functions)
        drawing -= _reached(functions.keys() - drawing, functions)  # called from elsewhere, too
        for name, function in functions.items():
            if "__inference__traced_" in name:  # saving and restoring the variables assigns them; nothing else may
                continue
            operations = {node.op for node in function.node_def}
            found += [f"{name}:{operation}" for operation in operations if _is_forbidden(operation, name in drawing)]
    return sorted(set(found))


def _is_forbidden(operation: str, may_draw: bool) -> bool:
    draws = any(word in operation for word in DRAWING)
    draws_as_it_may = may_draw and operation.startswith("Stateless")
    return any(word in operation for word in FORBIDDEN) or (draws and not draws_as_it_may)


def _entries(meta: Any, signature: str) -> list[str]:
    """The functions that begin a signature, and a method of the same name, of which a copy may have been traced."""
    nodes = {node.name: node for node in meta.graph_def.node}
    outputs = meta.signature_def[signature].outputs.values() if signature in meta.signature_def else ()
    entries = [name for output in outputs for name in _called(nodes[output.name.split(":")[0]])]
    objects = meta.object_graph_def.nodes
    for method in (objects[child.node_id] for child in objects[0].children if child.local_name == signature):
        entries += [*method.function.concrete_functions, method.bare_concrete_function.concrete_function_name]
    return entries


def _reached(roots: Iterable[str], functions: Mapping[str, Any]) -> set[str]:
    """These functions and all that they call, through whatever depth of loops, branches and calls."""
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in functions and name not in reached:
            reached.add(name)
            waiting += [called for node in functions[name].node_def for called in _called(node)]
    return reached


def _called(node: Any) -> list[str]:
    """What a node may call: an operation may be a function itself, or have functions as attributes."""
    values = node.attr.values()
    return [node.op, *(value.func.name for value in values), *(one.name for value in values for one in value.list.func)]


def _distance(
    left: Outputs,
    right: Outputs,
    columns: Mapping[str, int] = MappingProxyType({}),
    ranked: Mapping[str, str] = MappingProxyType({}),
) -> float:
    """The largest difference as a share of the output's magnitude; infinite where form, text or NaN differ.

    Lists of text that are `ranked` by scores may differ where those tie.
    """
    if left.keys() != right.keys():
        return float("inf")
    left, right = ({name: np.asarray(value) for name, value in outputs.items()} for outputs in (left, right))
    scores = {name: by for name, by in ranked.items() if name in left and by in left}
    distances = [_array_distance(left[name], right[name], columns.get(name)) for name in left.keys() - scores.keys()]
    distances += [ranked_distance(left[name], right[name], left[by], right[by]) for name, by in scores.items()]
    return max(distances, default=0.0)


def ranked_distance(left: np.ndarray, right: np.ndarray, left_scores: np.ndarray, right_scores: np.ndarray) -> float:
    """Of two lists of text [..., K], best first: zero where they differ only in entries that tie, else infinite.

    Args:
        left: texts [..., K].
        right: texts [..., K].
        left_scores: probabilities [..., K]; two within 1e-5 tie.
        right_scores: probabilities [..., K].
    """
    if not left.shape == right.shape == left_scores.shape == right_scores.shape:
        return float("inf")
    for row in np.ndindex(left.shape[:-1]):
        here, there = (left[row].tolist(), left_scores[row]), (right[row].tolist(), right_scores[row])
        if here[0] != there[0] and not (_ties(*here, *there) and _ties(*there, *here)):
            return float("inf")
    return 0.0


def _ties(texts: list, scores: np.ndarray, others: list, other_scores: np.ndarray) -> bool:
    """Whether each text ties with itself in the other list; one that is missing there, with the last of that list."""
    known = dict(zip(_numbered(others), other_scores, strict=True))
    wanted = [known.get(text, other_scores[-1]) for text in _numbered(texts)]
    return np.allclose(scores, wanted, rtol=0, atol=TIE)


def _numbered(texts: list) -> list[tuple]:
    """Texts, with how often each stands before: a list may be filled up with empty ones."""
    return [(text, texts[:place].count(text)) for place, text in enumerate(texts)]


def _array_distance(left: np.ndarray, right: np.ndarray, axis: int | None) -> float:
    """Of two arrays; entries along `axis`, where there is one, have units and so magnitudes of their own."""
    if left.shape != right.shape:
        return float("inf")
    if left.dtype.kind != "f":
        return 0.0 if np.array_equal(left.astype(object), right.astype(object)) else float("inf")
    if not np.array_equal(np.isfinite(left), np.isfinite(right)):
        return float("inf")
    finite = np.isfinite(left)
    difference = np.where(finite, np.abs(left - right), 0.0)
    others = tuple(other for other in range(left.ndim) if other != axis)
    magnitude = np.max(np.where(finite, np.abs(right), 0.0), axis=others, keepdims=True, initial=1e-12)
    return float(np.max(difference / magnitude, initial=0.0))


def _same_form(left: Outputs, right: Outputs) -> bool:
    return left.keys() == right.keys() and all(
        left[name].shape == right[name].shape and left[name].dtype == right[name].dtype for name in left
    )


def _under(arrays: Any, prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): _as_recorded(arrays[name]) for name in arrays.files if name.startswith(prefix)}


def _as_recorded(array: np.ndarray) -> np.ndarray:
    """The array, text without the full stop that keeps its last NULs."""
    if array.dtype.kind != "S":
        return array
    return np.array([text[:-1] for text in array.ravel().tolist()], object).reshape(array.shape)


def _pick(outputs: Outputs, names: list[str]) -> Outputs:
    return {name: outputs[name] for name in names}


def _row(values: Outputs, row: int) -> Outputs:
    return {name: value[row : row + 1] for name, value in values.items()}


def _to_tensors(values: dict) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in values.items()}


def _to_numpy(outputs: dict) -> Outputs:
    return {name: value.numpy() for name, value in outputs.items()}


def main() -> int:
    """Verifies and writes what was measured; the exit code says whether everything held."""
    export_folder, probe_folder, result = (Path(argument) for argument in sys.argv[1:4])
    measured = verify(export_folder, probe_folder)
    result.write_text(json.dumps(measured, indent=2) + "\n")
    return 0 if measured["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
