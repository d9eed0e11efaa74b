from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.pairs import read_pair_dataset as module
from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.datasets.pairs.pair_corpus import Pairs
from runnel.shared.errors import InputError


class SmallTranslations(tfds.core.GeneratorBasedBuilder):
    """The layout of opus, wmt and ted_hrlr_translate: a Translation and nothing else, French first."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)
    SPLIT_SIZES = {"train": 60, "validation": 2, "test": 3, "extra": 1}  # noqa: RUF012
    FEATURES = tfds.features.Translation(languages=("fr", "en"))

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=self.FEATURES, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split, size) for split, size in self.SPLIT_SIZES.items()}

    def _generate_examples(self, split, size):
        for index in range(size):
            yield index, self.example(f"{split} {index}")

    def example(self, name):
        return {"en": f" EN {name}.\r\n", "fr": f"FR\u202f{name}\u202f!"}


class FrenchToEnglish(SmallTranslations):
    """Three languages below a feature of their own, as of a folder; validation is missing."""

    SPLIT_SIZES = {"train": 60, "test": 3}  # noqa: RUF012
    FEATURES = tfds.features.FeaturesDict(
        {
            "id": np.int64,
            "pair": tfds.features.Translation(["de", "en", "fr"]),
            "tags": tfds.features.Sequence(np.int64),
        }
    )

    def example(self, name):
        return {"id": 1, "pair": super().example(name) | {"de": "DE"}, "tags": [1] * len(name)}


class SmallChats(SmallTranslations):
    """Two text features of other names, and a number."""

    SPLIT_SIZES = {"left": 30, "right": 30}  # noqa: RUF012
    FEATURES = tfds.features.FeaturesDict(
        {"prompt": tfds.features.Text(), "answer": tfds.features.Text(), "score": np.float32}
    )

    def example(self, name):
        return {"prompt": f"{name}?", "answer": f"{name}!\nIndeed." if name != "left 7" else " ", "score": 0.5}


class BlankChats(SmallChats):
    """Nothing on one side."""

    SPLIT_SIZES = {"train": 2}  # noqa: RUF012

    def example(self, name):
        return {"prompt": "Yes?", "answer": "", "score": 0.5}


class GermanAndSwiss(SmallTranslations):
    """Three languages, not both English and French."""

    FEATURES = tfds.features.Translation(languages=("de", "fr", "it"))


class ScoresAlone(SmallTranslations):
    """No text feature."""

    FEATURES = tfds.features.FeaturesDict({"score": np.float32})


class PhrasesOfOurs(SmallTranslations):
    """What a dataset of ours looks like: a split more than the usual ones, features in whatever order."""

    SPLIT_SIZES = {"train": 5, "validation": 2, "test": 3, "compositional": 4}  # noqa: RUF012
    FEATURES = tfds.features.FeaturesDict({"french": tfds.features.Text(), "english": tfds.features.Text()})

    def example(self, name):
        return {"english": f"EN {name}.", "french": f"FR {name}."}


def expected(split, numbers):
    return Pairs.of((f"EN {split} {number}.", f"FR\u202f{split} {number}\u202f!") for number in numbers)


def refusal(source):
    with pytest.raises(InputError) as caught:
        load_pairs(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_english_to_french_whatever_comes_first(prepared):
    corpus = load_pairs("tfds:small_translations")
    assert corpus.splits == {
        "train": expected("train", range(60)),
        "validation": expected("validation", range(2)),
        "test": expected("test", range(3)),
    }
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert corpus.name == "small_translations"
    assert corpus.notes == ()
    assert load_pairs("tfds:small_translations").fingerprint == corpus.fingerprint  # Read back, not generated.


def test_a_translation_among_other_features(prepared):
    corpus = load_pairs("tfds:french_to_english")
    assert corpus.splits["test"] == expected("test", range(3))
    train, validation = corpus.splits["train"], corpus.splits["validation"]
    assert sorted([*train, *validation]) == sorted(expected("train", range(60)))
    assert 0 < len(validation) < len(train)
    assert corpus.notes == ("no split for validation: taken from train by a hash of the source text",)


def test_two_texts_of_other_names_in_splits_of_other_names(prepared):
    corpus = load_pairs("tfds:small_chats")
    pairs = [pair for part in corpus.splits.values() for pair in part]
    assert len(pairs) == 59
    assert ("right 3?", "right 3!\nIndeed.") in pairs
    assert corpus.notes == (
        "tfds:small_chats: 'prompt' is read as the source and 'answer' as its target",
        "tfds:small_chats: left out 1 pair with nothing on one side",
        "no split for validation and test: taken from train by a hash of the source text",
    )


def test_our_datasets_keep_all_their_splits(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "open_builder", lambda name, names, folder: PhrasesOfOurs(data_dir=tmp_path))
    corpus = load_pairs("phrasebook")
    assert {split: len(part) for split, part in corpus.splits.items()} == {
        "train": 5,
        "validation": 2,
        "test": 3,
        "compositional": 4,
    }
    assert list(corpus.splits)[-1] == "compositional"
    assert next(iter(corpus.splits["compositional"])) == ("EN compositional 0.", "FR compositional 0.")
    assert corpus.notes == ()
    assert load_pairs("tfds:phrasebook").fingerprint == corpus.fingerprint


def test_datasets_that_cannot_be_used(prepared):
    assert "has 3 text features, of 'de', 'fr', 'it'; expected two" in refusal("tfds:german_and_swiss")
    assert "has 0 text features, of 'score'" in refusal("tfds:scores_alone")
    assert "holds no pairs of text to train on" in refusal("tfds:blank_chats")
    message = refusal("tfds:no_such_dataset_anywhere")
    assert "no dataset that TensorFlow Datasets can open" in message
    assert "tatoeba_english_french" in message


def test_damaged_files(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNNEL_DATA_DIR", str(tmp_path))
    load_pairs("tfds:small_translations")
    for file in tmp_path.rglob("*.tfrecord*"):
        file.write_bytes(file.read_bytes()[:20])
    assert "is damaged (DataLossError); delete that folder" in refusal("tfds:small_translations")


def test_our_names_are_not_those_of_tfds():
    for name in module.BUILDER_NAMES:
        assert not list(Path(tfds.__file__).parent.rglob(f"{name}*"))
