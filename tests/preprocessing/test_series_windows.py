import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.shared.preprocessing.series_windows import SeriesWindows, TimeSplit, split_by_timestamp, split_instants
from runnel.shared.preprocessing.time_grid import TimeGrid

DAY = 86_400
DAILY = TimeGrid("second", DAY)
NAN = np.nan


def windows(*days, horizon=2, grid=DAILY, targets=1):
    """Series whose value in column 0 is 100 * series + day, and in column 1 the negative of that."""
    values = [100 * number + np.asarray(series, np.float32) for number, series in enumerate(days)]
    columns = [np.stack([value, -value], axis=1) for value in values]
    return SeriesWindows([np.asarray(series) * DAY for series in days], columns, targets, grid, horizon)


class TestTargets:
    def test_the_values_of_the_next_steps(self):
        future = windows(range(5), targets=2).future(np.arange(5))
        np.testing.assert_array_equal(future[..., 0], [[1, 2], [2, 3], [3, 4], [4, NAN], [NAN, NAN]])
        np.testing.assert_array_equal(future[..., 1], -future[..., 0])

    def test_a_step_without_a_row_is_unknown(self):
        future = windows([0, 1, 3, 7]).future(np.arange(4))
        np.testing.assert_array_equal(future[..., 0], [[1, NAN], [NAN, 3], [NAN, NAN], [NAN, NAN]])

    def test_a_missing_value_is_unknown(self):
        series = SeriesWindows([np.arange(3) * DAY], [np.array([[0], [NAN], [2]])], 1, DAILY, 2)
        np.testing.assert_array_equal(series.future(np.arange(3))[..., 0], [[NAN, 2], [2, NAN], [NAN, NAN]])

    def test_series_do_not_mix(self):
        future = windows([0, 1, 2], [0, 1, 2], [3]).future(np.arange(7))[..., 0]
        expected = [[1, 2], [2, NAN], [NAN, NAN], [101, 102], [102, NAN], [NAN, NAN], [NAN, NAN]]
        np.testing.assert_array_equal(future, expected)

    def test_a_weekend_lies_within_one_step(self):
        thursday = 0  # 1970-01-01
        series = windows([thursday, 1, 4, 5], grid=TimeGrid("business_day", 1))
        np.testing.assert_array_equal(series.future(np.arange(4))[..., 0], [[1, 4], [4, 5], [5, NAN], [NAN, NAN]])

    def test_months(self):
        ends = np.array(["2023-12-31", "2024-01-31", "2024-02-29", "2024-04-30"], "datetime64[s]").astype(np.int64)
        series = SeriesWindows([ends], [np.arange(4.0)[:, None]], 1, TimeGrid("month", 1, day_of_month=31), 2)
        np.testing.assert_array_equal(series.future(np.arange(4))[..., 0], [[1, 2], [2, NAN], [NAN, 3], [NAN, NAN]])

    def test_times_before_1970(self):
        series = windows([-3, -2, 0, 1])
        np.testing.assert_array_equal(series.future(np.arange(4))[..., 0], [[-2, NAN], [NAN, 0], [1, NAN], [NAN, NAN]])


class TestWindows:
    def test_one_window_by_hand(self):
        window = windows([0, 1, 3, 4, 5]).gather(np.array([3]), length=3, supervised=2)
        np.testing.assert_array_equal(window["timestamp"], [[1 * DAY, 3 * DAY, 4 * DAY]])
        np.testing.assert_array_equal(window["observation"][0], [[1, -1], [3, -3], [4, -4]])
        np.testing.assert_array_equal(window["mask"], [[True] * 3])
        np.testing.assert_array_equal(window["targets"][0, ..., 0], [[4, 5], [5, NAN]])
        assert window["targets"].shape == (1, 2, 2, 1)

    def test_all_full_windows_of_every_series(self):
        series = windows(range(5), range(2), range(3))
        np.testing.assert_array_equal(series.ends(3), [2, 3, 4, 9])
        np.testing.assert_array_equal(series.ends(1), np.arange(10))
        np.testing.assert_array_equal(series.ends(6), [])

    def test_the_first_end_and_the_stride(self):
        series = windows(range(6), range(6))
        np.testing.assert_array_equal(series.ends(2, first=[4, 0]), [4, 5, 7, 8, 9, 10, 11])
        np.testing.assert_array_equal(series.ends(2, stride=3), [1, 4, 7, 10])
        np.testing.assert_array_equal(series.ends(2, first=[6, 9]), [])
        assert series.ends(2).dtype == np.int64

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(data=st.data())
    def test_a_plain_search_finds_the_same(self, data):
        gaps = st.lists(st.integers(1, 4), min_size=1, max_size=15)
        days = [
            np.cumsum(data.draw(gaps)) + data.draw(st.integers(-20, 20)) for _ in range(data.draw(st.integers(1, 3)))
        ]
        length, horizon = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
        supervised = data.draw(st.integers(1, length))
        series = windows(*days, horizon=horizon)
        ends = series.ends(length)
        assert len(ends) == sum(max(len(one) - length + 1, 0) for one in days)
        if not len(ends):
            return
        gathered = series.gather(ends, length, supervised)
        expected = [
            (number, one[stop - length : stop])
            for number, one in enumerate(days)
            for stop in range(length, len(one) + 1)
        ]
        for window, (number, of_window) in enumerate(expected):
            np.testing.assert_array_equal(gathered["timestamp"][window], of_window * DAY)
            np.testing.assert_array_equal(gathered["observation"][window, :, 0], 100 * number + of_window)
            wanted = [
                [100 * number + day + step if day + step in days[number] else NAN for step in range(1, horizon + 1)]
                for day in of_window[-supervised:]
            ]
            np.testing.assert_array_equal(gathered["targets"][window, ..., 0], wanted)


class TestSplits:
    def test_instants_of_one_series(self):
        assert split_instants([np.arange(100)]) == (70, 80)
        assert split_instants([np.arange(1000) * 10], 0.15, 0.25) == (6000, 7500)
        assert split_instants([np.arange(10)], validation=0.2, test=0) == (8, 10)

    def test_instants_are_the_same_for_all_series(self):
        old, young = np.arange(60), np.arange(40, 80)
        validation, test = split_instants([old, young])  # the 70th and the 80th of 100 rows in order of time
        assert (validation, test) == (55, 60)

    def test_by_timestamp(self):
        timestamps = np.array([10, 20, 30, 40])
        assert split_by_timestamp(timestamps, 20, 40) == TimeSplit(1, 3, 4)
        assert split_by_timestamp(timestamps, 21, 39) == TimeSplit(2, 3, 4)
        assert split_by_timestamp(timestamps, 0, 99) == TimeSplit(0, 4, 4)

    @pytest.mark.parametrize("length", [1, 5, 12])
    def test_a_planted_leak_is_not_seen(self, length):
        """Every value from the validation split on is a billion; no training window may hold one."""
        days = [np.arange(40), np.arange(60) * 2]
        splits = [split_by_timestamp(one, *split_instants(days)) for one in days]
        values = [np.arange(len(one), dtype=np.float32)[:, None] for one in days]
        for value, split in zip(values, splits, strict=True):
            value[split.validation :] = 1e9
        training = SeriesWindows(
            [one[: split.validation] * DAY for one, split in zip(days, splits, strict=True)],
            [value[: split.validation] for value, split in zip(values, splits, strict=True)],
            1,
            DAILY,
            horizon=4,
        )
        window = training.gather(training.ends(length), length, supervised=length)
        assert np.max(window["observation"]) < 1e9
        assert np.nanmax(window["targets"]) < 1e9
        # The last training row has all its targets in the validation split, which are unknown here ...
        last = training.offsets[1:] - 1
        assert np.all(np.isnan(training.future(last)))
        # ... and were they there, this test would see them.
        everything = SeriesWindows([one * DAY for one in days], values, 1, DAILY, horizon=4)
        leaking = everything.gather(everything.ends(length), length, supervised=length)
        assert np.nanmax(leaking["targets"]) == 1e9
