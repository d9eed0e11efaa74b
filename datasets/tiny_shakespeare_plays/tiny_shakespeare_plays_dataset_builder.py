"""Forty thousand lines of Shakespeare's plays, split as published results of language models on it are."""

from collections.abc import Iterator

import tensorflow_datasets as tfds
from etils import epath

__all__ = ["URL", "Builder", "split_text"]

URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"


def split_text(text: str) -> dict[str, str]:
    """Returns the first 90 % of the characters for train, the next 5 % for validation and the last 5 % for test."""
    validation, test = len(text) * 90 // 100, len(text) * 95 // 100
    return {"train": text[:validation], "validation": text[validation:test], "test": text[test:]}


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a split; README.md beside this file tells source, licence and counts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 (TFDS reads it as a class attribute)

    # Found by TFDS from the module otherwise, which fails inside a namespace package.
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)

    def _info(self) -> tfds.core.DatasetInfo:
        """Describes the only feature."""
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"text": tfds.features.Text()}),
            disable_shuffling=True,
            homepage="https://github.com/karpathy/char-rnn",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[str, dict]]]:
        """Downloads the file, checks it against checksums.tsv, and cuts it."""
        text = epath.Path(dl_manager.download(URL)).read_text(encoding="utf-8")
        return {split: self._generate_examples(split, part) for split, part in split_text(text).items()}

    def _generate_examples(self, split: str, text: str) -> Iterator[tuple[str, dict]]:
        """Yields (name of the split, its text)."""
        yield split, {"text": text}
