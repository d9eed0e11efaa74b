import tracemalloc
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.apps.autocomplete.typing_session import TypingSession

WORDS = ("The", " ", "  ", "\n", "re", "cord", "fox", "'", ".", "Émile", "🙂", "\t", "well-", "zzz", "\x1c", "\u00a0")
EDITS = st.lists(st.integers(1, 6) | st.sampled_from(WORDS), max_size=12)  # so many backspaces, or text


class Counting:
    """A model that counts the bytes that it is given, and remembers the texts."""

    def __init__(self, model: Any) -> None:
        self.model, self.initial_state, self.bytes = model, model.initial_state, 0
        self.texts: list[bytes] = []

    def step(self, text: tf.Tensor, **state: tf.Tensor) -> Any:
        self.bytes += int(tf.reduce_sum(tf.strings.length(text)))
        self.texts += text.numpy().tolist()
        return self.model.step(text=text, **state)


def served(model: Any, text: str) -> dict[str, float]:
    answer = model.serving_default(text=tf.constant([text.encode()]))
    return {
        word.decode(): score
        for word, score in zip(answer["suggestions"].numpy()[0], answer["scores"].numpy()[0], strict=True)
        if word
    }


@settings(max_examples=40, deadline=None, derandomize=True)
@given(edits=EDITS)
def test_any_edits_give_what_the_text_gives(words: Any, edits: list[int | str]) -> None:
    session, text = TypingSession(words), ""
    for edit in edits:
        text = text[:-edit] if isinstance(edit, int) else text + edit
        found = session.suggest(text)
        expected = served(words, text)
        scores = [score for _, score in found]
        assert scores == sorted(scores, reverse=True)
        np.testing.assert_allclose(scores, list(expected.values()), atol=1e-5)
        for word, score in found:
            assert expected.get(word, min(expected.values())) == pytest.approx(score, abs=1e-5)


def test_a_key_costs_the_word_being_typed_and_not_the_text(words: Any) -> None:
    model = Counting(words)
    session = TypingSession(model)
    text = "The quick brown fox sees the garden " * 20
    session.suggest(text)
    before = model.bytes
    session.suggest(text + "r")
    session.suggest(text + "re")
    session.suggest(text + "r")
    assert model.bytes - before == 4


def test_a_backspace_over_a_boundary_falls_back_to_the_one_before(words: Any) -> None:
    model = Counting(words)
    session = TypingSession(model)
    for end in range(len("The quick dog ") + 1):
        session.suggest("The quick dog "[:end])
    before = model.bytes
    assert dict(session.suggest("The quick do")) == pytest.approx(served(words, "The quick do"), abs=1e-5)
    assert model.bytes - before == 2


class Toy:
    """A model whose state is the number of bytes so far, and whose only suggestion is that."""

    def initial_state(self, batch_size: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"state_bytes": tf.zeros([batch_size], tf.int32)}

    def step(self, text: tf.Tensor, state_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        count = state_bytes + tf.strings.length(text)
        return {"suggestions": tf.strings.as_string(count)[:, None], "scores": tf.ones([1, 1]), "state_bytes": count}


def test_the_latest_200_boundaries_are_kept() -> None:
    model = Counting(Toy())
    session = TypingSession(model)
    text = "".join(f"w{number} " for number in range(300))
    ends = [at + 1 for at, key in enumerate(text) if key == " "]  # the boundaries
    for end in ends:
        session.suggest(text[:end])
    model.texts.clear()
    for end in reversed(ends[100:]):  # back over those that are kept
        assert session.suggest(text[:end]) == [(str(end), 1.0)]
    assert set(model.texts) == {b""}
    model.texts.clear()
    for end in (ends[99], ends[98], ends[98] + 3, ends[50]):  # back behind them: read again from the start
        assert session.suggest(text[:end]) == [(str(end), 1.0)]
    assert model.texts[:2] == [text[: ends[99]].encode(), b""]
    assert model.texts[2:4] == [text[: ends[98]].encode(), b""]
    assert model.texts[4] == text[ends[98] : ends[98] + 3].encode()


def test_memory_does_not_grow_with_the_square_of_the_text() -> None:
    session = TypingSession(Toy())
    sizes = []
    tracemalloc.start()
    try:
        for number in range(1, 2001):
            session.suggest("word " * number)
            if number in (1000, 2000):
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[1] - sizes[0] < 100_000  # the text grew by 5,000 bytes; copies at all boundaries are 7,500,000


def test_another_text_altogether(words: Any) -> None:
    session = TypingSession(words)
    session.suggest("The quick brown ")
    assert dict(session.suggest("My old ")) == pytest.approx(served(words, "My old "), abs=1e-5)


def test_what_is_no_character_does_not_end_the_session(words: Any) -> None:
    """A terminal hands bytes that are no UTF-8 on as lone surrogates."""
    assert TypingSession(words).suggest("The \udcff re")
