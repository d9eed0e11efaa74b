import dataclasses
import math
import re
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import LanguageData, load_data
from runnel.apps.autocomplete.evaluate import evaluate, verdicts
from runnel.apps.autocomplete.token_losses import fit_cache, token_losses
from runnel.apps.autocomplete.typist import Passage, passages, type_passages
from runnel.shared.errors import InputError
from runnel.shared.evaluation.kneser_ney import fit_kneser_ney
from runnel.shared.evaluation.typing_metrics import keys_saved, recall_at


@pytest.fixture(scope="module")
def config(trained: Any) -> Config:
    return Config.from_dict(trained.manifest["config"])


@pytest.fixture(scope="module")
def data(config: Config) -> LanguageData:
    return load_data(config)


@pytest.fixture(scope="module")
def network(trained: Any) -> Any:
    return keras.models.load_model(trained.export / "model.keras")


@pytest.fixture(scope="module")
def typed(data: LanguageData, config: Config) -> list[Passage]:
    (document,) = data.corpus.splits["test"]
    return passages(document.rstrip() + "\n\n", config.advanced.evaluation_characters)


def with_test_text(data: LanguageData, text: str) -> LanguageData:
    corpus = dataclasses.replace(data.corpus, splits={**data.corpus.splits, "test": (text,)})
    return dataclasses.replace(data, corpus=corpus)


# === What the manifest tells ===


def test_the_model_stands_beside_its_baselines(trained: Any, trained_on_characters: Any) -> None:
    baselines = {"Kneser-Ney n-gram", "most frequent words"}
    metrics = trained.manifest["metrics"]
    assert metrics["typing"].keys() == metrics["found_by_keys"].keys() == {"model", "model without cache"} | baselines
    assert metrics["top3_lead"].keys() == metrics["typing"].keys() - {"model"}
    assert trained_on_characters.manifest["metrics"]["typing"].keys() == {"model"} | baselines
    for scores in metrics["typing"].values():
        for score in scores.values():
            assert 0 <= score["lower"] <= score["estimate"] <= score["upper"] <= 1
    for curve in metrics["found_by_keys"].values():
        assert curve == sorted(curve)


def test_recall_and_keys_spared_are_those_of_typing_the_text(trained: Any, words: Any, typed: list[Passage]) -> None:
    scored = type_passages(words, typed, 3)
    metrics = trained.manifest["metrics"]
    (passage,) = typed
    assert len(passage.before) > 0
    assert metrics["characters"] == len(passage.text) == pytest.approx(400, abs=20)
    assert metrics["words"] == len(scored.length) == len(passage.words)
    scores = {name: score["estimate"] for name, score in metrics["typing"]["model"].items()}
    assert scores["top3"] == pytest.approx(recall_at(scored, 3).mean())
    assert scores["mrr"] == pytest.approx(
        np.mean([1 / (1 + rank) if 0 <= rank < 3 else 0 for rank in scored.ranks[:, 0]])
    )
    assert scores["keystroke_savings"] == pytest.approx(keys_saved(scored, 3).sum() / len(passage.text))


def test_reciprocal_ranks_are_of_lists_of_one_length(trained: Any) -> None:
    """In lists of three the mean reciprocal rank lies within what the two recalls allow; of five it may not."""
    for scores in trained.manifest["metrics"]["typing"].values():
        first, any_place = scores["top1"]["estimate"], scores["top3"]["estimate"]
        assert first + (any_place - first) / 3 <= scores["mrr"]["estimate"] + 1e-9
        assert scores["mrr"]["estimate"] <= first + (any_place - first) / 2 + 1e-9


def test_what_was_copied_stands_in_the_training_text(trained: Any, data: LanguageData) -> None:
    span = trained.manifest["metrics"]["longest_verbatim_span"]
    assert 0 < span["characters"] == len(span["text"]) <= span["of"]
    assert span["text"] in "\n\n".join(data.corpus.splits["train"])


def test_an_old_state_is_compared_with_a_fresh_one(trained: Any) -> None:
    state_age = trained.manifest["metrics"]["state_age"]
    assert state_age["characters"] == 300
    assert 0 < state_age["old"] == pytest.approx(state_age["fresh"], rel=0.5)


def test_the_verdicts_name_every_rival(trained: Any) -> None:
    metrics = trained.manifest["metrics"]
    lines = verdicts(metrics)
    assert all(any(f"«{name}»" in line for line in lines) for name in metrics["top3_lead"])
    assert metrics["likelihood"]["verdict"] in lines
    assert metrics["state_age"]["verdict"] in lines
    assert all(line in trained.said for line in lines)


def test_text_without_a_word_is_refused(data: LanguageData, config: Config) -> None:
    with pytest.raises(InputError, match=r"the test split of .* holds no word; expected at least one"):
        evaluate(None, with_test_text(data, "?! .."), config)


@pytest.mark.parametrize("text", ["Ada", "Ada Ada", "Qwert qwertz."])
def test_what_cannot_be_compared_is_said_in_words(words: Any, data: LanguageData, config: Config, text: str) -> None:
    lines = verdicts(evaluate(words, with_test_text(data, text), config).metrics)
    assert len(lines) == 5
    assert not [line for line in lines if re.search(r"\b(nan|inf)\b", line)]


def test_a_single_word_is_too_few(words: Any, data: LanguageData, config: Config) -> None:
    lines = verdicts(evaluate(words, with_test_text(data, "Ada"), config).metrics)
    assert "(too few words for an interval) of the words" in lines[0]
    assert lines[1] == "There are too few words to compare the model with «Kneser-Ney n-gram»."


def test_a_lead_without_bounds_tells_both_recalls(trained: Any) -> None:
    metrics = trained.manifest["metrics"]
    none = {"estimate": 0.0, "lower": 0.0, "upper": 0.0}
    some = {"estimate": 0.25, "lower": 0.125, "upper": 0.375}
    typing = {"model": {"top3": some, "keystroke_savings": some}, "rival": {"top3": none}}
    for lead in ((math.inf, math.inf, math.inf), (2.0, 0.5, math.inf)):
        leads = {"rival": dict(zip(("estimate", "lower", "upper"), lead, strict=True))}
        lines = verdicts({**metrics, "typing": typing, "top3_lead": leads})
        assert lines[1] == (
            "3 suggestions of the model hold 25.0% (12.5% .. 37.5%) of the next words; "
            "those of «rival» 0.0% (0.0% .. 0.0%)."
        )


def test_the_training_text_is_counted_once(
    words: Any, data: LanguageData, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[int] = []

    def fit(sequences: Any, vocabulary: int, order: int) -> Any:
        orders.append(order)
        return fit_kneser_ney(sequences, vocabulary, order)

    monkeypatch.setattr("runnel.apps.autocomplete.evaluate.fit_kneser_ney", fit)
    evaluate(words, with_test_text(data, "Ada"), config)
    assert orders == [4]


# === Losses and the cache ===


def test_losses_of_a_split_by_hand(data: LanguageData, network: Any) -> None:
    """Every stretch is read from a fresh state: NumPy's softmax of the network's logits, one stretch at a time."""
    ids = data.token_ids["validation"]
    rows = max(1, min(16, len(ids) // 100))
    length = math.ceil((len(ids) - 1) / rows)
    expected = []
    for begin in range(0, len(ids) - 1, length):
        stretch = ids[begin : begin + length + 1]
        state = {name: tf.zeros([1, 12]) for name in ("hidden_0", "cell_0")}
        inputs = {"token_ids": tf.constant(stretch[None, :-1]), "mask": tf.ones([1, len(stretch) - 1], tf.bool)}
        context = network(inputs | {"state": state})[0]["context"][0].numpy()
        embedding, bias = network.get_layer("embedding").get_weights()
        logits = context @ embedding.T + bias
        log_totals = np.log(np.exp(logits).sum(axis=1))
        expected += (log_totals - logits[np.arange(len(logits)), stretch[1:]]).tolist()
    losses = token_losses(network, data, "validation")()
    assert losses.shape == (len(ids) - 1,)
    np.testing.assert_allclose(losses, expected, atol=1e-4)


def test_the_weight_of_the_cache_is_the_best_of_those_tried(data: LanguageData, network: Any) -> None:
    """By hand over the whole split, the latest 64 tokens counted in plain Python."""
    ids, places = data.token_ids["validation"].tolist(), 64
    probabilities = np.exp(-token_losses(network, data, "validation")())
    mean = {}
    for weight in (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8):
        total = 0.0
        for place, own in enumerate(probabilities, 1):
            latest = ids[max(place - places, 0) : place]
            share = weight * latest.count(ids[place]) / places
            total -= math.log((1 - weight * len(latest) / places) * own + share)
        mean[weight] = total / len(probabilities)
    found = fit_cache(network, data, places)
    assert found.loss_without == pytest.approx(mean[0.0], rel=1e-5)
    assert found.weight == min(mean, key=lambda weight: mean[weight])
    assert found.loss == pytest.approx(mean[found.weight], rel=1e-5)
    assert found.loss < mean[0.1] < mean[0.0]
