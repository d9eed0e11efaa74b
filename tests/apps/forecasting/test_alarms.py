import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.forecasting.alarms import alarm_verdicts, error_weights, evaluate_alarms, fit_anomalies
from runnel.apps.forecasting.config import Config
from runnel.apps.forecasting.data import ForecastingData, load_data
from runnel.apps.forecasting.model import build_model
from runnel.apps.forecasting.streaming import ForecastStream
from runnel.datasets.series.series_table import Series
from runnel.shared.layers.anomaly_score import AnomalySpec

pytestmark = pytest.mark.usefixtures("_load_each_export_once")

HOUR = 3600
START = 1_709_251_200
OPTIONS = (
    *("--context", "8", "--horizon", "2", "--units", "8", "--epochs", "3", "--steps-per-epoch", "20"),
    *("--batch-size", "16", "--learning-rate", "0.01", "--long-state-rows", "0", "--evaluation-rows", "40"),
)


def write_labelled(path: Path, rows: int = 900) -> Path:
    """Hourly rows with spikes in the last part, marked by their kind, one of which is in the validation rows."""
    random = np.random.default_rng(0)
    flow = 20 + 3 * np.sin(2 * np.pi * np.arange(rows) / 24) + 0.3 * random.normal(size=rows)
    level = 5 + 0.1 * random.normal(size=rows)
    kinds = np.full(rows, "", dtype="<U6")
    for begin in (650, 760, 810, 860):
        flow[begin : begin + 2] += 30
        kinds[begin : begin + 2] = "spike"
    times = [str(np.datetime64(START + HOUR * row, "s")) for row in range(rows)]
    lines = [f"{time},{a:.3f},{b:.3f},{kind}" for time, a, b, kind in zip(times, flow, level, kinds, strict=True)]
    path.write_text("when,flow,level,broken\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, train_in_process: Callable[..., str]) -> tuple[Path, str]:
    """The export of a model trained on labelled rows, and what was said."""
    folder = tmp_path_factory.mktemp("labelled")
    csv = write_labelled(folder / "pump.csv")
    said = train_in_process(
        *("forecasting", "--data", csv, "--target", "flow", "level", "--label", "broken", *OPTIONS),
        *("--out", folder / "run"),
    )
    return folder / "run" / "export", said


@pytest.fixture(scope="module")
def manifest(labelled: tuple[Path, str]) -> dict[str, Any]:
    return json.loads((labelled[0] / "manifest.json").read_text())


def test_a_label_is_scored_by_and_no_input(labelled: tuple[Path, str], manifest: dict[str, Any]) -> None:
    assert manifest["meanings"]["columns"] == ["flow", "level"]
    assert manifest["config"]["label"] == "broken"
    scores = manifest["metrics"]["alarms"]["model"]
    assert scores["by_kind"] == {"spike": {"faults": 3, "found": 3}}
    assert scores["precision"]["estimate"] == 1
    assert set(manifest["metrics"]["alarms"]["baselines"]) == {"running z-score", "EWMA control chart"}
    assert "3 of 3 faults are found with 0 false alarms a week (allowed: 0.25)" in labelled[1]


def test_the_report_shows_alarms_on_the_series(labelled: tuple[Path, str]) -> None:
    page = (labelled[0] / "report.html").read_text()
    for part in ("What the alarms find", "shaded: known fault", "running z-score", "found, by kind"):
        assert part in page


def test_evaluate_takes_rows_with_and_without_the_label(labelled: tuple[Path, str], runnel: Callable) -> None:
    export, _ = labelled
    code, out, err = runnel("evaluate", export)
    assert (code, err) == (0, "")
    assert "3 of 3 faults are found" in out
    lines = (export.parents[1] / "pump.csv").read_text().splitlines()
    unlabelled = export.parents[1] / "unlabelled.csv"
    unlabelled.write_text("\n".join(line.rpartition(",")[0] for line in lines))
    code, out, err = runnel("evaluate", export, "--data", unlabelled)
    assert (code, err) == (0, "")
    assert "alarms in" in out
    assert "faults" not in out


def test_without_labels_alarms_are_counted(trained: Any) -> None:
    metrics = trained.manifest["metrics"]["alarms"]
    assert set(metrics["model"]) == {"weeks", "alarms", "alarms_per_week"}
    (line,) = alarm_verdicts(metrics)
    assert line in trained.said
    assert "the threshold is for 0.25 of them" in line


def test_a_label_that_cannot_be_is_refused(labelled: tuple[Path, str], runnel: Callable, tmp_path: Path) -> None:
    csv = labelled[0].parents[1] / "pump.csv"
    for column, part in (("level", "named by --label and by --target"), ("fault", "has no column 'fault' (--label)")):
        options = ("--data", csv, "--target", "flow", "level", "--label", column)
        code, _, err = runnel("train", "forecasting", *options, "--out", tmp_path / column)
        assert (code, err.count("\n")) == (2, 1)
        assert part in err
        assert not (tmp_path / column).exists()
    code, _, err = runnel("train", "forecasting", "--data", csv, "--false-alarms-per-week", "0")
    assert code == 2
    assert "--false-alarms-per-week 0" in err


# === What is fitted ===


@pytest.fixture(scope="module")
def untrained(labelled: tuple[Path, str], manifest: dict[str, Any]) -> tuple[Any, ForecastingData, Config]:
    data, config = load_data(Config.from_dict(manifest["config"]))
    return build_model(config, data.spec, use_cudnn=False), data, config


@pytest.fixture(scope="module")
def fitted(untrained: tuple[Any, ForecastingData, Config]) -> AnomalySpec:
    return fit_anomalies(*untrained)


def with_series(data: ForecastingData, change: Callable[[Series], Series]) -> ForecastingData:
    return dataclasses.replace(
        data, table=dataclasses.replace(data.table, series=tuple(change(one) for one in data.table.series))
    )


def test_what_is_fitted_looks_at_no_test_row(untrained: Any, fitted: AnomalySpec) -> None:
    network, data, config = untrained
    split = data.splits[0]

    def disturbed(series: Series) -> Series:
        values = series.values.copy()
        values[split.test :] *= 50
        return dataclasses.replace(series, values=values)

    assert fit_anomalies(network, with_series(data, disturbed), config) == fitted
    assert len(fitted.usual_error) == 4  # of two targets, and what is left of each when the other is known
    assert len(fitted.threshold) == len(fitted.excess) == 3 * 4
    assert 0 < fitted.alarm < 1


def test_alarms_of_several_series_are_counted_together(untrained: Any, fitted: AnomalySpec) -> None:
    network, data, config = untrained
    (series,), (split,) = data.table.series, data.splits
    twice = dataclasses.replace(
        data, table=dataclasses.replace(data.table, series=(series, series)), splits=(split,) * 2
    )
    stream = ForecastStream(network, data.spec, config.horizon, config.advanced.adaptation_rate, fitted)
    score = tf.function(stream.score, autograph=False, reduce_retracing=True)
    module = SimpleNamespace(score=lambda **inputs: score(inputs))
    (watch,), alone = evaluate_alarms(module, data, config, fitted.alarm)
    watches, both = evaluate_alarms(module, twice, config, fitted.alarm)
    for one in watches:
        np.testing.assert_allclose(one.scores, watch.scores, atol=1e-5)
    for name in ("alarms", "faults", "weeks"):
        assert both["model"][name] == pytest.approx(2 * alone["model"][name])


def test_errors_that_go_together_when_something_happens_are_told_from_each_other() -> None:
    """Two sensors of one thing, with more noise than the second has of the first but for rare events; one apart."""
    random = np.random.default_rng(0)
    event = random.normal(size=10_000) * np.where(random.random(10_000) < 0.02, 50, 0)
    errors = random.normal(size=(10_000, 3)) + event[:, None] * [1.0, -2.0, 0.0]
    weights = np.array(error_weights([errors[:6_000], errors[6_000:]]))
    np.testing.assert_allclose(np.diag(weights), 0)
    np.testing.assert_allclose([weights[0, 1], weights[1, 0]], [-0.5, -2.0], rtol=0.05)
    np.testing.assert_allclose(weights[:2, 2], 0, atol=0.3)
    assert error_weights([errors[:100]]) == ((0.0,) * 3,) * 3  # too few rows to tell
    assert error_weights([np.full((10_000, 3), np.nan)]) == ((0.0,) * 3,) * 3
