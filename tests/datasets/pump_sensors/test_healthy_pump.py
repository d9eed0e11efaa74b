import numpy as np
import pytest

from runnel.datasets.pump_sensors.healthy_pump import CHANNELS, ROWS_AN_HOUR, healthy_pump

DAY = 24 * ROWS_AN_HOUR


@pytest.fixture(scope="module")
def pump():
    return healthy_pump(12 * 7 * DAY, np.random.default_rng(0))


def test_the_same_seed_gives_the_same_rows(pump):
    again = healthy_pump(12 * 7 * DAY, np.random.default_rng(0))
    assert tuple(pump) == CHANNELS
    for name in CHANNELS:
        np.testing.assert_array_equal(again[name], pump[name])
        assert np.isfinite(pump[name]).all()
        assert (pump[name] > 0).all()


def test_there_is_a_rhythm_of_day_and_week(pump):
    flow = pump["flow"].reshape(-1, 7, DAY)
    hours = flow[:, :5].mean(axis=(0, 1)).reshape(24, ROWS_AN_HOUR).mean(axis=1)
    assert hours[5] < 0.7 * hours.mean() < hours.mean() < hours[19] / 1.2
    assert flow[:, 5:].mean() < 0.95 * flow[:, :5].mean()


def test_channels_depend_on_each_other(pump):
    assert np.corrcoef(pump["flow"], pump["pressure"])[0, 1] < -0.9
    assert np.corrcoef(pump["flow"], pump["vibration"])[0, 1] > 0.9
    noise = np.abs(np.diff(pump["vibration"], n=2))
    is_high = pump["flow"][2:] > np.median(pump["flow"])
    assert noise[is_high].mean() > 1.3 * noise[~is_high].mean()
