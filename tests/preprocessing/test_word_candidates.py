import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from preprocessing.text_pieces import properties

from runnel.shared.preprocessing.word_candidates import WordCandidates

words = st.lists(st.text("abé", max_size=4), min_size=1, max_size=12)


@properties
@given(words, st.integers(0, 2**24 - 1), st.lists(st.text("abéc", max_size=3), min_size=1, max_size=4))
def test_every_token_against_its_prefix(surfaces, bits, prefixes):
    is_candidate = np.array([[bits >> (form * 12 + index) & 1 for index in range(len(surfaces))] for form in (0, 1)])
    forms = [index % 2 for index in range(len(prefixes))]
    found = WordCandidates(surfaces, is_candidate > 0)(tf.constant(prefixes), tf.constant(forms))
    expected = [
        [surface.startswith(prefix) and is_candidate[form, index] > 0 for index, surface in enumerate(surfaces)]
        for prefix, form in zip(prefixes, forms, strict=True)
    ]
    np.testing.assert_array_equal(found, expected)


def test_no_rows_and_no_candidates():
    candidates = WordCandidates(["", "a"], np.zeros((1, 2), bool))
    assert candidates(tf.constant([], tf.string), tf.constant([], tf.int32)).shape == (0, 2)
    np.testing.assert_array_equal(candidates(tf.constant(["", "a"]), tf.constant([0, 0])), np.zeros((2, 2)))


def test_unknown_words_begin_like_the_rarer_half():
    surfaces = ["the", "that", "a", "tea", "ten", "abbey"]  # the rarer half: tea, ten, abbey
    share = WordCandidates(surfaces, np.ones((1, 6), bool)).unknown_share
    prefixes = ["", "t", "te", "tea", "th", "a", "q"]
    expected = [1, 1.25 / 3, 1.25 / 3, 0.25 / 3, 0, 0.25 / 3, 0]
    np.testing.assert_allclose(share(tf.constant(prefixes))[:, 0], expected, rtol=1e-6)
    assert share(tf.constant([], tf.string)).shape == (0, 1)
