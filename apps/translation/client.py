"""Uses an exported translation model as any service would: through its SavedModel and manifest alone."""

import dataclasses
import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import tensorflow as tf

from runnel.apps.translation.config import Config, StreamOptions
from runnel.apps.translation.data import TranslationData
from runnel.apps.translation.live import show_live, type_live
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.datasets.pairs.pair_corpus import PairCorpus, Pairs
from runnel.datasets.pairs.read_pair_dataset import BUILDER_NAMES
from runnel.shared.errors import InputError
from runnel.shared.export.load_export import load_export
from runnel.shared.preprocessing.subword_tokenizer import SubwordTokenizer
from runnel.shared.streaming.replay import replay, start
from runnel.shared.terminal.show_table import csv_line, show_table

__all__ = ["evaluate_export", "predict", "stream"]

Say = Callable[[str], None]


def predict(export_dir: Path, inputs: Sequence[str], say: Say) -> None:
    """Translates whole texts.

    Args:
        export_dir: the export.
        inputs: texts.
        say: called with each line of the answer.
    """
    _, model = load_export(export_dir, "translation")
    inputs = [text.encode(errors="surrogateescape").decode(errors="replace") for text in inputs]
    answer = {name: value.numpy() for name, value in model.serving_default(text=tf.constant(inputs)).items()}
    rows = [
        [text, translation.decode(), f"{score:.4f}"]
        for text, translation, score in zip(inputs, answer["translation"], answer["score"], strict=True)
    ]
    show_table(["text", "translation", "log probability"], rows, say)


def stream(export_dir: Path, lines: TextIO, say: Say, options: StreamOptions) -> None:
    """Translates lines as they come: side by side at a terminal, and as a line of CSV for every commit otherwise.

    Where they are typed at a terminal, the translation so far stands under the line.

    Args:
        export_dir: the export.
        lines: what is said; each line is a sentence.
        say: called with each line of the answer.
        options: how long to wait.

    Raises:
        InputError: the model cannot translate before a sentence ends, and shall.
    """
    manifest, model = load_export(export_dir, "translation")
    if options.wait_k and not manifest["meanings"]["can_wait_k"]:
        raise InputError(
            f"received --wait-k {options.wait_k} for a model that needs whole sentences; expected 0; train one with "
            "attention, a unidirectional encoder and --simultaneous True"
        )
    if sys.stdout.isatty():
        if lines.isatty():
            type_live(model, options.wait_k)
        else:
            show_live(model, lines, options.wait_k)
        return
    say(csv_line(["source", "committed", "finished"]))
    state = start(model, 1)
    state["state_wait_k"] = tf.constant([options.wait_k])
    waiting, is_begun = "", False
    for character in itertools.chain(iter(lambda: lines.read(1), ""), "\n"):  # the last line may not end
        is_end = character == "\n"
        text = "" if is_end else character
        waiting, is_begun = waiting + text, is_begun or bool(text.strip())
        results, state = _send(model, text, is_end, state)
        committed = results["committed"][0].decode()
        if committed or (is_end and is_begun):
            say(csv_line([waiting, committed, str(int(is_end))]))
            waiting = ""
        if is_end:
            waiting, is_begun = "", False


def _send(
    model: Any, text: str, final: bool, state: dict[str, tf.Tensor]
) -> tuple[dict[str, Any], dict[str, tf.Tensor]]:
    return next(replay(model, [{"text": [text], "final": [final]}], state))


def evaluate_export(export_dir: Path, data: str | None, say: Say) -> None:
    """Translates pairs that the model has not learned from and tells its scores beside the baselines'.

    Args:
        export_dir: the export.
        data: a dataset, of which the test split is translated, or a file or folder of pairs, of which all is that has
            no test split of its own; the test split of what it was trained on by default.
        say: called with each line.

    Raises:
        InputError: the export or the pairs cannot be used, or all sources are known from the training.
    """
    from runnel.apps.translation.evaluate import evaluate, verdicts  # needs Keras; the other answers start without

    manifest, model = load_export(export_dir, "translation")
    config = Config.from_dict(manifest["config"])
    fingerprint = manifest["data"]["fingerprint"]
    if data is None or data == config.data:
        corpus = _trained_on(config.data, fingerprint)
    else:
        corpus = _read_other(data, config.data, fingerprint, say)
        config = dataclasses.replace(config, data=data)
    tokenizer = SubwordTokenizer(manifest["meanings"]["vocabulary"])
    metrics = evaluate(model, TranslationData(corpus, tokenizer, {}, 0), config).metrics
    rows = [
        [name, *(f"{score[key]['estimate']:.4f}" for key in ("bleu", "chrf", "exact"))]
        for name, score in metrics["scores"].items()
    ]
    show_table(["", "BLEU", "chrF", "exact"], rows, say)
    for line in verdicts(metrics):
        say(line)


def _trained_on(source: str, fingerprint: str) -> PairCorpus:
    """The pairs of the training, if they are still the same: after a change, their splits may lie elsewhere."""
    corpus = load_pairs(source)
    if corpus.fingerprint != fingerprint:
        raise InputError(
            f"the data in {source} have changed since the training, so parts of their test split may have been trained "
            "on; expected the same data; give other pairs to evaluate on with --data"
        )
    return corpus


def _read_other(data: str, trained_on: str, fingerprint: str, say: Say) -> PairCorpus:
    """Other pairs as the test split, without sources that are known, behind the training pairs for the baselines."""
    other = load_pairs(data)
    for note in other.notes:
        say(note)
    if other.fingerprint == fingerprint:  # the pairs of the training under another name
        return other
    try:
        known = load_pairs(trained_on)
    except InputError:
        say(
            f"{trained_on}, the pairs of the training, is not there: {data} is split, the dictionary learns from its "
            "training split, and its test split is translated"
        )
        return other
    if known.fingerprint != fingerprint:
        say(f"{trained_on} has changed since the training; the dictionary knows it as it is now")
    is_whole = not is_dataset_name(data, BUILDER_NAMES)
    pairs = [pair for name, split in other.splits.items() if is_whole or name == "test" for pair in split]
    sources = {source for name in ("train", "validation") for source in known.splits[name].sources}
    test = Pairs.of(pair for pair in pairs if pair[0] not in sources)
    if not test:
        raise InputError(
            f"{other.name} holds no source that {known.name}, the pairs of the training, does not hold too; "
            "expected other pairs"
        )
    if len(test) < len(pairs):
        say(f"left out, for the model was trained on the same source: {len(pairs) - len(test):,} pairs")
    return dataclasses.replace(other, splits={**known.splits, "test": test})
