import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.builders.read_splits import read_splits


class SplitNumbers(tfds.core.GeneratorBasedBuilder):
    """Two numbers an example, in three splits and one more."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)
    SPLITS = {"extra": 1, "test": 2, "train": 3}  # noqa: RUF012

    def _info(self):
        features = tfds.features.FeaturesDict({"one": np.int64, "minus": np.int64})
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(size) for split, size in self.SPLITS.items()}

    def _generate_examples(self, size):
        for index in range(size):
            yield index, {"one": index, "minus": -index}


class OtherNames(SplitNumbers):
    """Splits of other names."""

    SPLITS = {"right": 2, "left": 1}  # noqa: RUF012


def read(builder_class, folder, features=None):
    builder = builder_class(data_dir=folder)
    builder.download_and_prepare()
    splits = read_splits("numbers", builder, features)
    return {split: {name: values.tolist() for name, values in part.items()} for split, part in splits.items()}


def test_the_usual_splits_in_their_order(tmp_path):
    splits = read(SplitNumbers, tmp_path)
    assert splits == {"train": {"one": [0, 1, 2], "minus": [0, -1, -2]}, "test": {"one": [0, 1], "minus": [0, -1]}}
    assert list(splits) == ["train", "test"]


def test_all_splits_where_none_has_a_usual_name(tmp_path):
    assert list(read(OtherNames, tmp_path)) == ["left", "right"]


def test_some_features(tmp_path):
    assert read(SplitNumbers, tmp_path, ["minus"]) == {"train": {"minus": [0, -1, -2]}, "test": {"minus": [0, -1]}}
