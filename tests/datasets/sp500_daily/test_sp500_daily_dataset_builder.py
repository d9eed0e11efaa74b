import sys
from unittest import mock

import pandas as pd
import pytest

from runnel.datasets.sp500_daily import sp500_daily_dataset_builder as module
from runnel.shared.errors import InputError


def test_builder_on_dummy_data(check_builder):
    dummy = pd.read_csv(module.Builder.pkg_dir_path / "dummy_data" / "sp500.csv", index_col="Date", parse_dates=True)
    with mock.patch.object(module, "read_source", return_value=dummy):
        check_builder(module.Builder, "sp500_daily", {"train": 2, "validation": 2, "test": 1})


def test_the_source_holds_what_the_readme_says():
    prices = module.read_source()
    assert len(prices) == 5031
    assert [str(day.date()) for day in (prices.index[0], prices.index[-1])] == ["1999-01-04", "2018-12-31"]
    assert (prices["Adj Close"] == prices["Close"]).all()  # The reason for leaving it out.
    assert not prices.isna().any(axis=None)


def test_real_splits(datasets_folder):
    builder = module.Builder(data_dir=datasets_folder)
    builder.download_and_prepare()
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {
        "train": 4025,
        "validation": 504,
        "test": 502,
    }
    days = {
        name: [int(example["timestamp"]) for example in builder.as_dataset(split=name)] for name in builder.info.splits
    }
    everything = days["train"] + days["validation"] + days["test"]
    assert everything == sorted(set(everything))  # In order, and no day twice.
    first = next(iter(builder.as_dataset(split="train").as_numpy_iterator()))
    assert first["timestamp"] == 915408000  # 1999-01-04: 10,595 days after 1970-01-01.
    assert [first[name] for name in ("Open", "Close", "Volume")] == pytest.approx([1229.22998, 1228.099976, 877e6])


def test_missing_package_says_how_to_install_it():
    with mock.patch.dict(sys.modules, {"arch": None, "arch.data": None}), pytest.raises(InputError) as caught:
        module.read_source()
    assert 'pip install "runnel[demo]"' in str(caught.value)
    assert "'arch'" in str(caught.value)
