import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.series.load_series import load_series
from runnel.datasets.series.read_dataset import BUILDER_NAMES, read_dataset
from runnel.shared.errors import InputError

DAY = 86400


class ScatteredSensor(tfds.core.GeneratorBasedBuilder):
    """Two machines; TFDS shuffles the rows, for nothing forbids it."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)
    SPLIT_DAYS = {"train": range(20), "validation": range(20, 25), "test": range(25, 30)}  # noqa: RUF012

    def _info(self):
        features = {"date": np.int64, "machine": tfds.features.Text(), "heat": np.float32, "load": np.int32}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(days) for split, days in self.SPLIT_DAYS.items()}

    def _generate_examples(self, days):
        for day in days:
            for machine in ("left", "right"):
                stamp = 1_500_000_000 + day * DAY
                yield f"{machine}{day}", {"date": stamp, "machine": machine, "heat": day / 2, "load": -day}


class OverlappingSensor(ScatteredSensor):
    """Splits that are not cut by time."""

    SPLIT_DAYS = {"train": range(0, 30, 3), "validation": range(1, 30, 3), "test": range(2, 30, 3)}  # noqa: RUF012


class NestedSensor(ScatteredSensor):
    """Examples that are no flat scalars."""

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict({"x": {"y": np.float32}}))


class RacedSensor(ScatteredSensor):
    """Another process prepares the same data in the meantime and is first."""

    is_second = False

    def _split_generators(self, dl_manager):
        if not RacedSensor.is_second:
            RacedSensor.is_second = True
            RacedSensor(data_dir=self.data_dir_root).download_and_prepare()
        return super()._split_generators(dl_manager)


class FailingSensor(ScatteredSensor):
    """A source that is not there."""

    def _generate_examples(self, days):
        raise RuntimeError("no network")
        yield


def refusal(source, **options):
    with pytest.raises(InputError) as caught:
        load_series(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_sp500(prepared, capsys):
    table = load_series("sp500_daily")
    assert table.targets == ("Close",)
    assert table.columns == ("Close", "Open", "High", "Low", "Volume")
    assert table.split_starts == (1420156800, 1483401600)  # 2015-01-02 and 2017-01-03, the first trading days.
    (series,) = table.series
    assert series.series_id == "sp500_daily"
    assert series.values.shape == (5031, 5)
    assert series.values[0].tolist() == pytest.approx([1228.099976, 1229.22998, 1248.810059, 1219.099976, 877e6])
    assert capsys.readouterr() == ("", "")  # A pipe gets the results alone.


def test_seattle(prepared):
    table = load_series("seattle_weather_daily", targets=["wind"], features=["precipitation"])
    assert table.columns == ("wind", "precipitation")
    assert table.split_starts == (1388534400, 1420070400)  # 2014-01-01 and 2015-01-01.
    np.testing.assert_allclose(table.series[0].values[:2], [[4.7, 0.0], [4.5, 10.9]], rtol=1e-6)
    assert load_series("tfds:seattle_weather_daily").targets == ("temp_max",)


def test_our_names_are_not_those_of_tfds():
    for name in BUILDER_NAMES:
        assert not list(Path(tfds.__file__).parent.rglob(f"{name}*"))


def test_any_flat_dataset(prepared):
    table = load_series("tfds:scattered_sensor", targets=["heat"], series_id="machine")
    assert table.columns == ("heat", "load")
    assert sorted(series.series_id for series in table.series) == ["left", "right"]
    for series in table.series:
        assert series.timestamps.tolist() == [1_500_000_000 + day * DAY for day in range(30)]
        np.testing.assert_array_equal(series.values, [[day / 2, -day] for day in range(30)])
    assert table.split_starts == (1_500_000_000 + 20 * DAY, 1_500_000_000 + 25 * DAY)
    again = load_series("tfds:scattered_sensor", targets=["heat"], series_id="machine")
    assert again.fingerprint == table.fingerprint  # Read back, not generated.
    assert "--series-id" in refusal("tfds:scattered_sensor", targets=["heat"])


def test_splits_that_overlap_in_time_are_not_used(prepared):
    table = load_series("tfds:overlapping_sensor", targets=["heat"], series_id="machine")
    assert table.split_starts is None
    assert table.notes == ("the dataset's own splits overlap in time and were not used",)


def test_two_processes_may_prepare_the_same_data(prepared):
    table = load_series("tfds:raced_sensor", targets=["heat"], series_id="machine")
    assert [len(series.timestamps) for series in table.series] == [30, 30]


def test_datasets_that_cannot_be_used(prepared):
    assert "feature 'x' is not a scalar" in refusal("tfds:nested_sensor")
    assert "no dataset that TensorFlow Datasets can open" in refusal("tfds:no_such_dataset_anywhere")
    assert "could not be prepared" in refusal("tfds:failing_sensor")
    assert "no network" in refusal("tfds:failing_sensor")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="set RUNNEL_DATA_DIR"):
        read_dataset("sp500_daily", tmp_path / "file" / "folder")


def test_damaged_prepared_data(prepared, tmp_path):
    load_series("seattle_weather_daily")
    shutil.copytree(prepared / "seattle_weather_daily", tmp_path / "seattle_weather_daily")
    (shard,) = (tmp_path / "seattle_weather_daily").rglob("*-train.tfrecord*")
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"is damaged .*delete that folder"):
        read_dataset("seattle_weather_daily", tmp_path)
