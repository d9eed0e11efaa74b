"""Daily weather of Seattle, 2012 to 2015, from the file inside the `vega_datasets` package."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import tensorflow_datasets as tfds
from etils import epath

from runnel.shared.errors import InputError

__all__ = ["Builder", "read_source"]

FEATURES = ("precipitation", "temp_max", "temp_min", "wind")
SPLITS = {"train": ("2012", "2013"), "validation": ("2014", "2014"), "test": ("2015", "2015")}


def read_source() -> pd.DataFrame:
    """Returns the observations that the `vega_datasets` package carries, indexed by day.

    Raises:
        InputError: `vega_datasets` is not installed.
    """
    try:
        from vega_datasets import local_data
    except ImportError as error:
        raise InputError(
            "the dataset seattle_weather_daily is read from the package 'vega_datasets', which is not installed; "
            'install it with: pip install "runnel[demo]"'
        ) from error
    return local_data.seattle_weather().set_index("date")


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a day; README.md beside this file tells source, licence and counts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 (TFDS reads it as a class attribute)

    # Found by TFDS from the module otherwise, which fails inside a namespace package.
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)

    def _info(self) -> tfds.core.DatasetInfo:
        """Describes the features; the metadata names the time column and the default target."""
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"timestamp": np.int64} | dict.fromkeys(FEATURES, np.float32)),
            disable_shuffling=True,
            homepage="https://github.com/vega/vega-datasets",
            metadata=tfds.core.MetadataDict(time_column="timestamp", targets=["temp_max"]),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[int, dict]]]:
        """Cuts the days into consecutive years; nothing is downloaded."""
        del dl_manager
        weather = read_source()
        return {split: self._generate_examples(weather.loc[first:last]) for split, (first, last) in SPLITS.items()}

    def _generate_examples(self, weather: pd.DataFrame) -> Iterator[tuple[int, dict]]:
        """Yields (Unix seconds of the day, example) in order of time."""
        days = weather.index.to_numpy().astype("datetime64[s]").astype(np.int64)
        for day, row in zip(days.tolist(), weather[list(FEATURES)].to_numpy(np.float32), strict=True):
            yield day, {"timestamp": day} | dict(zip(FEATURES, row, strict=True))
