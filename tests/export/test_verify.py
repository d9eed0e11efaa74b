import ast
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from export.toy_streams import UNITS, SumStream, sum_probe

from runnel.shared.export import verify as verify_module
from runnel.shared.export.probe import record_probe
from runnel.shared.export.signatures import build_servable
from runnel.shared.export.verify import verify

SOURCE = Path(verify_module.__file__)


def save(servable, folder):
    tf.saved_model.save(servable.module, str(folder / "export" / "saved_model"), signatures=servable.signatures)


def verified(stream, probe, folder):
    """What `verify` measures on a stream that is saved, in this process."""
    servable = build_servable(stream)
    save(servable, folder)
    record_probe(probe, servable.signatures, folder)
    return verify(folder / "export", folder)


def failing(measured):
    return {name for name, value in measured["checks"].items() if value > measured["tolerance"]}


def test_imports_tensorflow_numpy_and_the_standard_library_alone():
    imported = set()
    for node in ast.walk(ast.parse(SOURCE.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module.split(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"numpy", "tensorflow"}


def test_a_sound_stream_passes(tmp_path):
    measured = verified(SumStream(), sum_probe(), tmp_path)
    assert measured["passed"]
    assert measured["forbidden_operations"] == []
    assert json.loads(json.dumps(measured)) == measured


# === What is planted is found, and by the check it belongs to ===


class WholeDiffers(SumStream):
    def serve(self, inputs):
        return {"total": super().serve(inputs)["total"] + 1e-3}


class DependsOnChunks(SumStream):
    """Starts its running sum anew in every piece."""

    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        return results | {"totals": tf.cumsum(results["totals"] - results["totals"][:, :1], axis=1)}, state


class RowsLeak(SumStream):
    def serve(self, inputs):
        total = super().serve(inputs)["total"]
        return {"total": total - tf.reduce_max(total, axis=0)}


@pytest.mark.parametrize(
    ("stream", "check"),
    [(WholeDiffers, "step_equals_whole"), (DependsOnChunks, "chunkings_agree"), (RowsLeak, "one_equals_many")],
)
def test_planted_fault_is_found(tmp_path, stream, check):
    measured = verified(stream(), sum_probe(), tmp_path)
    assert not measured["passed"]
    assert check in failing(measured)


def test_export_of_other_weights_is_found(tmp_path):
    servable = build_servable(SumStream())
    record_probe(sum_probe(), servable.signatures, tmp_path)
    other = SumStream()
    other.gru.set_weights([weight + 0.01 for weight in other.gru.get_weights()])
    save(build_servable(other), tmp_path)
    assert failing(verify(tmp_path / "export", tmp_path)) == {"reloaded_equals_in_process"}


def test_longer_text_than_recorded_is_found():
    recorded, longer = np.array([b"yes"]), np.array([b"yes, and more"], object)
    assert verify_module._distance({"text": longer}, {"text": recorded}) == np.inf
    assert verify_module._distance({"text": longer}, {"text": longer.astype(np.bytes_)}) == 0


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [
        ([1.0, np.nan], [1.0, np.nan], 0.0),
        ([1.0, np.nan], [1.0, 2.0], np.inf),
        ([100.0, 1.0], [100.0, 2.0], 0.01),  # relative to the largest magnitude
        ([1.0], [1.0, 1.0], np.inf),
        ([np.nan], [np.nan], 0.0),
        ([], [], 0.0),
    ],
)
def test_distance(left, right, distance):
    assert verify_module._distance({"x": np.array(left)}, {"x": np.array(right)}) == pytest.approx(distance)
    assert verify_module._distance({"x": np.array(left)}, {"y": np.array(right)}) == np.inf


# === The graph is scanned ===


class Counting(SumStream):
    """Keeps a count of its own, shared by all sessions."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0)

    def step(self, inputs, state):
        self.calls.assign_add(1)
        return super().step(inputs, state)


class Drawing(SumStream):
    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        return results | {"total": results["total"] + 0 * tf.random.normal([1, 2])}, state


class DrawingInALoop(SumStream):
    """Draws out of sight of the function around the loop."""

    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        seeds = tf.range(tf.shape(inputs["x"])[0])
        drawn = tf.map_fn(lambda i: tf.random.stateless_uniform([], [1, i]), seeds, fn_output_signature=tf.float32)
        return results | {"total": results["total"] + 0 * drawn[:, None]}, state


class Choosing(SumStream):
    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        chosen = tf.random.categorical(tf.zeros([1, 2]), 1)
        return results | {"total": results["total"] + 0 * tf.cast(chosen, tf.float32)}, state


class Dropping(SumStream):
    """The dropout of a stock recurrent layer, which draws a mask even when it is not training."""

    def __init__(self):
        super().__init__()
        self.gru = keras.layers.GRU(UNITS, return_sequences=True, return_state=True, dropout=0.5, use_cudnn=False)
        self.gru.build((None, None, 2))
        self.seeds = [variable.value for variable in self.gru.variables]


@pytest.mark.parametrize(
    ("stream", "operation"),
    [
        (Counting, "AssignAddVariableOp"),
        (Drawing, "RandomStandardNormal"),
        (DrawingInALoop, "StatelessRandomUniformV2"),
        (Choosing, "Multinomial"),
        (Dropping, "StatelessRandomUniformV2"),
    ],
)
def test_forbidden_operation_is_found_before_anything_runs(tmp_path, stream, operation):
    save(build_servable(stream()), tmp_path)
    measured = verify(tmp_path / "export", tmp_path / "no probe")
    assert not measured["passed"]
    assert operation in {found.split(":")[1] for found in measured["forbidden_operations"]}


@pytest.mark.parametrize(("draw", "allowed"), [(True, True), (False, False)])
def test_generate_may_draw_but_not_assign(tmp_path, draw, allowed):
    calls = tf.Variable(0)

    def generate(x):
        return {"y": x + tf.random.normal([1]) if draw else x + tf.cast(calls.assign_add(1), tf.float32)}

    servable = build_servable(SumStream())
    servable.module.generate = tf.function(generate)
    servable.module.calls = calls
    traced = servable.module.generate.get_concrete_function(x=tf.TensorSpec([None], tf.float32, "x"))
    servable.signatures["generate"] = traced
    save(servable, tmp_path)
    assert (verify_module._forbidden_operations(tmp_path / "export") == []) == allowed


def test_columns_of_different_units_are_compared_on_their_own_scale():
    left, right = np.array([[100.0, 1e9]]), np.array([[110.0, 1e9]])
    assert verify_module._distance({"x": left}, {"x": right}) == pytest.approx(1e-8)
    assert verify_module._distance({"x": left}, {"x": right}, {"x": 1}) == pytest.approx(10 / 110)
