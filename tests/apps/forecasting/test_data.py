import dataclasses
from typing import Any

import numpy as np
import pytest

from runnel.apps.forecasting.config import Config
from runnel.apps.forecasting.data import (
    ForecastingData,
    prepare,
    splits_at,
    training_batches,
    until,
    validation_batches,
    window_rows,
)
from runnel.datasets.series.series_table import Series, SeriesTable

DAY = 86_400
CONTEXT, HORIZON = 6, 2


def table(lengths: tuple[int, ...] = (60, 40)) -> SeriesTable:
    """Daily series that count their rows, each from another thousand on: a value names its series and its row."""
    series = []
    for number, rows in enumerate(lengths, 1):
        values = 1000 * number + np.arange(rows, dtype=np.float32)
        series.append(Series(str(number), DAY * np.arange(rows, dtype=np.int64), np.stack([values, -values], axis=1)))
    return SeriesTable(("a", "b"), ("a",), tuple(series), "day", "name", None, "print")


def options(**advanced: Any) -> Config:
    advanced = {"batch_size": 4, "steps_per_epoch": 5, "transform": "none"} | advanced
    config = Config(context=CONTEXT, horizon=HORIZON)
    return dataclasses.replace(config, advanced=dataclasses.replace(config.advanced, **advanced))


def gathered(dataset: Any) -> dict[str, np.ndarray]:
    batches = [{name: value.numpy() for name, value in batch.items()} for batch in dataset]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def rows_of(values: np.ndarray) -> list[tuple[int, int]]:
    """(series, row) of every known value of column a."""
    return [divmod(int(value), 1000) for value in values[np.isfinite(values)]]


@pytest.fixture
def prepared() -> tuple[ForecastingData, Config]:
    return prepare(table(), options())


def test_decides_every_option(prepared: tuple[ForecastingData, Config]) -> None:
    data, config = prepared
    assert (config.target, config.features, config.time_column, config.series_id) == (("a",), ("b",), "day", "name")
    assert (config.context, config.horizon, config.advanced.transform) == (CONTEXT, HORIZON, "none")
    assert [(split.validation, split.test, split.end) for split in data.splits] == [(35, 40, 60), (35, 40, 40)]


@pytest.mark.parametrize(("transform", "horizon"), [("none", 7), ("difference", 7), ("log_return", 1)])
def test_horizon_depends_on_what_is_modelled(transform: str, horizon: int) -> None:
    config = dataclasses.replace(options(transform=transform), horizon=0)
    assert prepare(table(), config)[1].horizon == horizon


def test_training_windows_hold_training_rows_alone(prepared: tuple[ForecastingData, Config]) -> None:
    data, config = prepared
    for epoch in range(3):
        batch = gathered(training_batches(data, config)(epoch))
        for values in (batch["observation"][..., 0], batch["targets"]):
            assert all(row < data.splits[series - 1].validation for series, row in rows_of(values))


def test_a_window_is_consecutive_rows_of_one_series_and_its_targets_follow(
    prepared: tuple[ForecastingData, Config],
) -> None:
    data, config = prepared
    rows, supervised = window_rows(data, config)
    assert (rows, supervised) == (2 * CONTEXT - 1, CONTEXT)
    batch = gathered(training_batches(data, config)(0))
    values = batch["observation"][..., 0]
    assert values.shape == (20, rows)
    assert (np.diff(values, axis=1) == 1).all()
    expected = values[:, -supervised:, None] + np.arange(1, HORIZON + 1)
    found = batch["targets"][..., 0]
    known = np.isfinite(found)
    np.testing.assert_array_equal(found[known], expected[known])
    beyond = [(series, row) for series, row in rows_of(expected) if row >= data.splits[series - 1].validation]
    assert (~known).sum() == len(beyond)  # unknown is only what comes after the training rows


def test_every_training_window_comes_once_before_any_comes_again(prepared: tuple[ForecastingData, Config]) -> None:
    data, config = prepared
    windows = (42 - 10) + (28 - 10)
    batches = training_batches(data, config)
    seen = np.concatenate([gathered(batches(epoch))["observation"][:, -1, 0] for epoch in range(5)])  # 100 windows
    for start in (0, windows):
        assert len(set(seen[start : start + windows])) == windows


def test_order_is_a_function_of_seed_and_epoch() -> None:
    def first(seed: int, epoch: int) -> list[float]:
        data, config = prepare(table(), options(seed=seed))
        return gathered(training_batches(data, config)(epoch))["observation"][:, -1, 0].tolist()

    assert first(0, 1) == first(0, 1)
    assert first(0, 1) != first(0, 0)
    assert first(0, 1) != first(1, 1)


def test_validation_forecasts_every_row_of_its_split_and_none_later(prepared: tuple[ForecastingData, Config]) -> None:
    data, config = prepared
    assert not validation_batches(data, config).options().autotune.enabled
    batch = gathered(validation_batches(data, config))
    next_step = rows_of(batch["targets"][:, :, 0])
    for number, split in enumerate(data.splits, 1):
        rows = {row for series, row in next_step if series == number}
        assert set(range(split.validation, split.test)) <= rows
        assert max(rows) < split.test


def test_later_rows_change_nothing_that_training_sees() -> None:
    """Neither what is fitted nor a window: the classic leaks."""
    whole = table()
    spoiled = []
    for series, split in zip(whole.series, prepare(whole, options())[0].splits, strict=True):
        values = series.values.copy()
        values[split.validation :] = 1e6
        spoiled.append(dataclasses.replace(series, values=values))
    clean, dirty = (
        prepare(dataclasses.replace(whole, series=series), options()) for series in (whole.series, tuple(spoiled))
    )
    assert clean[0].spec == dirty[0].spec
    batches = [gathered(training_batches(*each)(0)) for each in (clean, dirty)]
    for name, value in batches[0].items():
        np.testing.assert_array_equal(value, batches[1][name])


def test_window_model_forecasts_from_the_last_row_alone() -> None:
    data, config = prepare(table(), dataclasses.replace(options(), architecture="segment"))
    assert window_rows(data, config) == (CONTEXT, 1)
    assert gathered(training_batches(data, config)(0))["targets"].shape == (20, 1, HORIZON, 1)


def test_a_series_too_short_for_a_window_is_passed_over() -> None:
    data, config = prepare(table((60, 9)), options())
    assert {series for series, _ in rows_of(gathered(training_batches(data, config)(0))["observation"][..., 0])} == {1}
    assert {series for series, _ in rows_of(gathered(validation_batches(data, config))["observation"][..., 0])} == {1}


def test_until_cuts_every_series_at_an_instant() -> None:
    cut = until(table(), 35 * DAY)
    assert [len(series.timestamps) for series in cut.series] == [36, 36]
    late = dataclasses.replace(table().series[0], timestamps=table().series[0].timestamps + 1000 * DAY)
    cut = until(dataclasses.replace(table(), series=(table().series[1], late)), 35 * DAY)
    assert [series.series_id for series in cut.series] == ["2"]


def test_splits_at_an_instant_leave_no_validation_rows() -> None:
    assert [(s.validation, s.test, s.end) for s in splits_at(table(), 35 * DAY)] == [(35, 35, 60), (35, 35, 40)]
