import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from preprocessing.text_pieces import any_bytes, as_numpy, assert_same_state, cut, cuts, properties

from runnel.shared.errors import InputError
from runnel.shared.preprocessing.word_tokenizer import WordTokenizer, fit_words

VOCABULARY = ("<unk>", "</p>", "▁fox", ",", "▁Don't", "Don", "▁(", "fox", "▁foxes", "form", "▁Do", "▁▁", "▁-", "▁été")
tokenizer = WordTokenizer(VOCABULARY)
of_short_words = WordTokenizer(("<unk>", "</p>", "▁x", "x", "▁xx", "xx", "▁xxx", "xxx", "▁x-x", "a-x", "'"), 3)
ID = {token: index for index, token in enumerate(VOCABULARY)}


def ids(*tokens):
    return [ID[token] for token in tokens]


@functools.cache
def step_of(tokenizer):
    return tf.function(tokenizer.step, reduce_retracing=True, autograph=False)


def state_after(*pieces, tokenizer=tokenizer):
    found, state = [], tokenizer.initial_state(1)
    for piece in pieces:
        new, state = step_of(tokenizer)(tf.constant([piece]), state)
        found += new.to_list()[0]
    return found, state


def candidates_after(text, tokenizer=tokenizer):
    mask = tokenizer.candidates(state_after(text, tokenizer=tokenizer)[1])[0].numpy()
    return [tokenizer.vocabulary[index] for index in np.flatnonzero(mask)]


class TestEncoding:
    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("", ["</p>"]),
            ("fox", ["▁fox", "</p>"]),
            ("foxes,fox", ["▁foxes", ",", "fox", "</p>"]),
            ("form ,form", ["form", ",", "form", "</p>"]),  # each has one form alone
            (",foxes", [",", "▁foxes", "</p>"]),
            ("Don't Don Do-Do", ["▁Don't", "Don", "<unk>", "</p>"]),
            ("(fox\n\nwolf fox", ["▁(", "fox", "</p>", "<unk>", "▁fox", "</p>"]),
            ("▁ ▁", ["▁▁", "▁▁", "</p>"]),
            ("FOX <unk>", ["<unk>"] * 4 + ["</p>"]),
        ],
    )
    def test_hand_values(self, text, tokens):
        assert tokenizer.encode(tf.constant([text])).to_list() == [ids(*tokens)]

    def test_what_is_complete_and_what_waits(self):
        found, state = state_after("fox, Don'", "t fo")
        assert found == ids("▁fox", ",", "▁Don't")
        assert tokenizer.current_word(state).numpy().tolist() == [b"fo"]
        found, state = state_after("fox, ")
        assert tokenizer.current_word(state).numpy().tolist() == [b""]

    def test_types_and_constants(self):
        encoded = tokenizer.encode(tf.constant(["fox"]))
        assert encoded.dtype == tf.int32
        assert (tokenizer.size, tokenizer.unknown_id, tokenizer.end_id) == (len(VOCABULARY), 0, 1)
        assert tokenizer.vocabulary == VOCABULARY
        assert tokenizer.surfaces.numpy()[:6].tolist() == [b"", b"", b"fox", b",", b"Don't", b"Don"]
        assert tokenizer.is_spaced.numpy().tolist() == [token[0] == "▁" for token in VOCABULARY]
        assert tokenizer.state_names == tuple(tokenizer.initial_state(1))
        assert tokenizer.surfaces.numpy()[6:].tolist()[-3:] == ["▁".encode(), b"-", "été".encode()]

    @properties
    @given(any_bytes, cuts)
    def test_any_cutting_with_words_at_the_limit(self, data, places):
        """A stand-in for a word that has outgrown the state must not be taken for a known word."""
        data = data.replace(b" ", b"x")
        found, state = state_after(*cut(data, places), tokenizer=of_short_words)
        expected, whole_state = state_after(data, tokenizer=of_short_words)
        assert found == expected
        assert_same_state(as_numpy(state), as_numpy(whole_state))

    def test_words_around_the_limit(self):
        short = WordTokenizer(("<unk>", "</p>", "▁xxx", "▁xxa", "-"), 3)
        for text, expected in [("xxx-", 2), ("xxxx-", 0), ("xxxxx-", 0), ("xxxxxx-", 0), ("xxa-", 3), ("xxxa-", 0)]:
            assert state_after(*text, " ", tokenizer=short)[0] == [expected, 4], text

    def test_a_long_paste_of_everything(self):
        text = "fox, Don't 😀 wolf\x00\xa0(fox\n\n" * 4_000
        found, state = state_after(text.encode() + b"\xf0\x9f")
        paragraph = ids("▁fox", ",", "▁Don't", "<unk>", "<unk>", "<unk>", "▁(", "fox", "</p>")
        assert found == paragraph * 4_000
        assert state["tail"].numpy().tolist() == [[0xF0, 0x9F, 0]]


class TestCandidates:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("fo", ["▁fox", "▁foxes", "form"]),
            ("(fo", ["fox", "▁foxes", "form"]),
            ("fox", ["▁fox", "▁foxes"]),
            ("foxes", ["▁foxes"]),
            ("wolf", []),
            ("F", []),
            ("Don", ["▁Don't", "Don"]),
            ("Don'", ["▁Don't"]),
            ("Don-", []),
            ("é", ["▁été"]),
            ("fox ", ["▁fox", "▁Don't", "Don", "▁foxes", "form", "▁Do", "▁été"]),
            ("fox,", ["▁Don't", "Don", "fox", "▁foxes", "form", "▁Do", "▁été"]),
            ("", ["▁fox", "▁Don't", "Don", "▁foxes", "form", "▁Do", "▁été"]),
            ("fox\n\n", ["▁fox", "▁Don't", "Don", "▁foxes", "form", "▁Do", "▁été"]),
        ],
    )
    def test_hand_values(self, text, expected):
        assert candidates_after(text) == expected

    def test_a_word_that_has_outgrown_the_state_has_none(self):
        short = WordTokenizer(("<unk>", "</p>", "▁xxx", "▁x"), 3)
        assert candidates_after("xxx", short) == ["▁xxx"]
        assert candidates_after("xxxx", short) == candidates_after("xxxxxxxx", short) == []

    @properties
    @given(st.text("foxesrmD'nt, (", max_size=12))
    def test_whatever_is_completed_encodes_to_the_candidate(self, text):
        """Typing the rest of a suggested word ends with its very id: suggestions are in the form that is due."""
        _, state = state_after(text)
        word = tokenizer.current_word(state)[0].numpy()
        for index in np.flatnonzero(tokenizer.candidates(state)[0]):
            rest = tokenizer.surfaces[index].numpy().removeprefix(word)
            assert tokenizer.step(tf.constant([rest + b" "]), state)[0].to_list() == [[index]]

    def test_rows_have_their_own(self):
        state = tokenizer.step(tf.constant(["fo", "(fo", "", "wolf"]), tokenizer.initial_state(4))[1]
        masks = tokenizer.candidates(state).numpy()
        expected = [candidates_after(text) for text in ("fo", "(fo", "", "wolf")]
        assert [[VOCABULARY[index] for index in np.flatnonzero(mask)] for mask in masks] == expected


class TestDecoding:
    @pytest.mark.parametrize(
        ("tokens", "text"),
        [
            ([], ""),
            (["▁fox", ",", "▁Don't"], " fox, Don't"),
            (["Don", "▁(", "fox"], "Don (fox"),
            (["▁fox", "</p>", "▁fox", "</p>"], " fox\n\nfox\n\n"),
            (["</p>", "<unk>", ",", "<unk>"], "\n\n\ufffd, \ufffd"),
            (["▁▁", "▁-"], " ▁ -"),
        ],
    )
    def test_hand_values(self, tokens, text):
        token_ids = tf.constant([[*ids(*tokens), 3, 3]], tf.int32)
        assert tokenizer.decode(token_ids, tf.constant([len(tokens)]))[0].numpy().decode() == text

    @properties
    @given(
        st.lists(st.sampled_from([" fox", ",", " Don't", " (fox", " foxes", " Do", " ▁", " -", "\n\nfox"]), max_size=8)
    )
    def test_text_of_known_forms_comes_back(self, parts):
        text = "".join(["fox", *parts])
        encoded = tokenizer.encode(tf.constant([text]))
        decoded = tokenizer.decode(encoded.to_tensor(), tf.cast(encoded.row_lengths(), tf.int32))
        assert decoded[0].numpy().decode() == f" {text}\n\n"


class TestFitting:
    texts = ("The fox. The (fox)", "fox, fox\n\nThe dog's Den")

    def test_hand_values(self):
        # In their forms: ▁The 3, ▁fox 3, fox 1 and the others 1 each.
        assert fit_words(self.texts, size=100) == ("<unk>", "</p>", "▁The", "▁fox")
        assert fit_words(self.texts, size=3) == ("<unk>", "</p>", "▁The")
        rare = (")", ",", ".", "fox", "▁(", "▁Den", "▁dog's")
        assert fit_words(self.texts, size=100, minimum_count=1) == ("<unk>", "</p>", "▁The", "▁fox", *rare)

    def test_the_words_of_the_training_text_are_known(self):
        fitted = WordTokenizer(fit_words(self.texts, size=100, minimum_count=1))
        assert fitted.unknown_id not in fitted.encode(tf.constant(self.texts)).values.numpy()

    def test_words_too_long_are_left_out(self):
        text = "abcd abcde " * 3
        assert fit_words([text], size=10, longest_word=4) == ("<unk>", "</p>", "▁abcd")
        WordTokenizer(fit_words([text], size=10, longest_word=4), longest_word=4)

    def test_more_documents_than_are_read_at_once(self):
        texts = (f"one{number // 2}" for number in range(200))
        assert len(fit_words(texts, size=1000)) == 102

    @pytest.mark.parametrize("texts", [[], [""], ["every word once"]])
    def test_too_little_text(self, texts):
        with pytest.raises(InputError, match="no token occurs 2 times"):
            fit_words(texts, size=10)


def test_bad_vocabularies():
    with pytest.raises(ValueError, match=r"begins with \['<unk>', '▁fox'\]"):
        WordTokenizer(["<unk>", "▁fox"])
    with pytest.raises(ValueError, match="Received 'foxes'; expected words of 4 characters at most"):
        WordTokenizer((*VOCABULARY[:2], "▁foxe", "▁foxes"), longest_word=4)


def test_an_empty_batch():
    found, state = tokenizer.step(tf.constant([], tf.string), tokenizer.initial_state(0))
    assert found.shape[0] == 0
    assert tokenizer.candidates(state).shape == (0, len(VOCABULARY))
    assert tokenizer.encode(tf.constant([], tf.string)).shape[0] == 0


def test_in_a_saved_model(tmp_path):
    class Served(tf.Module):
        def __init__(self):
            super().__init__()
            self.tokenizer = tokenizer

        @tf.function(
            input_signature=[
                tf.TensorSpec([None], tf.string),
                {
                    name: tf.TensorSpec([None, *value.shape[1:]], value.dtype)
                    for name, value in state_after("")[1].items()
                },
            ],
            autograph=False,
        )
        def step(self, text, state):
            token_ids, state = self.tokenizer.step(text, state)
            return {"ids": token_ids.to_tensor(-1), "candidates": self.tokenizer.candidates(state), "state": state}

    tf.saved_model.save(Served(), str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    texts = tf.constant(["fox, Don't fo", "wolf\n\n", ""])
    results = loaded.step(texts, tokenizer.initial_state(3))
    token_ids, state = tokenizer.step(texts, tokenizer.initial_state(3))
    np.testing.assert_array_equal(results["ids"], token_ids.to_tensor(-1))
    np.testing.assert_array_equal(results["candidates"], tokenizer.candidates(state))
    assert_same_state(as_numpy(results["state"]), as_numpy(state))
