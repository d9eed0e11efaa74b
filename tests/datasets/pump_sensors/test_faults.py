import numpy as np
import pytest

from runnel.datasets.pump_sensors.faults import KINDS, Fault, break_sensor, draw_faults
from runnel.datasets.pump_sensors.healthy_pump import CHANNELS, ROWS_AN_HOUR

ROWS = 10_080
NOISE = 0.5


@pytest.fixture
def values():
    """A slow rhythm with noise."""
    return 20 + 5 * np.sin(np.arange(2_000) / 100) + NOISE * np.random.default_rng(0).standard_normal(2_000)


def broken(values, kind, begin=800, end=900):
    return break_sensor(values, Fault(kind, "flow", begin, end), np.random.default_rng(1))


def test_faults_are_in_order_apart_and_of_every_kind():
    faults = list(draw_faults(ROWS, 4, np.random.default_rng(0)))
    assert sorted(fault.kind for fault in faults) == sorted(4 * list(KINDS))
    assert {fault.channel for fault in faults} <= set(CHANNELS)
    assert len({fault.channel for fault in faults}) > 1
    ends = [0, *(fault.end for fault in faults)]
    assert all(fault.begin - end >= 30 * ROWS_AN_HOUR for fault, end in zip(faults, ends, strict=False))
    assert ends[-1] <= ROWS
    for fault in faults:
        shortest, longest = KINDS[fault.kind].rows
        assert shortest <= fault.end - fault.begin <= longest


def test_none_are_none_and_too_many_are_refused():
    assert list(draw_faults(ROWS, 0, np.random.default_rng(0))) == []
    with pytest.raises(ValueError, match="do not hold 500 faults"):
        list(draw_faults(ROWS, 100, np.random.default_rng(0)))


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_rows_of_the_fault_change(values, kind):
    before, after = values.copy(), broken(values, kind)
    np.testing.assert_array_equal(values, before)
    outside = np.r_[0:800, 900:2_000]
    np.testing.assert_array_equal(after[outside], values[outside])
    assert not np.array_equal(after[800:900], values[800:900])


def test_what_each_fault_does(values):
    assert np.isnan(broken(values, "missing")[800:900]).all()
    assert set(broken(values, "stuck")[800:900]) == {values[800]}
    spike = np.abs(broken(values, "spike", 800, 802) - values)[800:802]
    assert np.all((spike > 7 * NOISE) & (spike < 18 * NOISE))
    drift = np.abs(broken(values, "drift") - values)[800:900]
    assert drift[0] == 0
    assert np.all(np.diff(drift) > 0)
    assert 7 * NOISE < drift[-1] < 18 * NOISE
    added = np.std((broken(values, "variance") - values)[800:900])
    assert 2.5 * NOISE < added < 7 * NOISE


def test_a_channel_with_missing_values_can_have_another_fault(values):
    twice = break_sensor(broken(values, "missing"), Fault("variance", "flow", 100, 200), np.random.default_rng(2))
    assert np.isfinite(twice[100:200]).all()
