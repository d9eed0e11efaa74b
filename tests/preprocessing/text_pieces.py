"""Texts and cuts that the tests of tokenizers share, and text split into tokens in plain Python."""

import re

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

properties = settings(max_examples=150, deadline=None, derandomize=True)

LETTERS = "aàxX9_ж漢٣\u0301\u0303"  # the last two are accents that combine with the letter before them
JOINERS = "'\u2019-"
SPACES = " \t\r\v\f\x85\xa0\u2003\u2028\u3000"
OTHERS = '.,"“—…😀❤<>▁\0\x1f\u200d\ufeff\ufffd'
INVALID = [
    b"\x80",
    b"\xc0\xaf",
    b"\xe0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90",
    b"\xf0\x9f\x98",
    b"\xe2\x82",
    b"\xff",
    b"\xc3",
]

valid_pieces = st.one_of(*(st.sampled_from(group) for group in (LETTERS, LETTERS, JOINERS, SPACES, "\n\n ", OTHERS)))
valid_texts = st.lists(valid_pieces, max_size=25).map("".join)
any_pieces = st.one_of(valid_pieces.map(str.encode), valid_pieces.map(str.encode), st.sampled_from(INVALID))
any_bytes = st.lists(any_pieces, max_size=25).map(b"".join)
cuts = st.lists(st.integers(0, 60), max_size=8)


def cut(data, places):
    """The bytes in pieces that end at these places; some may be empty."""
    ends = [min(place, len(data)) for place in sorted(places)]
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def split_into_tokens(text):
    """The tokens of a whole document: paragraphs, then what stands between whitespace, then single characters."""
    tokens = []
    for paragraph in re.split(rf"[{SPACES}]*\n[{SPACES}]*\n[{SPACES}\n]*", text):
        parts = [part for part in re.split(rf"[{SPACES}\n]+", paragraph) if part]
        for part in parts:
            first, *others = _join_letters(part)
            tokens += ["▁" + first, *others]
        tokens += ["</p>"] if parts else []
    return tokens or ["</p>"]


def _join_letters(part):
    tokens = []
    for character in part:
        if character in LETTERS and tokens and tokens[-1][-1] in LETTERS:
            tokens[-1] += character
        elif character in LETTERS and len(tokens) > 1 and tokens[-1] in JOINERS and tokens[-2][-1] in LETTERS:
            joiner = tokens.pop()
            tokens[-1] += joiner + character
        else:
            tokens.append(character)
    return tokens


def as_numpy(state):
    return {name: value.numpy() for name, value in state.items()}


def assert_same_state(state, expected):
    assert state.keys() == expected.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
        assert value.dtype == expected[name].dtype, name
