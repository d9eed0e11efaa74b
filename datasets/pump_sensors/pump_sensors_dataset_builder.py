"""TensorFlow Datasets builder of the sensors of a pump, with labelled faults in validation and test."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.pump_sensors.faults import break_sensor, draw_faults
from runnel.datasets.pump_sensors.healthy_pump import CHANNELS, ROWS_AN_HOUR, healthy_pump

__all__ = ["WEEKS", "Builder", "pump_rows"]

WEEKS = {"train": 12, "validation": 6, "test": 10}
FAULTS_OF_EACH_KIND = {"train": 0, "validation": 2, "test": 4}

_FIRST = 1_704_067_200  # Monday, 1 January 2024, Unix seconds UTC
_SECONDS = 3600 // ROWS_AN_HOUR
_SEED = 24


def pump_rows(split: str) -> list[dict[str, Any]]:
    """Makes the rows of a split, in order of time; the same at every call.

    Args:
        split: "train", "validation" or "test".

    Returns:
        Of each row `timestamp`, the channels (NaN where missing), and `fault`, its kind or "".
    """
    rows = {name: weeks * 7 * 24 * ROWS_AN_HOUR for name, weeks in WEEKS.items()}
    before = sum(rows[name] for name in list(rows)[: list(rows).index(split)])
    whole = healthy_pump(sum(rows.values()), np.random.default_rng(_SEED))
    channels = {name: values[before : before + rows[split]] for name, values in whole.items()}
    rng = np.random.default_rng([_SEED, list(rows).index(split)])
    kinds = [""] * rows[split]
    for fault in list(draw_faults(rows[split], FAULTS_OF_EACH_KIND[split], rng)):
        channels[fault.channel] = break_sensor(channels[fault.channel], fault, rng)
        kinds[fault.begin : fault.end] = [fault.kind] * (fault.end - fault.begin)
    return [
        {
            "timestamp": _FIRST + (before + row) * _SECONDS,
            **{name: np.float32(channels[name][row]) for name in CHANNELS},
            "fault": kind,
        }
        for row, kind in enumerate(kinds)
    ]


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a row; README.md beside this file tells how it is made, licence and counts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 (TFDS reads it as a class attribute)

    # Found by TFDS from the module otherwise, which fails inside a namespace package.
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)

    def _info(self) -> tfds.core.DatasetInfo:
        """Describes the features; the metadata names the time column, the default targets and the label."""
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {"timestamp": np.int64} | dict.fromkeys(CHANNELS, np.float32) | {"fault": tfds.features.Text()}
            ),
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(time_column="timestamp", targets=list(CHANNELS), label="fault"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[int, dict]]]:
        """Makes consecutive weeks; nothing is downloaded."""
        del dl_manager
        return {split: self._generate_examples(pump_rows(split)) for split in WEEKS}

    def _generate_examples(self, rows: list[dict[str, Any]]) -> Iterator[tuple[int, dict]]:
        """Yields (Unix seconds of the row, example) in order of time."""
        for row in rows:
            yield row["timestamp"], row
