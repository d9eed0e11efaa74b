"""Small stream models to export; what a test plants goes into a subclass."""

import dataclasses
import itertools
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from runnel.shared.export.export_model import ExportContent, export_model
from runnel.shared.export.probe import Probe
from runnel.shared.export.signatures import build_servable
from runnel.shared.streaming.stream_model import Signature, StreamModel

UNITS = 3


class SumStream(StreamModel):
    """A running sum [B, N, 2], and a GRU over it; `step` is what subclasses spoil."""

    def __init__(self):
        super().__init__(name="sum_stream")
        keras.utils.set_random_seed(0)
        self.gru = keras.layers.GRU(UNITS, return_sequences=True, return_state=True, use_cudnn=False)
        self.gru.build((None, None, 2))

    @property
    def step_inputs(self):
        return {
            "x": tf.TensorSpec([None, None, 2], tf.float32, "x"),
            "length": tf.TensorSpec([None], tf.int32, "length"),
        }

    @property
    def serve_inputs(self):
        return self.step_inputs

    def initial_state(self, batch_size):
        return {
            "count": tf.zeros([batch_size], tf.int64),
            "hidden": tf.zeros([batch_size, UNITS]),
            "total": tf.zeros([batch_size, 2]),
        }

    def step(self, inputs, state):
        time = tf.shape(inputs["x"])[1]
        mask = tf.sequence_mask(inputs["length"], time)
        x = tf.where(mask[..., None], inputs["x"], 0.0)
        total = state["total"][:, None] + tf.cumsum(x, axis=1)
        # One more masked row, because a stock layer takes no sequence of length zero.
        padded = tf.pad(x, [[0, 0], [0, 1], [0, 0]]), tf.pad(mask, [[0, 0], [0, 1]])
        encoded, hidden = self.gru(padded[0], mask=padded[1], initial_state=state["hidden"])
        encoded = tf.where(mask[..., None], encoded[:, :time], 0.0)
        results = {"total": state["total"] + tf.reduce_sum(x, axis=1), "totals": total, "encoded": encoded}
        count = state["count"] + tf.cast(inputs["length"], tf.int64)
        return results, {"count": count, "hidden": hidden, "total": results["total"]}

    def serve(self, inputs):
        results, _ = self.step(inputs, self.initial_state(tf.shape(inputs["length"])[0]))
        return {"total": results["total"]}


class TextStream(StreamModel):
    """Counts bytes and tells how many in words that are not ASCII."""

    @property
    def step_inputs(self):
        return {"text": tf.TensorSpec([None], tf.string, "text")}

    @property
    def serve_inputs(self):
        return self.step_inputs

    def initial_state(self, batch_size):
        return {"bytes": tf.zeros([batch_size], tf.int32)}

    def step(self, inputs, state):
        count = state["bytes"] + tf.strings.length(inputs["text"])
        return {"answer": tf.strings.join([tf.strings.as_string(count), tf.constant(" octets, déjà")])}, {
            "bytes": count
        }

    def serve(self, inputs):
        return self.step(inputs, self.initial_state(tf.shape(inputs["text"])[0]))[0]


class TalkingStream(TextStream):
    """Goes on with letters drawn by chance, and tells how many bytes there would be with some more."""

    @property
    def extra_signatures(self):
        text, scalar = tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int32)
        return {
            "generate": Signature({"prompt": text, "count": scalar, "seed": scalar}, self.generate),
            "peek": Signature({"more": text}, self.peek, carries_state=True),
        }

    def generate(self, inputs):
        def body(i, text):
            letter = tf.random.stateless_uniform([], tf.stack([inputs["seed"], i]), 97, 123, tf.int32)
            return i + 1, tf.strings.join([text, tf.strings.unicode_encode([letter], "UTF-8")])

        loop = tf.while_loop(lambda i, _: i < inputs["count"], body, (0, inputs["prompt"]))
        return {"text": loop[1]}

    def peek(self, inputs, state):
        return {"bytes": state["bytes"] + tf.strings.length(inputs["more"])}, state


class PairStream(StreamModel):
    """Means of two samples, and an event for each that is far from zero: rows complete different numbers of them."""

    @property
    def step_inputs(self):
        return {
            "x": tf.TensorSpec([None, None], tf.float32, "x"),
            "length": tf.TensorSpec([None], tf.int32, "length"),
        }

    @property
    def serve_inputs(self):
        return self.step_inputs

    def initial_state(self, batch_size):
        return {
            "held": tf.zeros([batch_size]),
            "waiting": tf.zeros([batch_size], tf.int32),
            "pairs": tf.zeros([batch_size], tf.int64),
            "largest": tf.zeros([batch_size]),
        }

    def step(self, inputs, state):
        time = tf.shape(inputs["x"])[1]
        samples = tf.concat([state["held"][:, None], inputs["x"]], axis=1)
        places = tf.minimum(1 - state["waiting"][:, None] + tf.range(time + 1), time)
        samples = tf.gather(samples, places, axis=1, batch_dims=1)  # the one that waited first, where there is one
        total = state["waiting"] + inputs["length"]
        count = total // 2
        width = (time + 1) // 2
        mask = tf.sequence_mask(count, width)
        pairs = tf.reshape(samples[:, : 2 * width], [tf.shape(samples)[0], width, 2])
        means = tf.where(mask, tf.reduce_mean(pairs, axis=2), 0.0)
        last = tf.gather(samples, tf.maximum(total - 1, 0), axis=1, batch_dims=1)
        state = {
            "held": tf.where(total % 2 == 1, last, 0.0),
            "waiting": total % 2,
            "pairs": state["pairs"] + tf.cast(count, tf.int64),
            "largest": tf.maximum(state["largest"], tf.reduce_max(tf.abs(means), axis=1)),
        }
        before = state["pairs"] - tf.cast(count, tf.int64)
        results = {"means": means, "count": count, "largest": state["largest"]}
        return results | self.events(means, 2 * (before[:, None] + tf.range(1, width + 1, dtype=tf.int64))), state

    def events(self, means, sample):
        fires = tf.abs(means) > 0.5
        label = tf.where(means > 0, "high", "low")
        return {
            name: tf.ragged.boolean_mask(values, fires).to_tensor(padding)
            for name, values, padding in (("label", label, ""), ("sample", sample, -1), ("level", means, 0.0))
        }

    def serve(self, inputs):
        results, _ = self.step(inputs, self.initial_state(tf.shape(inputs["length"])[0]))
        return {"largest": results["largest"]}


class CommitStream(StreamModel):
    """Writes the place of each byte in front of it, "a" "b" as "0a" "1b", one byte late where the client says so."""

    @property
    def step_inputs(self):
        return {"text": tf.TensorSpec([None], tf.string, "text"), "final": tf.TensorSpec([None], tf.bool, "final")}

    @property
    def serve_inputs(self):
        return {"text": tf.TensorSpec([None], tf.string, "text")}

    @property
    def extra_signatures(self):
        return {"whole": Signature(self.serve_inputs, self.whole)}

    def initial_state(self, batch_size):
        return {name: tf.zeros([batch_size], tf.int32) for name in ("count", "held", "late")}

    def step(self, inputs, state):
        byte = tf.gather(tf.constant([b"", *(bytes([value]) for value in range(1, 256))]), state["held"])
        text = tf.strings.join([byte, inputs["text"]])
        length = tf.strings.length(text)
        count = length - tf.cast((state["late"] > 0) & ~inputs["final"] & (length > 0), tf.int32)
        held = tf.io.decode_raw(tf.strings.substr(text, count, tf.ones_like(count)), tf.uint8, fixed_length=1)[:, 0]
        letters = tf.strings.bytes_split(tf.strings.substr(text, tf.zeros_like(count), count))
        places = tf.ragged.range(state["count"], state["count"] + count)
        committed = tf.strings.reduce_join(tf.strings.join([tf.strings.as_string(places), letters]), axis=1)
        count = tf.where(inputs["final"], 0, state["count"] + count)
        results = {"committed": committed, "finished": inputs["final"]}
        return results, {"count": count, "held": tf.cast(held, tf.int32), "late": state["late"]}

    def serve(self, inputs):
        return {"bytes": tf.strings.length(inputs["text"])}

    def whole(self, inputs):
        batch = tf.shape(inputs["text"])[0]
        results, _ = self.step({**inputs, "final": tf.ones([batch], tf.bool)}, self.initial_state(batch))
        return {"answer": results["committed"]}


def cut(x, length, *edges):
    """The pieces of x [B, N, ...] between these edges."""
    return [
        {"x": x[:, begin:end], "length": np.clip(length - begin, 0, end - begin).astype(np.int32)}
        for begin, end in itertools.pairwise(edges)
    ]


def sum_probe():
    rows, length = 8, np.array([8, 3, 0], np.int32)
    x = np.random.default_rng(1).normal(size=(3, rows, 2)).astype(np.float32)
    chunkings = [cut(x, length, *edges) for edges in (range(rows + 1), (0, rows), (0, 0, 3, 3, rows))]
    return Probe({"x": x, "length": length}, chunkings, ("total",), {"totals": 1, "encoded": 1})


def pair_probe():
    samples, length = 31, np.array([31, 18, 0, 7], np.int32)
    x = np.random.default_rng(2).normal(size=(4, samples)).astype(np.float32)
    chunkings = [cut(x, length, *edges) for edges in (range(samples + 1), (0, samples), (0, 0, 5, 5, 8, 19, samples))]
    by_label = dict.fromkeys(("label", "sample", "level"), "label")
    return Probe({"x": x, "length": length}, chunkings, ("largest",), {}, ragged={"means": "count"} | by_label)


def text_probe():
    """Two sessions: a word with a character cut in half, and nothing."""
    whole = np.array(["naïve", ""])
    bytes_of = "naïve".encode()
    finest = [{"text": np.array([bytes_of[i : i + 1], b""], object)} for i in range(len(bytes_of))]
    return Probe({"text": whole}, [finest, [{"text": whole}]], ("answer",), {})


def commit_probe():
    """Four texts whose ends come together, because the last piece is the final one in every row."""
    texts = ["naïve".encode(), b"ab", b"", b"x yz"]
    longest = max(map(len, texts))
    chunkings = [
        [
            {"text": np.array([text[begin:end] for text in texts], object), "final": np.full(4, end == longest)}
            for begin, end in itertools.pairwise(edges)
        ]
        for edges in (range(longest + 1), (0, longest), (0, 0, 2, 2, 5, longest))
    ]
    return Probe(
        {"text": np.array(texts, object)},
        chunkings,
        (),
        {},
        extra={"whole": {"text": np.array(texts, object)}},
        appended={"committed": ("whole", "answer")},
        starts=[{"state_late": np.array([1, 0, 1, 1], np.int32)}],
    )


def talking_probe():
    extra = {
        "generate": {"prompt": np.array(["a", ""]), "count": np.int32(5), "seed": np.int32(3)},
        "peek": {"more": np.array(["é", "abc"])},
    }
    return dataclasses.replace(text_probe(), extra=extra)


def export(stream, probe, target: Path, metrics=None):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    content = ExportContent(
        application="toy",
        config={"units": UNITS},
        data={"source": "made up"},
        meanings={"x": "numbers"},
        metrics=metrics or {},
        write_report=lambda path: path.write_text("<p>report</p>"),
    )
    return export_model(build_servable(stream), network, probe, content, target)
