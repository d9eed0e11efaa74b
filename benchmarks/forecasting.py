"""Figures of the forecaster: public benchmarks, interval coverage of exports, and the cost of a step.

    python benchmarks/forecasting.py etth1 ettm1 exchange jena [--lookback L] [--seeds 0 1 2] [--results]
    python benchmarks/forecasting.py coverage --export DIR [DIR ...] [--results]
    python benchmarks/forecasting.py step --export DIR [DIR ...] [--results]

The data of the first form are found through the environment variable RUNNEL_BENCH_DATA. They follow the protocol of
LTSF-Linear (Zeng et al. 2023, arXiv 2205.13504) and SegRNN (Lin et al. 2023, arXiv 2308.11200): horizon 96, columns
standardised by their training rows, one model for all columns, each forecast by itself, every window of the
test split counted (no incomplete batch dropped), windows that may look back into the split before. Everything that is
chosen is chosen on the validation split. `--results` writes what was measured into RESULTS.md beside this file.
"""

import argparse
import importlib
import importlib.util
import itertools
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
from results import bench_file, machine, record
from time_in_turns import time_in_turns

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from runnel.apps.forecasting.config import Advanced, Config
from runnel.apps.forecasting.data import ForecastingData, load_data, prepare
from runnel.apps.forecasting.evaluate import LEVELS, MEDIAN, evaluate
from runnel.apps.forecasting.model import build_model
from runnel.apps.forecasting.train import train_network
from runnel.datasets.series.series_table import Series, SeriesTable, fingerprint_of
from runnel.shared.errors import InputError
from runnel.shared.export.manifest import read_manifest
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.preprocessing.series_windows import SeriesWindows
from runnel.shared.preprocessing.time_grid import SECONDS_PER_DAY
from runnel.shared.streaming.replay import start
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.run_folder import RunFolder
from runnel.shared.training.variables import load_weights

HORIZON = 96
OUTER = {0.8: LEVELS.index(0.1), 0.9: LEVELS.index(0.05)}  # width of a central interval -> its lower quantile
LONG_SEGMENT = 48  # at least so many rows in a segment of a lookback longer than the horizon
MISSING = -9999.0  # how the Jena data write a missing value
TRAINING = Advanced(
    transform="none",
    dropout=0.5,
    batch_size=512,
    epochs=8,
    steps_per_epoch=100,
    learning_rate=1e-3,
    weight_decay=0.0,
    median_weight=100.0,
    averaging=0.99,
    patience=3,
    decay=1.0,  # with the large prior: the scale stays that of the training rows
    prior_weight=1e9,
)


@dataclass(frozen=True)
class Benchmark:
    """A data set and how it is split, with the training options that its validation split chose.

    Attributes:
        file: path under RUNNEL_BENCH_DATA.
        minutes: distance of two rows.
        ends: where training, validation and test end, in rows; None for 70 %, 10 % and 20 % of them.
        advanced: training options.
        has_header: whether the file has a line of names and a column of dates.
        embeds_columns: whether the network learns an embedding of each column, as targets of one series have it; else
            each column is a series.
    """

    file: str
    minutes: int
    ends: tuple[int, int, int] | None
    advanced: Advanced
    has_header: bool = True
    embeds_columns: bool = False

    def splits(self, rows: int) -> tuple[int, int, int]:
        """Where training, validation and test end."""
        return self.ends or (int(rows * 0.7), rows - int(rows * 0.2), rows)


BENCHMARKS = {
    "etth1": Benchmark("ett/ETTh1.csv", 60, (8640, 11520, 14400), replace(TRAINING, units=256, segment=24)),
    "ettm1": Benchmark(
        "ett/ETTm1.csv",
        15,
        (34560, 46080, 57600),
        replace(TRAINING, units=256, segment=24, epochs=10, steps_per_epoch=200),
    ),
    "exchange": Benchmark(
        "exchange_rate/exchange_rate.txt",
        1440,
        None,
        replace(TRAINING, units=64, segment=48, learning_rate=3e-4, epochs=15, steps_per_epoch=20),
        has_header=False,
    ),
    "jena": Benchmark(
        "weather_jena_2020/weather.csv",
        10,
        None,
        replace(TRAINING, units=256, segment=48, epochs=6, steps_per_epoch=200),
        embeds_columns=True,
    ),
}


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a benchmark, ready to train on.

    Attributes:
        data: of the application.
        config: of the application, complete.
        published_scale: [C], by which an error is multiplied to be on the scale of published figures.
    """

    data: ForecastingData
    config: Config
    published_scale: np.ndarray


def load(name: str, lookback: int, seed: int) -> Columns:
    """Reads a benchmark, and standardises each column by its training rows.

    Published figures of Jena count -9999 as a measurement, which enlarges the training scale of two columns; here it
    is missing, and errors can be expressed on either scale.
    """
    benchmark = BENCHMARKS[name]
    raw = _read(benchmark)
    train, validation, end = benchmark.splits(len(raw))
    raw = raw[:end]
    known = np.where(raw == MISSING, np.nan, raw)
    scale = np.nanstd(known[:train], axis=0)
    values = ((known - np.nanmean(known[:train], axis=0)) / scale).astype(np.float32)
    timestamps = 60 * benchmark.minutes * np.arange(end, dtype=np.int64)  # as published: rows equally far apart
    names = tuple(f"column {index}" for index in range(values.shape[1])) if benchmark.embeds_columns else ("value",)
    series = tuple(
        Series(f"series {index}", timestamps.copy(), part)
        for index, part in enumerate(np.split(values, values.shape[1] // len(names), axis=1))
    )
    table = SeriesTable(
        columns=names,
        targets=names,
        series=series,
        time_column="row",
        series_id_column="series",
        split_starts=(int(timestamps[train]), int(timestamps[validation])),
        fingerprint=fingerprint_of(names, series),
    )
    segment = max(benchmark.advanced.segment, LONG_SEGMENT if lookback > HORIZON else 0)
    advanced = replace(
        benchmark.advanced, seed=seed, segment=segment, batch_size=benchmark.advanced.batch_size // len(names)
    )
    config = Config(data=name, context=lookback, horizon=HORIZON, architecture="segment", advanced=advanced)
    data, config = prepare(table, config)
    return Columns(data, config, scale / raw[:train].std(axis=0))


def _read(benchmark: Benchmark) -> np.ndarray:
    with bench_file(benchmark.file).open(encoding="latin-1") as lines:
        rows = [line.rstrip("\n").split(",")[benchmark.has_header :] for line in lines]
    return np.array(rows[benchmark.has_header :], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Errors:
    """Of every window of a split, float32 [C, N] each: means over the horizon, on the standardised scale.

    Attributes:
        squared: of the median forecast.
        absolute: of the median forecast.
        naive_squared: of repeating the last value.
        naive_absolute: of repeating the last value.
        inside: {nominal width: share of the truths inside the central interval}.
    """

    squared: np.ndarray
    absolute: np.ndarray
    naive_squared: np.ndarray
    naive_absolute: np.ndarray
    inside: dict[float, np.ndarray]


def measure(network: keras.Model, columns: Columns, first: int, end: int) -> Errors:
    """Forecasts every window whose targets are the rows [first, end), each with the lookback before it."""
    table, lookback = columns.data.table, columns.config.context
    windows = SeriesWindows(
        [series.timestamps for series in table.series],
        [series.values for series in table.series],
        columns.data.spec.targets,
        columns.data.spec.grid,
        HORIZON,
    )
    origins = np.arange(first - 1, end - HORIZON)
    ends = (windows.offsets[:-1, None] + origins).reshape(-1)

    @tf.function
    def errors(batch: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        rows = {name: batch[name] for name in ("observation", "timestamp", "mask")}
        outputs, _ = network(rows | {"state": initial_state(network.layers, tf.shape(rows["mask"])[0])}, training=False)
        truth, level = batch["targets"][:, 0], outputs["level"]  # [B, H, Y], [B, 1, Y]
        quantiles = level[..., None] + outputs["scale"][..., None] * outputs["quantiles"][:, 0]  # [B, H, Y, Q]
        error, naive = truth - quantiles[..., MEDIAN], truth - level
        inside = [
            tf.cast((quantiles[..., low] <= truth) & (truth <= quantiles[..., -1 - low]), tf.float32)
            for low in OUTER.values()
        ]
        return [tf.reduce_mean(x, axis=1) for x in (error**2, tf.abs(error), naive**2, tf.abs(naive), *inside)]

    size = 4 * columns.config.advanced.batch_size
    batches = (windows.gather(ends[begin : begin + size], lookback, 1) for begin in range(0, len(ends), size))
    results = zip(*([one.numpy() for one in errors(batch)] for batch in batches), strict=True)
    by_series = [np.concatenate(parts).reshape(len(table.series), len(origins), -1) for parts in results]  # [S, N, Y]
    by_column = [values.transpose(0, 2, 1).reshape(-1, len(origins)) for values in by_series]
    squared, absolute, naive_squared, naive_absolute, *inside = by_column
    return Errors(squared, absolute, naive_squared, naive_absolute, dict(zip(OUTER, inside, strict=True)))


def beats_naive(errors: Errors) -> bool:
    """Whether the forecasts are better than repeating the last value by more than one standard error.

    Windows overlap, so the error is that of the mean over blocks of as many windows as the horizon has steps.
    """
    gain = (errors.naive_squared - errors.squared).mean(axis=0)  # [N]
    blocks = gain[: len(gain) // HORIZON * HORIZON].reshape(-1, HORIZON).mean(axis=1)
    return bool(blocks.mean() > blocks.std(ddof=1) / np.sqrt(len(blocks)))


def train(columns: Columns) -> keras.Model:
    """Trains as the application does, and gives the network of the best validation."""
    config, spec = columns.config, columns.data.spec
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder), "forecasting", config.to_dict(), columns.data.table.fingerprint)
        train_network(columns.data, config, run, print)
        best = CheckpointStore(run.checkpoints).best(print)
        if best is None:
            raise RuntimeError("the training left no checkpoint")
        network = build_model(config, spec, rows=1)
        load_weights(network, best, averaged=config.advanced.averaging > 0)
    return network


def run_benchmark(name: str, lookback: int, seed: int) -> dict[str, str]:
    """Trains and measures; one row of the table."""
    began = time.monotonic()
    columns = load(name, lookback, seed)
    network = train(columns)
    split = columns.data.splits[0]
    validation = measure(network, columns, split.validation, split.test)
    test = measure(network, columns, split.test, split.end)
    keeps = beats_naive(validation)
    scales = {"": columns.published_scale}
    if not np.allclose(columns.published_scale, 1):
        scales["; clean scale "] = np.ones_like(columns.published_scale)

    def shown(squared: np.ndarray, absolute: np.ndarray) -> str:
        return "".join(
            f"{label}{(squared.mean(axis=1) * scale**2).mean():.4f} / {(absolute.mean(axis=1) * scale).mean():.4f}"
            for label, scale in scales.items()
        )

    network_test, naive_test = shown(test.squared, test.absolute), shown(test.naive_squared, test.naive_absolute)
    return {
        "command": _command(name, "--lookback", str(lookback), "--seeds", str(seed)),
        "validation": shown(validation.squared, validation.absolute),
        "test": network_test if keeps else f"{naive_test} (repeat-last chosen; network {network_test})",
        "repeat-last": naive_test,
        "inside 80 / 90 %": " / ".join(f"{100 * share.mean():.1f} %" for share in test.inside.values()),
        "windows": f"{test.squared.shape[1]} x {test.squared.shape[0]}",
        "seconds": f"{time.monotonic() - began:.0f}",
    }


def measure_coverage(export_dir: Path) -> dict[str, str]:
    """Streams the whole test split of an export's own data; one row of the table."""
    began = time.monotonic()
    manifest = read_manifest(export_dir, "forecasting")
    spec = SeriesSpec.from_dict(manifest["meanings"]["spec"])
    data, config = load_data(Config.from_dict(manifest["config"]), spec)
    module = tf.saved_model.load(str(export_dir / "saved_model"))
    metrics = evaluate(module, data, config.context).metrics
    first, last = (datetime.fromtimestamp(metrics[name], UTC).date() for name in ("first", "last"))

    def shown(width: str) -> str:
        coverage = metrics["coverage"][width]
        return f"{coverage['estimate']:.1%} [{coverage['lower']:.1%}, {coverage['upper']:.1%}]"

    pinball = ", ".join(f"{name} {value:.4f}" for name, value in metrics["scaled_pinball"].items())
    return {
        "command": _command("coverage", "--export", str(export_dir)),
        "model": f"{Path(config.data).name}, {config.cell} {config.advanced.units}, seed {config.advanced.seed}",
        "forecast origins": f"{metrics['rows']}, {first} to {last}",
        "80 % interval covers": shown("80%"),
        "90 % interval covers": shown("90%"),
        "pinball loss": pinball,
        "seconds": f"{time.monotonic() - began:.0f}",
    }


def measure_step(export_dir: Path) -> dict[str, str]:
    """Times `step` with one row against bare networks of the same size, in turns; one row of the table."""
    manifest = read_manifest(export_dir, "forecasting")
    config, meanings = Config.from_dict(manifest["config"]), manifest["meanings"]
    columns = len(meanings["columns"])
    features = 2 * columns + 1 + 2 * len(meanings["spec"]["calendar_periods"])
    outputs = len(LEVELS) * config.horizon * len(config.target)
    size = (features, config.advanced.units, outputs)
    peers = {"tf.function GRUCell and Dense": _tensorflow_peer(*size)}
    if importlib.util.find_spec("torch"):
        peers["PyTorch eager GRU and Linear"] = _torch_peer(*size)
    module = tf.saved_model.load(str(export_dir / "saved_model"))
    own, *others = time_in_turns(_export_step(module, columns), *peers.values())
    timings = dict(zip(peers, others, strict=True))
    return {
        "command": _command("step", "--export", str(export_dir)),
        "model": f"{Path(config.data).name}, {config.cell} {config.advanced.units}, horizon {config.horizon}",
        "step p50 / p95, ms": " / ".join(f"{1e3 * value:.3f}" for value in own),
        "peer p50 / p95, ms": "; ".join(
            f"{name} {' / '.join(f'{1e3 * value:.3f}' for value in values)}" for name, values in timings.items()
        ),
        "ratio p50 / p95": "; ".join(
            " / ".join(f"{mine / theirs:.1f}" for mine, theirs in zip(own, values, strict=True))
            for values in timings.values()
        ),
    }


def _export_step(module: Any, columns: int) -> Callable[[], None]:
    """A function that sends the next row: raw values in, forecasts as NumPy out, the state carried."""
    rows = np.random.default_rng(0).uniform(10, 11, (1, 1, columns)).astype(np.float32)
    state, clock = start(module, 1), itertools.count(1, SECONDS_PER_DAY)

    def step() -> None:
        nonlocal state
        timestamp = tf.constant([[next(clock)]], tf.int64)
        outputs = module.step(observation=rows, timestamp=timestamp, length=tf.constant([1]), **state)
        state = {name: outputs[name] for name in state}
        outputs["quantiles"].numpy()

    return step


def _tensorflow_peer(features: int, units: int, outputs: int) -> Callable[[], None]:
    """A GRU cell and a linear layer and nothing else, in a tf.function; the hidden state carried."""
    cell, head = keras.layers.GRUCell(units), keras.layers.Dense(outputs)
    cell.build((1, features))
    head.build((1, units))
    row, hidden = tf.zeros((1, features)), tf.zeros((1, units))

    @tf.function
    def run(row: tf.Tensor, hidden: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        hidden, _ = cell(row, [hidden])
        return head(hidden), hidden

    def step() -> None:
        nonlocal hidden
        result, hidden = run(row, hidden)
        result.numpy()

    return step


def _torch_peer(features: int, units: int, outputs: int) -> Callable[[], None]:
    """The same in PyTorch, run eagerly."""
    torch = importlib.import_module("torch")
    gru, head = torch.nn.GRU(features, units), torch.nn.Linear(units, outputs)
    row, hidden = torch.zeros(1, 1, features), torch.zeros(1, 1, units)

    def step() -> None:
        nonlocal hidden
        with torch.inference_mode():
            encoded, hidden = gru(row, hidden)
            head(encoded).numpy()

    return step


def _command(*arguments: str) -> str:
    return shlex.join(["python", "benchmarks/forecasting.py", *arguments])


def runs(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, str]]]:
    """The table and the row of everything that was asked for, one after the other."""
    for what in options.what:
        if what in BENCHMARKS:
            for seed in options.seeds:
                yield "long-horizon", run_benchmark(what, options.lookback, seed)
        elif not options.export:
            raise InputError(f"received {what} without an export; expected at least one; name them with --export")
        else:
            for export_dir in options.export:
                yield what, (measure_coverage if what == "coverage" else measure_step)(export_dir)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for; 2 for data or exports that cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=[*BENCHMARKS, "coverage", "step"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--lookback", type=int, default=96, help="rows that a forecast is made from")
    parser.add_argument("--export", type=Path, nargs="+", default=[], help="exports of the application")
    parser.add_argument("--results", action="store_true", help="write the rows into RESULTS.md")
    options = parser.parse_args(arguments)
    try:
        for section, row in runs(options):
            row["machine"] = machine()
            print("; ".join(f"{name}: {value}" for name, value in row.items()), flush=True)
            if options.results:
                record(section, row)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
