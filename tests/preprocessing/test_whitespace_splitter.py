import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from preprocessing.text_pieces import any_bytes, as_numpy, assert_same_state, cut, cuts, properties

from runnel.shared.preprocessing.whitespace_splitter import WhitespaceSplitter

LONGEST = 5
splitter = WhitespaceSplitter(LONGEST)


class Served(tf.Module):
    """The splitter as a graph that knows neither the batch nor its words."""

    def __init__(self):
        super().__init__()
        self.splitter = splitter

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string),
            tf.TensorSpec([None], tf.bool),
            {
                name: tf.TensorSpec([None, *value.shape[1:]], value.dtype)
                for name, value in splitter.initial_state(1).items()
            },
        ],
        autograph=False,
    )
    def step(self, text, final, state):
        words, state = self.splitter.step(text, final, state)
        return words.to_tensor(""), state

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def split(self, texts):
        return self.splitter.split(texts).to_tensor("")


served = Served()


def lists(words):
    """Of a padded [B, N]; no word is empty."""
    return [[word.decode() for word in row if word] for row in words.numpy().tolist()]


def run(pieces):
    """Words and state after (bytes, final) pieces of one text."""
    state, words = splitter.initial_state(1), []
    for piece, final in pieces:
        new, state = served.step(tf.constant([piece]), tf.constant([final]), state)
        words += lists(new)[0]
    return words, as_numpy(state)


def split_in_python(data, longest=LONGEST):
    parts = re.split(r"[ \t\n\v\f\r]+", data.decode(errors="replace"))
    return [part[begin : begin + longest] for part in parts for begin in range(0, len(part), longest)]


EMPTY = as_numpy(splitter.initial_state(1))


@pytest.mark.parametrize(
    ("text", "words", "waiting"),
    [
        ("", [], ""),
        ("a fox", ["a"], "fox"),
        ("a fox ", ["a", "fox"], ""),
        ("  a\t\nfox\r\n\v\f", ["a", "fox"], ""),
        ("don't,—you?", ["don't", ",—you"], "?"),
        ("seven", ["seven"], ""),  # as long as a word may be: complete at once
        ("seven ", ["seven"], ""),
        ("sevens", ["seven"], "s"),
        ("sevenseven s", ["seven", "seven"], "s"),
        ("a\0b \0", ["a\0b"], "\0"),
        ("a\xa0b\u2003c\x85", ["a\xa0b\u2003c"], "\x85"),  # other spaces are part of a word
        ("🙂🙂🙂🙂🙂🙂", ["🙂🙂🙂🙂🙂"], "🙂"),  # characters count, not bytes
        ("\ufeffa \ufffd", ["\ufeffa"], "\ufffd"),
    ],
)
def test_hand_values(text, words, waiting):
    found, state = run([(text.encode(), False)])
    assert found == words
    code_points = [ord(character) + 1 for character in waiting]
    assert state["word"].tolist() == [code_points + [0] * (LONGEST - len(waiting))]
    assert state["tail"].tolist() == [[0, 0, 0]]
    found, state = run([(text.encode(), True)])
    assert found == words + [waiting] * bool(waiting)
    assert_same_state(state, EMPTY)


@pytest.mark.parametrize("final_alone", [False, True])
@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["a 🙂".encode()[:3], "a 🙂".encode()[3:], b"b"], ["a", "🙂b"]),
        (["é".encode()[:1], b"", "é".encode()[1:]], ["é"]),
        ([b"a\xe2\x82"], ["a\ufffd"]),  # what begins a character, and no more comes
        ([b"\xf0\x9f\x98"], ["\ufffd"]),
        ([b"a\xe2\x82", b"b"], ["a\ufffdb"]),
        ([b"\xff\xc0\xaf a"], ["\ufffd\ufffd\ufffd", "a"]),
        ([b"four\xc3"], ["four\ufffd"]),  # the fifth character
        ([b"seven\xc3"], ["seven", "\ufffd"]),
        ([b"\0", b"\0\0 \0"], ["\0\0\0", "\0"]),
        ([b"a", b" ", b"b"], ["a", "b"]),
        ([b"sev", b"en", b"s"], ["seven", "s"]),
        ([b""], []),
        ([b" \n"], []),
    ],
)
def test_a_text_that_ends(pieces, words, final_alone):
    """With its last piece, or with an empty one after it."""
    *others, last = [*pieces, b""] if final_alone else pieces
    found, state = run([*((piece, False) for piece in others), (last, True)])
    assert found == words
    assert_same_state(state, EMPTY)


def test_an_incomplete_character_waits():
    words, state = run([("a 🙂".encode()[:-1], False)])
    assert words == ["a"]
    assert state["tail"].tolist() == [list("🙂".encode()[:3])]
    assert not state["word"].any()


@settings(properties, max_examples=80)
@given(any_bytes, cuts)
def test_any_cutting_gives_the_same(data, places):
    """The words of the text as plain Python finds them; and on the way there, what the text in one piece gives."""
    words, state = run([(data, False)])
    *others, last = cut(data, places)
    cut_words, cut_state = run([*((piece, False) for piece in others), (last, False)])
    assert cut_words == words
    assert_same_state(cut_state, state)
    cut_words, cut_state = run([*((piece, False) for piece in others), (last, True)])
    assert cut_words == split_in_python(data)
    assert_same_state(cut_state, EMPTY)


pieces = st.tuples(any_bytes, st.booleans())


@settings(properties, max_examples=50)
@given(st.integers(1, 3).flatmap(lambda rows: st.lists(st.lists(pieces, min_size=rows, max_size=rows), max_size=4)))
def test_texts_end_in_some_rows_while_others_go_on(steps):
    """[time][row] of (bytes, final): each row gives the words of its texts, one after the other."""
    rows = len(steps[0]) if steps else 1
    state = splitter.initial_state(rows)
    found, expected, waiting = ([[] for _ in range(rows)] for _ in range(3))
    for step in [*steps, [(b"", True)] * rows]:
        texts, finals = zip(*step, strict=True)
        words, state = served.step(tf.constant(texts, tf.string), tf.constant(finals), state)
        for row, (new, text, final) in enumerate(zip(lists(words), texts, finals, strict=True)):
            found[row] += new
            waiting[row].append(text)
            if final:
                expected[row] += split_in_python(b"".join(waiting[row]))
                waiting[row].clear()
                assert found[row] == expected[row]
                assert_same_state({name: value[row : row + 1].numpy() for name, value in state.items()}, EMPTY)
    assert found == expected


@pytest.mark.parametrize("longest", [1, 30, 1000])
def test_whole_texts_at_any_length_of_words(longest):
    texts = [b"", "é\xa0".encode() * 700, b"a" * 1001 + b" b\0 c\xf0\x9f", b"\t", "it rains 🙂".encode()]
    found = WhitespaceSplitter(longest).split(tf.constant(texts, tf.string)).to_list()
    assert [[word.decode() for word in row] for row in found] == [split_in_python(text, longest) for text in texts]


TEXTS = [b"", "naïve 🙂\tsevens\0".encode(), b"bad \xff bytes\xe2", b"  ", "a\xa0b".encode()]


def test_direct_mapped_batched_and_reloaded_give_the_same(tmp_path):
    expected = [split_in_python(text) for text in TEXTS]
    assert [[word.decode() for word in row] for row in splitter.split(tf.constant(TEXTS)).to_list()] == expected

    dataset = tf.data.Dataset.from_tensor_slices(TEXTS)
    mapped = dataset.map(lambda text: splitter.split(text[None]).values)
    assert [[word.decode() for word in words.numpy()] for words in mapped] == expected
    batched = dataset.batch(2).map(splitter.split)
    assert [[word.decode() for word in row] for words in batched for row in words.to_list()] == expected

    tf.saved_model.save(served, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert lists(loaded.split(tf.constant(TEXTS))) == expected
    half, final = splitter.initial_state(5), tf.constant([True, False, True, False, True])
    (words, state), (wanted, wanted_state) = (one.step(TEXTS, final, half) for one in (loaded, served))
    np.testing.assert_array_equal(words, wanted)
    assert_same_state(as_numpy(state), as_numpy(wanted_state))


def test_an_empty_batch():
    words, state = served.step(tf.constant([], tf.string), tf.constant([], tf.bool), splitter.initial_state(0))
    assert words.shape == (0, 0)
    assert_same_state(as_numpy(state), as_numpy(splitter.initial_state(0)))
    assert splitter.split(tf.constant([], tf.string)).shape[0] == 0


def test_names_of_the_state():
    assert splitter.initial_state(2).keys() == set(splitter.state_names)
    assert {name: tuple(value.shape) for name, value in splitter.initial_state(2).items()} == {
        "tail": (2, 3),
        "word": (2, LONGEST),
    }


@pytest.mark.parametrize("longest", [0, -1, 1001])
def test_a_length_that_no_word_can_have_is_refused(longest):
    with pytest.raises(ValueError, match=f"longest_word={longest}; expected 1 to 1000"):
        WhitespaceSplitter(longest)
