import sys
from unittest import mock

import pandas as pd
import pytest

from runnel.datasets.seattle_weather_daily import seattle_weather_daily_dataset_builder as module
from runnel.shared.errors import InputError


def test_builder_on_dummy_data(check_builder):
    dummy = pd.read_csv(
        module.Builder.pkg_dir_path / "dummy_data" / "seattle-weather.csv", index_col="date", parse_dates=True
    )
    with mock.patch.object(module, "read_source", return_value=dummy):
        check_builder(module.Builder, "seattle_weather_daily", {"train": 2, "validation": 2, "test": 1})


def test_the_source_holds_what_the_readme_says():
    weather = module.read_source()
    assert len(weather) == 1461
    assert (weather.index.to_series().diff().dropna() == pd.Timedelta(days=1)).all()
    assert not weather.isna().any(axis=None)
    assert (weather["precipitation"] == 0).mean() > 0.5


def test_real_splits(datasets_folder):
    builder = module.Builder(data_dir=datasets_folder)
    builder.download_and_prepare()
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "train": 731,
        "validation": 365,
        "test": 365,
    }
    days = {
        name: [int(example["timestamp"]) for example in builder.as_dataset(split=name)] for name in builder.info.splits
    }
    everything = days["train"] + days["validation"] + days["test"]
    assert everything == [1325376000 + 86400 * day for day in range(1461)]  # From 2012-01-01, no day left out.
    first = next(iter(builder.as_dataset(split="train").as_numpy_iterator()))
    assert [first[name] for name in module.FEATURES] == pytest.approx([0.0, 12.8, 5.0, 4.7])


def test_missing_package_says_how_to_install_it():
    with mock.patch.dict(sys.modules, {"vega_datasets": None}), pytest.raises(InputError) as caught:
        module.read_source()
    assert 'pip install "runnel[demo]"' in str(caught.value)
    assert "'vega_datasets'" in str(caught.value)
