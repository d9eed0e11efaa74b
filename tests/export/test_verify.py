import ast
import dataclasses
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from export.toy_streams import (
    UNITS,
    CommitStream,
    PairStream,
    SumStream,
    TalkingStream,
    TextStream,
    commit_probe,
    pair_probe,
    sum_probe,
    talking_probe,
)

from runnel.shared.export import verify as verify_module
from runnel.shared.export.probe import Probe, record_probe
from runnel.shared.export.signatures import build_servable
from runnel.shared.export.verify import verify
from runnel.shared.streaming.stream_model import Signature

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


# === What `generate` alone reaches may draw by a seed ===


def uniform(seed):
    return tf.random.stateless_uniform([], seed)


@tf.function(autograph=False)
def draws_in_a_loop(x):
    drawn = tf.while_loop(lambda i, _: i < 3, lambda i, sum_: (i + 1, sum_ + uniform(tf.stack([1, i]))), (0, 0.0))[1]
    return x + drawn


@tf.function(autograph=False)
def draws_in_a_branch(x):
    return x + tf.cond(tf.size(x) > 1, lambda: uniform([1, 2]), lambda: 0.0)


@tf.function(autograph=False)
def draws_in_a_switch(x):
    return x + tf.switch_case(tf.size(x), [lambda: uniform([1, 2]), lambda: 0.0])


class Generating(SumStream):
    """Has a function in its signature `generate` and, where `steps` is given, that in its step."""

    def __init__(self, function, steps=None):
        super().__init__()
        self.function = lambda x: function(x)  # an attribute that is a tf.function would be traced and saved by itself
        self.steps = steps and (lambda x: steps(x))
        self.calls = tf.Variable(0)

    @property
    def extra_signatures(self):
        def generate(inputs):
            return {"y": self.function(inputs["x"])}

        return {"generate": Signature({"x": tf.TensorSpec([None], tf.float32, "x")}, generate)}

    def step(self, inputs, state):
        results, state = super().step(inputs, state)
        if self.steps is not None:
            results["total"] += 0 * self.steps(results["total"][:, 0])[:, None]
        return results, state


def scanned(stream, folder):
    save(build_servable(stream), folder)
    return {found.split(":")[1] for found in verify_module._forbidden_operations(folder / "export")}


@pytest.mark.parametrize("function", [draws_in_a_loop, draws_in_a_branch, draws_in_a_switch])
def test_generate_may_draw_at_any_depth(tmp_path, function):
    assert scanned(Generating(function), tmp_path) == set()


@pytest.mark.parametrize("function", [draws_in_a_loop, draws_in_a_branch, draws_in_a_switch])
def test_step_that_draws_as_generate_does_is_found(tmp_path, function):
    assert "StatelessRandomUniformV2" in scanned(Generating(function, steps=function), tmp_path)


def draws_from_a_state(x):
    return tf.while_loop(lambda i, _: i < 3, lambda i, x: (i + 1, x + tf.random.uniform([])), (0, x))[1]


def test_generate_may_not_draw_without_a_seed(tmp_path):
    assert scanned(Generating(draws_from_a_state), tmp_path) == {"RandomUniform"}


def test_generate_may_not_assign(tmp_path):
    stream = Generating(lambda x: x + tf.cast(stream.calls.assign_add(1), tf.float32))
    assert scanned(stream, tmp_path) == {"AssignAddVariableOp"}


def test_a_copy_that_is_traced_for_the_method_counts_as_the_signature(tmp_path):
    servable = build_servable(Generating(draws_in_a_loop))
    del servable.module.generate
    servable.module.generate = tf.function(lambda x: {"y": draws_in_a_loop(x) + 1}, autograph=False)
    servable.module.generate(tf.ones([2]))
    save(servable, tmp_path)
    assert verify_module._forbidden_operations(tmp_path / "export") == []


def test_another_method_may_not_draw(tmp_path):
    servable = build_servable(Generating(draws_in_a_loop))
    servable.module.other = tf.function(lambda x: draws_in_a_branch(x), autograph=False)
    servable.module.other(tf.ones([2]))
    save(servable, tmp_path)
    assert verify_module._forbidden_operations(tmp_path / "export") != []


# === Text of any bytes ===


def test_nul_at_the_end_of_a_text_is_replayed(tmp_path):
    texts = [b"a\0", b"\0\0"]
    whole = {"text": np.array(texts, object)}
    finest = [{"text": np.array([text[place : place + 1] for text in texts], object)} for place in range(2)]
    assert verified(TextStream(), Probe(whole, [finest, [whole]], ("answer",), {}), tmp_path)["passed"]


# === Further signatures ===


def test_extra_signatures_are_compared(tmp_path):
    measured = verified(TalkingStream(), talking_probe(), tmp_path)
    assert measured["passed"]


def test_export_whose_extra_signature_answers_differently_is_found(tmp_path):
    class Shouting(TalkingStream):
        def generate(self, inputs):
            return {"text": tf.strings.upper(super().generate(inputs)["text"])}

    class Miscounting(TalkingStream):
        def peek(self, inputs, state):
            return super().peek(inputs, state)[0], {"bytes": state["bytes"] + 1}

    record_probe(talking_probe(), build_servable(TalkingStream()).signatures, tmp_path)
    for other in (Shouting, Miscounting):
        save(build_servable(other()), tmp_path)
        assert failing(verify(tmp_path / "export", tmp_path)) == {"reloaded_equals_in_process"}


# === Lists that are ranked by scores ===


def ranked_distance(left, right):
    left, right = (
        {"suggestions": np.array([list(texts)], object), "scores": np.array([scores], np.float32)}
        for texts, scores in (left, right)
    )
    return verify_module._distance(left, right, ranked={"suggestions": "scores"})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("abc", [0.5, 0.3, 0.1]), ("abc", [0.5, 0.3, 0.1])),
        (("abc", [0.5, 0.3, 0.3]), ("acb", [0.5, 0.3, 0.3])),
        (("abc", [0.3, 0.3, 0.3]), ("cab", [0.3, 0.3, 0.3])),
        (("abc", [0.5, 0.300004, 0.3]), ("acb", [0.5, 0.300004, 0.3])),  # a tie within 1e-5
        (("abc", [0.5, 0.3, 0.1]), ("abd", [0.5, 0.3, 0.1])),  # the last place, which another may have as well
        (("abc", [0.5, 0.1, 0.1]), ("ade", [0.5, 0.1, 0.1])),
        (("abc", [0.5, 0.1, 0.1]), ("acd", [0.5, 0.1, 0.1])),
        (("", []), ("", [])),
    ],
)
def test_lists_may_differ_where_scores_tie(left, right):
    assert ranked_distance(left, right) < 1e-4
    assert ranked_distance(right, left) < 1e-4


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("abc", [0.5, 0.3, 0.1]), ("acb", [0.5, 0.3, 0.1])),  # another order, no tie
        (("abc", [0.5, 0.30002, 0.3]), ("acb", [0.5, 0.30002, 0.3])),  # not quite a tie
        (("abc", [0.5, 0.3, 0.1]), ("adc", [0.5, 0.3, 0.1])),  # missing, and better than the last
        (("abc", [0.5, 0.1, 0.1]), ("dbc", [0.5, 0.1, 0.1])),
        (("aab", [0.1, 0.1, 0.2]), ("abb", [0.1, 0.1, 0.2])),  # one of them twice
        (("ab", [0.5, 0.3]), ("abc", [0.5, 0.3, 0.1])),
        (("ab", [0.5, np.nan]), ("ac", [0.5, np.nan])),
    ],
)
def test_lists_may_not_differ_otherwise(left, right):
    assert ranked_distance(left, right) == np.inf
    assert ranked_distance(right, left) == np.inf


def test_scores_of_equal_lists_are_compared_as_numbers():
    assert ranked_distance(("ab", [0.5, 0.3]), ("ab", [0.5, 0.35])) == pytest.approx(0.1)


def test_every_row_is_compared():
    rows = {"suggestions": np.array([["a", "b"], ["c", "d"]], object), "scores": np.array([[0.2, 0.2], [0.3, 0.1]])}
    for row, distance in ((0, 0.0), (1, np.inf)):
        swapped = rows["suggestions"].copy()
        swapped[row] = swapped[row, ::-1]
        other = rows | {"suggestions": swapped}
        assert verify_module._distance(rows, other, ranked={"suggestions": "scores"}) == distance
        assert verify_module._distance(rows, other) == np.inf


def test_recorded_text_is_compared_with_text():
    scores = {"scores": np.array([[0.2, 0.2]])}
    recorded, served = np.array([[b"ab", b"c"]]), np.array([[b"c", b"ab"]], object)
    ranked = {"suggestions": "scores"}
    assert (
        verify_module._distance({"suggestions": recorded, **scores}, {"suggestions": served, **scores}, {}, ranked) == 0
    )


def test_a_list_without_its_scores_must_be_equal():
    left, right = {"suggestions": np.array([["a", "b"]])}, {"suggestions": np.array([["b", "a"]])}
    assert verify_module._distance(left, right, ranked={"suggestions": "scores"}) == np.inf


def test_columns_of_different_units_are_compared_on_their_own_scale():
    left, right = np.array([[100.0, 1e9]]), np.array([[110.0, 1e9]])
    assert verify_module._distance({"x": left}, {"x": right}) == pytest.approx(1e-8)
    assert verify_module._distance({"x": left}, {"x": right}, {"x": 1}) == pytest.approx(10 / 110)


# === Results of which rows have different numbers ===


class Changed(PairStream):
    """Knows, in `change`, the results and the states before and after a step."""

    def step(self, inputs, state):
        results, after = super().step(inputs, state)
        return self.change(results, state, after), after


class MorePadding(Changed):
    def change(self, results, before, after):
        padding = (("label", ""), ("sample", -1), ("level", 0))
        wider = {name: tf.pad(results[name], [[0, 0], [1, 2]], constant_values=value) for name, value in padding}
        return results | wider | {"means": tf.pad(results["means"], [[0, 0], [0, 3]])}


class LosesEvents(Changed):
    """Those whose first sample came in the chunk before."""

    def change(self, results, before, after):
        first = results["sample"] == 2 * before["pairs"][:, None] + 2
        lost = first & (before["waiting"] == 1)[:, None]
        padding = (("label", ""), ("sample", tf.constant(-1, tf.int64)), ("level", 0.0))
        return results | {name: tf.where(lost, value, results[name]) for name, value in padding}


class ShiftsSamples(Changed):
    """Counts samples from the beginning of the chunk."""

    def change(self, results, before, after):
        shifted = results["sample"] - 2 * before["pairs"][:, None]
        return results | {"sample": tf.where(results["label"] != "", shifted, -1)}


class CountsHalves(Changed):
    """Counts the pair that is not complete, here and again when it is."""

    def change(self, results, before, after):
        return results | {"count": results["count"] + after["waiting"]}


class CountsOneMore(Changed):
    """Of every stream, whatever the pieces."""

    def change(self, results, before, after):
        return results | {"count": results["count"] + tf.cast(before["pairs"] + after["pairs"] == 0, tf.int32)}


class LeaksEvents(Changed):
    """The level of an event depends on the other rows, in the same way in any chunk."""

    def change(self, results, before, after):
        rows = tf.cast(tf.shape(results["level"])[0], tf.float32)
        return results | {"level": results["level"] * rows}


@pytest.mark.parametrize("stream", [PairStream, MorePadding])
def test_ragged_results_may_stand_anywhere_in_their_row(tmp_path, stream):
    measured = verified(stream(), pair_probe(), tmp_path)
    assert measured["passed"], measured["checks"]


@pytest.mark.parametrize(
    ("stream", "check"),
    [
        (LosesEvents, "chunkings_agree"),
        (ShiftsSamples, "chunkings_agree"),
        (CountsHalves, "chunkings_agree"),
        (CountsOneMore, "padding_is_empty"),
        (LeaksEvents, "one_equals_many"),
    ],
)
def test_planted_fault_in_ragged_results_is_found(tmp_path, stream, check):
    measured = verified(stream(), pair_probe(), tmp_path)
    assert not measured["passed"]
    assert check in failing(measured)


def test_valid_entries_come_first_and_nothing_stands_behind():
    texts = np.array([[b"", b"a", b"", b"b"], [b"", b"", b"", b"c"]], object)
    valid = verify_module._valid(texts, 4)
    assert valid.tolist() == [[False, True, False, True], [False, False, False, True]]
    assert verify_module._pack(texts, valid).tolist() == [[b"a", b"b"], [b"c", b""]]
    numbers = np.arange(8).reshape(2, 4)
    assert verify_module._pack(numbers, valid).tolist() == [[1, 3], [7, 0]]
    assert verify_module._pack(numbers[..., None], valid).tolist() == [[[1], [3]], [[7], [0]]]
    counted = verify_module._valid(np.array([3, 0]), 4)
    assert verify_module._pack(numbers, counted).tolist() == [[0, 1, 2], [0, 0, 0]]
    assert verify_module._pack(numbers, np.zeros((2, 4), bool)).shape == (2, 0)


@pytest.mark.parametrize(
    ("count", "label", "sample", "padded"),
    [
        ([2, 1], [b"a", b""], [[4, -1]], True),
        ([2, 1], [b"", b"a"], [[0, 4]], True),
        ([1, 1], [b"a", b""], [[4, -1]], False),  # a mean beyond the count
        ([3, 1], [b"a", b""], [[4, -1]], False),  # more than there is room for
        ([-1, 1], [b"a", b""], [[4, -1]], False),
        ([2, 1], [b"a", b""], [[4, 6]], False),  # a sample without its label
    ],
)
def test_padding_is_empty(count, label, sample, padded):
    outputs = {"means": np.array([[1, 2], [3, 0]]), "count": np.array(count)}
    outputs |= {"label": np.array([label], object), "sample": np.array(sample)}
    marks = {"means": "count", "label": "label", "sample": "label"}
    assert verify_module._is_padded(outputs, marks) == padded


def test_pieces_are_joined_by_their_marks():
    pieces = [
        {"means": np.array([[1, 2], [3, 0]]), "count": np.array([2, 1]), "last": np.array([8])},
        {"means": np.array([[0], [4]]), "count": np.array([0, 1]), "last": np.array([9])},
    ]
    for piece, said in zip(pieces, ([b"a", b""], [b"b\0", b"c"]), strict=True):
        piece["said"] = np.array(said, object)
    joined = verify_module._join(pieces, {}, {"means": "count"}, ["said"])
    assert {name: value.tolist() for name, value in joined.items()} == {
        "means": [[1, 2], [3, 4]],
        "count": [2, 2],
        "last": [9],
        "said": [b"ab\0", b"c"],
    }


# === Text that is appended piece by piece, and what a client may set before ===


class Spoilt(CommitStream):
    """Knows, in `spoil`, the inputs, the results and the state before a step."""

    def step(self, inputs, state):
        results, after = super().step(inputs, state)
        return results | {"committed": self.spoil(results["committed"], inputs, state)}, after


class DropsWhatIsLong(Spoilt):
    """Of a piece of more than two bytes nothing is committed but an exclamation mark."""

    def spoil(self, committed, inputs, state):
        return tf.where(tf.strings.length(inputs["text"]) > 2, "!", committed)

    def whole(self, inputs):
        return CommitStream().whole(inputs)


class SaysAnotherWhole(CommitStream):
    def whole(self, inputs):
        return {"answer": tf.strings.upper(super().whole(inputs)["answer"])}


class MarksPiecesWhereLate(Spoilt):
    """Ends every piece with a full stop in rows that a client has made late."""

    def spoil(self, committed, inputs, state):
        return tf.where(state["late"] > 0, tf.strings.join([committed, "."]), committed)


class LeaksRows(Spoilt):
    """Writes how many rows there are where a text ends, in the same way in any piece and in the whole."""

    def spoil(self, committed, inputs, state):
        rows = tf.strings.as_string(tf.shape(committed)[0])
        return tf.where(inputs["final"], tf.strings.join([committed, rows]), committed)


class LeaksRowsWhereLate(LeaksRows):
    def spoil(self, committed, inputs, state):
        return tf.where(state["late"] > 0, super().spoil(committed, inputs, state), committed)


def test_text_that_is_appended_equals_the_whole(tmp_path):
    measured = verified(CommitStream(), commit_probe(), tmp_path)
    assert measured["passed"], measured["checks"]


@pytest.mark.parametrize(
    ("stream", "check"),
    [
        (DropsWhatIsLong, "chunkings_agree"),
        (SaysAnotherWhole, "step_equals_whole"),
        (MarksPiecesWhereLate, "chunkings_agree"),
        (LeaksRows, "one_equals_many"),
        (LeaksRowsWhereLate, "one_equals_many"),
    ],
)
def test_planted_fault_in_appended_text_is_found(tmp_path, stream, check):
    measured = verified(stream(), commit_probe(), tmp_path)
    assert not measured["passed"]
    assert failing(measured) == {check}


@pytest.mark.parametrize("stream", [MarksPiecesWhereLate, LeaksRowsWhereLate])
def test_only_another_start_finds_what_is_wrong_from_there(tmp_path, stream):
    probe = dataclasses.replace(commit_probe(), starts=())
    assert verified(stream(), probe, tmp_path)["passed"]
