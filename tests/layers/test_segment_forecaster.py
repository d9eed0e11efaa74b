from pathlib import Path

import keras
import numpy as np
import pytest
from contracts.cases import random_weights
from contracts.numpy_twins import gru

from runnel.shared.layers.explicit_state import state_inputs
from runnel.shared.layers.quantile_head import quantile_levels
from runnel.shared.layers.segment_forecaster import SegmentForecaster

LEVELS = quantile_levels(3)
UNITS, TIME = 4, 9


def built(targets=1, context=6, segment=2, horizon=3, **options):
    layer = SegmentForecaster(targets, context, segment, UNITS, horizon, LEVELS, **options)
    layer.build((None, None, targets))
    random_weights(layer)
    return layer


def rows(targets=1, batch=1):
    generator = np.random.default_rng(0)
    values = np.exp(generator.normal(size=(batch, TIME, targets))).astype(np.float32)
    scale = np.exp(generator.normal(size=(batch, TIME, targets))).astype(np.float32)
    return values, scale, np.ones((batch, TIME), bool)


def forecast_by_hand(layer, window, scale, target):
    """SegRNN for one window [L], oldest first: quantiles [H, Q]."""
    relative = (np.log(window / window[-1]) if layer.logarithmic else window - window[-1]) / scale
    relative = np.nan_to_num(relative)
    segments = np.concatenate([np.zeros(-len(window) % layer.segment), relative]).reshape(-1, layer.segment)
    kernel, bias = layer.embedding.get_weights()
    hidden = np.zeros(UNITS)
    for embedded in np.maximum(segments @ kernel + bias, 0):
        (hidden,) = gru(embedded, [hidden], layer.gru.get_weights())
    quantiles = []
    for position in layer.position.numpy():
        query = position if layer.targets == 1 else np.concatenate([position, layer.target.numpy()[target]])
        (decoded,) = gru(query, [hidden], layer.gru.get_weights())
        quantiles.append(layer.head(decoded[None, None].astype(np.float32)).numpy()[0, 0, :, 0])
    return np.concatenate(quantiles)[: layer.horizon]


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("targets", [1, 2])
@pytest.mark.parametrize(("context", "segment", "horizon"), [(6, 2, 3), (5, 3, 7), (2, 4, 1)])
def test_every_row_forecasts_as_the_paper_says(logarithmic, targets, context, segment, horizon):
    layer = built(targets, context, segment, horizon, logarithmic=logarithmic)
    values, scale, mask = rows(targets)
    quantiles, state = layer(values, scale, mask)
    padded = np.concatenate([np.full((context, targets), np.nan), values[0]])
    for time in range(TIME):
        for target in range(targets):
            window = padded[time + 1 : time + 1 + context, target]
            expected = forecast_by_hand(layer, window, scale[0, time, target], target)
            np.testing.assert_allclose(quantiles[0, time, :, target], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(state["window"][0], padded[-context:])


def test_rows_that_do_not_count_are_not_in_the_window():
    layer = built()
    values, scale, mask = rows()
    mask[0, [2, 3, 8]] = False
    spoiled = np.where(mask[..., None], values, np.nan)
    quantiles, state = layer(spoiled, scale, mask)
    expected, expected_state = layer(values[:, mask[0]], scale[:, mask[0]], mask[:, mask[0]])
    np.testing.assert_allclose(quantiles.numpy()[mask], expected[0], atol=1e-6)
    np.testing.assert_array_equal(state["window"], expected_state["window"])


def test_only_the_last_rows_where_asked():
    every = built()
    last = built(rows=2)
    values, scale, mask = rows(batch=3)
    quantiles, state = last(values, scale, mask)
    expected, expected_state = every(values, scale, mask)
    np.testing.assert_allclose(quantiles, expected[:, -2:], atol=1e-6)
    np.testing.assert_array_equal(state["window"], expected_state["window"])


def test_no_rows_keep_the_window():
    layer = built()
    state = {"window": np.arange(6, dtype=np.float32).reshape(1, 6, 1)}
    empty = np.zeros((1, 0, 1), np.float32)
    quantiles, after = layer(empty, empty, np.zeros((1, 0), bool), initial_state=state)
    assert quantiles.shape == (1, 0, 3, 1, 3)
    np.testing.assert_array_equal(after["window"], state["window"])


@pytest.mark.parametrize("targets", [1, 2])
def test_a_saved_model_reloads(targets, tmp_path: Path):
    layer = SegmentForecaster(targets, 6, 2, UNITS, 3, LEVELS, dropout=0.1, name="forecaster")
    inputs = {
        "values": keras.Input((None, targets), name="values"),
        "scale": keras.Input((None, targets), name="scale"),
        "mask": keras.Input((None,), dtype="bool", name="mask"),
        "state": state_inputs(layer),
    }
    quantiles, state = layer(inputs["values"], inputs["scale"], inputs["mask"], initial_state=inputs["state"])
    model = keras.Model(inputs, {"quantiles": quantiles, "state": state})
    random_weights(layer)
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert reloaded.get_layer("forecaster").get_config() == layer.get_config()
    arrays = dict(zip(("values", "scale", "mask"), map(keras.ops.convert_to_tensor, rows(targets, 2)), strict=True))
    data = arrays | {"state": layer.initial_state(2)}
    keras.tree.map_structure(np.testing.assert_array_equal, model(data), reloaded(data))
