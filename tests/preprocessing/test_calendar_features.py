import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from runnel.shared.preprocessing.calendar_features import calendar_features, choose_calendar_periods
from runnel.shared.preprocessing.time_grid import SECONDS_PER_DAY, TimeGrid

DAY, WEEK, YEAR = SECONDS_PER_DAY, 7 * SECONDS_PER_DAY, 31_556_952


def test_hand_values():
    timestamps = [0, DAY // 4, DAY // 2, -DAY // 4, 7 * DAY]
    features = calendar_features(timestamps, (DAY, WEEK))
    quarter = 2 * np.pi / 28
    np.testing.assert_allclose(features[:, 0], [0, 1, 0, -1, 0], atol=1e-6)  # sine of the day
    np.testing.assert_allclose(features[:, 1], np.sin([0, quarter, 2 * quarter, -quarter, 0]), atol=1e-6)
    np.testing.assert_allclose(features[:, 2], [1, 0, -1, 0, 1], atol=1e-6)  # cosine of the day
    np.testing.assert_allclose(features[:, 3], np.cos([0, quarter, 2 * quarter, -quarter, 0]), atol=1e-6)
    assert features.dtype == tf.float32


@pytest.mark.parametrize("years", [-70, 56, 130, 5000])
def test_one_second_is_seen_at_any_time(years):
    """Float32 holds Unix seconds of today only to about two minutes."""
    midnight = years * 365 * DAY
    features = calendar_features(midnight + np.arange(3), (60,)).numpy()
    angle = 2 * np.pi * np.arange(3) / 60
    np.testing.assert_allclose(features, np.stack([np.sin(angle), np.cos(angle)], axis=1), atol=1e-6)


def test_any_shape_and_a_graph_without_known_sizes():
    timestamps = np.arange(24, dtype=np.int64).reshape(2, 3, 4) * 100_000
    expected = calendar_features(timestamps, (DAY, YEAR))
    assert expected.shape == (2, 3, 4, 4)
    function = tf.function(lambda t: calendar_features(t, (DAY, YEAR)), input_signature=[tf.TensorSpec(None, tf.int64)])
    np.testing.assert_allclose(function(timestamps), expected, atol=1e-6)
    assert calendar_features(np.zeros((2, 0), np.int64), (DAY,)).shape == (2, 0, 2)


@pytest.mark.parametrize(
    ("freq", "rows", "expected"),
    [
        ("h", 40, ()),
        ("h", 45, (DAY,)),
        ("h", 24 * 13, (DAY, WEEK)),
        ("D", 12, ()),
        ("D", 14, (WEEK,)),
        ("B", 800, (WEEK, YEAR)),
        ("12h", 60, (WEEK,)),
        ("MS", 24, (YEAR,)),
        ("15min", 4 * 24 * 700, (DAY, WEEK, YEAR)),
    ],
)
def test_periods_that_the_rows_resolve_and_repeat(freq, rows, expected):
    timestamps = pd.date_range("2010-01-01", periods=rows, freq=freq).values.astype("datetime64[s]").astype(np.int64)
    units = {"h": 3600, "D": DAY, "12h": 12 * 3600, "15min": 900}
    grid = {"B": TimeGrid("business_day", 1), "MS": TimeGrid("month", 1)}.get(freq) or TimeGrid("second", units[freq])
    assert choose_calendar_periods([timestamps[:2], timestamps], grid) == expected
