"""Uses an exported language model as any service would: through its SavedModel and manifest alone."""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import prepare
from runnel.apps.autocomplete.evaluate import SHOWN, evaluate, verdicts
from runnel.apps.autocomplete.live import type_live
from runnel.apps.autocomplete.write_on import write_on
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.text.drop_repeats import drop_repeats
from runnel.datasets.text.load_text import load_text
from runnel.datasets.text.read_text_dataset import BUILDER_NAMES
from runnel.datasets.text.text_corpus import TextCorpus
from runnel.shared.errors import InputError
from runnel.shared.export.load_export import load_export
from runnel.shared.streaming.replay import replay, start
from runnel.shared.terminal.show_table import csv_line, show_table

__all__ = ["evaluate_export", "predict", "stream"]

Say = Callable[[str], None]

_WRITTEN_TOKENS = 30


def predict(export_dir: Path, inputs: Sequence[str], say: Say) -> None:
    """Suggests how texts go on, and writes each of them on.

    Args:
        export_dir: the export.
        inputs: texts; one that ends with a space asks for the next word, any other for the rest of its last word.
        say: called with each line of the answer.
    """
    _, model = load_export(export_dir, "autocomplete")
    inputs = [text.encode(errors="surrogateescape").decode(errors="replace") for text in inputs]
    answer = {name: value.numpy() for name, value in model.serving_default(text=tf.constant(inputs)).items()}
    rows = [
        [text, word.decode(), f"{score:.4f}"]
        for text, words, scores in zip(inputs, answer["suggestions"], answer["scores"], strict=True)
        for word, score in zip(words, scores, strict=True)
        if word
    ]
    show_table(["text", "suggestion", "probability"], rows, say)
    for text, written in zip(inputs, write_on(model, inputs, _WRITTEN_TOKENS), strict=True):
        say(f"written on: {text}{written}")


def stream(export_dir: Path, keys: TextIO, say: Say) -> None:
    """Suggests after every key: under the line at a terminal, and as a line of CSV for each character otherwise.

    It is a terminal only if standard output is one too, and not a file or another program.

    Args:
        export_dir: the export.
        keys: what is typed.
        say: called with each line of the answer.
    """
    _, model = load_export(export_dir, "autocomplete")
    if keys.isatty() and sys.stdout.isatty():
        type_live(model)
        return
    count = model.signatures["step"].structured_outputs["suggestions"].shape[1]
    say(csv_line(["key", *(f"suggestion {number + 1}" for number in range(count))]))
    state = start(model, 1)
    for key in iter(lambda: keys.read(1), ""):
        results, state = next(replay(model, [{"text": [key]}], state))
        say(csv_line([key, *(word.decode() for word in results["suggestions"][0])]))


def evaluate_export(export_dir: Path, data: str | None, say: Say) -> None:
    """Types text that the model has not learned from into an export and tells its scores beside the baselines'.

    Args:
        export_dir: the export.
        data: a dataset, of which the test split is typed, or a text file or folder, which is typed as a whole; the test
            split of what it was trained on by default. The baselines know the text of the training.
        say: called with each line.

    Raises:
        InputError: the export or the text cannot be used, or all of the text is known from the training.
    """
    manifest, model = load_export(export_dir, "autocomplete")
    config = Config.from_dict(manifest["config"])
    fingerprint = manifest["data"]["fingerprint"]
    if data is None or _is_same_source(data, config.data):
        corpus = _trained_on(config.data, fingerprint)
    else:
        corpus = _read_other(data, config.data, fingerprint, say)
        config = dataclasses.replace(config, data=data)
    metrics = evaluate(model, prepare(corpus, config, manifest["meanings"]["vocabulary"]), config).metrics
    rows = [
        [name, *(f"{scores[key]['estimate']:.4f}" for key in ("top1", f"top{SHOWN}", "mrr", "keystroke_savings"))]
        for name, scores in metrics["typing"].items()
    ]
    show_table(["", "recall of 1", f"recall of {SHOWN}", "mean reciprocal rank", "keys spared"], rows, say)
    for line in verdicts(metrics):
        say(line)


def _is_same_source(data: str, trained_on: str) -> bool:
    """Whether both name the same dataset, file or folder."""
    if is_dataset_name(data, BUILDER_NAMES) or is_dataset_name(trained_on, BUILDER_NAMES):
        return data == trained_on
    return bool(data) and Path(data).resolve() == Path(trained_on).resolve()


def _trained_on(source: str, fingerprint: str) -> TextCorpus:
    """The text of the training, if it is still the same: after a change, its splits may lie elsewhere."""
    corpus = load_text(source)
    if corpus.fingerprint != fingerprint:
        raise InputError(
            f"the data in {source} have changed since the training, so parts of their test split may have been trained "
            "on; expected the same data; give other text to evaluate on with --data"
        )
    return corpus


def _read_other(data: str, trained_on: str, fingerprint: str, say: Say) -> TextCorpus:
    """Other text as the test split, without what is known, behind the training text of the model for the baselines."""
    other = load_text(data)
    for note in other.notes:
        say(note)
    if other.fingerprint == fingerprint:  # the text of the training under another name
        return other
    try:
        known = load_text(trained_on)
    except InputError:
        say(
            f"{trained_on}, the text of the training, is not there: {data} is split, the baselines know its training "
            "split, and its test split is typed"
        )
        return other
    if known.fingerprint != fingerprint:
        say(f"{trained_on} has changed since the training; the baselines know it as it is now")
    return _without_known(other, known, say, whole=not is_dataset_name(data, BUILDER_NAMES))


def _without_known(other: TextCorpus, known: TextCorpus, say: Say, whole: bool) -> TextCorpus:
    """All of one text or its test split, without the paragraphs that were trained or validated on in another."""
    documents = [text for split in (other.splits if whole else ("test",)) for text in other.splits[split]]
    notes: list[str] = []
    test = drop_repeats({**known.splits, "test": documents}, ("test",), notes)["test"]
    for note in notes:
        say(note)
    if not test:
        raise InputError(
            f"{other.name} holds nothing but text that {known.name}, the text of the training, holds too; "
            "expected other text"
        )
    return dataclasses.replace(other, splits={**known.splits, "test": tuple(test)})
