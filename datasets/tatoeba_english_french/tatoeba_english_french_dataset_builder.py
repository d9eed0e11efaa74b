"""English sentences and their French translations by volunteers of Tatoeba, as manythings.org pairs them."""

from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.read_tsv import read_tsv
from runnel.datasets.pairs.split_by_source import SHARES, split_by_source

__all__ = ["URL", "Builder"]

URL = "http://www.manythings.org/anki/fra-eng.zip"
_FILE = "fra.txt"  # Of the archive: English, French and, in newer ones, an attribution in each line.


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a pair, in the order of the file; README.md beside this file tells source, licence and counts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 (TFDS reads it as a class attribute)

    # Found by TFDS from the module otherwise, which fails inside a namespace package.
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)

    def _info(self) -> tfds.core.DatasetInfo:
        """Describes the two features."""
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"english": tfds.features.Text(), "french": tfds.features.Text()}),
            supervised_keys=("english", "french"),
            disable_shuffling=True,
            homepage="http://www.manythings.org/anki/",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[int, dict]]]:
        """Downloads the archive and splits its pairs by the English side."""
        pairs = read_tsv(Path(dl_manager.download_and_extract(URL)) / _FILE, [])
        splits = split_by_source(Pairs.of(dict.fromkeys(pairs)), SHARES)
        return {split: self._generate_examples(part) for split, part in splits.items()}

    def _generate_examples(self, pairs: Pairs) -> Iterator[tuple[int, dict]]:
        """Yields (number of the pair, the pair)."""
        for index, (english, french) in enumerate(pairs):
            yield index, {"english": english, "french": french}
