"""Scores of models that translate in known ways."""

import dataclasses
import math
import re
from collections.abc import Callable

import numpy as np
import pytest

from runnel.apps.translation.config import Advanced, Config
from runnel.apps.translation.data import TranslationData, prepare
from runnel.apps.translation.evaluate import WAITS, Evaluation, evaluate, references_of, translate, verdicts
from runnel.apps.translation.model import build_model
from runnel.apps.translation.translator import Limits, Translator
from runnel.datasets.pairs.pair_corpus import PairCorpus, Pairs
from runnel.shared.errors import InputError

WORDS = {"one": "un", "two": "deux", "cat": "chat", "dog": "chien", "sun": "soleil", "sea": "mer", "red": "rouge"}


def pairs(count: int, seed: int, longest: int = 7) -> Pairs:
    random = np.random.default_rng(seed)
    sources = {
        " ".join(random.choice([*WORDS], random.integers(3, longest + 1), replace=longest > 7)): None
        for _ in range(count)
    }
    return Pairs.of((source, " ".join(map(WORDS.__getitem__, source.split()))) for source in sources)


def data_of(test: Pairs, **others: Pairs) -> TranslationData:
    splits = {"train": pairs(60, 1), "validation": pairs(5, 2), "test": test, **others}
    corpus = PairCorpus("toy", splits, "print")
    return prepare(corpus, CONFIG)


CONFIG = Config(data="toy", vocabulary=400, advanced=Advanced(copied_share=0.0))


def wrong_at(*words: str) -> Callable[[str], str]:
    return lambda word: "?" if word in words else WORDS[word]


@pytest.fixture(scope="module")
def data() -> TranslationData:
    return data_of(pairs(50, 3), compositional=pairs(30, 4))


@pytest.fixture(scope="module")
def evaluation(data: TranslationData, copying_model: Callable) -> Evaluation:
    return evaluate(copying_model(wrong_at("sea")), data, CONFIG, None, copying_model(wrong_at("sea", "sun")))


# === Scores ===


def test_each_model_stands_beside_the_others(data: TranslationData, evaluation: Evaluation) -> None:
    scores, test = evaluation.metrics["scores"], data.corpus.splits["test"]
    assert list(scores) == ["model", "model, greedy", "without attention", "word by word", "copy of the source"]
    right = [all(word != "sea" for word in source.split()) for source in test.sources]
    assert 0.1 < np.mean(right) < 0.9
    assert scores["model"]["exact"]["estimate"] == scores["model, greedy"]["exact"]["estimate"] == np.mean(right)
    assert scores["word by word"]["exact"]["estimate"] == 1  # of this language, a dictionary is all there is to know
    assert scores["copy of the source"]["bleu"]["estimate"] < 1
    order = ["without attention", "model", "word by word"]
    bleu = [scores[name]["bleu"]["estimate"] for name in order]
    assert bleu == sorted(bleu)
    assert all(score["sentences"] == len(test) for score in scores.values())


def test_other_splits_are_scored_apart(data: TranslationData, evaluation: Evaluation) -> None:
    scores = evaluation.metrics["other_splits"]
    assert list(scores) == ["compositional"]
    right = [all(word != "sea" for word in source.split()) for source in data.corpus.splits["compositional"].sources]
    assert scores["compositional"]["exact"]["estimate"] == pytest.approx(np.mean(right))


def test_an_empty_split_is_passed_over(data: TranslationData, copying_model: Callable) -> None:
    corpus = dataclasses.replace(data.corpus, splits={**data.corpus.splits, "compositional": Pairs.of([])})
    metrics = evaluate(copying_model(), dataclasses.replace(data, corpus=corpus), CONFIG).metrics
    assert metrics["other_splits"] == {}


def test_scores_by_length_are_of_groups_of_ten_or_more(copying_model: Callable) -> None:
    test = pairs(90, 5, longest=12)
    metrics = evaluate(copying_model(wrong_at("sea")), data_of(test), CONFIG).metrics
    lengths = [len(source.split()) for source in test.sources]
    counts = {"1-5": sum(n <= 5 for n in lengths), "6-10": sum(6 <= n <= 10 for n in lengths)}
    counts["11-15"] = len(lengths) - sum(counts.values())
    assert {g["words"]: g["sentences"] for g in metrics["by_length"]} == counts
    assert all(count >= 10 for count in counts.values())
    for group in metrics["by_length"]:
        low, high = map(int, group["words"].split("-"))
        chosen = [source for source in test.sources if low <= len(source.split()) <= high]
        assert group["exact"]["model"] == np.mean(["sea" not in source.split() for source in chosen])
    few = evaluate(copying_model(), data_of(Pairs.of(list(test)[:9])), CONFIG).metrics
    assert few["by_length"] == []


def test_no_more_sentences_are_translated_than_asked_for(data: TranslationData, copying_model: Callable) -> None:
    config = dataclasses.replace(CONFIG, advanced=dataclasses.replace(CONFIG.advanced, evaluation_sentences=12))
    metrics = evaluate(copying_model(), data, config).metrics
    assert {score["sentences"] for score in metrics["scores"].values()} == {12}


def test_references_of_a_source_are_taken_together() -> None:
    several = Pairs.of([("a", "x"), ("b", "y"), ("a", "z"), (" ", "w"), ("c", "v")])
    assert references_of(several, 9) == (["a", "b", "c"], [["x", "z"], ["y"], ["v"]])
    assert references_of(several, 2) == (["a", "b"], [["x", "z"], ["y"]])


def test_translations_keep_their_places(copying_model: Callable) -> None:
    texts = [f"{place} {'word ' * (place * 7 % 11)}".strip() for place in range(150)]
    assert translate(copying_model(), texts) == texts
    assert translate(copying_model(), []) == []


# === Before a sentence ends ===


def test_lag_and_quality_over_waits_by_hand(data: TranslationData, copying_model: Callable) -> None:
    """A model that copies word by word, and so keeps pace with the speaker, lags by as much as it waits."""
    measured = evaluate(copying_model(WORDS.__getitem__), data, CONFIG).metrics["simultaneous"]
    lengths = [len(source.split()) for source in data.corpus.splits["test"].sources]
    assert list(measured) == ["0", *map(str, WAITS)]
    assert measured["0"]["al"] == measured["0"]["laal"] == pytest.approx(np.mean(lengths))
    for wait in WAITS:
        expected = np.mean([min(wait, length) for length in lengths])
        assert measured[str(wait)]["al"] == pytest.approx(expected)
        assert measured[str(wait)]["laal"] == pytest.approx(expected)
        assert measured[str(wait)]["bleu"]["estimate"] == pytest.approx(100)


def test_only_so_many_are_sent_word_by_word(data: TranslationData, copying_model: Callable) -> None:
    config = dataclasses.replace(CONFIG, advanced=dataclasses.replace(CONFIG.advanced, spoken_sentences=1))
    measured = evaluate(copying_model(WORDS.__getitem__), data, config).metrics["simultaneous"]
    assert measured["0"]["al"] == len(data.corpus.splits["test"].sources[0].split())


def test_a_model_that_needs_whole_sentences_has_no_lag(data: TranslationData, copying_model: Callable) -> None:
    config = dataclasses.replace(CONFIG, encoder="bidirectional")
    assert "simultaneous" not in evaluate(copying_model(), data, config).metrics


# === In words ===


def test_the_verdicts_name_every_rival_split_and_wait(evaluation: Evaluation) -> None:
    lines = verdicts(evaluation.metrics)
    scores = evaluation.metrics["scores"]
    assert len(lines) == 4
    assert lines[0].startswith(f"Of {scores['model']['sentences']} unseen texts ")
    assert f"{scores['model']['exact']['estimate']:.1%}" in lines[0]
    assert all(f"«{name}»" in lines[1] for name in ("without attention", "word by word", "copy of the source"))
    assert "«compositional»" in lines[2]
    assert all(f"(k = {wait})" in lines[3] for wait in WAITS)


@pytest.mark.parametrize("count", [1, 3])
def test_what_cannot_be_estimated_is_left_out_of_the_words(copying_model: Callable, count: int) -> None:
    metrics = evaluate(copying_model(wrong_at("sea")), data_of(Pairs.of(list(pairs(9, 3))[:count])), CONFIG).metrics
    assert math.isnan(metrics["scores"]["model"]["bleu"]["lower"])
    assert not [line for line in verdicts(metrics) if re.search(r"\b(nan|inf)\b", line)]


def test_a_model_that_says_nothing_is_scored_too(data: TranslationData, copying_model: Callable) -> None:
    metrics = evaluate(copying_model(lambda _: ""), data, CONFIG).metrics
    assert metrics["scores"]["model"]["bleu"]["estimate"] == 0
    assert metrics["simultaneous"]["3"]["al"] == metrics["simultaneous"]["0"]["al"]


def test_without_a_word_there_is_nothing_to_translate(data: TranslationData, copying_model: Callable) -> None:
    corpus = dataclasses.replace(data.corpus, splits={**data.corpus.splits, "test": Pairs.of([(" ", "x")])})
    with pytest.raises(InputError, match="no text of the test split of toy holds a word; expected some"):
        evaluate(copying_model(), dataclasses.replace(data, corpus=corpus), CONFIG)


# === Attention ===


def test_examples_come_with_what_the_model_looked_at(wild_evaluation: Evaluation) -> None:
    assert 1 <= len(wild_evaluation.attention) <= 3
    for one in wild_evaluation.attention:
        assert one.weights.shape == (len(one.target), len(one.source))
        np.testing.assert_allclose(one.weights.sum(axis=1), 1, atol=1e-5)
    shown = {"".join(one.source).replace("▁", " ").strip() for one in wild_evaluation.attention}
    assert shown <= {source for source, _, _ in wild_evaluation.examples}


@pytest.fixture(scope="module")
def wild_evaluation(data: TranslationData, copying_model: Callable) -> Evaluation:
    """Of a network that was never trained, whose translations are said to be right."""
    config = dataclasses.replace(CONFIG, advanced=dataclasses.replace(CONFIG.advanced, units=6, embedding=4, depth=1))
    network = build_model(config, data.tokenizer.size, use_cudnn=False)
    translator = Translator(network, data.tokenizer, Limits(128, 2.0, 0))
    return evaluate(copying_model(WORDS.__getitem__), data, config, translator)


def test_without_attention_there_is_nothing_to_look_at(evaluation: Evaluation) -> None:
    assert evaluation.attention == ()
    assert len(evaluation.examples) == 12
