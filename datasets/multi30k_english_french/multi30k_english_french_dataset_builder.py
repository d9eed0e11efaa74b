"""English captions of pictures and their French translations, split as published results on Multi30k are."""

from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.datasets.pairs.read_parallel_files import read_parallel_files

__all__ = ["URLS", "Builder"]

_FOLDER = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"
_STEMS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
URLS = {
    f"{stem}.{language}": f"{_FOLDER}/{stem}.{language}.gz" for stem in _STEMS.values() for language in ("en", "fr")
}


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a caption, in the order of the files; README.md beside this file tells source, licence and counts."""

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
            homepage="https://github.com/multi30k/dataset",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[int, dict]]]:
        """Downloads and unpacks the two files of each split."""
        files = {name: Path(file) for name, file in dl_manager.download_and_extract(URLS).items()}
        return {
            split: self._generate_examples(read_parallel_files(files[f"{stem}.en"], files[f"{stem}.fr"], []))
            for split, stem in _STEMS.items()
        }

    def _generate_examples(self, pairs: Pairs) -> Iterator[tuple[int, dict]]:
        """Yields (number of the pair, the pair)."""
        for index, (english, french) in enumerate(pairs):
            yield index, {"english": english, "french": french}
