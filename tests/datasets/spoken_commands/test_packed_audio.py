import warnings

import numpy as np
import pytest
import tensorflow_datasets as tfds

from runnel.datasets.spoken_commands.packed_audio import PackedAudio


@pytest.mark.parametrize("samples", [[], [0], [1, -2, 32_767, -32_768]])
def test_round_trip(samples):
    features = tfds.features.FeaturesDict({"audio": PackedAudio(16_000)})
    samples = np.array(samples, np.int16)
    serialized = features.serialize_example({"audio": samples})
    decoded = features.deserialize_example(serialized)["audio"].numpy()
    np.testing.assert_array_equal(decoded, samples)
    assert decoded.dtype == np.int16
    np.testing.assert_array_equal(features.deserialize_example_np(serialized)["audio"], samples)


def test_two_bytes_a_sample():
    feature = PackedAudio(16_000)
    features = tfds.features.FeaturesDict({"audio": feature})
    noise = np.random.default_rng(0).integers(-32_768, 32_768, 10_000).astype(np.int16)
    assert 20_000 <= len(features.serialize_example({"audio": noise})) < 20_100


def test_no_other_type_is_taken():
    with pytest.raises(ValueError, match="int64"):
        PackedAudio(16_000).encode_example(np.zeros(3, np.int64))


def test_stored_beside_the_data(tmp_path):
    tfds.features.FeaturesDict({"audio": PackedAudio(8_000)}).save_config(tmp_path)
    read = tfds.features.FeaturesDict.from_config(tmp_path)["audio"]
    assert isinstance(read, PackedAudio)
    assert read.sample_rate == 8_000


def test_the_type_is_told_without_a_warning(caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert PackedAudio(16_000).dtype == np.int16
    assert not caplog.records
