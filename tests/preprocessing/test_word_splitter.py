import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from preprocessing.text_pieces import any_bytes, as_numpy, assert_same_state, cut, cuts, properties, split_into_tokens

from runnel.shared.preprocessing.word_splitter import WordSplitter

LONGEST = 40
splitter = WordSplitter(LONGEST)


def specs(state):
    return {name: tf.TensorSpec([None, *value.shape[1:]], value.dtype) for name, value in state.items()}


step = tf.function(
    splitter.step,
    input_signature=[tf.TensorSpec([None], tf.string), specs(splitter.initial_state(1))],
    autograph=False,
)
split = tf.function(splitter.split, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)


def texts_of(tokens):
    return [[token.decode() for token in row] for row in tokens.to_list()]


def run(pieces):
    """Tokens and state after some pieces of one text."""
    state, tokens = splitter.initial_state(1), []
    for piece in pieces:
        new, state = step(tf.constant([piece]), state)
        tokens += texts_of(new)[0]
    return tokens, as_numpy(state)


@pytest.mark.parametrize(
    ("text", "tokens", "gap"),
    [
        ("", [], 3),
        ("The fox, the", ["▁The", "▁fox", ","], 1),
        ("The fox,the", ["▁The", "▁fox", ","], 0),
        ("The fox\nthe", ["▁The", "▁fox"], 2),
        ("fox ", ["▁fox"], 1),
        ("fox.", ["▁fox", "."], 0),
        ("fox \n", ["▁fox"], 2),
        ("fox \n\t\n", ["▁fox", "</p>"], 3),
        ("fox\r\n", ["▁fox"], 2),
        ("fox\r\r", ["▁fox"], 1),
        ("fox\n\n \n\n", ["▁fox", "</p>"], 3),
        ("\n\n\nfox ", ["▁fox"], 1),
        ("a\n\nb c\nd.", ["▁a", "</p>", "▁b", "▁c", "▁d", "."], 0),
        ('"Don\'t," she said', ['▁"', "Don't", ",", '"', "▁she"], 1),
        ("a--b ", ["▁a", "-", "-", "b"], 1),
        ("a- b'", ["▁a", "-"], 1),
        ("1,000\u00a0km ", ["▁1", ",", "000", "▁km"], 1),
        ("😀😀\0", ["▁😀", "😀", "\0"], 0),
        ("▁ a▁", ["▁▁", "▁a", "▁"], 0),
        ("</p> ", ["▁<", "/", "p", ">"], 1),
    ],
)
def test_hand_values(text, tokens, gap):
    found, state = run([text.encode()])
    assert found == tokens
    assert state["gap"].tolist() == [gap]


@properties
@given(any_bytes, cuts)
def test_any_cutting_gives_the_same(data, places):
    tokens, state = run([data])
    cut_tokens, cut_state = run(cut(data, places))
    assert cut_tokens == tokens
    assert_same_state(cut_state, state)


@properties
@given(st.lists(any_bytes, max_size=4))
def test_documents_as_in_plain_python(documents):
    expected = [split_into_tokens(document.decode(errors="replace")) for document in documents]
    assert texts_of(split(tf.constant(documents, tf.string))) == expected


@properties
@given(st.lists(any_bytes, min_size=2, max_size=5), st.lists(any_bytes, min_size=2, max_size=5))
def test_a_row_in_a_batch_is_the_row_alone(first, second):
    rows = min(len(first), len(second))
    tokens_1, state = step(tf.constant(first[:rows]), splitter.initial_state(rows))
    tokens_2, state = step(tf.constant(second[:rows]), state)
    for row in range(rows):
        tokens, alone = run([first[row], second[row]])
        assert texts_of(tokens_1)[row] + texts_of(tokens_2)[row] == tokens
        assert_same_state({name: value[row : row + 1].numpy() for name, value in state.items()}, alone)


def test_long_words_are_split_where_they_would_be():
    """Words longer than the state: another word may stand for them, but never one that is short enough to be known."""
    word = "ab" * LONGEST
    text = f"{word}- {word}-{word}'s. {word}"
    tokens, _ = run([text[place : place + 3].encode() for place in range(0, len(text), 3)])
    assert [token if len(token) <= LONGEST else "LONG" for token in tokens] == ["LONG", "-", "LONG", "."]


def test_an_empty_batch_and_an_empty_text():
    tokens, state = step(tf.constant([], tf.string), splitter.initial_state(0))
    assert tokens.shape[0] == 0
    assert_same_state(as_numpy(state), as_numpy(splitter.initial_state(0)))
    assert split(tf.constant([], tf.string)).shape[0] == 0
    assert texts_of(split(["", " \n", "\n\n\n", "a", "a\n", "a \n\n\n ", "a\xe2".encode("latin-1")])) == [
        ["</p>"],
        ["</p>"],
        ["</p>"],
        ["▁a", "</p>"],
        ["▁a", "</p>"],
        ["▁a", "</p>"],
        ["▁a", "\ufffd", "</p>"],
    ]
