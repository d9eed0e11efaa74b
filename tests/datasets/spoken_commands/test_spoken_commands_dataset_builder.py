import json
import sys
from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds

from runnel.datasets.spoken_commands import spoken_commands_dataset_builder as module
from runnel.datasets.spoken_commands.speak_split import Clip
from runnel.shared.errors import InputError


def dummy_split(split):
    clips = json.loads((module.Builder.pkg_dir_path / "dummy_data" / "clips.json").read_text(encoding="utf-8"))
    for clip in clips[split]:
        yield Clip(**clip | {"audio": np.array(clip["audio"], np.int16)})


def test_builder_on_dummy_data(check_conventions, tmp_path):
    with mock.patch.object(module, "speak_split", dummy_split):
        splits = check_conventions(module.Builder, "spoken_commands", {"train": 3, "validation": 1, "test": 1})
    first, second, third = splits["train"]
    np.testing.assert_array_equal(first["audio"], [0, 1, -1, 32_767, -32_768, 256, 0])
    assert first["audio"].dtype == np.int16
    assert (first["label"], first["speaker"], first["text"]) == (b"yes", b"en-us+f1-000", b"yes")
    assert (second["label"], second["text"]) == (b"_unknown_", b"yesterday")
    assert third["audio"].shape == (0,)
    assert third["speaker"] == b""
    builder = tfds.builder("spoken_commands", data_dir=tmp_path)
    assert builder.info.features["audio"].sample_rate == 16_000


def test_missing_package_says_how_to_install_it(tmp_path):
    builder = module.Builder(data_dir=tmp_path)
    with mock.patch.dict(sys.modules, {"espeakng_loader": None}), pytest.raises(InputError) as caught:
        builder.download_and_prepare()
    assert 'pip install "runnel[demo]"' in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not builder.data_path.exists()
