from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.text.load_text import load_text
from runnel.datasets.text.read_text_dataset import BUILDER_NAMES
from runnel.shared.errors import InputError

SENTENCE = "Document {} of this set is a sentence of its own, with more than forty characters.\r\n"


class SmallReviews(tfds.core.GeneratorBasedBuilder):
    """Forty texts with a label and a picture."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)
    SPLIT_SIZES = {"train": 40}  # noqa: RUF012
    FEATURES = {  # noqa: RUF012
        "review": tfds.features.Text(),
        "stars": np.int64,
        "marks": tfds.features.Sequence(np.int64),  # Of another length in each example.
    }

    def _info(self):
        features = tfds.features.FeaturesDict(self.FEATURES)
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split, size) for split, size in self.SPLIT_SIZES.items()}

    def _generate_examples(self, split, size):
        for index in range(size):
            text = SENTENCE.format(f"{split} {index}") if index else " "
            yield f"{split}{index}", {"review": text, "stars": index, "marks": list(range(index))}


class ReviewsToTest(SmallReviews):
    """A test split, but none for validation."""

    SPLIT_SIZES = {"train": 40, "test": 3, "unsupervised": 5}  # noqa: RUF012


class OddlySplitReviews(SmallReviews):
    """Splits of other names."""

    SPLIT_SIZES = {"left": 30, "right": 30}  # noqa: RUF012


class BlankReviews(SmallReviews):
    """A text of blanks alone."""

    SPLIT_SIZES = {"train": 1}  # noqa: RUF012


class TitledReviews(SmallReviews):
    """Two text features."""

    FEATURES = {"title": tfds.features.Text(), "review": tfds.features.Text(), "stars": np.int64}  # noqa: RUF012


class StarsAlone(SmallReviews):
    """No text feature."""

    FEATURES = {"stars": np.int64}  # noqa: RUF012


def refusal(source):
    with pytest.raises(InputError) as caught:
        load_text(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def text_of(split, index):
    return SENTENCE.format(f"{split} {index}").replace("\r", "")


def test_a_dataset_with_train_alone(prepared):
    corpus = load_text("tfds:small_reviews")
    assert corpus.splits == {
        "train": tuple(text_of("train", index) for index in range(1, 36)),
        "validation": tuple(text_of("train", index) for index in (36, 37)),
        "test": tuple(text_of("train", index) for index in (38, 39)),
    }  # 39 documents: the middle of the 36th is at 91 %, of the 38th at 96 %.
    assert corpus.name == "small_reviews"
    assert corpus.notes == (
        "tfds:small_reviews has no split for validation and test: taken from the end of its training text",
    )
    assert load_text("tfds:small_reviews").fingerprint == corpus.fingerprint  # Read back, not generated.


def test_a_split_that_is_there_is_taken_as_it_is(prepared):
    corpus = load_text("tfds:reviews_to_test")
    assert corpus.splits["test"] == (text_of("test", 1), text_of("test", 2))
    assert corpus.splits["train"] == tuple(text_of("train", index) for index in range(1, 38))
    assert corpus.splits["validation"] == (text_of("train", 38), text_of("train", 39))
    assert len(corpus.notes) == 1


def test_splits_of_other_names_are_training_text(prepared):
    corpus = load_text("tfds:oddly_split_reviews")
    everything = [text for documents in corpus.splits.values() for text in documents]
    assert everything == [text_of(split, index) for split in ("left", "right") for index in range(1, 30)]


def test_datasets_that_cannot_be_used(prepared):
    assert "has 2 text features ('title', 'review')" in refusal("tfds:titled_reviews")
    assert "has no text feature among 'stars'" in refusal("tfds:stars_alone")
    assert "holds no text in 'review'" in refusal("tfds:blank_reviews")
    message = refusal("tfds:no_such_dataset_anywhere")
    assert "no dataset that TensorFlow Datasets can open" in message
    assert "python_reference" in message


def test_the_reference(prepared, capsys):
    corpus = load_text("python_reference")
    assert capsys.readouterr() == ("", "")  # A pipe gets the results alone.
    assert corpus.name == "python_reference"
    assert corpus.notes == ()
    assert sum(text.count("The quick brown fox jumps over the lazy dog.") for text in corpus.splits["train"]) == 12
    assert load_text("tfds:python_reference").fingerprint == corpus.fingerprint


def test_our_names_are_not_those_of_tfds():
    for name in BUILDER_NAMES:
        assert not list(Path(tfds.__file__).parent.rglob(f"{name}*"))
