from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from etils import epath

from runnel.datasets.audio.load_speech import load_speech
from runnel.datasets.audio.read_speech_dataset import BUILDER_NAMES, read_speech_dataset
from runnel.shared.errors import InputError

FEATURES = tfds.features
RAMP = np.arange(-800, 800, dtype=np.int16)


class SmallWords(tfds.core.GeneratorBasedBuilder):
    """Clips of two words by seven speakers, of unequal length."""

    VERSION = tfds.core.Version("1.0.0")
    pkg_dir_path = epath.Path(__file__).parent
    code_path = epath.Path(__file__)
    SPLIT_SIZES = {"train": 70}  # noqa: RUF012
    AUDIO = {"sample_rate": 16_000, "dtype": np.int16}  # noqa: RUF012
    OTHERS = {  # noqa: RUF012
        "label": FEATURES.ClassLabel(names=["yes", "no"]),
        "speaker": FEATURES.Text(),
        "remark": FEATURES.Text(),
    }

    def _info(self):
        audio = {"audio": FEATURES.Audio(**self.AUDIO)} if self.AUDIO else {}
        features = FEATURES.FeaturesDict(audio | self.OTHERS)
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split, size) for split, size in self.SPLIT_SIZES.items()}

    def _generate_examples(self, split, size):
        for index in range(size):
            example = {"audio": self._audio(split, index), "label": ["yes", "no"][index % 2], "remark": "None."}
            example |= {"speaker": f"speaker {index % 7}", "emotion": "calm"}
            yield f"{split}{index}", {key: example[key] for key in self.info.features}

    def _audio(self, split, index):
        return RAMP[index:] + len(split)


class WordsWithTest(SmallWords):
    """A test split, but none for validation."""

    SPLIT_SIZES = {"train": 80, "test": 3, "extra": 1}  # noqa: RUF012


class OddlySplitWords(SmallWords):
    """Splits of other names."""

    SPLIT_SIZES = {"left": 40, "right": 30}  # noqa: RUF012


class StereoWords(SmallWords):
    """Two channels of floats at another rate, and speakers by number."""

    AUDIO = {"sample_rate": 8_000, "dtype": np.float32, "shape": (None, 2)}  # noqa: RUF012
    OTHERS = {"word": FEATURES.Text(), "speaker_id": np.int64}  # noqa: RUF012
    SPLIT_SIZES = {"train": 2}  # noqa: RUF012

    def _generate_examples(self, split, size):
        for index in range(size):
            audio = np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1).astype(np.float32)
            yield index, {"audio": audio, "word": "yes", "speaker_id": index}


class WideWords(SmallWords):
    """16-bit samples in 64 bits, as TensorFlow Datasets decodes by default."""

    AUDIO = {"sample_rate": 16_000}  # noqa: RUF012


class TooWideWords(WideWords):
    """Samples of 24 bits."""

    def _audio(self, split, index):
        return RAMP.astype(np.int64) * 256


class NanWords(SmallWords):
    """Samples that are not numbers."""

    AUDIO = {"sample_rate": 16_000, "dtype": np.float32}  # noqa: RUF012

    def _audio(self, split, index):
        return np.full(10, np.nan, np.float32)


class LongWords(SmallWords):
    """A speech under a label of words."""

    def _audio(self, split, index):
        return np.zeros(161_600 if index == 3 else 10, np.int16)


class RatelessWords(SmallWords):
    """No sample rate."""

    AUDIO = {"dtype": np.int16}  # noqa: RUF012


class TensorWords(SmallWords):
    """Samples as a plain tensor, their rate in the metadata, and several texts."""

    def _info(self):
        audio = FEATURES.Tensor(shape=(None,), dtype=np.int16, encoding=FEATURES.Encoding.BYTES)
        features = {"audio": audio, "label": FEATURES.Text(), "speaker": FEATURES.Text(), "remark": FEATURES.Text()}
        metadata = tfds.core.MetadataDict(sample_rate=16_000)
        return tfds.core.DatasetInfo(
            builder=self, features=FEATURES.FeaturesDict(features), disable_shuffling=True, metadata=metadata
        )


class SilentWords(SmallWords):
    """No audio."""

    AUDIO = None


class MoodyWords(SmallWords):
    """Two features that may be the label."""

    OTHERS = {  # noqa: RUF012
        "word": FEATURES.ClassLabel(names=["yes", "no"]),
        "emotion": FEATURES.ClassLabel(names=["calm", "angry"]),
    }

    def _generate_examples(self, split, size):
        yield 0, {"audio": RAMP, "word": "yes", "emotion": "calm"}


def read(name, folder):
    splits = read_speech_dataset(name, folder, notes := [])
    return splits, notes


def refusal(name, folder):
    with pytest.raises(InputError) as caught:
        read(name, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_clips_are_read_as_they_are(prepared):
    splits, notes = read("tfds:small_words", prepared)
    assert list(splits) == ["train"]
    assert notes == []
    clips = splits["train"]
    assert clips.labels == ("yes", "no") * 35
    assert clips.speakers[:8] == tuple(f"speaker {index}" for index in (0, 1, 2, 3, 4, 5, 6, 0))
    for index, waveform in enumerate(clips.waveforms):
        assert waveform.dtype == np.int16
        np.testing.assert_array_equal(waveform, RAMP[index:] + 5)


def test_samples_in_a_plain_tensor(prepared):
    tensors, clips = (read(name, prepared)[0]["train"] for name in ("tfds:tensor_words", "tfds:small_words"))
    assert (tensors.labels, tensors.speakers) == (clips.labels, clips.speakers)
    assert all(map(np.array_equal, tensors.waveforms, clips.waveforms))
    assert read("tfds:tensor_words", prepared)[0]["train"].labels == clips.labels  # Read back, not generated.


def test_integers_of_other_sizes(prepared):
    wide = read("tfds:wide_words", prepared)[0]["train"].waveforms
    assert {waveform.dtype for waveform in wide} == {np.dtype(np.int16)}
    np.testing.assert_array_equal(wide[2], RAMP[2:] + 5)
    assert "clip 0 of train, 'yes', holds values up to 204,800" in refusal("tfds:too_wide_words", prepared)


def test_floats_channels_and_rates(prepared):
    splits, notes = read("tfds:stereo_words", prepared)
    clips = splits["train"]
    assert clips.labels == ("yes", "yes")
    assert clips.speakers == ("0", "1")
    assert [len(waveform) for waveform in clips.waveforms] == [200, 200]
    np.testing.assert_allclose(clips.waveforms[0][80:120], 0.125 * 32768, rtol=0.01)
    assert sorted(notes) == ["2 channels averaged: 2 clips", "resampled from 8,000 to 16,000 Hz: 2 clips"]


def test_splits_of_other_names_are_training_clips(prepared):
    splits, _ = read("tfds:oddly_split_words", prepared)
    assert {split: len(clips.labels) for split, clips in splits.items()} == {"train": 70}


def test_datasets_that_cannot_be_used(prepared):
    assert "has 0 audio features and 1 that may be the label" in refusal("tfds:silent_words", prepared)
    assert "has 1 audio features and 2 that may be the label" in refusal("tfds:moody_words", prepared)
    assert "does not tell the sample rate of 'audio'" in refusal("tfds:rateless_words", prepared)
    assert "clip 0 of train, 'yes', holds NaN or infinity in 10 of 10 samples" in refusal("tfds:nan_words", prepared)
    assert "clip 3 of train, 'no', is 10.1 s long" in refusal("tfds:long_words", prepared)
    message = refusal("tfds:no_such_dataset_anywhere", prepared)
    assert "no dataset that TensorFlow Datasets can open" in message
    assert "spoken_commands" in message


def test_missing_splits_are_cut_from_train_by_speaker(prepared):
    corpus = load_speech("tfds:small_words")
    speakers = [set(clips.speakers) for clips in corpus.splits.values()]
    assert sum(map(len, speakers)) == 7
    assert [len(clips.labels) for clips in corpus.splits.values()] == [50, 10, 10]
    assert corpus.name == "small_words"
    assert corpus.labels == ("no", "yes", "_unknown_", "_silence_")
    assert corpus.notes[:2] == (
        "tfds:small_words has no split for validation and test: taken from its training clips",
        "split by speaker: none of the 7 is in two splits",
    )
    assert load_speech("tfds:small_words").fingerprint == corpus.fingerprint  # Read back, not generated.


def test_a_split_that_is_there_is_taken_as_it_is(prepared):
    corpus = load_speech("tfds:words_with_test")
    assert {split: len(clips.labels) for split, clips in corpus.splits.items()} == {
        "train": 68,  # Seven speakers of 12 or 11 clips: one of them for validation.
        "validation": 12,
        "test": 3,
    }
    np.testing.assert_array_equal(corpus.splits["test"].waveforms[2], RAMP[2:] + 4)
    assert corpus.notes[0].startswith("tfds:words_with_test has no split for validation: ")


def test_our_names_are_not_those_of_tfds():
    for name in BUILDER_NAMES:
        assert not list(Path(tfds.__file__).parent.rglob(f"{name}*"))
