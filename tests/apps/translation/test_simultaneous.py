"""Delays worked by hand, for a model that copies words."""

from collections.abc import Callable

import pytest

from runnel.apps.translation.simultaneous import Spoken, interpret, source_words


@pytest.mark.parametrize(
    ("wait_k", "delays"),
    [(0, (4, 4, 4, 4)), (1, (1, 2, 3, 4)), (2, (2, 3, 4, 4)), (3, (3, 4, 4, 4)), (4, (4,) * 4), (9, (4,) * 4)],
)
def test_a_word_is_as_late_as_it_waits(copying_model: Callable, wait_k: int, delays: tuple[int, ...]) -> None:
    assert interpret(copying_model(), ["one two  three\tfour"], wait_k) == [Spoken("one two three four", delays, 4)]


def test_several_words_for_one_come_together_and_none_for_one_does_not(copying_model: Callable) -> None:
    model = copying_model({"a": "x y", "b": "", "c": "z"}.__getitem__)
    assert interpret(model, ["a b c a"], 1) == [Spoken("x y z x y", (1, 1, 3, 4, 4), 4)]
    assert interpret(model, ["b"], 1) == [Spoken("", (), 1)]


def test_sentences_of_any_length_keep_their_places(copying_model: Callable) -> None:
    lengths = [5, 1, 3, 70, 2, 1, 9] * 20  # more than go into one batch
    texts = [" ".join(f"{place}.{word}" for word in range(length)) for place, length in enumerate(lengths)]
    spoken = interpret(copying_model(), texts, 2)
    assert [one.translation for one in spoken] == texts
    assert [one.source_words for one in spoken] == lengths
    assert [one.delays for one in spoken] == [
        (*(min(word + 2, length) for word in range(length)),) for length in lengths
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one two", ["one", "two"]),
        (" one\t\n two\r\n", ["one", "two"]),
        ("no\u00a0break l'eau\u202f!", ["no\u00a0break", "l'eau\u202f!"]),
        ("", []),
        (" \v\f", []),
    ],
)
def test_words_of_the_source(text: str, words: list[str]) -> None:
    assert source_words(text) == words
