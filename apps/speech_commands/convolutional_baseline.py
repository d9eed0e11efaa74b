"""A convolutional network for whole clips, to compare with: the same features and clips, about as many parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.config import Config
from runnel.apps.speech_commands.data import SpeechData, log_mel, training_batches, validation_batches
from runnel.datasets.audio.to_float32 import to_float32
from runnel.shared.training.fit_run import choose_checkpoint, fit_run
from runnel.shared.training.run_folder import RunFolder
from runnel.shared.training.variables import load_weights

__all__ = ["build_baseline", "train_baseline"]

_WIDTH = 8  # the number of filters is a multiple of it
_ROWS = 128  # clips that are classified at once


def build_baseline(data: SpeechData, bands: int, dropout: float, parameters: int) -> keras.Model:
    """Builds three convolutions with pooling between them, the mean over time and bands, and a linear classifier.

    Args:
        data: for labels and statistics.
        bands: F.
        dropout: share of the means that is dropped.
        parameters: about as many as it gets.

    Returns:
        A functional model from features float32 [B, M, F] to logits [B, C].
    """
    # 5 * 5 * w + 3 * 3 * w * 2w + 3 * 3 * 2w * 3w of the convolutions outweigh the rest.
    width = max(1, round((parameters / 72) ** 0.5 / _WIDTH)) * _WIDTH
    variance = [value**2 for value in data.feature_scale]
    features = keras.Input((None, bands), name="features")
    hidden = keras.layers.Normalization(mean=list(data.feature_mean), variance=variance)(features)[..., None]
    for factor in (1, 2, 3):
        hidden = keras.layers.Conv2D(factor * width, 5 if factor == 1 else 3, padding="same", use_bias=False)(hidden)
        hidden = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.95)(hidden))
        hidden = keras.layers.MaxPooling2D()(hidden) if factor < 3 else hidden
    pooled = keras.layers.Dropout(dropout)(keras.layers.GlobalAveragePooling2D()(hidden))
    return keras.Model(features, keras.layers.Dense(len(data.labels))(pooled), name="convolutional_baseline")


def train_baseline(
    data: SpeechData, config: Config, run: RunFolder, parameters: int, say: Callable[[str], None]
) -> Callable[[Sequence[np.ndarray]], np.ndarray] | None:
    """Trains the baseline on windows of one clip each, augmented as for the recogniser, or goes on with that.

    Args:
        data: the recordings.
        config: the options.
        run: gets a folder `baseline` with checkpoints and log.
        parameters: of the recogniser.
        say: called with each line for the user.

    Returns:
        a function from clips, int16 [N] each, to their classes int [clips]; None where there is to be no baseline.
    """
    if not config.advanced.baseline_epochs:
        return None
    advanced = replace(
        config.advanced,
        slots=1,
        batch_size=config.advanced.batch_size * config.advanced.slots,
        epochs=config.advanced.baseline_epochs,
        patience=config.advanced.baseline_epochs,
        averaging=0.0,  # the statistics of the normalisation are those of the weights as they are
    )
    config = replace(config, advanced=advanced)
    run = replace(run, path=run.path / "baseline")
    run.path.mkdir(exist_ok=True)
    say("training a convolutional network to compare with")
    keras.utils.set_random_seed(advanced.seed)
    network = build_baseline(data, advanced.bands, advanced.dropout, parameters)
    batches, steps = training_batches(data, config)
    validation = validation_batches(data, config)
    validation_loss = tf.function(lambda batch: _loss(network, batch, training=False)[0], autograph=False)
    fit_run(
        network,
        run,
        advanced,
        say,
        steps_per_epoch=steps,
        loss=lambda batch: _loss(network, batch, training=True),
        batches=batches,
        validate=lambda: {"loss": float(np.mean([validation_loss(batch) for batch in validation]))},
    )
    load_weights(network, choose_checkpoint(run, "best", say), averaged=False)
    return lambda clips: _classify(network, clips, config)


def _loss(
    network: keras.Model, batch: Mapping[str, tf.Tensor], training: bool
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Nats a window; its class is the one word in it, or silence."""
    logits = network(batch["features"], training=training)
    silence = logits.shape[-1] - 1
    (word,) = tf.unstack(batch["words"], axis=1)
    classes = tf.where(word < 0, silence, word)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)), {}


def _classify(network: keras.Model, clips: Sequence[np.ndarray], config: Config) -> np.ndarray:
    """The most probable class of each clip, cut or filled with silence to the length of the windows."""
    features, size = log_mel(config), round(config.advanced.slot_seconds * 16_000)
    classes = []
    for begin in range(0, len(clips), _ROWS):
        waveform = np.zeros([len(clips[begin : begin + _ROWS]), size], np.float32)
        for row, clip in zip(waveform, clips[begin : begin + _ROWS], strict=True):
            row[: len(clip)] = to_float32(clip[:size])
        state = features.initial_state(len(waveform))
        frames, *_ = features.step(tf.constant(waveform), tf.fill([len(waveform)], size), state)
        classes.append(np.argmax(network(frames, training=False), axis=1))
    return np.concatenate(classes)
