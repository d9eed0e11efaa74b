import dataclasses
import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from runnel.apps.translation.config import Advanced, Config
from runnel.apps.translation.data import TranslationData
from runnel.apps.translation.evaluate import AttentionMap, Evaluation, evaluate, verdicts
from runnel.apps.translation.report import build_report
from runnel.datasets.pairs.pair_corpus import PairCorpus, Pairs
from runnel.shared.evaluation.report import Plot, Report, render_report

CONFIG = Config(data="toy", advanced=Advanced(window=130))
HISTORY = [{"epoch": 1, "loss": 2.0, "val_loss": 1.5}, {"epoch": 2, "loss": 1.0, "val_loss": 1.25}]
MAP = AttentionMap(("▁one", "▁$x_1$", "<0x41>"), ("▁un", "▁<b>"), np.array([[0.5, 0.25, 0.25], [0, 0, 1]], np.float32))


def corpus(sentences: Callable) -> PairCorpus:
    pairs = sentences(60, 3)
    test = [
        *pairs[:24],
        *((f"{one} {other} {one}", f"{a} {b} {a}") for (one, a), (other, b) in itertools.pairwise(pairs)),
    ]
    splits = {"train": Pairs.of(pairs[24:]), "validation": Pairs.of(pairs[:3]), "test": Pairs.of(test)}
    return PairCorpus("toy.tsv", {**splits, "compositional": Pairs.of(pairs[:12])}, "print")


@pytest.fixture(scope="module")
def data(sentences: Callable) -> TranslationData:
    return TranslationData(corpus(sentences), None, {}, 0)


@pytest.fixture(scope="module")
def evaluation(data: TranslationData, copying_model: Callable) -> Evaluation:
    found = evaluate(copying_model(), data, CONFIG, None, copying_model(lambda word: word[:1]))
    return dataclasses.replace(found, attention=(MAP,))


def page_of(evaluation: Evaluation, data: Any, config: Config = CONFIG, history: Any = HISTORY) -> str:
    return render_report(build_report(evaluation, data, config, history))


@pytest.fixture(scope="module")
def page(evaluation: Evaluation, data: TranslationData) -> str:
    return page_of(evaluation, data)


def text_of(page: str) -> str:
    """What a reader sees, plots left out."""
    plain = re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", " ", page, flags=re.DOTALL))
    return " ".join(plain.replace("\N{NO-BREAK SPACE}", " ").replace("&#39;", "'").split())


def plots(report: Report) -> list[str]:
    return [item.caption for section in report.sections for item in section.items if isinstance(item, Plot)]


def test_says_first_what_the_model_is_worth(evaluation: Evaluation, page: str) -> None:
    text = text_of(page)
    for line in verdicts(evaluation.metrics):
        assert " ".join(line.split()) in text
    assert text.index("How well are texts translated?") < text.index("Examples") < text.index("Limits")


def test_the_model_stands_beside_its_baselines(evaluation: Evaluation, page: str) -> None:
    text = text_of(page)
    for name in (*evaluation.metrics["scores"], "model, split «compositional»"):
        assert name in text
    assert evaluation.metrics["scores"]["model"]["bleu"]["signature"] in text


def test_examples_show_source_reference_and_translation(evaluation: Evaluation, page: str) -> None:
    text = text_of(page)
    for example in evaluation.examples[:3]:
        assert all(" ".join(part.split()) in text for part in example)


def test_long_sentences_with_and_without_attention(page: str) -> None:
    text = text_of(page)
    assert "Without attention all of a sentence must fit into the last state" in text
    assert re.search(r"words of the source sentences model without attention", text)


def test_quality_against_lag_over_the_waits(evaluation: Evaluation, page: str) -> None:
    text = text_of(page)
    assert "While the speaker speaks" in text
    for wait, score in evaluation.metrics["simultaneous"].items():
        name = "whole sentence" if wait == "0" else f"k = {wait}"
        assert re.search(rf"{name} [\d.]+ \([\d. ]+\) {score['al']:.2f} {score['laal']:.2f}", text), wait


def test_plots(evaluation: Evaluation, data: TranslationData, page: str) -> None:
    report = build_report(evaluation, data, CONFIG, HISTORY)
    assert plots(report) == ["BLEU by length", "Quality against delay", "one $x_1$<0x41> → un <b>", "Loss by epoch"]
    assert page.count("<svg") == 4
    assert "one $x_1$&lt;0x41&gt; → un &lt;b&gt;" in page


def test_what_was_not_measured_is_left_out(data: TranslationData, copying_model: Callable) -> None:
    """Of few sentences, a model that waits for whole ones, a run whose logs are lost."""
    splits = {name: Pairs.of(list(pairs)[:4]) for name, pairs in data.corpus.splits.items() if name != "compositional"}
    few = dataclasses.replace(data, corpus=dataclasses.replace(data.corpus, splits=splits))
    config = dataclasses.replace(CONFIG, encoder="bidirectional")
    page = page_of(evaluate(copying_model(), few, config), few, config, [])
    text = text_of(page)
    assert "<svg" not in page
    assert "There are too few sentences of any length to compare." in text
    assert not re.search(r"\b(nan|inf)\b", text)
    for left_out in ("While the speaker speaks", "Where it looks", "Training", "compositional"):
        assert left_out not in text
    assert "It translates when a sentence is complete, and not before." in text


def test_an_empty_translation_has_an_empty_map(evaluation: Evaluation, data: TranslationData) -> None:
    silent = AttentionMap(("▁one", "▁cat"), (), np.zeros((0, 2), np.float32))
    assert "one cat →" in page_of(dataclasses.replace(evaluation, attention=(silent,)), data)


def test_tells_its_limits(page: str) -> None:
    text = text_of(page)
    assert "the kind of sentences of toy.tsv" in text
    assert "Beyond 130 subwords a text is translated in parts" in text
    assert "not before" not in text


def test_asks_the_network_for_nothing(page: str) -> None:
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page)
