import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.shared.preprocessing.time_grid import SECONDS_PER_DAY, TimeGrid, fit_time_grid

DAY = SECONDS_PER_DAY
FIRST, LAST = (int(pd.Timestamp(year, 1, 1).timestamp()) for year in (1900, 2100))
instants = st.lists(st.integers(FIRST, LAST), min_size=1, max_size=30).map(lambda values: np.array(values, np.int64))
numbers = st.integers(-2000, 2000)
properties = settings(max_examples=20, deadline=None, derandomize=True)


def seconds(*dates):
    return np.array(dates, "datetime64[s]").astype(np.int64)


def dates(timestamps):
    return np.asarray(timestamps).astype("datetime64[s]").astype(str).tolist()


def date_range(start, periods, freq):
    return pd.date_range(start, periods=periods, freq=freq).values.astype("datetime64[s]").astype(np.int64)


class TestSeconds:
    def test_the_nearest_step(self):
        grid = TimeGrid("second", 10, phase=3)
        np.testing.assert_array_equal(grid.index([3, 7, 8, 13, -7, -8, -17]), [0, 0, 1, 1, -1, -1, -2])
        np.testing.assert_array_equal(grid.shift([3, -7], [2, -1]), [23, -17])

    @properties
    @given(instants, st.integers(1, 10**7), st.integers(0, 10**7), numbers)
    def test_index_follows_shift(self, timestamps, step, phase, steps):
        grid = TimeGrid("second", step, phase % step)
        on_grid = timestamps - (timestamps - grid.phase) % step
        np.testing.assert_array_equal(grid.index(grid.shift(on_grid, steps)), grid.index(on_grid) + steps)
        np.testing.assert_array_equal(grid.index(on_grid), (on_grid - grid.phase) // step)
        distance = np.abs(timestamps - grid.phase - grid.index(timestamps) * step)
        assert np.all(2 * distance <= step)


class TestBusinessDays:
    grid = TimeGrid("business_day", 1)

    def test_from_friday_to_monday(self):
        friday = seconds("2024-03-08T16:30")
        assert dates(self.grid.shift(friday, [-1, 0, 1, 2, 6])) == [
            "2024-03-07T16:30:00",
            "2024-03-08T16:30:00",
            "2024-03-11T16:30:00",
            "2024-03-12T16:30:00",
            "2024-03-18T16:30:00",
        ]

    def test_weekends_count_to_friday(self):
        weekend = seconds("2024-03-08", "2024-03-09", "2024-03-10T23:59:59", "2024-03-11")
        np.testing.assert_array_equal(np.diff(self.grid.index(weekend)), [0, 0, 1])
        assert dates(self.grid.shift(seconds("2024-03-10T12"), 1)) == ["2024-03-11T12:00:00"]

    def test_before_1970(self):
        assert dates(self.grid.shift(seconds("1969-12-31T01"), [-2, -1, 1, 2, 3])) == [
            "1969-12-29T01:00:00",
            "1969-12-30T01:00:00",
            "1970-01-01T01:00:00",
            "1970-01-02T01:00:00",
            "1970-01-05T01:00:00",
        ]

    @properties
    @given(instants, numbers)
    def test_numpy_agrees(self, timestamps, steps):
        days = timestamps.astype("datetime64[s]").astype("datetime64[D]")
        weekdays = np.busday_offset(days, 0, roll="backward")
        counted = np.busday_count(weekdays[0], weekdays)
        np.testing.assert_array_equal(self.grid.index(timestamps) - self.grid.index(timestamps[0]), counted)
        expected = np.busday_offset(weekdays, steps).astype("datetime64[s]").astype(np.int64) + timestamps % DAY
        np.testing.assert_array_equal(self.grid.shift(timestamps, steps), expected)
        np.testing.assert_array_equal(self.grid.index(expected), self.grid.index(timestamps) + steps)


class TestMonths:
    def test_month_ends_in_common_and_leap_years(self):
        grid = TimeGrid("month", 1, day_of_month=31)
        assert dates(grid.shift(seconds("2023-12-31T18"), [1, 2, 3, 4, 14, -10])) == [
            "2024-01-31T18:00:00",
            "2024-02-29T18:00:00",
            "2024-03-31T18:00:00",
            "2024-04-30T18:00:00",
            "2025-02-28T18:00:00",
            "2023-02-28T18:00:00",
        ]
        assert dates(grid.shift(seconds("1900-01-31", "2000-01-31"), 1)) == [
            "1900-02-28T00:00:00",
            "2000-02-29T00:00:00",
        ]

    @pytest.mark.parametrize("step", [1, 3, 12])
    @pytest.mark.parametrize("day_of_month", [1, 15, 28, 29, 30, 31])
    @properties
    @given(instants, st.integers(-150, 150))
    def test_numpy_agrees(self, step, day_of_month, timestamps, steps):
        grid = TimeGrid("month", step, day_of_month=day_of_month)
        months = timestamps.astype("datetime64[s]").astype("datetime64[M]")
        shifted = months + steps * step
        last = (shifted + 1).astype("datetime64[D]") - shifted.astype("datetime64[D]")
        day = shifted.astype("datetime64[D]") + np.minimum(last.astype(int), day_of_month) - 1
        expected = day.astype("datetime64[s]").astype(np.int64) + timestamps % DAY
        np.testing.assert_array_equal(grid.shift(timestamps, steps), expected)
        np.testing.assert_array_equal(grid.index(expected), grid.index(timestamps) + steps)
        if step == 1:
            difference = (months - months[0]).astype(int)
            np.testing.assert_array_equal(grid.index(timestamps) - grid.index(timestamps[0]), difference)


FREQUENCIES = {
    "s": TimeGrid("second", 1),
    "15min": TimeGrid("second", 900),
    "h": TimeGrid("second", 3600),
    "D": TimeGrid("second", DAY),
    "B": TimeGrid("business_day", 1),
    "W": TimeGrid("second", 7 * DAY, phase=3 * DAY),  # Sundays; 1970-01-01 was a Thursday
    "30D": TimeGrid("second", 30 * DAY, phase=28 * DAY),
    "MS": TimeGrid("month", 1, day_of_month=1),
    "ME": TimeGrid("month", 1, day_of_month=31),
    "2MS": TimeGrid("month", 2, day_of_month=1),
    "QE": TimeGrid("month", 3, day_of_month=31),
    "YS": TimeGrid("month", 12, day_of_month=1),
    "YE": TimeGrid("month", 12, day_of_month=31),
}


class TestFit:
    @pytest.mark.parametrize("freq", FREQUENCIES)
    def test_pandas_frequencies_are_found_and_continued(self, freq):
        timestamps = date_range("1995-01-01", 60, freq)
        grid = fit_time_grid([timestamps[:40]])
        assert grid == (
            FREQUENCIES[freq] if freq != "30D" else TimeGrid("second", 30 * DAY, timestamps[0] % (30 * DAY))
        )
        np.testing.assert_array_equal(grid.shift(timestamps[0], np.arange(60)), timestamps)
        np.testing.assert_array_equal(grid.index(timestamps) - grid.index(timestamps[0]), np.arange(60))

    @pytest.mark.parametrize("freq", FREQUENCIES)
    def test_gaps_and_several_series_do_not_matter(self, freq):
        timestamps = date_range("1995-01-01", 60, freq)
        generator = np.random.default_rng(0)
        thinned = [np.sort(generator.choice(timestamps, 45, replace=False)) for _ in range(2)]
        assert fit_time_grid(thinned) == fit_time_grid([timestamps])

    @pytest.mark.parametrize("day", [29, 30])
    def test_a_day_that_february_does_not_have(self, day):
        months = pd.Series(pd.date_range("2023-01-01", periods=24, freq="MS"))
        days = [month + pd.Timedelta(days=min(day, month.days_in_month) - 1) for month in months]
        timestamps = pd.DatetimeIndex(days).values.astype("datetime64[s]").astype(np.int64)
        grid = fit_time_grid([timestamps])
        assert grid == TimeGrid("month", 1, day_of_month=day)
        np.testing.assert_array_equal(grid.shift(timestamps[0], np.arange(24)), timestamps)

    def test_rows_a_little_off_keep_their_steps(self):
        hours = date_range("2024-01-01", 200, "h")
        jitter = np.random.default_rng(0).integers(-40, 41, size=200)
        for chosen in (jitter, np.where(np.arange(200) % 2, 30, -30)):
            timestamps = hours + chosen
            grid = fit_time_grid([timestamps])
            assert abs(grid.step - 3600) <= 81
            index = TimeGrid("second", 3600, grid.phase).index(timestamps)
            np.testing.assert_array_equal(np.diff(index), np.ones(199))

    def test_a_week_of_working_days_is_not_enough_to_tell(self):
        assert fit_time_grid([date_range("2024-03-04", 5, "B")]).unit == "second"
        assert fit_time_grid([date_range("2024-03-04", 10, "B")]).unit == "business_day"

    @pytest.mark.parametrize("series", [[np.array([5])], [np.array([5]), np.array([], np.int64)]])
    def test_one_row_says_nothing(self, series):
        with pytest.raises(ValueError, match="expected at least two rows"):
            fit_time_grid(series)


def test_approximate_seconds():
    assert [TimeGrid("second", 60).seconds, TimeGrid("business_day", 1).seconds] == [60, DAY]
    assert TimeGrid("month", 12).seconds == pytest.approx(365.2425 * DAY)


@pytest.mark.parametrize(("frequency", "months", "day"), [("BME", 1, 31), ("BQE", 3, 31), ("BMS", 1, 1)])
def test_trading_months_are_a_month_grid(frequency, months, day):
    stamps = pd.date_range("1990-01-01", periods=240, freq=frequency).astype("datetime64[s]").astype("int64").to_numpy()
    grid = fit_time_grid([stamps])
    assert grid == TimeGrid("month", months, day_of_month=day)
    np.testing.assert_array_equal(np.diff(grid.index(stamps)), np.ones(239))


def test_rows_in_a_period():
    assert TimeGrid("business_day", 1).rows_in(7 * 86_400) == 5
    assert TimeGrid("business_day", 1).rows_in(31_556_952) == 261
    assert TimeGrid("second", 3600).rows_in(86_400) == 24
    assert TimeGrid("month", 3).rows_in(31_556_952) == 4
