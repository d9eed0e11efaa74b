from pathlib import Path

import pytest
import tensorflow as tf
from training.toy_problem import ToyProblem

from runnel.shared.training.without_autotuning import without_autotuning


def test_the_elements_stay() -> None:
    dataset = tf.data.Dataset.range(100).map(lambda x: x * x, num_parallel_calls=2).prefetch(2)
    assert list(without_autotuning(dataset).as_numpy_iterator()) == [x * x for x in range(100)]


def test_other_options_stay() -> None:
    options = tf.data.Options()
    options.deterministic = False
    chosen = without_autotuning(tf.data.Dataset.range(3).with_options(options)).options()
    assert (chosen.deterministic, chosen.autotune.enabled) == (False, False)


def test_a_training_reads_no_dataset_that_is_tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    iterate = tf.data.Dataset.__iter__

    def listen(dataset: tf.data.Dataset) -> object:
        read.append(dataset.options().autotune.enabled)
        return iterate(dataset)

    monkeypatch.setattr(tf.data.Dataset, "__iter__", listen)
    ToyProblem(epochs=2).fit(tmp_path)
    assert read == [False, False]
