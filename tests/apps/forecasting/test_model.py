import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from runnel.apps.forecasting.model import build_model
from runnel.shared.layers.explicit_state import initial_state

ROWS = 9


def inputs(model: Any, columns: int, batch: int = 2) -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {
        "observation": tf.constant(random.normal(10, 1, size=(batch, ROWS, columns)), tf.float32),
        "timestamp": tf.constant(1_709_251_200 + 3600 * np.arange(ROWS) * np.ones((batch, 1)), tf.int64),
        "mask": tf.ones([batch, ROWS], tf.bool),
        "state": initial_state(model.layers, batch),
    }


@pytest.mark.parametrize("architecture", ["recurrent", "segment"])
def test_forecasts_after_every_row_or_the_last_ones(data: tuple[Any, Any], architecture: str) -> None:
    rows, config = data
    config = dataclasses.replace(config, architecture=architecture)
    every, last = build_model(config, rows.spec), build_model(config, rows.spec, rows=2)
    last.set_weights(every.get_weights())
    results, state = every(inputs(every, 3))
    assert results["quantiles"].shape == (2, ROWS, 3, 2, 19)
    assert results["level"].shape == results["scale"].shape == results["values"].shape == (2, ROWS, 2)
    assert results["mask"].shape == results["elapsed"].shape == (2, ROWS)
    assert state.keys() == initial_state(every.layers, 1).keys()
    shorter, same_state = last(inputs(last, 3))
    for name, value in shorter.items():
        np.testing.assert_allclose(value, results[name][:, -2:], atol=1e-5, err_msg=name)
    for name, value in same_state.items():
        np.testing.assert_allclose(value, state[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm"])
def test_cells(data: tuple[Any, Any], cell: str) -> None:
    rows, config = data
    model = build_model(dataclasses.replace(config, cell=cell), rows.spec)
    results, state = model(inputs(model, 3))
    assert np.isfinite(results["quantiles"]).all()
    assert ("cell_0" in state) == (cell == "lstm")


def test_inputs_are_named(data: tuple[Any, Any]) -> None:
    rows, config = data
    model = build_model(config, rows.spec)
    names = {tensor.name for tensor in tf.nest.flatten(model.inputs)}
    assert {"observation", "timestamp", "mask"} <= names
    assert all(name.startswith("state_") for name in names - {"observation", "timestamp", "mask"})


@pytest.mark.parametrize("units", [1, 3])
def test_few_units_with_several_targets(data: tuple[Any, Any], units: int) -> None:
    rows, config = data
    advanced = dataclasses.replace(config.advanced, units=units, segment=100)
    model = build_model(dataclasses.replace(config, architecture="segment", advanced=advanced), rows.spec)
    assert model(inputs(model, 3))[0]["quantiles"].shape == (2, ROWS, 3, 2, 19)
