"""Figures of translation on public pairs: whole sentences, the cells, with and without attention, and wait-k.

    python benchmarks/translation.py whole --data multi30k [--cell gru] [--attention none] [--seeds 0] [--results]
    python benchmarks/translation.py simultaneous --data multi30k [--seeds 0] [--results]
    python benchmarks/translation.py cells [--results]
    python benchmarks/translation.py word --export DIR [DIR ...] [--results]

The pairs are found through the environment variable RUNNEL_BENCH_DATA. Multi30k (English to French) has its official
splits, of which test 2016 is reported; Tatoeba is split by its English side, 90, 5 and 5 %, as the application splits
every file, and each test sentence has all its French ones as references. A training can be interrupted: the same
command goes on with it. `--results` writes what was measured into RESULTS.md beside this file.
"""

import argparse
import hashlib
import importlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from results import bench_file, machine, record
from time_in_turns import time_in_turns

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from runnel.apps.translation.config import Advanced, Config
from runnel.apps.translation.data import prepare
from runnel.apps.translation.evaluate import evaluate
from runnel.apps.translation.model import build_model
from runnel.apps.translation.streaming import build_stream
from runnel.apps.translation.train import train_network
from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.datasets.pairs.pair_corpus import PairCorpus
from runnel.shared.errors import InputError
from runnel.shared.export.manifest import read_manifest
from runnel.shared.export.signatures import build_servable
from runnel.shared.streaming.replay import start
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.run_folder import open_run
from runnel.shared.training.variables import load_weights

RUNS = Path("runs/benchmarks")
CELLS = ("gru", "lstm", "simple_rnn")
MULTI30K = Advanced(
    embedding=256,
    units=384,
    depth=1,
    dropout=0.4,
    embedding_dropout=0.3,
    label_smoothing=0.1,
    batch_tokens=1600,
    epochs=18,
    steps_per_epoch=0,
    learning_rate=3e-3,
    averaging=0.998,
    patience=18,
    evaluation_sentences=1000,
    spoken_sentences=1000,
)
OPTIONS = {
    "multi30k": MULTI30K,
    "tatoeba": replace(MULTI30K, dropout=0.2, embedding_dropout=0.1, epochs=8, patience=8, evaluation_sentences=3000),
}
VOCABULARY = {"multi30k": 6_000, "tatoeba": 10_000}
SMALL = replace(MULTI30K, units=256, epochs=8, patience=8, averaging=0.99)  # for the comparison of the cells
FILES = {"multi30k": "multi30k/train.en", "tatoeba": "tatoeba_fra_eng/fra.txt"}


@dataclass(frozen=True)
class Measured:
    """What a trained network scored, and what it took."""

    metrics: dict[str, Any]
    parameters: int
    epochs: int
    seconds: float


def read_pairs(name: str) -> PairCorpus:
    """Public pairs, split as their users do."""
    file = bench_file(FILES[name])
    return load_pairs(file.parent if name == "multi30k" else file)


def train_and_measure(name: str, config: Config) -> Measured:
    """Trains on public pairs, going on with an earlier run of the same command; scores what would be exported."""
    corpus = read_pairs(name)
    data = prepare(corpus, config)
    digest = hashlib.sha256(repr(config).encode()).hexdigest()[:12]
    folder = RUNS / f"translation-{name}-{digest}"
    run = open_run("translation", config.to_dict(), corpus.fingerprint, folder, RUNS, datetime.now(UTC))
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
    metrics = evaluate(build_servable(build_stream(network, data.tokenizer, config)).module, data, config).metrics
    return Measured(metrics, network.count_params(), len(History.of(newest).rows), spent)


def measure_whole(name: str, cell: str, attention: str, seed: int) -> dict[str, str]:
    """Whole sentences: an encoder that reads both ways."""
    advanced = replace(OPTIONS[name], seed=seed)
    config = Config(
        data=name,
        attention=attention,  # type: ignore[arg-type]
        encoder="bidirectional",
        cell=cell,  # type: ignore[arg-type]
        vocabulary=VOCABULARY[name],
        advanced=advanced,
    )
    measured = train_and_measure(name, config)
    command = _command("whole", "--data", name, "--cell", cell, "--attention", attention, "--seeds", str(seed))
    return {"command": command, **_scores(measured)}


def measure_simultaneous(name: str, seed: int) -> dict[str, str]:
    """Sentences while they are being spoken: one network for every k, whole sentences too."""
    config = Config(data=name, vocabulary=VOCABULARY[name], advanced=replace(OPTIONS[name], seed=seed))
    measured = train_and_measure(name, config)
    waits = measured.metrics["simultaneous"]
    return {
        "command": _command("simultaneous", "--data", name, "--seeds", str(seed)),
        "whole sentence, beam / greedy": " / ".join(
            f"{measured.metrics['scores'][one]['bleu']['estimate']:.1f}" for one in ("model", "model, greedy")
        ),
        **{f"k = {k}: BLEU, AL, LAAL": _with_lag(score) for k, score in waits.items() if k != "0"},
        **_costs(measured),
    }


def measure_cells() -> Iterator[dict[str, str]]:
    """The three cells, and the best of them without attention, trained alike and for a short time."""
    for cell, attention in (*((cell, "additive") for cell in CELLS), ("gru", "none")):
        config = Config(
            data="multi30k",
            attention=attention,  # type: ignore[arg-type]
            encoder="bidirectional",
            cell=cell,  # type: ignore[arg-type]
            vocabulary=VOCABULARY["multi30k"],
            advanced=SMALL,
        )
        measured = train_and_measure("multi30k", config)
        groups = measured.metrics["by_length"]
        yield {
            "command": f"{_command('cells')} ({cell}, attention {attention})",
            **_scores(measured),
            "BLEU by words of the source": "; ".join(f"{one['words']}: {one['bleu']['model']:.1f}" for one in groups),
        }


def measure_word(export_dir: Path) -> dict[str, str]:
    """Time of one source word through an export with the sentence half read, beside the bare layers in PyTorch."""
    manifest = read_manifest(export_dir, "translation")
    config = Config.from_dict(manifest["config"])
    module = tf.saved_model.load(str(export_dir / "saved_model"))
    columns: dict[str, str] = {}
    for wait in (0, 3):
        own, peer = time_in_turns(
            _export_word(module, wait), _torch_peer(config, len(manifest["meanings"]["vocabulary"]), wait)
        )
        columns |= {
            f"k = {wait}: p50 / p95, ms": " / ".join(f"{1e3 * value:.3f}" for value in own),
            f"k = {wait}: PyTorch eager, p50 / p95, ms": " / ".join(f"{1e3 * value:.3f}" for value in peer),
            f"k = {wait}: ratio": " / ".join(f"{mine / theirs:.1f}" for mine, theirs in zip(own, peer, strict=True)),
        }
    state = f"{manifest['state']['bytes_per_session']:,}"
    return {"command": _command("word", "--export", str(export_dir)), **columns, "state, bytes": state}


def _export_word(module: Any, wait: int) -> Callable[[], None]:
    state = start(module, 1)
    state["state_wait_k"] = tf.constant([wait])
    pieces = [tf.constant([piece]) for piece in ("The ", "old ", "man ", "reads ", "a ", "long ", "book ", "today ")]
    no, yes, place = tf.constant([False]), tf.constant([True]), 0

    def step() -> None:
        nonlocal state, place
        if place == len(pieces):  # begin again, outside of what a word takes but for one in nine
            outputs = module.step(text=tf.constant([""]), final=yes, **state)
            state, place = {name: outputs[name] for name in state}, 0
        outputs = module.step(text=pieces[place], final=no, **state)
        state = {name: outputs[name] for name in state}
        outputs["committed"].numpy()
        place += 1

    return step


def _torch_peer(config: Config, tokens: int, wait: int) -> Callable[[], None]:
    """A step of the encoder, and with a wait one of the decoder with its logits; no text, no decision."""
    torch = importlib.import_module("torch")
    advanced = config.advanced
    cell = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}[config.cell]
    encoder = cell(advanced.embedding, advanced.units, advanced.depth)
    decoder = cell(advanced.embedding, advanced.units, max(advanced.depth, 2))
    embedding = torch.nn.Embedding(tokens, advanced.embedding)
    readout, output = torch.nn.Linear(advanced.units, advanced.embedding), torch.nn.Linear(advanced.embedding, tokens)
    token, states = torch.tensor([[3]]), [None, None]

    def step() -> None:
        with torch.inference_mode():
            _, states[0] = encoder(embedding(token), states[0])
            if wait:
                hidden, states[1] = decoder(embedding(token), states[1])
                torch.log_softmax(output(readout(hidden[0])), -1).numpy()

    return step


def _scores(measured: Measured) -> dict[str, str]:
    scores = measured.metrics["scores"]
    bleu = {name: score["bleu"] for name, score in scores.items()}
    best = bleu["model"]
    return {
        "BLEU, beam": f"{best['estimate']:.1f} ({best['lower']:.1f} .. {best['upper']:.1f})",
        "BLEU, greedy": f"{bleu['model, greedy']['estimate']:.1f}",
        "chrF": f"{scores['model']['chrf']['estimate']:.1f}",
        "word by word": f"{bleu['word by word']['estimate']:.1f}",
        "signature": best["signature"],
        **_costs(measured),
    }


def _with_lag(score: dict[str, Any]) -> str:
    return f"{score['bleu']['estimate']:.1f}, {score['al']:.2f}, {score['laal']:.2f}"


def _costs(measured: Measured) -> dict[str, str]:
    return {
        "parameters": f"{measured.parameters:,}",
        "epochs": str(measured.epochs),
        "minutes": f"{measured.seconds / 60:.1f}",
    }


def _command(*arguments: str) -> str:
    return shlex.join(["python", "benchmarks/translation.py", *arguments])


def say(line: str) -> None:
    """Prints at once."""
    print(line, flush=True)


def rows(options: argparse.Namespace) -> Iterator[dict[str, str]]:
    """A row for everything that was asked for, one after the other."""
    if options.what == "cells":
        yield from measure_cells()
    for export_dir in options.export if options.what == "word" else ():
        yield measure_word(export_dir)
    for seed in options.seeds if options.what in ("whole", "simultaneous") else ():
        if options.what == "whole":
            yield measure_whole(options.data, options.cell, options.attention, seed)
        else:
            yield measure_simultaneous(options.data, seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for; 2 for data or exports that cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["whole", "simultaneous", "cells", "word"])
    parser.add_argument("--data", choices=[*OPTIONS], default="multi30k")
    parser.add_argument("--cell", choices=CELLS, default="gru")
    parser.add_argument("--attention", choices=["additive", "none"], default="additive")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--export", type=Path, nargs="+", default=[], help="exports of the application")
    parser.add_argument("--results", action="store_true", help="write the rows into RESULTS.md")
    options = parser.parse_args(arguments)
    try:
        for row in rows(options):
            row["machine"] = machine()
            say("; ".join(f"{name}: {value}" for name, value in row.items()))
            if options.results:
                record(f"translation-{options.what}", row)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
