"""Figures of speech commands on real recordings: clips, continuous audio, and the cost of a frame.

    python benchmarks/speech_commands.py recordings --data speech_commands [--cell gru] [--seeds 0 1 2] [--results]
    python benchmarks/speech_commands.py recordings --data fsdd [--seeds 0] [--results]
    python benchmarks/speech_commands.py frame --export DIR [DIR ...] [--results]
    python benchmarks/speech_commands.py hour --export DIR [--minutes 60] [--results]

The recordings are found through the environment variable RUNNEL_BENCH_DATA. Speech Commands is split by speaker, 70, 10
and 20 %, as the application splits every folder; free spoken digits have an official test split, the indices 0 to 4 of
each digit and speaker, and indices 5 to 9 validate here. A training can be interrupted: the same command goes on with
it. `--results` writes what was measured into RESULTS.md beside this file.
"""

import argparse
import hashlib
import importlib
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from results import bench_file, machine, record
from time_in_turns import time_in_turns

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from runnel.apps.speech_commands.config import Advanced, Config
from runnel.apps.speech_commands.data import HOP, SAMPLE_RATE, SpeechData, fit_features
from runnel.apps.speech_commands.train import measure, train_network
from runnel.datasets.audio.background_noise import background_noises
from runnel.datasets.audio.load_speech import load_speech
from runnel.datasets.audio.read_audio import read_audio
from runnel.datasets.audio.speech_corpus import SILENCE, UNKNOWN, Clips, SpeechCorpus, fingerprint_of
from runnel.datasets.audio.to_int16 import to_int16
from runnel.shared.errors import InputError
from runnel.shared.export.manifest import read_manifest
from runnel.shared.streaming.replay import start
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.run_folder import open_run

RUNS = Path("runs/benchmarks")
CELLS = ("gru", "lstm", "simple_rnn")
LARGE = Advanced(
    filters=32,
    units=160,
    dropout=0.3,
    masks=2,
    noise_share=0.6,
    least_snr=0.0,
    most_snr=40.0,
    hold_seconds=0.3,
    known_after=0.5,
    smoothing_frames=10,
    learning_rate=3e-3,
    epochs=60,
    patience=60,
    averaging=0.995,
    evaluation_hours=10.0,
    baseline_epochs=20,
)
OPTIONS = {
    "speech_commands": LARGE,
    "fsdd": replace(LARGE, epochs=40, patience=40, averaging=0.99, evaluation_hours=3.0),
}


def read_digits() -> SpeechCorpus:
    """Free spoken digits in their official split."""
    folder = bench_file("fsdd/recordings/0_george_0.wav").parent
    parts: dict[str, list[tuple[np.ndarray, str, str]]] = {"train": [], "validation": [], "test": []}
    for path in sorted(folder.glob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        split = "test" if int(index) < 5 else "validation" if int(index) < 10 else "train"
        parts[split].append((to_int16(read_audio(path).waveform), digit, speaker))
    splits = {split: Clips(*map(tuple, zip(*rows, strict=True))) for split, rows in parts.items()}
    noises = {split: tuple(background_noises(seed)) for seed, split in enumerate(splits)}
    labels = (*sorted(set(splits["train"].labels)), UNKNOWN, SILENCE)
    return SpeechCorpus("fsdd", labels, splits, noises, fingerprint_of(labels, splits, noises))


def read_recordings(name: str) -> SpeechCorpus:
    """The recordings of a benchmark."""
    if name == "fsdd":
        return read_digits()
    return load_speech(bench_file("speech_commands/README.md").parent)


def measure_recordings(name: str, cell: str, seed: int) -> dict[str, str]:
    """Trains on real recordings and measures what would be exported."""
    advanced = replace(OPTIONS[name], seed=seed)
    if seed:  # the network to compare with takes as long as all the rest
        advanced = replace(advanced, baseline_epochs=0)
    config = Config(data=name, cell=cell, false_alarms_per_hour=0.5, advanced=advanced)  # type: ignore[arg-type]
    data: SpeechData = fit_features(read_recordings(name), config)
    digest = hashlib.sha256(repr(config).encode()).hexdigest()[:12]
    folder = RUNS / f"speech_commands-{name}-{digest}"
    run = open_run("speech_commands", config.to_dict(), data.corpus.fingerprint, folder, RUNS, datetime.now(UTC))
    clock = folder / "seconds.txt"
    spent, began = float(clock.read_text()) if clock.exists() else 0.0, time.monotonic()
    train_network(data, config, run, say)
    spent += time.monotonic() - began
    clock.write_text(f"{spent:.0f}\n")
    measured = measure(run, data, config, "best", say)
    for line in measured.verdicts:
        say(line)
    newest = CheckpointStore(run.checkpoints).latest_valid(say)
    assert newest is not None
    clips, continuous = measured.metrics["clips"], measured.metrics["continuous"]
    return {
        "command": _command("recordings", "--data", name, "--cell", cell, "--seeds", str(seed)),
        "clips": _with_interval(clips["accuracy"]),
        "convolutional network": _with_interval(clips["baselines"]["convolutional network"]) if not seed else "seed 0",
        "mid-stream less fresh": _with_interval(clips["mid_stream"]["difference"]),
        "continuous audio": f"{continuous['hours']:.1f} h, {continuous['words']:,} commands",
        "recall at 1 / 0.5 false alarms an hour": " / ".join(f"{continuous['recall_at'][k]:.1%}" for k in ("1", "0.5")),
        "recall, taken for another, false alarms an hour at the chosen thresholds": (
            f"{continuous['recall']['estimate']:.1%}, {continuous['mistaken']:.1%}, "
            f"{continuous['false_alarms_per_hour']['estimate']:.2f}"
        ),
        "delay p50 / p95, ms": f"{continuous['delay_ms']['median']:.0f} / {continuous['delay_ms']['p95']:.0f}",
        "parameters": f"{measured.network.count_params():,}",
        "epochs": str(len(History.of(newest).rows)),
        "minutes": f"{spent / 60:.1f}",
    }


def measure_frame(export_dir: Path) -> dict[str, str]:
    """Time of one frame of 20 ms through an export, beside recurrent layers of the same size run eagerly in PyTorch."""
    manifest = read_manifest(export_dir, "speech_commands")
    config = Config.from_dict(manifest["config"])
    module = tf.saved_model.load(str(export_dir / "saved_model"))
    own, peer = time_in_turns(_export_frame(module), _torch_peer(config, len(manifest["meanings"]["labels"])))
    return {
        "command": _command("frame", "--export", str(export_dir)),
        "model": f"{config.cell} {config.advanced.depth} x {config.advanced.units}",
        "frame p50 / p95, ms": " / ".join(f"{1e3 * value:.3f}" for value in own),
        "PyTorch eager, network alone, p50 / p95, ms": " / ".join(f"{1e3 * value:.3f}" for value in peer),
        "ratio p50 / p95": " / ".join(f"{mine / theirs:.1f}" for mine, theirs in zip(own, peer, strict=True)),
        "state, bytes": f"{manifest['state']['bytes_per_session']:,}",
    }


def measure_hour(export_dir: Path, minutes: float) -> dict[str, str]:
    """Streams 32 sessions of unequal length in one batch, in random chunks, and compares with each of them alone."""
    module = tf.saved_model.load(str(export_dir / "saved_model"))
    random = np.random.default_rng(0)
    lengths = (random.uniform(0.02, 0.2, 32) * minutes * 60 * SAMPLE_RATE).astype(int)
    lengths[0] = round(minutes * 60 * SAMPLE_RATE)
    sessions = [_mumble(length, seed) for seed, length in enumerate(lengths)]
    began = time.monotonic()
    together, sizes = _in_one_batch(module, sessions, random)
    seconds = time.monotonic() - began
    alone = [_in_one_call(module, session) for session in sessions]
    equal = sum(one == other for one, other in zip(together, alone, strict=True))
    return {
        "command": _command("hour", "--export", str(export_dir), "--minutes", f"{minutes:g}"),
        "sessions": f"{len(sessions)}, the longest of {minutes:g} minutes",
        "hours in all": f"{sum(lengths) / SAMPLE_RATE / 3600:.1f}",
        "same events as alone in one call": f"{equal} of {len(sessions)} sessions",
        "events": f"{sum(map(len, alone)):,}",
        "sizes of the state, bytes": ", ".join(f"{size:,}" for size in sorted(sizes)),
        "times as fast as the audio": f"{sum(lengths) / SAMPLE_RATE / seconds:.0f}",
    }


def _mumble(samples: int, seed: int) -> np.ndarray:
    """Noise with the loudness and the colour of syllables, float32 [N]: enough to make a recogniser fire at times."""
    random = np.random.default_rng(seed)
    time_ = np.arange(samples) / SAMPLE_RATE
    knots = np.arange(0, samples / SAMPLE_RATE + 0.2, 0.1)
    loudness = np.interp(time_, knots, random.uniform(0, 1, len(knots)) ** 3)
    phase = 2 * np.pi * np.cumsum(np.interp(time_, knots, random.uniform(100, 250, len(knots)))) / SAMPLE_RATE
    formants = [np.interp(time_, knots, random.uniform(low, high, len(knots))) for low, high in ((2, 7), (8, 20))]
    voice = sum(np.sin(np.round(formant) * phase) for formant in formants) + np.sin(phase)
    return (loudness * (0.15 * voice + 0.05 * random.normal(size=samples))).clip(-1, 1).astype(np.float32)


def _in_one_batch(
    module: Any, sessions: Sequence[np.ndarray], random: np.random.Generator
) -> tuple[list[list[tuple]], set[int]]:
    """The events of each session, and the sizes of a state; a session that is over leaves the batch, as at a server."""
    lengths, places = np.array([len(session) for session in sessions]), np.zeros(len(sessions), int)
    running, state = np.arange(len(sessions)), start(module, len(sessions))
    events, sizes = [list[tuple]() for _ in sessions], set[int]()
    while len(running):
        chunk = random.choice([0, 0, 1, 7, HOP, 4000, 8000, 16_000], len(running))
        chunk = np.minimum(chunk, lengths[running] - places[running])
        waveform = np.full((len(running), chunk.max()), np.nan, np.float32)
        for row, session, size in zip(waveform, running.tolist(), chunk, strict=True):
            row[:size] = sessions[session][places[session] : places[session] + size]
        outputs = module.step(waveform=tf.constant(waveform), length=tf.constant(chunk.astype(np.int32)), **state)
        sizes.add(sum(outputs[name].numpy().nbytes for name in state) // len(running))
        for row, session in enumerate(running.tolist()):
            events[session] += _events(outputs, row)
        places[running] += chunk
        kept = np.flatnonzero(places[running] < lengths[running])
        state = {name: tf.gather(outputs[name], kept) for name in state}
        running = running[kept]
    return events, sizes


def _in_one_call(module: Any, session: np.ndarray) -> list[tuple]:
    length = tf.constant([len(session)], tf.int32)
    return _events(module.step(waveform=tf.constant(session[None]), length=length, **start(module, 1)), 0)


def _events(outputs: Any, row: int) -> list[tuple]:
    labels, samples = outputs["event_label"].numpy()[row], outputs["event_sample"].numpy()[row]
    return [(label, int(sample)) for label, sample in zip(labels, samples, strict=True) if label]


def _export_frame(module: Any) -> Callable[[], None]:
    waveform = tf.constant(np.random.default_rng(0).normal(scale=0.1, size=(1, HOP)).astype(np.float32))
    length, state = tf.constant([HOP]), start(module, 1)

    def step() -> None:
        nonlocal state
        outputs = module.step(waveform=waveform, length=length, **state)
        state = {name: outputs[name] for name in state}
        outputs["event_label"].numpy()

    return step


def _torch_peer(config: Config, classes: int) -> Callable[[], None]:
    """Convolutions, cells and classifier for one frame of features, without audio, smoothing and decision."""
    torch = importlib.import_module("torch")
    advanced = config.advanced
    cell = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}[config.cell]
    width = advanced.filters
    front = torch.nn.Sequential(
        torch.nn.Conv2d(1, width, (5, 5), (1, 2), (0, 2)),
        torch.nn.ReLU(),
        torch.nn.Conv2d(width, 2 * width, (3, 3), (1, 2), (0, 1)),
        torch.nn.ReLU(),
        torch.nn.Conv2d(2 * width, 2 * width, (3, 3), (1, 2), (0, 1)),
        torch.nn.ReLU(),
    )
    frames = torch.zeros(1, 1, 9, advanced.bands)  # as many as the kernels see together
    features = front(frames).numel()
    cells = cell(features, advanced.units, advanced.depth)
    classifier, state = torch.nn.Linear(advanced.units, classes), None

    def step() -> None:
        nonlocal state
        with torch.inference_mode():
            encoded, state = cells(front(frames).reshape(1, 1, -1), state)
            torch.softmax(classifier(encoded[0]), -1).numpy()

    return step


def _with_interval(score: dict[str, float]) -> str:
    return f"{score['estimate']:.1%} ({score['lower']:.1%} .. {score['upper']:.1%})"


def _command(*arguments: str) -> str:
    return shlex.join(["python", "benchmarks/speech_commands.py", *arguments])


def say(line: str) -> None:
    """Prints at once."""
    print(line, flush=True)


def rows(options: argparse.Namespace) -> Iterator[dict[str, str]]:
    """A row for everything that was asked for, one after the other."""
    if options.what == "recordings":
        for seed in options.seeds:
            yield measure_recordings(options.data, options.cell, seed)
    for export_dir in options.export:
        yield measure_frame(export_dir) if options.what == "frame" else measure_hour(export_dir, options.minutes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for; 2 for data or exports that cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["recordings", "frame", "hour"])
    parser.add_argument("--data", choices=[*OPTIONS], default="speech_commands")
    parser.add_argument("--cell", choices=CELLS, default="gru")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--export", type=Path, nargs="+", default=[], help="exports of the application")
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the longest session")
    parser.add_argument("--results", action="store_true", help="write the rows into RESULTS.md")
    options = parser.parse_args(arguments)
    try:
        for row in rows(options):
            row["machine"] = machine()
            say("; ".join(f"{name}: {value}" for name, value in row.items()))
            if options.results:
                record(f"speech-commands-{options.what}", row)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
