import codecs
import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from preprocessing.text_pieces import any_bytes, cut, cuts, properties

from runnel.shared.preprocessing.utf8 import decode_utf8

# One byte of each range that the Unicode standard tells apart, at its edges.
EDGES = bytes(
    [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF3, 0xF4, 0xF5]
)
decode_graph = tf.function(
    decode_utf8, input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None, 3], tf.int32)], autograph=False
)


def python_decode(pieces):
    """What Python's incremental decoder gives for these pieces, and the bytes that wait in it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text, waiting = "".join(decoder.decode(piece) for piece in pieces), decoder.getstate()[0]
    if len(waiting) == 2 and waiting[0] == 0xED and waiting[1] >= 0xA0:
        # The beginning of a surrogate is invalid already; Python says so only when the next byte comes.
        return text + "\ufffd\ufffd", b""
    return text, waiting


def graph_decode(pieces):
    tail, texts = tf.zeros([1, 3], tf.int32), []
    for piece in pieces:
        text, tail = decode_graph(tf.constant([piece]), tail)
        texts.append(text[0].numpy().decode())
    return "".join(texts), bytes(tail[0].numpy().astype(np.uint8)).rstrip(b"\0")


def test_every_sequence_of_four_edges():
    sequences = [bytes(sequence) for sequence in itertools.product(EDGES, repeat=4)]
    texts, tails = decode_graph(tf.constant(sequences), tf.zeros([len(sequences), 3], tf.int32))
    expected_texts, expected_tails = zip(*(python_decode([sequence]) for sequence in sequences), strict=True)
    assert [text.decode() for text in texts.numpy()] == list(expected_texts)
    padded = b"".join(tail.ljust(3, b"\0") for tail in expected_tails)
    np.testing.assert_array_equal(tails.numpy().reshape(-1), np.frombuffer(padded, np.uint8))


@properties
@given(any_bytes | st.binary(max_size=20), cuts)
def test_any_cutting_as_in_python(data, places):
    expected = python_decode([data])
    assert python_decode(cut(data, places)) == expected
    assert graph_decode(cut(data, places)) == expected


def test_hand_values():
    text, tail = decode_utf8(
        [b"caf\xc3", b"\xa9\xff", b"\xe2\x82", b""], [[0, 0, 0], [0xC3, 0, 0], [0xF0, 0, 0], [0xF0, 0x9F, 0x98]]
    )
    assert [one.decode() for one in text.numpy()] == ["caf", "é\ufffd", "\ufffd", ""]
    np.testing.assert_array_equal(tail, [[0xC3, 0, 0], [0, 0, 0], [0xE2, 0x82, 0], [0xF0, 0x9F, 0x98]])
    assert tail.dtype == tf.int32


@pytest.mark.parametrize("decode", [decode_utf8, decode_graph], ids=["eager", "graph"])
def test_an_empty_batch(decode):
    text, tail = decode(tf.constant([], tf.string), tf.zeros([0, 3], tf.int32))
    assert text.shape == (0,)
    assert tail.shape == (0, 3)
