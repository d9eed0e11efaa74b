import json

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from runnel.shared.preprocessing.series_spec import SeriesSpec, fit_series_spec
from runnel.shared.preprocessing.time_grid import TimeGrid

NAN = np.nan
DAYS = np.arange(400) * 86_400
generator = np.random.default_rng(0)
WALK = np.cumsum(generator.normal(size=400))
NOISE = generator.normal(size=400)


def fit(*series, transform="auto", columns=("a", "b", "c")):
    values = [np.array(values, np.float32).reshape(len(values), -1) for values in series]
    width = values[0].shape[1]
    return fit_series_spec(columns[:width], 1, [DAYS[: len(one)] for one in values], values, transform)


def spec(transform):
    return SeriesSpec(("a",), 1, transform, (1.0,), TimeGrid("second", 86_400), (604_800,))


class TestAutomaticTransform:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            (np.exp(0.01 * WALK), "log_return"),
            (WALK - WALK[200], "difference"),
            (NOISE, "none"),
            (NOISE + 100, "none"),
            (np.sin(np.arange(400)) + 5, "none"),
        ],
    )
    def test_walks_and_levels(self, values, expected):
        assert fit(values).transform == expected

    def test_missing_and_infinite_values_do_not_decide(self):
        values = np.exp(0.01 * WALK)
        values[::3], values[1] = NAN, np.inf
        assert fit(values).transform == "log_return"

    def test_most_series_decide(self):
        assert fit(np.exp(0.01 * WALK), np.exp(0.02 * WALK), NOISE + 9).transform == "log_return"
        assert fit(np.exp(0.01 * WALK), NOISE, NOISE + 9).transform == "none"

    def test_one_value_at_zero_in_any_series_or_column_forbids_logarithms(self):
        price = np.exp(0.01 * WALK)
        assert fit(price, WALK - WALK.min() + 0.01).transform == "log_return"
        assert fit(price, WALK - WALK.min()).transform == "difference"
        # A second column that may be negative would be lost.
        assert fit(np.stack([price, NOISE], axis=1)).transform == "difference"

    def test_a_series_without_a_target_value(self):
        assert fit(np.full(400, NAN)).transform == "none"
        assert fit(np.full(400, NAN), np.exp(0.01 * WALK)).transform == "log_return"

    def test_an_unknown_word_is_named(self):
        with pytest.raises(ValueError, match="transform='log'; expected auto or one of none, difference, log_return"):
            fit(WALK, transform="log")


class TestScale:
    def test_values_deviate_from_the_mean_of_their_own_series(self):
        fitted = fit([[1, 5], [3, NAN]], [[101, 5], [99, NAN]], transform="none")
        np.testing.assert_allclose(fitted.scale, [1, 1])  # the second column never deviates: no scale, so 1

    def test_steps_between_neighbouring_rows(self):
        fitted = fit([0, 3, NAN, 7, 3], transform="difference")
        np.testing.assert_allclose(fitted.scale, [np.sqrt((9 + 16) / 2)])

    def test_logarithms_of_ratios(self):
        fitted = fit([1, np.e, -5, 1, np.exp(3)], transform="log_return")
        np.testing.assert_allclose(fitted.scale, [np.sqrt((1 + 9) / 2)], rtol=1e-6)

    @pytest.mark.parametrize("transform", ["none", "difference", "log_return"])
    @pytest.mark.parametrize("useless", [NAN, np.inf, 7.0])
    def test_a_column_without_values_or_changes_has_the_scale_one(self, transform, useless):
        values = np.stack([np.exp(0.1 * WALK), np.full(400, useless)], axis=1)
        scale = fit(values, transform=transform).scale
        assert scale[1] == 1
        assert scale[0] != 1

    def test_high_levels_keep_their_digits(self):
        fitted = fit(1e4 + NOISE, transform="none")
        np.testing.assert_allclose(fitted.scale, [np.std(NOISE)], rtol=1e-3)

    def test_fitting_finds_grid_and_periods(self):
        fitted = fit(NOISE)
        assert fitted.grid == TimeGrid("second", 86_400)
        assert fitted.calendar_periods == (7 * 86_400,)
        assert (fitted.columns, fitted.targets) == (("a",), 1)


class TestTransform:
    VALUES = np.array([1.5, 0.0, -2.0, NAN, np.inf, -np.inf, 9.97e36, -1e20], np.float32)  # netCDF fills with 9.97e36

    @pytest.mark.parametrize("transform", ["none", "difference"])
    def test_clean_keeps_finite_values(self, transform):
        cleaned = spec(transform).clean(self.VALUES)
        np.testing.assert_array_equal(cleaned, [1.5, 0, -2, NAN, NAN, NAN, NAN, NAN])
        assert cleaned.dtype == tf.float32

    def test_clean_keeps_positive_values_for_logarithms(self):
        cleaned = spec("log_return").clean(self.VALUES)
        np.testing.assert_array_equal(cleaned, [1.5, *[NAN] * 7])

    def test_relative_by_hand(self):
        np.testing.assert_allclose(spec("none").relative(5.0, 3.0), 2)
        np.testing.assert_allclose(spec("difference").relative(5.0, 3.0), 2)
        np.testing.assert_allclose(spec("log_return").relative(3 * np.e, 3.0), 1, rtol=1e-6)

    def test_a_small_return_on_a_high_price_keeps_more_digits_than_two_logarithms(self):
        prices = (4000 + np.arange(1, 200) / 64).astype(np.float32)
        expected = np.log(prices.astype(np.float64) / 4000)
        error = np.abs(spec("log_return").relative(prices, np.float32(4000)).numpy() - expected).max()
        error_of_logarithms = np.abs(np.log(prices) - np.log(np.float32(4000)) - expected).max()
        assert error < 1.2e-7 < error_of_logarithms

    @pytest.mark.parametrize("transform", ["none", "difference", "log_return"])
    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(value=st.floats(0.0078125, 65536, width=32), level=st.floats(0.0078125, 65536, width=32))
    def test_absolute_inverts_relative(self, transform, value, level):
        one = spec(transform)
        back = one.absolute(one.relative(tf.constant(value), tf.constant(level)), tf.constant(level))
        np.testing.assert_allclose(back, value, rtol=1e-5, atol=1e-6 * level)


@pytest.mark.parametrize("values", [WALK, np.exp(0.01 * WALK), NOISE])
def test_through_json_and_back(values):
    fitted = fit(np.stack([values, NOISE], axis=1))
    assert SeriesSpec.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted
    assert SeriesSpec.from_dict(fitted.to_dict()) == fitted
