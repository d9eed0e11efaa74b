import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from preprocessing.text_pieces import any_bytes, as_numpy, assert_same_state, cut, cuts, properties, valid_texts

from runnel.shared.errors import InputError
from runnel.shared.preprocessing.character_tokenizer import CharacterTokenizer, fit_characters

VOCABULARY = ("<unk>", " ", "e", "é", "\n", "'", "\u2019", "-", "_", "7", "\u0301", "😀", "\0", ".")
tokenizer = CharacterTokenizer(VOCABULARY, longest_word=4)
step = tf.function(tokenizer.step, reduce_retracing=True, autograph=False)


def run(pieces):
    found, state = [], tokenizer.initial_state(1)
    for piece in pieces:
        new, state = step(tf.constant([piece]), state)
        found += new.to_list()[0]
    return found, state


def text_of(encoded, tokenizer=tokenizer):
    decoded = tokenizer.decode(encoded.to_tensor(), tf.cast(encoded.row_lengths(), tf.int32))
    return [text.decode() for text in decoded.numpy()]


class TestSteps:
    def test_every_complete_character_at_once(self):
        assert run([b"e \xc3"])[0] == [2, 1]
        assert run([b"e \xc3", b"\xa9", b"", b"z\0\xff\n"])[0] == [2, 1, 3, 0, 12, 0, 4]

    def test_the_word_being_typed(self):
        words = [tokenizer.current_word(run([text])[1]).numpy()[0].decode() for text in ("e é'", "e ", "e--e7", "")]
        assert words == ["é'", "", "e7", ""]

    def test_a_word_that_outgrows_the_state(self):
        for text, word, has_outgrown in [
            ("eeee-", "eeee-", False),
            ("éé-é_é", "éé-é_é", True),
            ("e" * 9, "xxxxxe", True),
        ]:
            _, state = run([text])
            assert tokenizer.current_word(state).numpy()[0].decode() == word
            assert tokenizer.has_outgrown(state).numpy().tolist() == [has_outgrown]

    @pytest.mark.parametrize(
        ("pieces", "newlines"),
        [
            ([""], 2),  # nothing yet, as after a paragraph
            (["e"], 0),
            (["e\n"], 1),
            (["e", "\n", ""], 1),
            (["e\n\n"], 2),
            (["e\n", "\n"], 2),
            (["e\n\n\n\n"], 2),
            (["e\n\n", "e\n"], 1),
            (["\n"], 2),
            (["e\n", b"\xc3"], 1),  # half a character is none yet
            (["e\n", b"\xc3", b"\xa9"], 0),
            (["\n\ne\0\n"], 1),
            (["\n e\n "], 0),
        ],
    )
    def test_newlines_that_end_the_text(self, pieces, newlines):
        _, state = run(pieces)
        assert state["newlines"].numpy().tolist() == [newlines]
        assert tokenizer.is_after_newline(state).numpy().tolist() == [newlines == 1]

    @properties
    @given(any_bytes, cuts)
    def test_any_cutting_gives_the_same(self, data, places):
        found, state = run(cut(data, places))
        expected, whole_state = run([data])
        assert found == expected
        assert_same_state(as_numpy(state), as_numpy(whole_state))

    def test_rows_do_not_mix(self):
        texts = [b"e\xf0\x9f", b"", b"\x98\x80 'e", b"ee7", b"\0"]
        found, state = tokenizer.step(tf.constant(texts), tokenizer.initial_state(5))
        for row, text in enumerate(texts):
            alone, state_alone = run([text])
            assert found.to_list()[row] == alone
            assert_same_state(
                {name: value[row : row + 1].numpy() for name, value in state.items()}, as_numpy(state_alone)
            )

    def test_an_empty_batch(self):
        found, state = tokenizer.step(tf.constant([], tf.string), tokenizer.initial_state(0))
        assert found.shape[0] == 0
        assert_same_state(as_numpy(state), as_numpy(tokenizer.initial_state(0)))
        assert tokenizer.encode(tf.constant([], tf.string)).shape[0] == 0

    def test_a_long_paste(self):
        found, _ = run(["e é😀.\n".encode() * 12_000])
        assert found == [2, 1, 3, 11, 13, 4] * 12_000


class TestDocuments:
    @pytest.mark.parametrize(
        ("text", "ending"),
        [("", "\n\n"), ("e", "\n\n"), ("e\n", "\n"), ("e\n\n", ""), ("\ne\n\n\n\n", None), ("e \n", "\n")],
    )
    def test_each_ends_with_one_blank_line(self, text, ending):
        encoded = tokenizer.encode(tf.constant([text]))
        assert encoded.dtype == tf.int32
        assert text_of(encoded) == ["\ne\n\n" if ending is None else text + ending]

    @properties
    @given(st.lists(valid_texts, min_size=1, max_size=3))
    def test_text_of_known_characters_comes_back(self, texts):
        known = CharacterTokenizer(fit_characters([*texts, "a"], size=1000, minimum_count=1))
        assert text_of(known.encode(tf.constant(texts)), known) == [text.rstrip("\n") + "\n\n" for text in texts]

    def test_unknown_and_invalid_characters(self):
        assert text_of(tokenizer.encode(tf.constant(["ez\xff\xe2".encode("latin-1")]))) == ["e\ufffd\ufffd\ufffd\n\n"]
        assert tokenizer.decode(tf.constant([[2, 0, 3]]), tf.constant([2])).numpy()[0].decode() == "e\ufffd"


def test_the_newline_and_the_names_of_the_state():
    assert tokenizer.newline_id == 4
    assert CharacterTokenizer(("<unk>", "a")).newline_id == 0
    assert tokenizer.state_names == tuple(tokenizer.initial_state(1))


def test_kinds_of_characters():
    kinds = zip(VOCABULARY, tokenizer.is_word_character.numpy(), tokenizer.is_joiner.numpy(), strict=True)
    words, joiners = set("eé_7\u0301"), set("'\u2019-")
    assert [(is_word, is_joiner) for _, is_word, is_joiner in kinds] == [
        (one in words, one in joiners) for one in VOCABULARY
    ]
    assert (tokenizer.size, tokenizer.unknown_id, tokenizer.vocabulary) == (len(VOCABULARY), 0, VOCABULARY)


class TestFitting:
    def test_hand_values(self):
        # b 3, a 2, é 1; a newline comes first however rare it is.
        assert fit_characters(["bab", "aéb"]) == ("<unk>", "\n", "b", "a")
        assert fit_characters(["bab\n", "a\néb"], size=3, minimum_count=1) == ("<unk>", "\n", "b")

    def test_too_little_text(self):
        with pytest.raises(InputError, match="no token occurs 2 times"):
            fit_characters([])


@pytest.mark.parametrize(("vocabulary", "message"), [(("<unk>", "ab"), "Received 'ab'"), (("a",), "begins with")])
def test_bad_vocabularies(vocabulary, message):
    with pytest.raises(ValueError, match=message):
        CharacterTokenizer(vocabulary)


def test_in_a_saved_model(tmp_path):
    module = tf.Module()
    module.tokenizer = tokenizer
    module.encode = tf.function(
        lambda texts: module.tokenizer.encode(texts).to_tensor(-1),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_array_equal(loaded.encode(tf.constant(["eé", ""])), [[2, 3, 4, 4], [4, 4, -1, -1]])
