"""The Python language reference of the running Python, and everyday English sentences for training."""

import platform
from collections.abc import Iterator, Mapping

import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.python_reference.everyday_pages import everyday_pages, read_sentences
from runnel.datasets.python_reference.split_topics import split_topics
from runnel.shared.errors import InputError

__all__ = ["Builder", "insert_evenly", "read_source"]


def read_source() -> dict[str, str]:
    """Returns the help topics that come with Python: text by name.

    Raises:
        InputError: This Python came without them.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise InputError(
            "the dataset python_reference is read from the module pydoc_data of the standard library, which this "
            "Python lacks; install all of the standard library, or give a text file"
        ) from error
    return dict(topics)


class Builder(tfds.core.GeneratorBasedBuilder):
    """One example a topic or a page of sentences; README.md beside this file tells source, licence and counts."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 (TFDS reads it as a class attribute)
    # The text differs by Python version: each keeps its own prepared data.
    BUILDER_CONFIGS = [  # noqa: RUF012 (TFDS reads it as a class attribute)
        tfds.core.BuilderConfig(
            name=f"python_{platform.python_version()}",
            description=f"The language reference that comes with Python {platform.python_version()}.",
        )
    ]

    # Found by TFDS from the module otherwise, which fails inside a namespace package.
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)

    def _info(self) -> tfds.core.DatasetInfo:
        """Describes the only feature; the metadata names the Python version."""
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"text": tfds.features.Text()}),
            disable_shuffling=True,
            homepage="https://docs.python.org/3/reference/",
            metadata=tfds.core.MetadataDict(python_version=platform.python_version()),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[str, dict]]]:
        """Splits the topics, and puts the sentences among those to train on; nothing is downloaded."""
        del dl_manager
        splits = split_topics(read_source())
        pages = {f"everyday sentences {page}": text for page, text in enumerate(everyday_pages(read_sentences()))}
        splits["train"] = insert_evenly(pages, splits["train"])
        return {split: self._generate_examples(documents) for split, documents in splits.items()}

    def _generate_examples(self, documents: Mapping[str, str]) -> Iterator[tuple[str, dict]]:
        """Yields (name of the topic or page, example)."""
        for name, text in documents.items():
            yield name, {"text": text}


def insert_evenly(pages: Mapping[str, str], topics: Mapping[str, str]) -> dict[str, str]:
    """Returns the documents in an order in which the pages stand at even distances, counted in characters.

    A training that reads long stretches then meets the sentences in each of them.

    Args:
        pages: Text by name.
        topics: Text by name; they keep their order.
    """
    places = {name: (index + 0.5) / len(pages) for index, name in enumerate(pages)}
    total, passed = sum(map(len, topics.values())), 0
    for name, text in topics.items():
        places[name] = (passed + len(text) / 2) / total
        passed += len(text)
    documents = {**topics, **pages}
    return {name: documents[name] for name in sorted(documents, key=places.__getitem__)}
