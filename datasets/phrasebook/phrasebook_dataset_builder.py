"""TensorFlow Datasets builder of English sentences with their French translations, from a grammar and a lexicon."""

from collections.abc import Iterator, Sequence

import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.phrasebook.split_pairs import Pair, split_pairs

__all__ = ["Builder"]


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a text and its translation; README.md beside this file tells source, licence and counts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 (TFDS reads it as a class attribute)

    # Found by TFDS from the module otherwise, which fails inside a namespace package.
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)

    def _info(self) -> tfds.core.DatasetInfo:
        """Describes the two texts."""
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"english": tfds.features.Text(), "french": tfds.features.Text()}),
            supervised_keys=("english", "french"),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[int, dict]]]:
        """Draws the pairs of all splits; nothing is downloaded."""
        del dl_manager
        return {split: self._generate_examples(pairs) for split, pairs in split_pairs().items()}

    def _generate_examples(self, pairs: Sequence[Pair]) -> Iterator[tuple[int, dict]]:
        """Yields (number of the pair, example)."""
        for number, pair in enumerate(pairs):
            yield number, {"english": pair.english, "french": pair.french}
