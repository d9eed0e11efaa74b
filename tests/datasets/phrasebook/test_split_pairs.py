import os
import subprocess
import sys
from collections import Counter

import pytest

from runnel.datasets.phrasebook.adjectives import ADJECTIVES
from runnel.datasets.phrasebook.adverbs import FREQUENCIES, MANNERS, TIMES
from runnel.datasets.phrasebook.names import NAMES
from runnel.datasets.phrasebook.nouns import NOUNS
from runnel.datasets.phrasebook.places import CITIES, COUNTRIES
from runnel.datasets.phrasebook.split_pairs import key_of, split_pairs, words_of
from runnel.datasets.phrasebook.verbs import VERBS
from runnel.datasets.phrasebook.withheld import is_withheld

HELD_OUT = ("validation", "test", "compositional")


def test_counts(splits, counts):
    assert {split: len(pairs) for split, pairs in splits.items()} == counts


@pytest.mark.slow
def test_the_whole_phrasebook():
    whole = split_pairs()  # In one test, so that it is drawn once.
    assert {split: len(pairs) for split, pairs in whole.items()} == {
        "train": 100_000,
        "validation": 2_000,
        "test": 2_000,
        "compositional": 2_000,
    }
    test_each_english_text_occurs_once_and_has_one_translation(whole)
    test_no_text_is_in_two_splits(whole)
    test_every_word_occurs_in_train(whole)
    test_withheld_combinations_are_in_compositional_alone(whole)
    test_spelling(whole)
    check_that_what_is_withheld_is_made_of_frequent_words(whole)
    check_that_every_lexeme_is_frequent_in_train(whole)


def test_size_of_the_lexicon():
    tables = (NOUNS, ADJECTIVES, VERBS, NAMES, MANNERS, FREQUENCIES, TIMES, CITIES, COUNTRIES)
    assert sum(map(len, tables)) > 650


def test_each_english_text_occurs_once_and_has_one_translation(splits):
    english = [pair.english for pairs in splits.values() for pair in pairs]
    assert len(set(english)) == len(english)


def test_texts_that_differ_in_case_or_marks_translate_alike(splits):
    french_of = {}
    for pair in (pair for pairs in splits.values() for pair in pairs):
        french = key_of(pair.french)
        assert french_of.setdefault(key_of(pair.english), french) == french, pair


def test_no_text_is_in_two_splits(splits):
    for language in ("english", "french"):
        keys = [{key_of(getattr(pair, language)) for pair in pairs} for pairs in splits.values()]
        assert len(set.union(*keys)) == sum(map(len, keys))


def test_every_word_occurs_in_train(splits):
    for language in ("english", "french"):
        known = set().union(*(words_of(getattr(pair, language)) for pair in splits["train"]))
        for split in HELD_OUT:
            for pair in splits[split]:
                assert words_of(getattr(pair, language)) <= known, pair


def test_withheld_combinations_are_in_compositional_alone(splits):
    for split in ("train", "validation", "test"):
        for pair in splits[split]:
            assert not any(map(is_withheld, pair.combinations)), pair
    for pair in splits["compositional"]:
        assert any(map(is_withheld, pair.combinations)), pair


def check_that_what_is_withheld_is_made_of_frequent_words(whole):
    adjectives = Counter(one for pair in whole["train"] for kind, one, _ in pair.combinations if kind == "adjective")
    verbs = Counter(one for pair in whole["train"] for kind, one, _ in pair.combinations if kind == "object")
    for pair in whole["compositional"]:
        for kind, one, other in filter(is_withheld, pair.combinations):
            if kind == "adjective":
                assert adjectives[one] >= 20, (one, other)
            if kind == "object":
                assert verbs[one] >= 20, (one, other)


def check_that_every_lexeme_is_frequent_in_train(whole):
    counts = Counter(word for pair in whole["train"] for word in words_of(pair.english))
    for noun in NOUNS:
        assert sum(counts[form.split()[-1].lower()] for form in {noun.english, noun.english_plural}) >= 40, noun.english
    for adjective in ADJECTIVES:
        assert counts[adjective.english] >= 40, adjective.english


def test_sentences_that_everybody_tries(splits):
    train = {pair.english: pair.french for pair in splits["train"]}
    assert train["The cat sat on the mat."] == "Le chat s'est assis sur le tapis."
    assert (
        train["The quick brown fox jumps over the lazy dog."]
        == "Le rapide renard brun saute par-dessus le chien paresseux."
    )
    assert train["Good morning."] == "Bonjour."
    assert train["How are you?"] == "Comment allez-vous\N{NO-BREAK SPACE}?"


def test_lengths(splits):
    drawn = [pair for pair in splits["train"] if pair.construction != "everyday phrase"]
    lengths = [len(pair.english.split()) for pair in drawn]
    assert 6.5 < sum(lengths) / len(lengths) < 9
    assert max(lengths) <= 14
    assert sum(length >= 3 for length in lengths) > 0.97 * len(lengths)


def test_what_is_typed_plainly(splits):
    plain = [pair for pair in splits["train"] if pair.english[-1] not in ".?!"]
    assert 0.02 < len(plain) / len(splits["train"]) < 0.06
    for pair in plain:
        assert pair.french[-1] not in ".?!"


def test_spelling(splits):
    for pair in (pair for pairs in splits.values() for pair in pairs):
        for text in (pair.english, pair.french):
            assert text == text.strip()
            assert "  " not in text
            assert "*" not in text
            assert " -" not in text
            assert "\N{RIGHT SINGLE QUOTATION MARK}" not in text
        assert " ?" not in pair.french
        assert " !" not in pair.french
        assert pair.french.count("?") == pair.french.count("\N{NO-BREAK SPACE}?")
        assert "?" not in pair.french or "?" in pair.english


def test_every_process_draws_the_same():
    program = """
import hashlib
from runnel.datasets.phrasebook.split_pairs import split_pairs
splits = split_pairs({"train": 1_000, "validation": 20, "test": 20, "compositional": 10})
texts = [f"{split} {pair.english} {pair.french}" for split, pairs in splits.items() for pair in pairs]
print(hashlib.sha256("\\n".join(texts).encode()).hexdigest())
"""
    digests = [
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(digests[0]) > 60
    assert digests[0] == digests[1]
