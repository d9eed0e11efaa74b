from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runnel.shared.evaluation.backtest import check_no_look_ahead
from runnel.shared.evaluation.baselines import (
    Baseline,
    Climatology,
    RepeatLast,
    SeasonalNaive,
    fit_baseline,
    future_rows,
    running_volatility,
)

NAN = float("nan")
DAY, HOUR = 86400, 3600
LEVELS = (0.1, 0.5, 0.9)
BASELINES = (RepeatLast(), SeasonalNaive(7), Climatology(), Climatology("hour_of_day", smoothing=1))


def unix(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp())


def point(baseline: Baseline, values: list[float], origins: list[int], horizon: int) -> np.ndarray:
    """Point forecasts [N, H] of one target, one row a day; fitted on the same rows."""
    column, stamps = np.array(values)[:, None], np.arange(len(values)) * DAY
    targets = (np.array(origins)[:, None] + 1 + np.arange(horizon)) * DAY
    return baseline.fit(column, stamps)(column, np.array(origins), targets)[..., 0]


def test_repeat_last_by_hand() -> None:
    values = [NAN, 2.0, NAN, 4.0]
    np.testing.assert_array_equal(
        point(RepeatLast(), values, [0, 1, 2, 3], 2), [[NAN, NAN], [2.0, 2.0], [2.0, 2.0], [4.0, 4.0]]
    )


def test_seasonal_naive_by_hand() -> None:
    values = [1.0, 2.0, 3.0, 11.0, NAN, 13.0]
    # from row 5: rows 6, 7, 8 repeat 3, 4 (missing: 1), 5; rows 9, 10 repeat them again
    np.testing.assert_array_equal(point(SeasonalNaive(3), values, [5], 5), [[11.0, 2.0, 13.0, 11.0, 2.0]])
    # from row 1: row 2 would repeat row -1
    np.testing.assert_array_equal(point(SeasonalNaive(3), values, [1], 3), [[NAN, 1.0, 2.0]])
    np.testing.assert_array_equal(point(SeasonalNaive(1), values, [4], 2), point(RepeatLast(), values, [4], 2))


def test_climatology_of_the_day_of_year() -> None:
    stamps = np.array([unix(year, 6, day) for year in (2021, 2022, 2023) for day in (1, 2)])
    values = np.array([10.0, 20.0, 30.0, NAN, 50.0, 60.0])[:, None]
    forecaster = Climatology(smoothing=0).fit(values, stamps)
    targets = np.array([[unix(2025, 6, 1), unix(2025, 6, 2), unix(2025, 12, 24)]])
    # 1 June: 10, 30, 50; 2 June: 20, 60; Christmas Eve was never seen: the mean of all five
    np.testing.assert_allclose(forecaster(values, np.array([0]), targets)[0, :, 0], [30.0, 40.0, 34.0])


def test_climatology_smooths_around_the_turn_of_the_year() -> None:
    stamps = np.array([unix(2020, 12, 31), unix(2021, 1, 1)])  # 2020 has 366 days, so the two are neighbours
    forecaster = Climatology(smoothing=1).fit(np.array([[0.0], [10.0]]), stamps)
    targets = np.array([[unix(2024, 12, 31), unix(2024, 1, 1), unix(2024, 1, 2)]])
    np.testing.assert_allclose(forecaster(np.zeros((1, 1)), np.array([0]), targets)[0, :, 0], [5.0, 5.0, 10.0])


def test_climatology_of_the_hour_of_day() -> None:
    stamps = unix(2024, 3, 1) + np.arange(48) * HOUR
    values = np.stack([np.arange(48.0) % 24, np.full(48, NAN)], axis=1)
    forecaster = Climatology("hour_of_day", smoothing=0).fit(values, stamps)
    targets = np.array([[unix(1969, 7, 20, 20), unix(2024, 5, 5, 3) + 59 * 60]])
    np.testing.assert_array_equal(forecaster(values, np.array([0]), targets)[0], [[20.0, NAN], [3.0, NAN]])


@pytest.mark.parametrize("options", [{"cycle": "moon"}, {"smoothing": -1}, {"cycle": "hour_of_day", "smoothing": 12}])
def test_climatology_refuses_bad_options(options: dict) -> None:
    with pytest.raises(ValueError, match="give"):
        Climatology(**options)


def test_quantiles_are_those_of_the_training_errors() -> None:
    # a staircase of +1, +2, +3, +4: errors one row ahead are 1, 2, 3, 4, two rows ahead 3, 5, 7
    fitted = fit_baseline(RepeatLast(), [[0.0], [1.0], [3.0], [6.0], [10.0]], np.arange(5), horizon=2, levels=(0.5,))
    np.testing.assert_allclose(fitted.residual_quantiles[:, 0, 0], [2.5, 5.0])
    forecast = fitted.forecast([[7.0], [NAN]], [1], [[5, 6]])
    np.testing.assert_array_equal(forecast.point, [[[7.0], [7.0]]])
    np.testing.assert_array_equal(forecast.quantiles, [[[[9.5]], [[12.0]]]])


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.name)
def test_quantiles_cover_new_rows_of_the_same_kind(baseline: Baseline) -> None:
    random = np.random.default_rng(0)
    values, stamps = random.normal(size=(3000, 2)), unix(2015, 1, 1) + np.arange(3000) * DAY
    fitted = fit_baseline(baseline, values[:2000], stamps[:2000], horizon=3, levels=LEVELS)
    origins = np.arange(1999, 2997)
    forecast = fitted.forecast(values, origins, future_rows(stamps, origins, 3))
    truth = future_rows(values, origins, 3)
    assert forecast.point.shape == (998, 3, 2)
    assert forecast.quantiles.shape == (998, 3, 2, 3)
    assert np.all(np.diff(forecast.quantiles, axis=-1) >= 0)
    np.testing.assert_allclose((truth[..., None] <= forecast.quantiles).mean(axis=(0, 1, 2)), LEVELS, atol=0.03)


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.name)
def test_baselines_know_no_future(baseline: Baseline) -> None:
    random = np.random.default_rng(1)
    values, stamps = random.normal(size=(120, 2)), np.arange(120) * HOUR * 5
    values[random.random((120, 2)) < 0.2] = NAN
    fitted = fit_baseline(baseline, values[:40], stamps[:40], horizon=9, levels=LEVELS)

    def forecast(rows: np.ndarray, timestamps: np.ndarray) -> np.ndarray:
        targets = timestamps[:, None] + HOUR * 5 * np.arange(1, 10)
        return fitted.forecast(rows, np.arange(len(rows)), targets).quantiles

    check_no_look_ahead(forecast, values, stamps, origins=(0, 40, 80))


@given(
    st.integers(1, 6), st.integers(1, 4), st.lists(st.one_of(st.just(NAN), st.floats(-9, 9)), min_size=6, max_size=9)
)
def test_seasonal_naive_against_a_loop(period: int, horizon: int, values: list[float]) -> None:
    origin = len(values) - 1
    expected = []
    for step in range(1, horizon + 1):
        row = origin + step
        while row > origin or (row >= 0 and np.isnan(values[row])):
            row -= period
        expected.append(values[row] if row >= 0 else NAN)
    np.testing.assert_array_equal(point(SeasonalNaive(period), values, [origin], horizon), [expected])


def test_a_target_without_any_value_gives_nan() -> None:
    values = np.stack([np.arange(9.0), np.full(9, NAN)], axis=1)
    for baseline in BASELINES:
        fitted = fit_baseline(baseline, values, np.arange(9) * DAY, horizon=1, levels=LEVELS)
        assert np.isnan(fitted.forecast(values, [8], [[9 * DAY]]).quantiles[0, 0, 1]).all()


def test_future_rows_by_hand() -> None:
    np.testing.assert_array_equal(future_rows([10, 11, 12, 13], [-1, 1], 2), [[10, 11], [12, 13]])
    assert future_rows(np.zeros((5, 3), np.float32), [0], 4).dtype == np.float32
    for origins in ([2], [-2]):
        with pytest.raises(ValueError, match="2 rows after each"):
            future_rows([10, 11, 12, 13], origins, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.zeros(9)}, "column a target"),
        ({"timestamps": np.arange(8)}, "one timestamp a row"),
        ({"horizon": 9}, "horizon is 9"),
        ({"horizon": 0}, "horizon is 0"),
        ({"levels": (0.5, 0.5)}, "levels"),
        ({"levels": (0.0, 0.5)}, "levels"),
        ({"levels": ()}, "levels"),
    ],
)
def test_fitting_refuses_bad_input(change: dict, message: str) -> None:
    arguments = {"values": np.zeros((9, 1)), "timestamps": np.arange(9), "horizon": 2, "levels": LEVELS, **change}
    with pytest.raises(ValueError, match=message):
        fit_baseline(RepeatLast(), **arguments)


def test_forecasting_refuses_bad_input() -> None:
    fitted = fit_baseline(RepeatLast(), np.zeros((9, 1)), np.arange(9), horizon=2, levels=LEVELS)
    for values, origins, targets in (
        (np.zeros((9, 2)), [8], [[9, 10]]),
        (np.zeros((9, 1)), [8], [[9]]),
        (np.zeros((9, 1)), [9], [[9, 10]]),
        (np.zeros((9, 1)), [-1], [[9, 10]]),
    ):
        with pytest.raises(ValueError, match=r"origins|targets"):
            fitted.forecast(values, origins, targets)


def test_no_origin_gives_no_forecast() -> None:
    fitted = fit_baseline(RepeatLast(), np.zeros((9, 1)), np.arange(9), horizon=2, levels=LEVELS)
    assert fitted.forecast(np.zeros((9, 1)), [], np.zeros((0, 2), int)).quantiles.shape == (0, 2, 1, 3)
    with pytest.raises(ValueError, match="period is 0"):
        SeasonalNaive(0)


def test_running_volatility_by_hand() -> None:
    values = np.array([[10.0], [12.0], [np.nan], [13.0], [9.0]])  # steps 2, 0 (carried), 1, -4
    volatility = running_volatility(values, decay=0.5)[:, 0]
    weighted = [4.0, (0.5 * 4 + 0) / 1.5, (0.5 * 2 + 1) / 1.75, (0.5 * 2 + 16) / 1.875]
    np.testing.assert_allclose(volatility, np.sqrt([weighted[0], *weighted]))


def test_running_volatility_knows_no_future() -> None:
    values = np.cumsum(np.random.default_rng(0).normal(size=(60, 2)), axis=0)
    changed = values.copy()
    changed[40:] += 1e3
    np.testing.assert_array_equal(running_volatility(values)[:40], running_volatility(changed)[:40])


def test_quantiles_scale_with_the_spread() -> None:
    """Errors twice as large in the second half: with their own spread, the same quantiles in units of it."""
    size = np.repeat([1.0, 2.0], 50)[:, None]
    values = np.cumsum(np.tile([[1.0], [-1.0]], (50, 1)) * size, axis=0)
    stamps = np.arange(100) * 60
    fitted = fit_baseline(
        RepeatLast(), values, stamps, horizon=1, levels=[0.1, 0.5, 0.9], spread=lambda rows: size[: len(rows)]
    )
    forecast = fitted.forecast(values, [10, 80], stamps[[[11], [81]]])
    np.testing.assert_allclose(np.diff(forecast.quantiles[1, 0, 0]), 2 * np.diff(forecast.quantiles[0, 0, 0]))
