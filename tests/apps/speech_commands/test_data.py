from typing import Any

import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.config import Advanced, Config
from runnel.apps.speech_commands.data import hidden_parts, load_data, log_mel, training_batches, validation_batches

OPTIONS = {"bands": 12, "batch_size": 8, "slots": 2, "slot_seconds": 0.8}


def config(trained: Any, **options: Any) -> Config:
    return Config(data=str(trained.clips), advanced=Advanced(**OPTIONS, **options))


def test_statistics_are_those_of_the_training_windows(trained: Any) -> None:
    asked = config(trained, masks=0)
    data = load_data(asked)
    batches, steps = training_batches(data, asked)
    frames = np.concatenate([batch["features"].numpy().reshape(-1, 12) for batch in batches(0).take(8)])
    np.testing.assert_allclose(data.feature_mean, frames.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(data.feature_scale, frames.std(axis=0), atol=1e-4)
    assert steps == int(batches(0).cardinality())


def test_what_is_hidden_is_the_mean_and_changes_from_epoch_to_epoch(trained: Any) -> None:
    plain, masked = config(trained, masks=0), config(trained, masks=2, mask_frames=10, mask_bands=4)
    data = load_data(plain)
    mean = np.float32(data.feature_mean)
    for epoch in (0, 1):
        for one, two in zip(
            training_batches(data, plain)[0](epoch), training_batches(data, masked)[0](epoch), strict=True
        ):
            changed = one["features"].numpy() != two["features"].numpy()
            assert 0 < changed.mean() < 0.5
            np.testing.assert_array_equal(
                two["features"].numpy()[changed], np.broadcast_to(mean, changed.shape)[changed]
            )
            np.testing.assert_array_equal(one["targets"], two["targets"])


def test_hidden_parts_are_stretches_of_frames_and_bands() -> None:
    advanced = Advanced(masks=1, mask_frames=6, mask_bands=3)
    hidden = hidden_parts(tf.constant([1, 2]), tf.constant([200, 50, 20]), advanced).numpy()
    np.testing.assert_array_equal(hidden, hidden_parts(tf.constant([1, 2]), tf.constant([200, 50, 20]), advanced))
    whole_frames, whole_bands = hidden.all(axis=2), hidden.all(axis=1)  # [B, M], [B, F]
    np.testing.assert_array_equal(hidden, whole_frames[:, :, None] | whole_bands[:, None, :])
    assert whole_frames.sum(axis=1).max() == 6
    assert whole_bands.sum(axis=1).max() == 3
    assert whole_frames.sum(axis=1).min() == whole_bands.sum(axis=1).min() == 0
    starts = np.diff(whole_frames.astype(int), prepend=0, axis=1) == 1
    assert (starts.sum(axis=1) <= 1).all()


def test_validation_is_always_the_same_and_has_other_speakers(trained: Any) -> None:
    asked = config(trained)
    data = load_data(asked)
    splits = data.corpus.splits
    assert set(splits["train"].speakers) & set(splits["validation"].speakers) <= {""}
    assert not validation_batches(data, asked).options().autotune.enabled
    first, second = (list(validation_batches(data, asked)) for _ in range(2))
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one["features"], two["features"])


def test_the_features_are_those_of_the_export(trained: Any) -> None:
    features = log_mel(Config())
    assert (features.sample_rate, features.hop, features.window, features.bands) == (16_000, 320, 640, 40)
