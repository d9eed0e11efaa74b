import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from contracts.adapters import ModuleStream
from contracts.streaming import ROWS, Example
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.apps.forecasting.model import build_model
from runnel.apps.forecasting.streaming import ForecastStream, build_probe
from runnel.shared.evaluation.backtest import LookAheadError, check_no_look_ahead
from runnel.shared.export.signatures import build_servable
from runnel.shared.layers.quantile_head import quantile_levels

GOLDEN = Path(__file__).parents[2] / "golden" / "forecasting_signatures.json"
FINAL = ("forecast", "quantiles", "forecast_timestamp")
HOUR = 3600
START = 1_709_251_200
LEVELS = quantile_levels()


def sensible_rows(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Timestamps [T] with gaps, repeats and late rows, and values [T, 3] with gaps and a level shift."""
    random = np.random.default_rng(seed)
    hours = np.cumsum(random.choice([1, 1, 1, 1, 0, -3, 4, 30], rows, p=[0.3, 0.2, 0.2, 0.2, 0.04, 0.02, 0.03, 0.01]))
    values = 10 + np.sin(2 * np.pi * hours / 24)[:, None] + 0.2 * random.normal(size=(rows, 3))
    values[rows // 2 :] += 500
    values[random.random(values.shape) < 0.1] = np.nan
    values[rows // 4 : rows // 4 + rows // 20] = np.nan
    return START + HOUR * hours, values.astype(np.float32)


def example(rows: int = 16) -> Example:
    """Sessions of several lengths, one of them empty."""
    timestamps, values = zip(*(sensible_rows(rows, seed) for seed in range(4)), strict=True)
    return Example({"observation": np.stack(values), "timestamp": np.stack(timestamps)}, [rows, 5, 0, 1])


def step(module: Any, timestamps: np.ndarray, values: np.ndarray, state: Any = None) -> tuple[dict, dict]:
    """One session through `step`, all rows in one piece."""
    state = module.initial_state(batch_size=tf.constant(1)) if state is None else state
    outputs = module.step(
        observation=tf.constant(values[None]),
        timestamp=tf.constant(timestamps[None]),
        length=tf.constant([len(timestamps)]),
        **state,
    )
    return {name: outputs[name].numpy()[0] for name in outputs if name not in state}, {n: outputs[n] for n in state}


def served(module: Any, timestamps: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    answer = module.serving_default(
        history=tf.constant(values[None]), timestamp=tf.constant(timestamps[None]), length=tf.constant([len(values)])
    )
    return {name: value.numpy()[0] for name, value in answer.items()}


@pytest.fixture(scope="module")
def segment(data: tuple[Any, Any]) -> Any:
    """An untrained window model as it would be exported."""
    rows, config = data
    config = dataclasses.replace(
        config, architecture="segment", advanced=dataclasses.replace(config.advanced, segment=5, units=6)
    )
    network = build_model(config, rows.spec, use_cudnn=False)
    random = np.random.default_rng(0)
    network.set_weights([weight + random.normal(scale=0.1, size=weight.shape) for weight in network.get_weights()])
    return build_servable(ForecastStream(network, rows.spec, config.horizon, 0.05)).module


# === The streaming contract ===


@pytest.mark.parametrize("check", ROWS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("architecture", ["recurrent", "segment"])
def test_contract(architecture: str, check: Callable, loaded: Any, request: pytest.FixtureRequest) -> None:
    module = loaded if architecture == "recurrent" else request.getfixturevalue("segment")
    check(ModuleStream(module, FINAL), example())


@pytest.mark.parametrize("architecture", ["recurrent", "segment"])
@pytest.mark.parametrize("rows", [1, 2, 300])
def test_whole_equals_stream(architecture: str, rows: int, loaded: Any, request: pytest.FixtureRequest) -> None:
    module = loaded if architecture == "recurrent" else request.getfixturevalue("segment")
    timestamps, values = sensible_rows(rows, 3)
    whole = served(module, timestamps, values)
    state = None
    for row in range(rows):
        results, state = step(module, timestamps[row : row + 1], values[row : row + 1], state)
    for name in FINAL:
        np.testing.assert_allclose(results[name], whole[name], rtol=1e-5, err_msg=name)


def test_signatures_are_the_golden_ones(trained: Any) -> None:
    """A difference is a breaking change: it belongs into CHANGELOG.md, and then into the golden file."""
    found = {
        signature: {
            side: {name: f"{spec['dtype']} {spec['shape']}" for name, spec in specs.items()}
            for side, specs in sides.items()
        }
        for signature, sides in trained.manifest["signatures"].items()
    }
    assert found == json.loads(GOLDEN.read_text())


def test_verification_measured_what_was_promised(trained: Any) -> None:
    measured = json.loads((trained.export / "verification.json").read_text())
    assert measured["passed"]
    assert measured["state_bytes_per_session"] == trained.manifest["state"]["bytes_per_session"] < 64 * 1024


# === A program that knows nothing of this project ===


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, np.ndarray]:
    timestamps, values = sensible_rows(2000, 7)
    path = tmp_path_factory.mktemp("unseen") / "rows.csv"
    cells = [["" if np.isnan(value) else repr(float(value)) for value in row] for row in values]
    path.write_text("".join(f"{time},{','.join(row)}\n" for time, row in zip(timestamps, cells, strict=True)))
    return path, timestamps, values


@pytest.mark.slow
def test_two_processes_with_tensorflow_alone_hand_a_stream_over(
    trained: Any, loaded: Any, unseen: Any, tmp_path: Path, run_alone: Callable[..., subprocess.CompletedProcess]
) -> None:
    path, timestamps, values = unseen
    for first, last, name in ((0, 900, "one.npz"), (900, 2000, "two.npz")):
        arguments = (trained.export / "saved_model", path, first, last, tmp_path / "state.npz", tmp_path / name)
        run_alone("tensorflow_only_client.py", *arguments)
    one, two = np.load(tmp_path / "one.npz"), np.load(tmp_path / "two.npz")

    for name in FINAL:
        np.testing.assert_allclose(two[name], two[f"served_{name}"], rtol=1e-5, err_msg=name)
    here, _ = step(loaded, timestamps, values)
    np.testing.assert_allclose(two["quantiles"], here["quantiles"], rtol=1e-5)
    scores = np.concatenate([one["scores"], two["scores"]])
    np.testing.assert_allclose(scores, here["anomaly_score"], atol=1e-4)
    np.testing.assert_allclose(scores, two["served_anomaly_score"], atol=1e-4)
    np.testing.assert_array_equal(np.concatenate([one["alarms"], two["alarms"]]), two["served_alarm"])
    assert one["sizes"].tolist() == two["sizes"].tolist() == [trained.manifest["state"]["bytes_per_session"]]
    assert scores[1000] > 0.5  # the level shift
    assert two["alarms"][100]
    assert not two["alarms"][-200:].any()  # which it has got used to
    assert np.isfinite(two["quantiles"]).all()
    assert 450 < two["forecast"][0, 0] < 560  # it has followed the shift


# === What holds for any input ===

rows_of_anything = st.lists(
    st.tuples(
        st.integers(-2, 40),  # hours since the row before
        st.tuples(*[st.floats(width=32) | st.floats(-100, 100, width=32)] * 3),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rows=rows_of_anything)
def test_quantiles_never_cross_and_scores_stay_within_their_bounds(loaded: Any, rows: list) -> None:
    timestamps = START + HOUR * np.cumsum([hours for hours, _ in rows])
    values = np.array([row for _, row in rows], np.float32)
    results, _ = step(loaded, timestamps, values)
    assert ((results["anomaly_score"] >= 0) & (results["anomaly_score"] <= 1)).all()
    known = ~np.isnan(results["quantiles"])
    assert (known.all(axis=-1) == known.any(axis=-1)).all()
    with np.errstate(invalid="ignore"):
        assert not (np.diff(results["quantiles"], axis=-1) < 0).any()
    np.testing.assert_array_equal(results["forecast"], results["quantiles"][..., len(LEVELS) // 2])


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_value_that_is_no_number_counts_as_missing(loaded: Any, value: float) -> None:
    timestamps, values = sensible_rows(30, 0)
    values[20, 1] = value
    expected = values.copy()
    expected[20, 1] = np.nan
    np.testing.assert_array_equal(
        served(loaded, timestamps, values)["quantiles"], served(loaded, timestamps, expected)["quantiles"]
    )


def test_repeated_and_late_rows_are_left_out(loaded: Any) -> None:
    timestamps = START + HOUR * np.array([0, 1, 2, 2, 0, 1, 3, 4])
    values = np.random.default_rng(0).normal(10, 1, size=(8, 3)).astype(np.float32)
    kept = [0, 1, 2, 6, 7]
    results, _ = step(loaded, timestamps, values)
    expected, _ = step(loaded, timestamps[kept], values[kept])
    np.testing.assert_allclose(results["quantiles"], expected["quantiles"], rtol=1e-5)
    np.testing.assert_allclose(results["anomaly_score"][kept], expected["anomaly_score"], atol=1e-5)
    assert results["anomaly_score"][3:6].tolist() == [0, 0, 0]


def test_before_the_first_row_nothing_is_forecast(loaded: Any) -> None:
    results, state = step(loaded, np.zeros(0, np.int64), np.zeros((0, 3), np.float32))
    assert np.isnan(results["forecast"]).all()
    assert results["forecast_timestamp"].tolist() == [0, 0, 0]
    assert results["anomaly_score"].shape == (0,)
    for name, value in loaded.initial_state(batch_size=tf.constant(1)).items():
        np.testing.assert_array_equal(state[name], value)


def test_timestamps_of_the_forecasts_follow_the_grid(loaded: Any) -> None:
    results = served(loaded, START + HOUR * np.array([0, 1, 5]), np.ones((3, 3), np.float32))
    assert results["forecast_timestamp"].tolist() == [START + HOUR * hour for hour in (6, 7, 8)]


def test_a_surprise_scores_higher_than_what_was_expected(loaded: Any) -> None:
    timestamps, values = START + HOUR * np.arange(200), np.full((200, 3), 10, np.float32)
    values += np.random.default_rng(0).normal(0, 0.1, values.shape).astype(np.float32)
    values[150] += 50
    scores = step(loaded, timestamps, values)[0]["anomaly_score"]
    assert scores[150] > 0.4
    assert np.median(scores[50:150]) < 0.1


def test_levels_never_seen_in_training_work(loaded: Any) -> None:
    """The forecast moves along with the level."""
    timestamps, values = sensible_rows(100, 1)
    low, high = served(loaded, timestamps, values)["quantiles"], served(loaded, timestamps, values + 5000)["quantiles"]
    np.testing.assert_allclose(high, low + 5000, atol=0.05)


# === Scores and alarms ===


def scored(module: Any, timestamps: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
    """A batch of one session by `score`."""
    answer = module.score(
        history=tf.constant(values[None]), timestamp=tf.constant(timestamps[None]), length=tf.constant([len(values)])
    )
    return {name: value.numpy()[0] for name, value in answer.items()}


@pytest.mark.parametrize("rows", [0, 1, 300])
def test_score_gives_of_each_row_what_step_gives(loaded: Any, rows: int) -> None:
    timestamps, values = sensible_rows(rows, 4)
    whole = scored(loaded, timestamps, values)
    assert {name: (value.shape, value.dtype) for name, value in whole.items()} == {
        "anomaly_score": ((rows,), np.float32),
        "alarm": ((rows,), np.bool_),
    }
    state = None
    for row in range(rows):
        results, state = step(loaded, timestamps[row : row + 1], values[row : row + 1], state)
        assert results["anomaly_score"][0] == pytest.approx(whole["anomaly_score"][row], abs=1e-5)
        assert results["alarm"][0] == whole["alarm"][row]


def test_a_later_row_changes_no_earlier_score(loaded: Any) -> None:
    timestamps, values = sensible_rows(200, 6)
    whole = scored(loaded, timestamps, values)
    for end in (1, 60, 150):
        cut = scored(loaded, timestamps[:end], values[:end])
        np.testing.assert_allclose(cut["anomaly_score"], whole["anomaly_score"][:end], atol=1e-5)
        np.testing.assert_array_equal(cut["alarm"], whole["alarm"][:end])


def test_rows_past_the_length_raise_no_alarm(loaded: Any, trained: Any) -> None:
    timestamps, values = sensible_rows(80, 6)
    answer = loaded.score(
        history=tf.constant(np.stack([values, values + 1e6])),
        timestamp=tf.constant(np.stack([timestamps, timestamps])),
        length=tf.constant([80, 30]),
    )
    scores, alarms = answer["anomaly_score"].numpy(), answer["alarm"].numpy()
    assert not scores[1, 30:].any()
    assert not alarms[1, 30:].any()
    np.testing.assert_array_equal(alarms, scores >= np.float32(trained.manifest["meanings"]["alarms"]["alarm"]))


# === Nothing looks ahead ===


def forecasts_row_by_row(module: Any) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    def forecast(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
        state, rows = None, []
        for row in range(len(values)):
            results, state = step(module, timestamps[row : row + 1], values[row : row + 1], state)
            rows.append(np.append(results["quantiles"].ravel(), results["anomaly_score"]))
        return np.nan_to_num(np.stack(rows))

    return forecast


def test_no_look_ahead_and_a_planted_leak_is_caught(loaded: Any) -> None:
    timestamps, values = START + HOUR * np.arange(40), sensible_rows(40, 5)[1]
    forecast = forecasts_row_by_row(loaded)
    check_no_look_ahead(forecast, values, timestamps, [20])

    def leaking(values: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
        return forecast(values / np.nanstd(values, axis=0), timestamps)

    with pytest.raises(LookAheadError, match="up to row 20"):
        check_no_look_ahead(leaking, values, timestamps, [20])


# === The probe ===


def test_probe_holds_gaps_short_and_empty_sessions(data: tuple[Any, Any]) -> None:
    probe = build_probe(data[0])
    assert probe.serve["length"].tolist() == [60, 30, 0]
    assert np.isnan(probe.serve["history"]).any()
    for pieces in probe.chunkings:
        joined = np.concatenate([piece["observation"] for piece in pieces], axis=1)
        np.testing.assert_array_equal(joined, probe.serve["history"])
        assert sum(piece["length"] for piece in pieces).tolist() == [60, 30, 0]


def test_the_unit_of_the_data_does_not_matter(data: tuple[Any, Any]) -> None:
    """An untrained model in another unit, its preprocessing fitted in that unit, forecasts the same."""
    rows, config = data
    timestamps, values = sensible_rows(80, 2)
    answers = []
    for unit in (1.0, 1e-9):
        spec = dataclasses.replace(rows.spec, scale=tuple(unit * scale for scale in rows.spec.scale))
        network = build_model(config, spec, use_cudnn=False)
        network.set_weights([np.full_like(weight, 0.01) for weight in network.get_weights()])
        stream = ForecastStream(network, spec, config.horizon, 0.05)
        piece = {"observation": unit * values[None], "timestamp": timestamps[None], "length": [len(values)]}
        inputs = {name: tf.constant(piece[name], spec.dtype) for name, spec in stream.step_inputs.items()}
        results, _ = tf.function(stream.step, autograph=False)(inputs, stream.initial_state(1))
        answers.append((results["quantiles"] / unit, results["anomaly_score"]))
    np.testing.assert_allclose(answers[1][0], answers[0][0], rtol=1e-4)
    np.testing.assert_allclose(answers[1][1], answers[0][1], atol=1e-3)


def test_a_mark_for_missing_values_does_not_end_the_forecasts(loaded: Any) -> None:
    timestamps, values = START + HOUR * np.arange(60), sensible_rows(60, 2)[1]
    values[30] = np.finfo(np.float32).max
    expected = values.copy()
    expected[30] = np.nan
    results, expected = served(loaded, timestamps, values), served(loaded, timestamps, expected)
    np.testing.assert_array_equal(results["quantiles"], expected["quantiles"])
