"""Anomaly scores of the forecaster on the Numenta Anomaly Benchmark (NAB), and the pace of watching.

    python benchmarks/anomalies.py nab [--seeds 0 1 2] [--results]
    python benchmarks/anomalies.py pace --export DIR [DIR ...] [--results]

`nab` takes the series in the folder `nab` of RUNNEL_BENCH_DATA: as many of the corpus as are there, and says how many.
Everything is online: the probationary part of each series is trained on, one model for all series of one rhythm; then
every series goes once, row by row, through `step` of the exported model. No row is scored with any knowledge of those
after it. The peers go through the same scorer: a windowed Gaussian as NAB describes it, River's half-space trees (if
`river` is installed, the extra `bench`), random scores and a detector that says nothing.

`pace` sends 64 sensors in one batch through `step`, one row each a call. `--results` writes what was measured into
RESULTS.md beside this file.
"""

import argparse
import importlib.util
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from results import bench_file, machine, record

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from scipy.stats import norm

from runnel.apps.forecasting.alarms import fit_anomalies
from runnel.apps.forecasting.config import Advanced, Config
from runnel.apps.forecasting.data import ForecastingData, padded_rows
from runnel.apps.forecasting.model import build_model
from runnel.apps.forecasting.streaming import ForecastStream
from runnel.apps.forecasting.train import train_network
from runnel.datasets.series.series_table import Series, SeriesTable, fingerprint_of
from runnel.shared.errors import InputError
from runnel.shared.evaluation.nab_protocol import PROFILES, NabScore, NabSeries, probationary_rows, score_nab
from runnel.shared.export.load_export import load_export
from runnel.shared.export.signatures import build_servable
from runnel.shared.preprocessing.series_spec import fit_series_spec
from runnel.shared.preprocessing.series_windows import TimeSplit
from runnel.shared.streaming.replay import replay, start
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.run_folder import RunFolder
from runnel.shared.training.variables import load_weights

CORPUS = 58  # series of NAB 1.1
VALIDATION_SHARE = 0.25  # of the probationary part
CONTEXT = 60
TRAINING = Advanced(units=64, dropout=0.2, epochs=8, steps_per_epoch=60, learning_rate=2e-3, patience=4)
GAUSSIAN_WINDOW, GAUSSIAN_STEP = 6_400, 100  # rows, as NAB's own detector of that name has them
SENSORS, PACE_ROWS = 64, 200


@dataclass(frozen=True, eq=False)
class Entry:
    """A series of the corpus.

    Attributes:
        name: folder and file.
        timestamps: int64 [T].
        values: float64 [T].
        windows: first and last row of each anomaly window.
    """

    name: str
    timestamps: np.ndarray
    values: np.ndarray
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Rows that are trained on and count for nothing."""
        return probationary_rows(len(self.values))


def read_corpus() -> list[Entry]:
    """All series of the corpus that are there, in the order of their names."""
    labels = bench_file("nab/labels/combined_windows.json")
    found = []
    for name, windows in sorted(json.loads(labels.read_text()).items()):
        file = labels.parents[1] / "data" / name
        if not file.is_file():
            continue
        table = pd.read_csv(file, parse_dates=["timestamp"])
        stamps = table["timestamp"].to_numpy().astype("datetime64[s]")
        rows = []
        for begin, last in windows:
            inside = np.flatnonzero((stamps >= np.datetime64(begin)) & (stamps <= np.datetime64(last)))
            rows.append((int(inside[0]), int(inside[-1])))
        found.append(Entry(name, stamps.astype(np.int64), table["value"].to_numpy(np.float64), tuple(rows)))
    if not found:
        raise InputError(f"received {labels.parents[1]} without a series; expected some of the corpus in its data")
    return found


# === Our detector ===


def forecaster_scores(entries: Sequence[Entry], seed: int) -> list[np.ndarray]:
    """Anomaly scores [T] of each series, by one model for all series whose rows are equally far apart."""
    rhythms = [int(np.median(np.diff(entry.timestamps))) for entry in entries]
    scores: dict[str, np.ndarray] = {}
    for rhythm in sorted(set(rhythms)):
        group = [entry for entry, own in zip(entries, rhythms, strict=True) if own == rhythm]
        sys.stderr.write(f"training on the probationary parts of {len(group)} series, {rhythm} s from row to row\n")
        data, config = _prepare(group, seed)
        with tempfile.TemporaryDirectory() as folder:
            module = _exported(data, config, Path(folder))
            streamed = _stream(module, data.table.series)
        scores |= {entry.name: one for entry, one in zip(group, streamed, strict=True)}
    return [scores[entry.name] for entry in entries]


def _prepare(entries: Sequence[Entry], seed: int) -> tuple[ForecastingData, Config]:
    """The series in units of their probationary parts, of which the last quarter is for validation."""
    series, splits = [], []
    for entry in entries:
        known = entry.values[: entry.probation]
        scale = known.std() or 1.0
        values = ((entry.values - known.mean()) / scale).astype(np.float32)[:, None]
        series.append(Series(entry.name, entry.timestamps.copy(), values))
        validation = round((1 - VALIDATION_SHARE) * entry.probation)
        splits.append(TimeSplit(validation, entry.probation, len(values)))
    names = ("value",)
    table = SeriesTable(
        columns=names,
        targets=names,
        series=tuple(series),
        time_column="timestamp",
        series_id_column="series",
        split_starts=None,
        fingerprint=fingerprint_of(names, tuple(series)),
    )
    training = [one.take(slice(0, split.validation)) for one, split in zip(series, splits, strict=True)]
    spec = fit_series_spec(names, 1, [one.timestamps for one in training], [one.values for one in training], "none")
    advanced = replace(TRAINING, seed=seed, transform=spec.transform)
    config = Config(data="nab", target=names, context=CONTEXT, horizon=1, advanced=advanced)
    return ForecastingData(table, tuple(splits), spec), config


def _exported(data: ForecastingData, config: Config, folder: Path) -> Any:
    """Trains, saves and loads: what a client would have."""
    run = RunFolder(folder, "forecasting", config.to_dict(), data.table.fingerprint)
    train_network(data, config, run, _to_standard_error)
    best = CheckpointStore(run.checkpoints).best(_to_standard_error)
    if best is None:
        raise RuntimeError("the training left no checkpoint")
    network = build_model(config, data.spec, use_cudnn=False)
    load_weights(network, best, averaged=True)
    anomalies = fit_anomalies(network, data, config)
    servable = build_servable(ForecastStream(network, data.spec, 1, config.advanced.adaptation_rate, anomalies))
    tf.saved_model.save(servable.module, str(folder / "saved_model"), servable.signatures)
    return tf.saved_model.load(str(folder / "saved_model"))


def _to_standard_error(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _stream(module: Any, series: Sequence[Series]) -> list[np.ndarray]:
    """Scores of every row, each as its series' session of one batch takes it in."""
    lengths = [len(one.timestamps) for one in series]
    pieces = (
        padded_rows(series, [(min(row, length), min(row + 1, length)) for length in lengths])
        for row in range(max(lengths))
    )
    rows = [outputs["anomaly_score"][:, 0] for outputs, _ in replay(module, pieces, start(module, len(series)))]
    return [scores[:length].astype(np.float64) for scores, length in zip(np.stack(rows, axis=1), lengths, strict=True)]


# === Peers ===


def gaussian_scores(entry: Entry) -> np.ndarray:
    """One minus the tail probability of each value in a normal distribution of those before it."""
    scores = np.zeros(len(entry.values))
    window: list[float] = []
    waiting: list[float] = []
    mean, deviation = 0.0, 1.0
    for row, value in enumerate(entry.values.tolist()):
        scores[row] = 1 - norm.sf(abs(value - mean) / deviation) if window else 0.0
        if len(window) < GAUSSIAN_WINDOW:
            window.append(value)
        else:
            waiting.append(value)
            if len(waiting) < GAUSSIAN_STEP:
                continue
            window, waiting = [*window[GAUSSIAN_STEP:], *waiting], []
        mean, deviation = float(np.mean(window)), max(float(np.std(window)), 1e-6)
    return scores


def half_space_scores(entry: Entry) -> np.ndarray:
    """River's half-space trees behind a running min-max scaler, as its documentation shows them."""
    from river import anomaly, preprocessing

    scaler, trees = preprocessing.MinMaxScaler(), anomaly.HalfSpaceTrees(seed=42)
    scores = np.zeros(len(entry.values))
    for row, value in enumerate(entry.values.tolist()):
        scaler.learn_one({"value": value})
        scaled = scaler.transform_one({"value": value})
        scores[row] = trees.score_one(scaled)
        trees.learn_one(scaled)
    return scores


def detectors(entries: Sequence[Entry], seeds: Sequence[int]) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Name and scores of each detector."""
    yield "says nothing", [np.zeros(len(entry.values)) for entry in entries]
    for seed in seeds:
        random = np.random.default_rng(seed)
        yield f"random, seed {seed}", [random.random(len(entry.values)) for entry in entries]
    yield "windowed Gaussian", [gaussian_scores(entry) for entry in entries]
    if importlib.util.find_spec("river"):
        yield "River HalfSpaceTrees", [half_space_scores(entry) for entry in entries]
    else:
        sys.stderr.write("River is not installed; its half-space trees are left out (the extra `bench`)\n")
    for seed in seeds:
        yield f"Runnel, seed {seed}", forecaster_scores(entries, seed)


def score_all(entries: Sequence[Entry], scores: Sequence[np.ndarray]) -> dict[str, NabScore]:
    """What a detector reaches under each profile."""
    series = [NabSeries(one, entry.windows) for entry, one in zip(entries, scores, strict=True)]
    return {name: score_nab(series, profile) for name, profile in PROFILES.items()}


# === Commands ===


def nab(options: argparse.Namespace) -> None:
    """Scores every detector on the series that are there."""
    entries = read_corpus()
    windows = sum(len(entry.windows) for entry in entries)
    part = "the whole corpus" if len(entries) == CORPUS else f"{len(entries)} of its {CORPUS} series"
    sys.stdout.write(f"NAB, {part}, {windows} windows, {sum(len(entry.values) for entry in entries):,} rows\n")
    for name, scores in detectors(entries, options.seeds):
        reached = score_all(entries, scores)
        standard = reached["standard"]
        figures = {profile: f"{one.score:.1f}" for profile, one in reached.items()}
        found = f"{standard.found} of {standard.windows}, {standard.false_alarms} false alarms"
        sys.stdout.write(f"{name}: {', '.join(f'{key} {value}' for key, value in figures.items())}; {found}\n")
        sys.stdout.flush()
        if options.results:
            command = _command("nab", *(("--seeds", *map(str, options.seeds)) if options.seeds else ()))
            row = {"command": f"{command}: {name}", "data": f"NAB, {part}", **figures, "found": found}
            record("anomalies", row | {"hardware": machine()})


def pace(options: argparse.Namespace) -> None:
    """Times rows of many sensors through `step`."""
    for folder in options.export:
        manifest, model = load_export(folder, "forecasting")
        columns = len(manifest["meanings"]["columns"])
        rng = np.random.default_rng(0)
        values = tf.constant(rng.normal(size=(SENSORS, PACE_ROWS + 1, columns)).cumsum(axis=1) + 50, tf.float32)
        seconds = manifest["meanings"]["spec"]["grid"]["step"]
        begin = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
        state, length = start(model, SENSORS), tf.ones([SENSORS], tf.int32)
        times = []
        for index in range(PACE_ROWS + 1):
            timestamp = tf.fill([SENSORS, 1], tf.constant(begin + index * seconds, tf.int64))
            began = time.perf_counter()
            outputs = model.step(observation=values[:, index : index + 1], timestamp=timestamp, length=length, **state)
            state = {name: outputs[name] for name in state}
            outputs["alarm"].numpy()
            times.append(time.perf_counter() - began)
        step = float(np.median(times[1:]))  # the first call warms up
        rate = SENSORS / step
        sys.stdout.write(
            f"{folder}: {SENSORS} sensors, {1000 * step:.2f} ms a row of each, {rate:,.0f} rows a second\n"
        )
        if options.results:
            command = _command("pace", "--export", str(folder))
            row = {"command": command, "columns": str(columns), "ms a step": f"{1000 * step:.2f}"}
            record("pace", row | {"rows a second": f"{rate:,.0f}", "hardware": machine()})


def _command(*arguments: str) -> str:
    return shlex.join(["python", "benchmarks/anomalies.py", *arguments])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", action="store_true", help="write into RESULTS.md")
    commands: dict[str, Callable[[argparse.Namespace], None]] = {"nab": nab, "pace": pace}
    verbs = parser.add_subparsers(dest="command", required=True)
    verbs.add_parser("nab").add_argument("--seeds", type=int, nargs="*", default=[0])
    verbs.add_parser("pace").add_argument("--export", type=Path, nargs="+", required=True)
    for verb in verbs.choices.values():
        verb.add_argument("--results", action="store_true", help="write into RESULTS.md")
    options = parser.parse_args(arguments)
    try:
        commands[options.command](options)
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
