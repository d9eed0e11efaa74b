"""Daily prices of the S&P 500 index, 1999 to 2018, from the file inside the `arch` package."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import tensorflow_datasets as tfds
from etils import epath

from runnel.shared.errors import InputError

__all__ = ["Builder", "read_source"]

FEATURES = ("Open", "High", "Low", "Close", "Volume")
SPLITS = {"train": ("1999", "2014"), "validation": ("2015", "2016"), "test": ("2017", "2018")}


def read_source() -> pd.DataFrame:
    """Returns the prices that the `arch` package carries, indexed by trading day.

    Raises:
        InputError: `arch` is not installed.
    """
    try:
        from arch.data import sp500
    except ImportError as error:
        raise InputError(
            "the dataset sp500_daily is read from the package 'arch', which is not installed; "
            'install it with: pip install "runnel[demo]"'
        ) from error
    return sp500.load()


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a trading day; README.md beside this file tells source, licence and counts."""

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
            homepage="https://bashtage.github.io/arch/",
            metadata=tfds.core.MetadataDict(time_column="timestamp", targets=["Close"]),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[int, dict]]]:
        """Cuts the days into consecutive years; nothing is downloaded."""
        del dl_manager
        prices = read_source()
        return {split: self._generate_examples(prices.loc[first:last]) for split, (first, last) in SPLITS.items()}

    def _generate_examples(self, prices: pd.DataFrame) -> Iterator[tuple[int, dict]]:
        """Yields (Unix seconds of the day, example) in order of time."""
        days = prices.index.to_numpy().astype("datetime64[s]").astype(np.int64)
        for day, row in zip(days.tolist(), prices[list(FEATURES)].to_numpy(np.float32), strict=True):
            yield day, {"timestamp": day} | dict(zip(FEATURES, row, strict=True))
