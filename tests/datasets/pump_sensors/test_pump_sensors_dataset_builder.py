from unittest import mock

import numpy as np
import pandas as pd

from runnel.datasets.pump_sensors import pump_sensors_dataset_builder as module
from runnel.datasets.pump_sensors.faults import KINDS
from runnel.datasets.pump_sensors.healthy_pump import CHANNELS
from runnel.datasets.series.load_series import load_series


def test_builder_on_dummy_data(check_conventions):
    dummy = pd.read_csv(module.Builder.pkg_dir_path / "dummy_data" / "pump.csv", keep_default_na=False)
    dummy[list(CHANNELS)] = dummy[list(CHANNELS)].replace("", np.nan).astype(np.float32)

    def rows(split):
        return dummy[dummy["split"] == split].drop(columns="split").to_dict("records")

    with mock.patch.object(module, "pump_rows", rows):
        found = check_conventions(module.Builder, "pump_sensors", {"train": 2, "validation": 2, "test": 1})
    assert [row["fault"] for row in found["validation"]] == [b"missing", b""]
    assert np.isnan(found["validation"][0]["pressure"])


def test_splits_follow_each_other_and_only_the_first_is_healthy():
    rows = {split: module.pump_rows(split) for split in module.WEEKS}
    assert {split: len(part) for split, part in rows.items()} == {"train": 12_096, "validation": 6_048, "test": 10_080}
    stamps = [row["timestamp"] for part in rows.values() for row in part]
    assert set(np.diff(stamps)) == {600}
    kinds = {split: {row["fault"] for row in part} for split, part in rows.items()}
    assert kinds == {"train": {""}, "validation": {"", *KINDS}, "test": {"", *KINDS}}


def test_it_is_read_with_its_label(prepared):
    table = load_series("pump_sensors")
    assert table.targets == table.columns == CHANNELS
    assert table.label_column == "fault"
    (series,) = table.series
    assert set(series.faults) == {"", *KINDS}
    assert np.isnan(series.values).any(axis=1).sum() == np.sum(series.faults == "missing")
    begins = [int(np.flatnonzero(series.timestamps == begin)[0]) for begin in table.split_starts]
    assert begins == [12_096, 18_144]
