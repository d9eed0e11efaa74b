from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from contracts.numpy_twins import running_normalization

from runnel.shared.layers.explicit_state import state_inputs
from runnel.shared.preprocessing.series_features import SeriesFeatures
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.preprocessing.time_grid import TimeGrid

DAY, WEEK = 86_400, 604_800
NAN = np.nan
DECAY, PRIOR_WEIGHT, SCALE = 0.9, 8.0, (0.5, 2.0)


DAILY = TimeGrid("second", DAY)


def layer(transform="none", calendar=(), grid=DAILY, decay=DECAY):
    return SeriesFeatures(SeriesSpec(("a", "b"), 1, transform, SCALE, grid, calendar), decay, PRIOR_WEIGHT)


def prepare(features, observation, days, **arguments):
    """One session [T, 2] at whole days; its outputs, and the state after it."""
    timestamp = tf.constant(np.asarray(days)[None] * DAY, tf.int64)
    outputs, state = features(tf.constant(np.asarray(observation, np.float32)[None]), timestamp, **arguments)
    return {name: value[0].numpy() for name, value in outputs.items()}, {n: v[0].numpy() for n, v in state.items()}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


class TestFeatures:
    @pytest.mark.parametrize("transform", ["none", "difference", "log_return"])
    def test_values_are_normalised_by_what_came_before(self, transform):
        values = np.exp(noise(12, 2))
        values[3:5, 0] = NAN
        source = values
        if transform != "none":
            last = np.full((12, 2), NAN)  # the last known value before each row
            for row in range(1, 12):
                last[row] = np.where(np.isnan(values[row - 1]), last[row - 1], values[row - 1])
            source = values - last if transform == "difference" else np.log(values / last)
        expected, _ = running_normalization(source, DECAY, SCALE, PRIOR_WEIGHT)
        outputs, _ = prepare(layer(transform), values, range(12))
        np.testing.assert_allclose(outputs["features"][:, :2], np.nan_to_num(expected["normalized"]), atol=1e-5)
        np.testing.assert_array_equal(outputs["features"][:, 2:4], np.isnan(source))
        np.testing.assert_allclose(outputs["scale"], expected["scale"], rtol=1e-5)

    def test_a_missing_value_is_told_apart_from_a_mean_one(self):
        outputs, _ = prepare(layer(), [[1, 1], [1, NAN], [1, 1]], range(3))
        np.testing.assert_array_equal(outputs["features"][:, :4], [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
        np.testing.assert_array_equal(outputs["values"][:, 1], [1, NAN, 1])

    def test_level_is_the_last_known_value(self):
        outputs, state = prepare(layer(), [[NAN, 1], [2, NAN], [NAN, np.inf], [3, 4]], range(4))
        np.testing.assert_array_equal(outputs["level"], [[NAN, 1], [2, 1], [2, 1], [3, 4]])
        np.testing.assert_array_equal(state["last_value"], [3, 4])

    @pytest.mark.parametrize(
        ("transform", "bad"), [("none", np.inf), ("difference", -np.inf), ("log_return", 0), ("log_return", -3)]
    )
    def test_unusable_values_are_missing_ones(self, transform, bad):
        good = np.exp(noise(6, 2))
        good[2, 0] = NAN
        spoiled = np.where(np.isnan(good), bad, good)
        for first, second in zip(
            prepare(layer(transform), good, range(6)), prepare(layer(transform), spoiled, range(6)), strict=True
        ):
            for name, value in first.items():
                np.testing.assert_array_equal(second[name], value, err_msg=name)

    def test_deviations_are_bounded(self):
        values = np.zeros((150, 2))
        values[-1] = 1e6, -1e17
        outputs, _ = prepare(tf.function(layer(decay=1.0)), values, range(150))
        np.testing.assert_array_equal(outputs["features"][-1, :2], [8, -8])

    def test_elapsed_steps_are_a_feature(self):
        outputs, _ = prepare(layer(), noise(5, 2), [10, 11, 14, 15, 1000])
        np.testing.assert_array_equal(outputs["elapsed"], [1, 1, 3, 1, 985])
        np.testing.assert_allclose(outputs["features"][:, 4], np.log([1, 1, 3, 1, 64]), rtol=1e-6)

    def test_a_weekend_is_no_gap_in_business_days(self):
        features = layer(grid=TimeGrid("business_day", 1))
        outputs, _ = prepare(features, noise(4, 2), [1, 4, 5, 7])  # 1970-01-02 was a Friday
        np.testing.assert_array_equal(outputs["elapsed"], [1, 1, 1, 2])

    def test_calendar_features_stand_last(self):
        outputs, _ = prepare(layer(calendar=(WEEK,)), noise(3, 2), [0, 7, 8])
        angle = 2 * np.pi / 7
        np.testing.assert_allclose(
            outputs["features"][:, 5:], [[0, 1], [0, 1], [np.sin(angle), np.cos(angle)]], atol=1e-6
        )

    def test_all_missing_and_no_rows(self):
        outputs, _ = prepare(layer("log_return"), np.full((4, 2), NAN), range(4))
        assert np.all(np.isfinite(outputs["features"]))
        assert np.all(np.isfinite(outputs["scale"]))
        empty, state = prepare(layer(), np.zeros((0, 2)), [])
        assert empty["features"].shape == (0, 5)
        assert state["timestamp"] == np.iinfo(np.int64).min


class TestLateRows:
    DAYS = np.array([0, 1, 1, 2, 0, 2, 5, 4, 6])
    COUNTS = np.array([1, 1, 0, 1, 0, 0, 1, 0, 1], bool)

    @pytest.mark.parametrize("transform", ["none", "difference"])
    def test_late_and_repeated_rows_are_as_if_they_had_not_come(self, transform):
        values = noise(9, 2)
        outputs, state = prepare(layer(transform), values, self.DAYS)
        expected, expected_state = prepare(layer(transform), values[self.COUNTS], self.DAYS[self.COUNTS])
        np.testing.assert_array_equal(outputs["mask"], self.COUNTS)
        for name in expected:
            np.testing.assert_array_equal(outputs[name][self.COUNTS], expected[name], err_msg=name)
        for name in expected_state:
            np.testing.assert_array_equal(state[name], expected_state[name], err_msg=name)

    def test_lateness_is_remembered_between_chunks(self):
        features = layer()
        _, state = prepare(features, noise(2, 2), [3, 4])
        state = {name: tf.constant(value[None]) for name, value in state.items()}
        outputs, _ = prepare(features, noise(3, 2), [4, 3, 5], initial_state=state)
        np.testing.assert_array_equal(outputs["mask"], [False, False, True])

    def test_masked_rows_do_not_count_either(self):
        mask = np.array([[True, False, True]])
        outputs, state = prepare(layer(), noise(3, 2), [0, 9, 1], mask=mask)
        np.testing.assert_array_equal(outputs["mask"], mask[0])
        assert state["timestamp"] == DAY


@pytest.fixture(scope="module")
def sessions():
    observation = np.exp(noise(4, 7, 2)).astype(np.float32)
    observation[0, 2:4, 1], observation[1, 1, 0] = NAN, np.inf
    steps = np.random.default_rng(1).integers(0, 3, size=(4, 7))
    return {"observation": observation, "timestamp": np.cumsum(steps, axis=1) * DAY + 1_700_000_000}


@pytest.fixture(scope="module")
def features():
    return layer("log_return", (WEEK,), TimeGrid("second", DAY, 1_700_000_000 % DAY))


@pytest.fixture(scope="module")
def direct(sessions, features):
    return features(sessions["observation"], sessions["timestamp"])[0]


class TestPreprocessingContract:
    """Called directly, in `dataset.map` on examples and on batches, and reloaded from a file: the same numbers."""

    def test_batched_map(self, sessions, features, direct):
        dataset = tf.data.Dataset.from_tensor_slices(sessions).batch(3)
        batches = list(dataset.map(lambda batch: features(batch["observation"], batch["timestamp"])[0]))
        assert_same({name: np.concatenate([batch[name] for batch in batches]) for name in direct}, direct)

    def test_map_of_examples(self, sessions, features, direct):
        dataset = tf.data.Dataset.from_tensor_slices(sessions)
        mapped = list(dataset.map(lambda one: features(one["observation"][None], one["timestamp"][None])[0]))
        assert_same({name: np.concatenate([one[name] for one in mapped]) for name in direct}, direct)

    def test_reloaded(self, sessions, features, direct, tmp_path: Path):
        inputs = {
            "observation": keras.Input((None, 2), name="observation"),
            "timestamp": keras.Input((None,), dtype="int64", name="timestamp"),
            "state": state_inputs(features),
        }
        outputs, final = features(inputs["observation"], inputs["timestamp"], initial_state=inputs["state"])
        keras.Model(inputs, {**outputs, "state": final}).save(tmp_path / "model.keras")
        reloaded = keras.models.load_model(tmp_path / "model.keras")
        data = {name: tf.constant(value) for name, value in sessions.items()} | {"state": features.initial_state(4)}
        results = reloaded(data)
        assert results.pop("state").keys() == final.keys()
        assert_same(results, direct)
        assert reloaded.get_layer(features.name).get_config() == features.get_config()


def assert_same(actual, expected):
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_config_makes_the_same_layer():
    features = layer("difference", (DAY, WEEK))
    assert SeriesFeatures.from_config(features.get_config()).get_config() == features.get_config()
    assert SeriesFeatures(features.spec.to_dict(), DECAY).spec == features.spec


def test_the_wrong_number_of_columns_is_named():
    with pytest.raises(ValueError, match=r"Received 3 columns; expected 2: \('a', 'b'\)"):
        prepare(layer(), np.zeros((4, 3)), range(4))
