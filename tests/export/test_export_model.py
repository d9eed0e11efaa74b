import json
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from export.toy_streams import (
    UNITS,
    SumStream,
    TalkingStream,
    TextStream,
    export,
    sum_probe,
    talking_probe,
    text_probe,
)

from runnel.shared.errors import ExportError
from runnel.shared.export import verifier
from runnel.shared.export.command_without_keras import command_without_keras
from runnel.shared.export.manifest import read_manifest
from runnel.shared.storage.checksums import folder_checksums
from runnel.shared.streaming.stream_model import Signature

FILES = ["manifest.json", "model.keras", "report.html", "saved_model", "verification.json"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy") / "export"
    export(SumStream(), sum_probe(), folder, metrics={"error": 0.5})
    return folder


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(str(exported / "saved_model"))


def test_holds_what_the_design_says_and_nothing_else(exported):
    assert sorted(path.name for path in exported.iterdir()) == FILES
    assert [path.name for path in exported.parent.iterdir()] == ["export"]


def test_manifest(exported):
    manifest = read_manifest(exported, "toy")
    assert manifest["schema_version"] == 1
    assert manifest["config"] == {"units": UNITS}
    assert manifest["metrics"] == {"error": 0.5}
    assert manifest["versions"]["tensorflow"] == tf.__version__
    assert manifest["state"]["bytes_per_session"] == 8 + 4 * UNITS + 4 * 2
    assert len(manifest["state"]["fingerprint"]) == 64
    checksums = folder_checksums(exported)
    del checksums["manifest.json"]
    assert manifest["files"] == checksums
    signatures = manifest["signatures"]
    assert signatures.keys() == {"initial_state", "step", "serving_default"}
    assert signatures["step"]["inputs"]["x"] == {"dtype": "float32", "shape": [None, None, 2]}
    assert signatures["step"]["inputs"]["state_hidden"] == {"dtype": "float32", "shape": [None, UNITS]}
    assert signatures["step"]["outputs"]["state_count"] == {"dtype": "int64", "shape": [None]}
    assert signatures["initial_state"]["inputs"] == {"batch_size": {"dtype": "int32", "shape": []}}


def test_what_the_clean_process_measured(exported):
    measured = json.loads((exported / "verification.json").read_text())
    assert measured["passed"]
    assert measured["checks"].keys() == {
        "chunkings_agree",
        "one_equals_many",
        "padding_is_empty",
        "reloaded_equals_in_process",
        "serialised_state_continues",
        "state_keeps_its_form",
        "step_equals_whole",
    }
    assert max(measured["checks"].values()) <= measured["tolerance"] == 1e-5
    assert 0 < measured["step_latency_ms"]["p50"] <= measured["step_latency_ms"]["p95"]
    assert measured["saved_model_bytes"] > 0


def test_signatures_of_the_file_are_those_of_the_manifest(exported, loaded):
    described = read_manifest(exported)["signatures"]
    for name, sides in described.items():
        inputs = loaded.signatures[name].structured_input_signature[1]
        outputs = loaded.signatures[name].structured_outputs
        for specs, expected in ((inputs, sides["inputs"]), (outputs, sides["outputs"])):
            found = {key: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()} for key, spec in specs.items()}
            assert found == expected
            assert not any("keras_tensor" in key or key.startswith("args") for key in found)


def test_methods_and_signatures_give_the_same(loaded):
    batch = tf.constant(2)
    state = loaded.initial_state(batch_size=batch)
    assert state.keys() == loaded.signatures["initial_state"](batch_size=batch).keys()
    x, length = tf.ones([2, 3, 2]), tf.constant([3, 1])
    by_method = loaded.step(x=x, length=length, **state)
    by_signature = loaded.signatures["step"](x=x, length=length, **state)
    for name, value in by_method.items():
        np.testing.assert_array_equal(value, by_signature[name])
    assert by_method["total"].numpy().tolist() == [[3, 3], [1, 1]]
    served = loaded.serving_default(x=x, length=length)
    np.testing.assert_array_equal(served["total"], by_method["total"])


def test_state_goes_round(loaded):
    state = loaded.initial_state(batch_size=tf.constant(1))
    for count in range(1, 4):
        outputs = loaded.step(x=tf.ones([1, 1, 2]), length=tf.constant([1]), **state)
        state = {name: outputs[name] for name in state}
        assert state["state_count"].numpy().tolist() == [count]
        assert state["state_total"].numpy().tolist() == [[count, count]]


def test_weights_are_stored_once(exported):
    stream = SumStream()
    weights = sum(weight.numpy().nbytes for weight in stream.gru.weights)
    stored = sum(path.stat().st_size for path in (exported / "saved_model" / "variables").glob("*.data-*"))
    assert weights <= stored < 2 * weights + 2000  # the rest is the object graph
    names = [name for name, _ in tf.train.list_variables(str(exported / "saved_model" / "variables" / "variables"))]
    assert len([name for name in names if "gru" in name]) == len(stream.gru.weights)


def test_network_can_be_trained_on(exported):
    network = keras.models.load_model(exported / "model.keras")
    assert network(np.ones((1, 2), np.float32)).shape == (1, 1)


def test_text_comes_and_goes(tmp_path):
    manifest = export(TextStream(), text_probe(), tmp_path / "export")
    assert manifest["signatures"]["step"]["inputs"]["text"] == {"dtype": "string", "shape": [None]}
    loaded = tf.saved_model.load(str(tmp_path / "export" / "saved_model"))
    state = loaded.initial_state(batch_size=tf.constant(2))
    outputs = loaded.step(text=tf.constant([b"\xc3", ""]), **state)
    assert [text.decode() for text in outputs["answer"].numpy()] == ["1 octets, déjà", "0 octets, déjà"]
    assert json.loads((tmp_path / "export" / "verification.json").read_text())["passed"]


def test_further_signatures_are_verified_described_and_callable(tmp_path):
    manifest = export(TalkingStream(), talking_probe(), tmp_path / "export")
    text = {"dtype": "string", "shape": [None]}
    state = {"dtype": "int32", "shape": [None]}
    scalar = {"dtype": "int32", "shape": []}
    assert manifest["signatures"]["generate"] == {
        "inputs": {"count": scalar, "prompt": text, "seed": scalar},
        "outputs": {"text": text},
    }
    assert manifest["signatures"]["peek"] == {
        "inputs": {"more": text, "state_bytes": state},
        "outputs": {"bytes": state, "state_bytes": state},
    }
    loaded = tf.saved_model.load(str(tmp_path / "export" / "saved_model"))
    asked = {"prompt": tf.constant(["a", "b"]), "count": tf.constant(20), "seed": tf.constant(1)}
    drawn = loaded.generate(**asked)["text"].numpy().tolist()
    assert drawn == loaded.signatures["generate"](**asked)["text"].numpy().tolist()
    assert [len(text) for text in drawn] == [21, 21]
    assert loaded.generate(**asked | {"seed": tf.constant(2)})["text"].numpy().tolist() != drawn
    state = loaded.step(text=tf.constant(["ab"]), **loaded.initial_state(batch_size=tf.constant(1)))
    peeked = loaded.peek(more=tf.constant(["cde"]), state_bytes=state["state_bytes"])
    assert (peeked["bytes"].numpy().tolist(), peeked["state_bytes"].numpy().tolist()) == ([5], [2])


# === What must not get through ===


class Forgetful(SumStream):
    """Streams another sum than the whole input has."""

    def serve(self, inputs):
        return {"total": super().serve(inputs)["total"] * 1.001}


class CallingPython(SumStream):
    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        total = tf.ensure_shape(tf.py_function(lambda total: total, [results["total"]], tf.float32), [None, 2])
        return results | {"total": total}, state


class Growing(SumStream):
    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        return results, state | {"hidden": tf.concat([state["hidden"], state["hidden"]], axis=1)}


class Retyping(SumStream):
    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        return results, state | {"count": tf.cast(state["count"], tf.int32)}


class GrowingElsewhere(TalkingStream):
    @property
    def extra_signatures(self):
        def count(inputs, state):
            return {}, {"bytes": tf.cast(state["bytes"], tf.int64)}

        return super().extra_signatures | {"count": Signature({}, count, carries_state=True)}


class Dropping(SumStream):
    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        del state["count"]
        return results, state


def content_of(folder: Path):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def assert_refused_and_nothing_changed(stream, folder, match):
    before = content_of(folder)
    with pytest.raises(ExportError, match=match) as caught:
        export(stream, sum_probe(), folder / "export")
    assert "\n" not in str(caught.value)
    assert content_of(folder) == before
    assert [path.name for path in folder.iterdir()] == (["export"] if before else [])


def test_step_that_differs_from_the_whole_is_refused_and_the_old_export_stays(exported):
    assert_refused_and_nothing_changed(Forgetful(), exported.parent, r'passed": false.*step_equals_whole": 0.00')


@pytest.mark.parametrize("stream", [Growing, Retyping, Dropping])
def test_state_that_changes_its_form_is_refused(tmp_path, stream):
    assert_refused_and_nothing_changed(stream(), tmp_path, "changes the form of the state.*state_(hidden|count)")


def test_state_that_changes_its_form_in_another_signature_is_refused(tmp_path):
    message = "^count changes the form of the state.*state_bytes from .*int32.* to .*int64"
    assert_refused_and_nothing_changed(GrowingElsewhere(), tmp_path, message)


def test_operation_that_calls_python_is_refused(tmp_path):
    assert_refused_and_nothing_changed(CallingPython(), tmp_path, "__inference_step_.*:EagerPyFunc")


def test_report_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        export(SumStream(), sum_probe(), tmp_path / "export")
    assert list(tmp_path.iterdir()) == []


def test_verification_that_breaks_off_is_no_pass(tmp_path, monkeypatch):
    dying = "import os, sys; sys.stderr.write('Killed\\nby something'); sys.stderr.flush(); os.kill(os.getpid(), 9)"
    monkeypatch.setattr(verifier, "command_without_keras", lambda *_, **__: [sys.executable, "-c", dying])
    with pytest.raises(ExportError, match="exit code -9; nothing was written: Killed by something"):
        export(SumStream(), sum_probe(), tmp_path / "export")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_no_process_waiting(tmp_path, monkeypatch):
    started = []

    class Remembered(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Remembered)
    monkeypatch.setattr(keras.Model, "save", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        export(SumStream(), sum_probe(), tmp_path / "export")
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    assert list(tmp_path.iterdir()) == []


def test_a_verifier_of_which_nothing_is_asked_any_more_ends_by_itself(tmp_path):
    command = command_without_keras(tmp_path / "never_run.py", waits=True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "nobody waits for an answer any more"  # TensorFlow has a say before it


@pytest.mark.slow
def test_killed_at_any_moment_leaves_the_old_or_the_new(tmp_path):
    program = Path(__file__).with_name("killed_export.py")
    run = subprocess.run(
        [sys.executable, str(program), str(tmp_path), "6", "0"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    found = run.stdout.split()
    assert found[:3] == ["none"] * 3
    assert set(found[3:-1]) <= {"old", "new"}
    assert found[-4:] == ["old", "old", "new", "newest"]
