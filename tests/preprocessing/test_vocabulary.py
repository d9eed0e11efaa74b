from collections import Counter

import pytest
import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.preprocessing.vocabulary import check_vocabulary, join_tokens, most_frequent

COUNTS = Counter({"b": 3, "a": 3, "c": 5, "d": 1, "</p>": 9})


@pytest.mark.parametrize(
    ("size", "minimum_count", "expected"),
    [
        (10, 1, ["c", "a", "b", "d"]),
        (10, 2, ["c", "a", "b"]),
        (10, 4, ["c"]),
        (4, 1, ["c", "a"]),
    ],
)
def test_the_most_frequent(size, minimum_count, expected):
    assert most_frequent(COUNTS, ("<unk>", "</p>"), size, minimum_count) == ("<unk>", "</p>", *expected)


@pytest.mark.parametrize(("size", "minimum_count"), [(10, 6), (2, 1), (0, 1)])
def test_nothing_frequent_enough(size, minimum_count):
    with pytest.raises(InputError, match=f"no token occurs {minimum_count} times, for a vocabulary of {size}; .*more"):
        most_frequent(COUNTS, ("<unk>", "</p>"), size, minimum_count)


def test_a_checked_vocabulary():
    assert check_vocabulary(["<unk>", "a"], ("<unk>",)) == ("<unk>", "a")
    with pytest.raises(ValueError, match=r"begins with \['a'\]; expected \('<unk>',\)"):
        check_vocabulary(["a", "<unk>"], ("<unk>",))
    with pytest.raises(ValueError, match=r"repeated tokens \['a'\]"):
        check_vocabulary(["<unk>", "a", "b", "a"], ("<unk>",))


def test_only_valid_tokens_are_joined():
    texts = tf.constant(["?", "a", " b"])
    joined = join_tokens(texts, tf.constant([[1, 2, 1], [2, -1, 999], [0, 0, 0]]), tf.constant([3, 1, 0]))
    assert joined.numpy().tolist() == [b"a ba", b" b", b""]
    assert join_tokens(texts, tf.zeros([2, 0], tf.int32), tf.constant([0, 0])).numpy().tolist() == [b"", b""]
    assert join_tokens(texts, tf.zeros([0, 4], tf.int32), tf.zeros([0], tf.int32)).shape == (0,)
