import json
import platform
import sys
from collections import Counter
from unittest import mock

import pytest

from runnel.datasets.python_reference import python_reference_dataset_builder as module
from runnel.datasets.python_reference.everyday_pages import read_sentences
from runnel.shared.errors import InputError


def paragraphs(documents):
    return [paragraph for text in documents for paragraph in text.split("\n\n")]


def test_builder_on_dummy_data(check_text_builder):
    dummy = json.loads((module.Builder.pkg_dir_path / "dummy_data" / "topics.json").read_text(encoding="utf-8"))
    with mock.patch.object(module, "read_source", return_value=dummy):
        splits = check_text_builder(module.Builder, "python_reference", {"train": 3 + 12, "validation": 1, "test": 1})
    assert splits["validation"] == ['The "leave" statement\n\nIt ends the loop.']
    assert splits["test"] == ['The "empty" statement\n\nIt does nothing.']
    (loop,) = (text for text in splits["train"] if text.startswith('The "loop" statement'))
    assert loop.split("\n\n")[1:] == [
        "Note:",
        "A loop inside a loop runs to its end for each element of the outer one, so that its body runs many times.",
    ]  # Its other paragraph stands in the topic "compound".


@pytest.fixture(scope="module")
def reference(datasets_folder):
    builder = module.Builder(data_dir=datasets_folder)
    builder.download_and_prepare()
    assert builder.info.metadata["python_version"] == platform.python_version()
    assert platform.python_version() in str(builder.data_dir)
    return {
        split: [example["text"].decode() for example in builder.as_dataset(split=split).as_numpy_iterator()]
        for split in ("train", "validation", "test")
    }


def test_sentences_are_for_training_alone(reference):
    sentences = set(read_sentences())
    counts = Counter(paragraph for paragraph in paragraphs(reference["train"]) if paragraph in sentences)
    assert counts == dict.fromkeys(sentences, 12)
    assert not sentences & set(paragraphs(reference["validation"] + reference["test"]))


def test_no_paragraph_is_in_two_splits(reference):
    train, validation, test = ({" ".join(text.split()) for text in paragraphs(part)} for part in reference.values())
    assert len(train) > 1000
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_shares_of_the_reference(reference):
    sentences = set(read_sentences())
    sizes = {
        split: sum(len(text) for text in part if not sentences.issuperset(text.split("\n\n")))
        for split, part in reference.items()
    }
    total = sum(sizes.values())
    assert 0.88 < sizes["train"] / total < 0.92
    assert 0.04 < sizes["validation"] / total < 0.06
    assert 0.04 < sizes["test"] / total < 0.06


@pytest.mark.skipif(platform.python_version() != "3.11.7", reason="the README states the figures of Python 3.11.7")
def test_the_figures_of_the_readme(reference):
    assert {split: (len(part), sum(map(len, part)), sum(len(text.split()) for text in part))
            for split, part in reference.items()} == {
        "train": (56, 379_915, 57_828),
        "validation": (11, 18_026, 2_614),
        "test": (13, 17_952, 2_580),
    }  # fmt: skip


def test_pages_stand_at_even_distances():
    topics = {name: name * size for name, size in (("a", 10), ("b", 40), ("c", 10), ("d", 40))}
    order = list(module.insert_evenly({"page 1": "", "page 2": "", "page 3": ""}, topics))
    # Middles of the topics: 0.05, 0.3, 0.55, 0.8; of the pages: 1/6, 3/6, 5/6.
    assert order == ["a", "page 1", "b", "page 2", "c", "d", "page 3"]


def test_a_python_without_the_topics():
    with mock.patch.dict(sys.modules, {"pydoc_data": None, "pydoc_data.topics": None}), pytest.raises(InputError) as e:
        module.read_source()
    assert "pydoc_data" in str(e.value)
    assert "\n" not in str(e.value)
