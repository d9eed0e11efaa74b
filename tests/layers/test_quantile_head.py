from pathlib import Path
from statistics import NormalDist

import keras
import numpy as np
import pytest

from runnel.shared.layers.quantile_head import QuantileHead, quantile_levels


def test_levels():
    assert quantile_levels() == tuple(round(0.05 * index, 2) for index in range(1, 20))
    assert quantile_levels(3) == (0.25, 0.5, 0.75)
    for count in (0, 2, -1):
        with pytest.raises(ValueError, match=f"{count} quantile levels; expected an odd number"):
            quantile_levels(count)


@pytest.mark.parametrize("count", [1, 3, 19])
def test_before_training_the_forecast_is_the_standard_normal(count):
    levels = quantile_levels(count)
    head = QuantileHead(2, 3, levels)
    quantiles = head(np.zeros((4, 5, 6), np.float32))
    expected = [NormalDist().inv_cdf(level) for level in levels]
    np.testing.assert_allclose(quantiles, np.broadcast_to(expected, (4, 5, 2, 3, count)), atol=1e-5)


def test_quantiles_never_cross_whatever_the_weights():
    head = QuantileHead(2, 1, quantile_levels())
    head.build((None, None, 4))
    generator = np.random.default_rng(0)
    head.set_weights([30 * generator.normal(size=weight.shape) for weight in head.get_weights()])
    quantiles = head(generator.normal(size=(20, 3, 4)).astype(np.float32)).numpy()
    assert np.all(np.diff(quantiles, axis=-1) >= 0)


def test_horizons_and_targets_stand_in_their_order():
    head = QuantileHead(3, 2, quantile_levels(3))
    head.build((None, None, 1))
    medians = np.array([[0, 1], [10, 11], [20, 21]])
    bias = np.stack([medians, np.zeros((3, 2)), np.ones((3, 2))], axis=-1)
    head.set_weights([np.zeros((1, 18)), bias.reshape(-1)])
    quantiles = head(np.ones((1, 1, 1), np.float32))[0, 0]
    np.testing.assert_allclose(quantiles[..., 1], medians)
    np.testing.assert_allclose(quantiles[..., 0], medians - np.log(2), rtol=1e-6)  # softplus(0)
    np.testing.assert_allclose(quantiles[..., 2], medians + np.log1p(np.e), rtol=1e-6)  # softplus(1)


def test_no_time_steps():
    assert QuantileHead(2, 1, (0.5,))(np.zeros((3, 0, 4), np.float32)).shape == (3, 0, 2, 1, 1)


def test_a_saved_model_reloads(tmp_path: Path):
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, QuantileHead(2, 1, quantile_levels(5), name="head")(inputs))
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.get_layer("head").get_config() == model.get_layer("head").get_config()
    data = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(model(data), reloaded(data))
