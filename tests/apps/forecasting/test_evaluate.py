import dataclasses
from typing import Any

import numpy as np
import pytest

from runnel.apps.forecasting.data import ForecastingData
from runnel.apps.forecasting.evaluate import LEVELS, MEDIAN, compare_state_ages, evaluate, stream_forecasts, verdicts
from runnel.datasets.series.series_table import Series, SeriesTable
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.preprocessing.series_windows import TimeSplit
from runnel.shared.preprocessing.time_grid import TimeGrid

HOUR = 3600
HORIZON = 2
CONTEXT = 5


class RepeatLast:
    """A stream that forecasts the last value, and quantiles a fixed distance from it."""

    def __init__(self, bias: float = 0.0) -> None:
        self.bias = bias

    def initial_state(self, batch_size: Any) -> dict[str, Any]:
        import tensorflow as tf

        return {
            "state_last": tf.fill([int(batch_size)], np.nan),
            "state_timestamp": tf.zeros([int(batch_size)], tf.int64),
        }

    def step(self, observation: Any, timestamp: Any, length: Any, state_last: Any, state_timestamp: Any) -> dict:
        import tensorflow as tf

        last, time = state_last.numpy().copy(), state_timestamp.numpy().copy()
        for row, count in enumerate(length.numpy()):
            for step in range(count):
                value = observation[row, step, 0].numpy()
                last[row] = last[row] if np.isnan(value) else value
                time[row] = timestamp[row, step]
        quantiles = (last[:, None, None, None] + self.bias + (np.asarray(LEVELS) - 0.5)) * np.ones((1, HORIZON, 1, 1))
        return {
            "forecast": tf.constant(quantiles[..., MEDIAN]),
            "quantiles": tf.constant(quantiles),
            "forecast_timestamp": tf.constant(time[:, None] + HOUR * np.arange(1, HORIZON + 1)),
            "anomaly_score": tf.zeros(timestamp.shape),
            "state_last": tf.constant(last),
            "state_timestamp": tf.constant(time),
        }


def made(lengths: tuple[int, ...] = (50, 30), transform: Any = "none") -> ForecastingData:
    """Walks of +1, -1 and a gap of one hour in the middle."""
    series = []
    for number, rows in enumerate(lengths):
        random = np.random.default_rng(number)
        hours = np.arange(rows) + (np.arange(rows) > rows // 2)
        values = 100 + np.cumsum(random.choice([-1.0, 1.0], rows)).astype(np.float32)
        series.append(Series(str(number), HOUR * hours.astype(np.int64), values[:, None].astype(np.float32)))
    table = SeriesTable(("a",), ("a",), tuple(series), "t", "s", None, "")
    splits = tuple(TimeSplit(int(0.6 * rows), int(0.8 * rows), rows) for rows in lengths)
    return ForecastingData(table, splits, SeriesSpec(("a",), 1, transform, (1.0,), TimeGrid("second", HOUR), ()))


def test_forecasts_count_after_the_row_before_the_test_split() -> None:
    evaluation = evaluate(RepeatLast(), made(), CONTEXT)
    assert [len(one.origin) for one in evaluation.forecasts] == [10, 6]
    for one, series, split in zip(evaluation.forecasts, made().table.series, made().splits, strict=True):
        np.testing.assert_array_equal(one.origin, series.timestamps[split.test - 1 : -1])
        np.testing.assert_array_equal(one.last[:, 0], series.values[split.test - 1 : -1, 0])
        np.testing.assert_array_equal(one.truth[:, 0, 0], series.values[split.test :, 0])
        np.testing.assert_allclose(one.quantiles[:, 0, 0, MEDIAN], one.last[:, 0])
        np.testing.assert_array_equal(one.target_timestamp[:, 0], one.origin + HOUR)
    assert evaluation.metrics["rows"] == 16


def test_errors_worked_by_hand() -> None:
    metrics = evaluate(RepeatLast(bias=0.25), made(), CONTEXT).metrics
    one, two = (np.concatenate([np.abs(v[:, step, 0] - last - 0.25) for v, last in pairs()]) for step in range(2))
    assert metrics["mean_absolute_error"]["a"]["model"] == pytest.approx(np.nanmean(np.concatenate([one, two])))
    assert metrics["scaled_error_by_step"]["model"] == pytest.approx([np.nanmean(one), np.nanmean(two)])


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    return [(one.truth, one.last[:, 0]) for one in evaluate(RepeatLast(), made(), CONTEXT).forecasts]


def test_repeating_the_last_value_equals_its_baseline() -> None:
    metrics = evaluate(RepeatLast(), made(), CONTEXT).metrics
    errors = metrics["mean_absolute_error"]["a"]
    assert errors["model"] == pytest.approx(errors["repeat last"])
    comparison = metrics["skill"]["repeat last"]["median"]
    assert comparison["estimate"] == pytest.approx(0)
    assert "beats" not in comparison["verdict"]
    assert comparison["verdict"] in verdicts(metrics)


def test_a_gap_in_time_leaves_the_truth_unknown() -> None:
    data = made((50,))
    data = dataclasses.replace(data, splits=(TimeSplit(20, 24, 50),))
    (forecasts,) = evaluate(RepeatLast(), data, CONTEXT).forecasts
    at = int(np.flatnonzero(forecasts.origin == data.table.series[0].timestamps[25])[0])
    assert np.isnan(forecasts.truth[at, 0, 0])
    assert forecasts.truth[at, 1, 0] == data.table.series[0].values[26, 0]


def test_newest_rows_alone() -> None:
    assert [len(one.origin) for one in evaluate(RepeatLast(), made(), CONTEXT, rows=4).forecasts] == [4, 4]


def test_prices_are_compared_with_the_random_walk() -> None:
    metrics = evaluate(RepeatLast(), made(transform="log_return"), CONTEXT).metrics
    assert metrics["skill"].keys() == {"random walk", "random walk with running volatility"}
    assert "median" not in metrics["skill"]["random walk with running volatility"]  # the same forecasts
    assert metrics["direction"].keys() == {"model", "always up"}
    assert metrics["direction"]["model"] == 0.5  # repeating the last value says neither up nor down


def test_padding_of_shorter_series_changes_nothing() -> None:
    alone = evaluate(RepeatLast(), made((30,)), CONTEXT).forecasts[0]
    data = made((30, 50))
    together = evaluate(RepeatLast(), data, CONTEXT).forecasts[0]
    np.testing.assert_array_equal(alone.quantiles, together.quantiles)
    np.testing.assert_array_equal(alone.truth, together.truth)


def test_old_state_of_a_model_without_memory_is_as_good_as_a_fresh_one() -> None:
    measured = compare_state_ages(RepeatLast(), made((80,)), CONTEXT, 30)
    assert measured["rows"] == 30
    assert measured["old"] == pytest.approx(measured["fresh"])
    assert "cannot be told apart from a fresh state" in measured["verdict"]


def test_series_without_rows_to_forecast() -> None:
    forecasts = stream_forecasts(RepeatLast(), made((30, 20)).table.series, [24, 19], made().spec, 10)
    assert [len(one.origin) for one in forecasts] == [5, 0]


def test_metrics_of_a_trained_model_are_plain_and_finite(trained: Any) -> None:
    metrics = trained.manifest["metrics"]
    assert metrics["state_age"]["rows"] == 40
    assert {"repeat last", "climatology"} <= metrics["skill"].keys()
    assert all(0 <= coverage["estimate"] <= 1 for coverage in metrics["coverage"].values())
    assert len(metrics["quantile_coverage"]) == 19
    assert len(metrics["scaled_error_by_step"]["model"]) == 3


def test_a_baseline_that_does_not_suit_every_series_is_left_out() -> None:
    """Eighteen hours are too few for a season of a day."""
    long, mixed = (evaluate(RepeatLast(), made(lengths), CONTEXT).metrics["skill"] for lengths in ((120,), (120, 18)))
    assert {"repeat last"} <= mixed.keys() < long.keys()
