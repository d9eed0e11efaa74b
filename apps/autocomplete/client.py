"""Uses an exported language model as any service would: through its SavedModel and manifest alone."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import prepare
from runnel.apps.autocomplete.evaluate import SHOWN, evaluate, verdicts
from runnel.apps.autocomplete.live import type_live
from runnel.datasets.text.load_text import load_text
from runnel.datasets.text.text_corpus import TextCorpus
from runnel.shared.errors import InputError
from runnel.shared.export.manifest import read_manifest
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
    read_manifest(export_dir, "autocomplete")
    model = tf.saved_model.load(str(export_dir / "saved_model"))
    inputs = [text.encode(errors="surrogateescape").decode(errors="replace") for text in inputs]
    answer = {name: value.numpy() for name, value in model.serving_default(text=tf.constant(inputs)).items()}
    rows = [
        [text, word.decode(), f"{score:.4f}"]
        for text, words, scores in zip(inputs, answer["suggestions"], answer["scores"], strict=True)
        for word, score in zip(words, scores, strict=True)
        if word
    ]
    show_table(["text", "suggestion", "probability"], rows, say)
    for text, written in zip(inputs, _write_on(model, inputs), strict=True):
        say(f"written on: {text}{written}")


def stream(export_dir: Path, keys: TextIO, say: Say) -> None:
    """Suggests after every key: under the line at a terminal, and as a line of CSV for each character otherwise.

    Args:
        export_dir: the export.
        keys: what is typed.
        say: called with each line of the answer.
    """
    read_manifest(export_dir, "autocomplete")
    model = tf.saved_model.load(str(export_dir / "saved_model"))
    if keys.isatty():
        type_live(model)
        return
    count = model.signatures["step"].structured_outputs["suggestions"].shape[1]
    say(csv_line(["key", *(f"suggestion {number + 1}" for number in range(count))]))
    state = start(model, 1)
    for key in iter(lambda: keys.read(1), ""):
        results, state = next(replay(model, [{"text": [key]}], state))
        say(csv_line([key, *(word.decode() for word in results["suggestions"][0])]))


def evaluate_export(export_dir: Path, data: str | None, say: Say) -> None:
    """Types the test split of some text into an export and tells its scores beside those of the baselines.

    Args:
        export_dir: the export.
        data: a source of text; what it was trained on by default. The baselines know the text of the training.
        say: called with each line.

    Raises:
        InputError: the text cannot be used.
    """
    manifest = read_manifest(export_dir, "autocomplete")
    config = Config.from_dict(manifest["config"])
    corpus = _read(config.data, data, say)
    loaded = prepare(corpus, config, manifest["meanings"]["vocabulary"])
    metrics = evaluate(tf.saved_model.load(str(export_dir / "saved_model")), loaded, config).metrics
    rows = [
        [name, *(f"{scores[key]['estimate']:.4f}" for key in ("top1", f"top{SHOWN}", "mrr", "keystroke_savings"))]
        for name, scores in metrics["typing"].items()
    ]
    show_table(["", "recall of 1", f"recall of {SHOWN}", "mean reciprocal rank", "keys spared"], rows, say)
    for line in verdicts(metrics):
        say(line)


def _read(trained_on: str, data: str | None, say: Say) -> TextCorpus:
    """The text to evaluate on, with the training text of the model for the baselines where it is still there."""
    if data is None:
        return load_text(trained_on)
    corpus = load_text(data)
    try:
        known = load_text(trained_on)
    except InputError:
        say(f"{trained_on}, the text of the training, is not there: the baselines know the training split of {data}")
        return corpus
    return dataclasses.replace(corpus, splits={**known.splits, "test": corpus.splits["test"]})


def _write_on(model: Any, texts: Sequence[str]) -> list[str]:
    """The most probable continuation of each text."""
    written = model.generate(
        prompt=tf.constant(texts),
        max_tokens=tf.constant(_WRITTEN_TOKENS),
        temperature=tf.constant(0.0),
        top_k=tf.constant(0),
        top_p=tf.constant(1.0),
        seed=tf.constant(0),
    )["text"]
    return [text.decode() for text in written.numpy()]
