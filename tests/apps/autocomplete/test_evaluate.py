import dataclasses
import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import LanguageData, load_data
from runnel.apps.autocomplete.evaluate import evaluate, verdicts
from runnel.apps.autocomplete.token_losses import fit_cache, token_losses
from runnel.apps.autocomplete.typist import passages, type_passages
from runnel.shared.errors import InputError
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
def typed_text(data: LanguageData, config: Config) -> str:
    return "\n\n".join(data.corpus.splits["test"])[: config.advanced.evaluation_characters]


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


def test_recall_and_keys_spared_are_those_of_typing_the_text(trained: Any, words: Any, typed_text: str) -> None:
    typed = type_passages(words, passages(typed_text, 32))
    metrics = trained.manifest["metrics"]
    assert metrics["characters"] == len(typed_text)
    assert metrics["words"] == len(typed.length)
    scores = {name: score["estimate"] for name, score in metrics["typing"]["model"].items()}
    assert scores["top3"] == pytest.approx(recall_at(typed, 3).mean())
    assert scores["keystroke_savings"] == pytest.approx(keys_saved(typed, 3).sum() / (typed.length + 1).sum())


def test_likelihood_is_that_of_whole_passages(trained: Any, words: Any, typed_text: str) -> None:
    nats, tokens, characters = 0.0, 0, 0
    for passage in passages(typed_text, 32):
        text = f"{passage.text}\n\n"
        scored = words.score(text=tf.constant([text]), **words.initial_state(batch_size=tf.constant(1)))
        nats -= float(scored["log_probability"][0])
        tokens += int(scored["tokens"][0])
        characters += len(text)
    likelihood = trained.manifest["metrics"]["likelihood"]
    scores = likelihood["scores"]["model"]
    assert likelihood["tokens"] == tokens
    assert scores["nats"] == pytest.approx(nats / tokens, rel=1e-4)
    assert scores["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-4)
    assert scores["bits_per_character"] == pytest.approx(nats / characters / math.log(2), rel=1e-4)


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
    corpus = dataclasses.replace(data.corpus, splits={**data.corpus.splits, "test": ("?! ..",)})
    with pytest.raises(InputError, match=r"the test split of .* holds no word; expected at least one"):
        evaluate(None, dataclasses.replace(data, corpus=corpus), config)


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
    for weight in (0.0, 0.1, 0.4):
        total = 0.0
        for place, own in enumerate(probabilities, 1):
            latest = ids[max(place - places, 0) : place]
            share = weight * latest.count(ids[place]) / places
            total -= math.log((1 - weight * len(latest) / places) * own + share)
        mean[weight] = total / len(probabilities)
    found = fit_cache(network, data, places)
    assert found.loss_without == pytest.approx(mean[0.0], rel=1e-5)
    assert found.weight == 0.4  # nearly untrained, the network is worse than a few words remembered
    assert found.loss == pytest.approx(mean[0.4], rel=1e-5)
    assert found.loss < mean[0.1] < mean[0.0]
