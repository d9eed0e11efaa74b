import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import LanguageData, load_data
from runnel.apps.autocomplete.likelihood import compare_likelihoods, compare_state_ages, encode_passage
from runnel.apps.autocomplete.typist import Passage, passages
from runnel.shared.evaluation.kneser_ney import KneserNey, fit_kneser_ney


@pytest.fixture(scope="module", params=["word", "char"])
def level(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(level: str, words: Any, characters: Any) -> Any:
    return words if level == "word" else characters


@pytest.fixture(scope="module")
def data(level: str, trained: Any, trained_on_characters: Any) -> LanguageData:
    chosen = trained if level == "word" else trained_on_characters
    return load_data(Config.from_dict(chosen.manifest["config"]))


@pytest.fixture(scope="module")
def ngram(data: LanguageData) -> KneserNey:
    documents = [data.tokenizer.encode([text]).flat_values.numpy() for text in data.corpus.splits["train"]]
    return fit_kneser_ney(documents, data.tokenizer.size, 3)


@pytest.fixture(scope="module")
def text(data: LanguageData) -> str:
    (document,) = data.corpus.splits["test"]
    return document.rstrip() + "\n\n"


@pytest.fixture(scope="module")
def typed(text: str) -> list[Passage]:
    pieces = passages(text, len(text), len(text) // 3)
    assert [bool(piece.before) for piece in pieces] == [False, True, True]
    return pieces


def scored(model: Any, before: str, text: str) -> tuple[float, int]:
    """Nats and tokens of a text at once, in a session of its own, after what stands before it."""
    state = dict(model.initial_state(batch_size=tf.constant(1)))
    outputs = model.step(text=tf.constant([before]), **state)
    outputs = model.score(text=tf.constant([text]), **{name: outputs[name] for name in state})
    return -float(outputs["log_probability"][0]), int(outputs["tokens"][0])


def test_likelihood_is_that_of_each_passage_after_the_text_before_it(
    model: Any, ngram: KneserNey, typed: list[Passage], data: LanguageData
) -> None:
    nats, tokens = np.sum([scored(model, passage.before, passage.text) for passage in typed], axis=0)
    found = compare_likelihoods({"model": model}, ngram, typed, data)
    assert found["tokens"] == tokens
    assert found["scores"]["model"]["nats"] == pytest.approx(nats / tokens, rel=1e-4)
    assert found["scores"]["model"]["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-4)


def test_the_ngram_knows_the_same_text(model: Any, ngram: KneserNey, text: str, data: LanguageData) -> None:
    """All of the text in one passage and in three: the tokens are the same, and those of `encode`."""
    one, three = ([*passages(text, len(text), len(text) // count)] for count in (1, 3))
    assert len(three) == 3
    ids = data.tokenizer.encode([text]).flat_values.numpy()
    for typed in (one, three):
        found = compare_likelihoods({"model": model}, ngram, typed, data)
        assert found["tokens"] == len(ids)
        assert found["scores"]["Kneser-Ney n-gram"]["nats"] == pytest.approx(-ngram.log_probabilities(ids).mean())
        assert found["unknown"] == pytest.approx(np.mean(ids == data.tokenizer.unknown_id))


def test_encoded_passages_are_pieces_of_the_text(text: str, data: LanguageData) -> None:
    ids = data.tokenizer.encode([text]).flat_values.numpy()
    at = 0
    for passage in passages(text, len(text), len(text) // 4):
        encoded, before = encode_passage(data.tokenizer, passage)
        np.testing.assert_array_equal(encoded, ids[at - before : at + len(encoded) - before])
        at += len(encoded) - before
    assert at == len(ids)


def test_bits_a_character_are_told_of_characters_alone(
    level: str, model: Any, ngram: KneserNey, typed: list[Passage], data: LanguageData
) -> None:
    found = compare_likelihoods({"model": model, "model without cache": model}, ngram, typed, data)
    assert found["scores"].keys() == {"model", "model without cache", "Kneser-Ney n-gram"}
    for scores in found["scores"].values():
        assert ("bits_per_character" in scores) == (level == "char")
    if level == "char":
        assert found["tokens"] == sum(len(passage.text) for passage in typed)
        bits = found["scores"]["model"]["bits_per_character"]
        assert bits == pytest.approx(found["scores"]["model"]["nats"] / math.log(2))


def test_the_lead_is_that_of_the_table(model: Any, ngram: KneserNey, typed: list[Passage], data: LanguageData) -> None:
    found = compare_likelihoods({"model": model}, ngram, typed, data)
    own, other = (found["scores"][name]["nats"] for name in ("model", "Kneser-Ney n-gram"))
    assert f"(skill {100 * (1 - own / other):+.1f} %" in found["verdict"]


def test_ages_of_the_state_by_hand(model: Any, text: str) -> None:
    """Every piece alone, after nothing and after 40 characters of a past that is repeated until it is long enough."""
    found = compare_state_ages(model, text, "It rains.\n\n", 40)
    pieces = [passage.text for passage in passages(text, 8_000, 250)]
    assert len(pieces) > 2
    past = ("It rains.\n\n" * 5)[:40] + "\n\n"
    length = sum(len(piece) for piece in pieces)
    assert found["characters"] == 40
    assert found["fresh"] == pytest.approx(sum(scored(model, "", piece)[0] for piece in pieces) / length, rel=1e-4)
    assert found["old"] == pytest.approx(sum(scored(model, past, piece)[0] for piece in pieces) / length, rel=1e-4)
    assert found["verdict"].startswith("A state 40 characters old ")
