"""Figures of autocomplete: characters and words of public texts, the three cells, and the cost of a key.

    python benchmarks/autocomplete.py characters --text shakespeare [--cell lstm] [--seeds 0] [--dynamic] [--results]
    python benchmarks/autocomplete.py words --text shakespeare [--cell lstm] [--seeds 0] [--results]
    python benchmarks/autocomplete.py cells --text shakespeare [--results]
    python benchmarks/autocomplete.py key --export DIR [DIR ...] [--results]

The texts are found through the environment variable RUNNEL_BENCH_DATA. tiny Shakespeare is split as nanoGPT does, the
first 90 % of the characters for training and the last 10 % for validation, which is also what is reported; War and
Peace comes in three files, of which validation chooses and test is reported. A training can be interrupted: the same
command goes on with it. `--results` writes what was measured into RESULTS.md beside this file.
"""

import argparse
import hashlib
import importlib
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from results import bench_file, machine, record
from time_in_turns import time_in_turns

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from runnel.apps.autocomplete.config import Advanced, Config
from runnel.apps.autocomplete.data import LanguageData, prepare
from runnel.apps.autocomplete.evaluate import evaluate
from runnel.apps.autocomplete.model import build_model
from runnel.apps.autocomplete.streaming import build_stream
from runnel.apps.autocomplete.token_losses import cross_entropy, fit_cache, token_losses
from runnel.apps.autocomplete.train import train_network
from runnel.datasets.text.text_corpus import TextCorpus, fingerprint_of
from runnel.shared.errors import InputError
from runnel.shared.evaluation.kneser_ney import fit_kneser_ney
from runnel.shared.export.manifest import read_manifest
from runnel.shared.export.signatures import build_servable
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.streaming.replay import start
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.run_folder import open_run
from runnel.shared.training.variables import load_weights

RUNS = Path("runs/benchmarks")
TYPED_CHARACTERS = 120_000
NGRAM_ORDERS = {"word": 4, "char": 8}
DYNAMIC_RATE = 2e-3
CELLS = ("lstm", "gru", "simple_rnn")
CHARACTERS = Advanced(
    embedding=128,
    units=512,
    depth=2,
    dropout=0.5,
    embedding_dropout=0.1,
    batch_size=64,
    window=128,
    epochs=26,
    learning_rate=3e-3,
    weight_decay=1e-2,
    averaging=0.995,
    patience=26,
    steps_per_epoch=0,
    minimum_count=1,
)
WORDS = Advanced(
    embedding=256,
    units=512,
    depth=1,
    dropout=0.5,
    embedding_dropout=0.4,
    batch_size=32,
    window=48,
    epochs=14,
    learning_rate=3e-3,
    weight_decay=3e-2,
    averaging=0.995,
    patience=14,
    steps_per_epoch=0,
    evaluation_characters=TYPED_CHARACTERS,
)
# The longer text is read fewer times, and needs less dropout.
LONGER: dict[str, dict[str, Any]] = {
    "characters": {"dropout": 0.2, "epochs": 4},
    "words": {"dropout": 0.4, "embedding_dropout": 0.3, "epochs": 7},
}
SMALL = replace(CHARACTERS, units=256, epochs=5, averaging=0.98)  # for the comparison of the cells


def read_text(name: str) -> TextCorpus:
    """A public text, split as its users do."""
    if name == "shakespeare":
        text = bench_file("tiny_shakespeare/input.txt").read_text(encoding="utf-8")
        cut = int(0.9 * len(text))
        splits = {"train": (text[:cut],), "validation": (text[cut:],), "test": (text[cut:],)}
    else:
        files = {"train": "train", "validation": "valid", "test": "test"}
        splits = {
            split: (bench_file(f"war_and_peace/wap.{file}.txt").read_text(encoding="utf-8"),)
            for split, file in files.items()
        }
    return TextCorpus(name, splits, fingerprint_of(splits))


@dataclass(frozen=True)
class Trained:
    """A trained network and what it took."""

    network: keras.Model
    data: LanguageData
    config: Config
    seconds: float
    epochs: int


def train_on(corpus: TextCorpus, config: Config) -> Trained:
    """Trains on a text, going on with an earlier run of the same command; loads the best averaged weights."""
    data = prepare(corpus, config)
    digest = hashlib.sha256(repr(config).encode()).hexdigest()[:12]
    folder = RUNS / f"autocomplete-{corpus.name}-{digest}"
    run = open_run("autocomplete", config.to_dict(), corpus.fingerprint, folder, RUNS, datetime.now(UTC))
    clock = folder / "seconds.txt"
    spent, began = float(clock.read_text()) if clock.exists() else 0.0, time.monotonic()
    train_network(data, config, run, say)
    spent += time.monotonic() - began
    clock.write_text(f"{spent:.0f}\n")
    store = CheckpointStore(run.checkpoints)
    best, newest = store.best(say), store.latest_valid(say)
    assert best is not None
    assert newest is not None
    network = build_model(config, data.tokenizer.size, use_cudnn=False)
    load_weights(network, best, averaged=config.advanced.averaging > 0)
    return Trained(network, data, config, spent, len(History.of(newest).rows))


def _options(advanced: Advanced, what: str, text: str, seed: int) -> Advanced:
    return replace(advanced, seed=seed, **(LONGER[what] if text == "war_and_peace" else {}))


def measure_characters(
    text: str, cell: str, seed: int, dynamic: bool, advanced: Advanced = CHARACTERS
) -> dict[str, str]:
    """Nats a character of a network of characters."""
    config = Config(data=text, level="char", cell=cell, advanced=_options(advanced, "characters", text, seed))  # type: ignore[arg-type]
    trained = train_on(read_text(text), config)
    validation = float(np.mean(token_losses(trained.network, trained.data, "validation")()))
    test = nats_in_one_stream(trained.network, trained.data.token_ids["test"], window=256)
    row = {
        "command": _command(
            "characters", "--text", text, "--cell", cell, "--seeds", str(seed), *["--dynamic"] * dynamic
        ),
        "nats a character, test, in one stream": f"{test:.4f} ({test / math.log(2):.3f} bits)",
        "validation, 16 stretches": f"{validation:.4f}",
        "n-gram, order 8": f"{_ngram_nats(trained.data, 'char'):.4f}",
        "dynamic evaluation": "not asked for",
    }
    if dynamic:
        learnt = nats_in_one_stream(trained.network, trained.data.token_ids["test"], rate=DYNAMIC_RATE)
        row["dynamic evaluation"] = f"{learnt:.4f}"
    return row | _cost(trained)


def measure_words(text: str, cell: str, seed: int) -> dict[str, str]:
    """Recall and keys spared of suggestions, and perplexity, of a network of words beside an n-gram."""
    config = Config(data=text, cell=cell, advanced=_options(WORDS, "words", text, seed))  # type: ignore[arg-type]
    trained = train_on(read_text(text), config)
    cache = fit_cache(trained.network, trained.data, config.advanced.cache_tokens)
    with_cache, without = (
        build_servable(build_stream(trained.network, trained.data.tokenizer, config, weight)).module
        for weight in (cache.weight, 0.0)
    )
    metrics = evaluate(with_cache, trained.data, config, without if cache.weight else None).metrics
    typing, lead = metrics["typing"], metrics["top3_lead"]["Kneser-Ney n-gram"]
    likelihood = metrics["likelihood"]["scores"]

    def of_all(read: Callable[[str], str]) -> str:
        return "; ".join(f"{name} {read(name)}" for name in typing)

    return {
        "command": _command("words", "--text", text, "--cell", cell, "--seeds", str(seed)),
        "recall of 1 / of 3": of_all(lambda name: " / ".join(_percent(typing[name][key]) for key in ("top1", "top3"))),
        "lead over the n-gram, recall of 3": f"{_percent(lead)} ({lead['lower']:.1%} .. {lead['upper']:.1%})",
        "keys spared": of_all(lambda name: _percent(typing[name]["keystroke_savings"])),
        "perplexity": "; ".join(f"{name} {scores['perplexity']:.1f}" for name, scores in likelihood.items()),
        "words": f"{metrics['words']:,}",
    } | _cost(trained)


def measure_cells(text: str) -> Iterator[dict[str, str]]:
    """The three cells with as many parameters as an LSTM of SMALL, trained for the same number of steps."""
    tokens = 65
    target = build_model(Config(level="char", cell="lstm", advanced=SMALL), tokens).count_params()
    for cell in CELLS:
        units = min(range(64, 1024, 8), key=lambda units: abs(_parameters(cell, units, tokens) - target))
        yield measure_characters(text, cell, 0, dynamic=False, advanced=replace(SMALL, units=units)) | {
            "command": _command("cells", "--text", text) + f" ({cell} {units})"
        }


def nats_in_one_stream(network: keras.Model, token_ids: np.ndarray, window: int = 32, rate: float = 0.0) -> float:
    """Nats a token of a text read in one stream; with a rate, the network learns from each window after predicting it.

    Learning is the dynamic evaluation of Krause et al. 2018, arXiv 1709.07432, with plain gradient descent.
    """
    weights, ids = network.trainable_variables, tf.constant(token_ids)

    @tf.function(reduce_retracing=True)
    def read(token_ids: tf.Tensor, targets: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict]:
        with tf.GradientTape() as tape:
            inputs = {"token_ids": token_ids, "mask": tf.ones_like(token_ids, tf.bool), "state": state}
            outputs, new_state = network(inputs, training=False)
            loss = tf.reduce_sum(cross_entropy(network, outputs["context"], targets))
        if rate:
            gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, weights)]
            for weight, gradient in zip(weights, tf.clip_by_global_norm(gradients, 100.0)[0], strict=True):
                weight.assign_sub(rate * gradient)
        return loss, new_state

    state, total = initial_state(network.layers, 1), 0.0
    for begin in range(0, len(ids) - 1, window):
        piece = ids[None, begin : begin + window + 1]
        loss, state = read(piece[:, :-1], piece[:, 1:], state)
        total += float(loss)
    return total / (len(ids) - 1)


def measure_key(export_dir: Path) -> dict[str, str]:
    """Time of one key through an export, beside the same network run eagerly in PyTorch, in turns."""
    manifest = read_manifest(export_dir, "autocomplete")
    config, tokens = Config.from_dict(manifest["config"]), len(manifest["meanings"]["vocabulary"])
    module = tf.saved_model.load(str(export_dir / "saved_model"))
    own, peer = time_in_turns(_export_key(module), _torch_peer(config, tokens))
    return {
        "command": _command("key", "--export", str(export_dir)),
        "model": f"{config.level}, {config.cell} {config.advanced.depth} x {config.advanced.units}, {tokens:,} tokens",
        "key p50 / p95, ms": " / ".join(f"{1e3 * value:.3f}" for value in own),
        "PyTorch eager, a token a key, p50 / p95, ms": " / ".join(f"{1e3 * value:.3f}" for value in peer),
        "ratio p50 / p95": " / ".join(f"{mine / theirs:.1f}" for mine, theirs in zip(own, peer, strict=True)),
        "state, bytes": f"{manifest['state']['bytes_per_session']:,}",
    }


def _export_key(module: Any) -> Callable[[], None]:
    text, place = "The value of the expression is an object. ", 0
    state = start(module, 1)

    def step() -> None:
        nonlocal state, place
        outputs = module.step(text=tf.constant([text[place]]), **state)
        state = {name: outputs[name] for name in state}
        outputs["suggestions"].numpy()
        place = (place + 1) % len(text)

    return step


def _torch_peer(config: Config, tokens: int) -> Callable[[], None]:
    """Embedding, cells, tied softmax and the five best tokens, for one token."""
    torch = importlib.import_module("torch")
    advanced = config.advanced
    cell = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}[config.cell]
    embedding = torch.nn.Embedding(tokens, advanced.embedding)
    cells = cell(advanced.embedding, advanced.units, advanced.depth)
    projection = torch.nn.Linear(advanced.units, advanced.embedding)
    token, state = torch.zeros(1, 1, dtype=torch.long), None

    def step() -> None:
        nonlocal state
        with torch.inference_mode():
            encoded, state = cells(embedding(token), state)
            logits = projection(encoded[:, 0]) @ embedding.weight.T
            torch.topk(torch.softmax(logits, -1), 5).indices.numpy()

    return step


def _ngram_nats(data: LanguageData, level: str) -> float:
    ngram = fit_kneser_ney([data.token_ids["train"]], data.tokenizer.size, NGRAM_ORDERS[level])
    return float(-np.mean(ngram.log_probabilities(data.token_ids["test"])))


def _parameters(cell: str, units: int, tokens: int) -> int:
    config = Config(level="char", cell=cell, advanced=replace(SMALL, units=units))  # type: ignore[arg-type]
    return int(build_model(config, tokens).count_params())


def _cost(trained: Trained) -> dict[str, str]:
    return {
        "parameters": f"{trained.network.count_params():,}",
        "epochs": str(trained.epochs),
        "minutes": f"{trained.seconds / 60:.1f}",
    }


def _percent(score: dict[str, float]) -> str:
    return f"{score['estimate']:.1%}"


def _command(*arguments: str) -> str:
    return shlex.join(["python", "benchmarks/autocomplete.py", *arguments])


def say(line: str) -> None:
    """Prints at once."""
    print(line, flush=True)


def rows(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, str]]]:
    """The table and the row of everything that was asked for, one after the other."""
    if options.what == "key":
        for export_dir in options.export:
            yield "key", measure_key(export_dir)
        return
    for text in options.text:
        if options.what == "cells":
            yield from (("cells", row) for row in measure_cells(text))
            continue
        for seed in options.seeds:
            if options.what == "characters":
                yield "characters", measure_characters(text, options.cell, seed, options.dynamic)
            else:
                yield "words", measure_words(text, options.cell, seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for; 2 for data or exports that cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["characters", "words", "cells", "key"])
    parser.add_argument("--text", nargs="+", choices=["shakespeare", "war_and_peace"], default=["shakespeare"])
    parser.add_argument("--cell", choices=CELLS, default="lstm")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--dynamic", action="store_true", help="dynamic evaluation as well, on the test split")
    parser.add_argument("--export", type=Path, nargs="+", default=[], help="exports of the application")
    parser.add_argument("--results", action="store_true", help="write the rows into RESULTS.md")
    options = parser.parse_args(arguments)
    try:
        for section, row in rows(options):
            row["machine"] = machine()
            say("; ".join(f"{name}: {value}" for name, value in row.items()))
            if options.results:
                record(f"autocomplete-{section}", row)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
