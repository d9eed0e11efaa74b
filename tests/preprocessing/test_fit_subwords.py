import json
import os
import pydoc_data.topics
import subprocess
import sys

import pytest
import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.preprocessing.fit_subwords import fit_subwords
from runnel.shared.preprocessing.subword_tokenizer import SubwordTokenizer
from runnel.shared.preprocessing.subword_vocabulary import RESERVED_TOKENS

RESERVED = len(RESERVED_TOKENS)


def pieces_of(texts, size=RESERVED + 1000, minimum_count=2):
    vocabulary = fit_subwords(texts, size, minimum_count)
    assert vocabulary[:RESERVED] == RESERVED_TOKENS
    return list(vocabulary[RESERVED:])


class TestPieces:
    def test_worked_by_hand(self):
        # ▁la 3 times, ▁lab 2, ▁ob 2: l-a and ▁-l are found 5 times, a-b, o-b and ▁-o 2 times.
        # Where pairs tie, that of earlier pieces comes first: l-a, then ▁-la; o-b, then ▁-ob, then ▁la-b.
        texts = ["la lab ob", "la la lab ob"]
        assert pieces_of(texts) == ["a", "b", "l", "o", "▁", "la", "▁la", "ob", "▁ob", "▁lab"]
        assert pieces_of(texts, minimum_count=3) == ["a", "b", "l", "▁", "la", "▁la"]

    def test_what_no_piece_mixes(self):
        pieces = pieces_of(["s'est-il (42) 3\u202f€\u00a0! l'e\u0301té\n\tn_est"] * 9)
        assert {"▁s", "'", "est", "▁", "(", "4", "2", "3", "\u202f", "€", "\u00a0", "\n", "\t", "_"} <= set(pieces)
        assert "e\u0301té" in pieces
        assert all(piece.removeprefix("▁").replace("\u0301", "").isalpha() for piece in pieces if len(piece) > 1)

    def test_every_character_that_is_frequent_enough(self):
        texts = ["aß", "ab", "ab 😀", "a", "😀", "▁▁ \ufffd\ufffd"]
        assert {piece for piece in pieces_of(texts) if len(piece) == 1} == {"▁", "a", "b", "😀"}
        assert {piece for piece in pieces_of(texts, minimum_count=1) if len(piece) == 1} == {*"▁abß😀"}
        assert set(pieces_of(texts, minimum_count=4)) == {"▁", "a", "▁a"}

    def test_a_rare_character_parts_pieces(self):
        """No piece holds what stands on both sides of one, nor is a word begun by it."""
        texts = [f"at{rare}at" for rare in "ßñøþłđħŋœæ"]
        assert pieces_of(texts) == ["a", "t", "▁", "at", "▁at"]

    @pytest.mark.parametrize("size", [263, 264, 265, 400])
    @pytest.mark.parametrize("rare", ["", "ø"])
    def test_no_more_than_the_size(self, size, rare):
        texts = ["ab ba abba abab", "baæ"] * 3 + [rare]
        assert len(fit_subwords(texts, 400)) < 400
        assert fit_subwords(texts, size) == fit_subwords(texts, 400)[:size]

    def test_its_own_texts_need_no_bytes(self):
        texts = (f"L'été {year} « à\u202fla mer\n" for year in range(1900, 2000))
        fitted = SubwordTokenizer(fit_subwords(texts, 600))
        encoded = fitted.encode(tf.constant(["L'été 1999 « à\u202fla mer\n"])).values.numpy()
        assert encoded.min() >= RESERVED


class TestBadInput:
    @pytest.mark.parametrize("texts", [[], [""], ["  ", "\ufffd▁", "▁\ufffd"], ["abc", "def"]])
    def test_nothing_to_learn_from(self, texts):
        with pytest.raises(InputError, match=f"received {len(texts)} texts in which no character but a space occurs 2"):
            fit_subwords(texts, 1000)

    @pytest.mark.parametrize("size", [-1, 0, 259, 261])
    def test_too_small_a_size(self, size):
        with pytest.raises(InputError, match=f"vocabulary size of {size}; expected 262 at least: 259 reserved .* 2 ch"):
            fit_subwords(["abab"], size)


PROGRAM = """
import json, pydoc_data.topics
from runnel.shared.preprocessing.fit_subwords import fit_subwords

print(json.dumps(fit_subwords(pydoc_data.topics.topics.values(), 5000)))
"""


def test_the_same_in_another_process():
    """Many pairs tie; neither the order of hashes nor that of the library's threads may decide."""
    seed = str(int(os.environ.get("PYTHONHASHSEED", "random") == "1") + 1)
    environment = os.environ | {"PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": "1"}
    other = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    expected = fit_subwords(pydoc_data.topics.topics.values(), 5000)
    assert len(expected) == 5000
    assert tuple(json.loads(other.stdout)) == expected
