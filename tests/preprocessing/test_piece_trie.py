import random

import numpy as np
import pytest
import tensorflow as tf

from runnel.shared.preprocessing.piece_trie import PieceTrie

IDS = {"a": 7, "ab": 0, "abcde": 3, "😀b": 9, " ": 2, "\0": 4, "\U0010ffff": 5}
trie = PieceTrie(IDS)
longest_pieces = tf.function(
    trie.longest_pieces, input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False, reduce_retracing=True
)


def longest_at_each(text):
    return longest_pieces(tf.constant([ord(character) for character in text], tf.int32)).numpy().tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a", [7]),
        ("abcd", [0, -1, -1, -1]),  # almost "abcde"
        ("abcde", [3, -1, -1, -1, -1]),
        ("aab ab", [7, 0, -1, 2, 0, -1]),
        ("😀😀b\0", [-1, 9, -1, 4]),
        ("\U0010ffff", [5]),
    ],
)
def test_hand_values(text, expected):
    assert longest_at_each(text) == expected
    assert trie.longest_pieces(tf.constant(list(map(ord, text)), tf.int32)).dtype == tf.int32


@pytest.mark.parametrize("seed", range(5))
def test_the_longest_of_all_that_match(seed):
    draw = random.Random(seed)
    pieces = sorted({"".join(draw.choices("ab", k=draw.randint(1, 7))) for _ in range(20)})
    text = "".join(draw.choices("aaaabbbbc", k=3000))
    ids = {piece: index for index, piece in enumerate(pieces)}
    matching = [[piece for piece in pieces if text.startswith(piece, start)] for start in range(len(text))]
    expected = [ids[max(some, key=len)] if some else -1 for some in matching]
    np.testing.assert_array_equal(PieceTrie(ids).longest_pieces(tf.constant(list(map(ord, text)))), expected)
