"""Trains the recogniser: data, network, training, thresholds, evaluation, and one verified export."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.config import Advanced, Config
from runnel.apps.speech_commands.convolutional_baseline import train_baseline
from runnel.apps.speech_commands.data import FITTED, SpeechData, load_data, training_batches, validation_batches
from runnel.apps.speech_commands.evaluate import evaluate, verdicts
from runnel.apps.speech_commands.losses import frame_loss, word_loss
from runnel.apps.speech_commands.model import OUTPUT_LAYER, build_model
from runnel.apps.speech_commands.report import build_report
from runnel.apps.speech_commands.streaming import build_probe, build_stream, describe_meanings
from runnel.apps.speech_commands.thresholds import fit_thresholds
from runnel.datasets.audio.read_speech_dataset import BUILDER_NAMES
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.shared.export.signatures import build_servable
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.training.application import (
    Application,
    Loaded,
    MeasuredModel,
    Say,
    export_application,
    train_application,
)
from runnel.shared.training.fit_run import WhichCheckpoint, choose_checkpoint, fit_run, start_from_export
from runnel.shared.training.run_folder import RunFolder
from runnel.shared.training.variables import load_weights

__all__ = ["export", "main", "measure", "train", "train_network"]

APPLICATION = "speech_commands"


def train(config: Config, out: Path | None, say: Say, now: datetime) -> RunFolder:
    """Trains, evaluates, exports and verifies; goes on with an unfinished run.

    Args:
        config: the options.
        out: the run folder to start or to go on with; a new one by default.
        say: called with each line for the user.
        now: the time, which names a new run folder.

    Raises:
        InputError: bad input or options.
        ExportError: the export did not pass its verification.
        KeyboardInterrupt: on Ctrl-C, once the run can be gone on with.
    """
    return train_application(_application(), config, out, say, now)


def export(run_folder: Path, checkpoint: WhichCheckpoint, say: Say) -> RunFolder:
    """Evaluates and exports a checkpoint of a run, finished or not.

    Raises:
        InputError: the folder holds no run of this application, or no checkpoint yet, or what it learned from has
            changed.
        ExportError: the export did not pass its verification.
    """
    return export_application(_application(), run_folder, checkpoint, say)


def train_network(data: SpeechData, config: Config, run: RunFolder, say: Say) -> None:
    """Trains the network of a run from where its checkpoints stand."""
    advanced = config.advanced
    keras.utils.set_random_seed(advanced.seed)
    network = build_model(config, len(data.labels), data.feature_mean, data.feature_scale)
    start_from_export(network, config.init_from)
    batches, steps = training_batches(data, config)
    carried = {
        name: tf.Variable(value, trainable=False)
        for name, value in initial_state(network.layers, advanced.batch_size).items()
    }
    fit_run(
        network,
        run,
        advanced,
        say,
        steps_per_epoch=steps,
        loss=lambda batch: (_carried_loss(network, batch, carried, advanced, training=True), {}),
        batches=batches,
        validate=_validation(network, data, config),
        carried=carried,
        optimizer=advanced.optimizer,
        output_layers=[OUTPUT_LAYER],
    )


def _carried_loss(
    network: keras.Model,
    batch: Mapping[str, tf.Tensor],
    carried: Mapping[str, tf.Variable],
    advanced: Advanced,
    training: bool,
) -> tf.Tensor:
    """The loss of a window whose streams go on from the window before it, but for those that begin anew."""
    state = {
        name: tf.where(tf.reshape(batch["fresh"], [-1, *[1] * (len(variable.shape) - 1)]), 0.0, variable)
        for name, variable in carried.items()
    }
    outputs, state = network({"features": batch["features"], "mask": None, "state": state}, training=training)
    for name, variable in carried.items():
        variable.assign(state[name])
    logits = outputs["logits"]
    by_word = word_loss(logits, batch["words"], batch["segment"])
    by_frame = frame_loss(logits, batch["targets"], advanced.confusion_weight)
    return by_frame + advanced.word_weight * by_word


def _validation(network: keras.Model, data: SpeechData, config: Config) -> Callable[[], dict[str, float]]:
    """Scores the network on streams of the validation split."""
    advanced, batches = config.advanced, validation_batches(data, config)
    carried = {name: tf.Variable(value) for name, value in initial_state(network.layers, advanced.batch_size).items()}
    loss = tf.function(lambda batch: _carried_loss(network, batch, carried, advanced, training=False), autograph=False)

    def validate() -> dict[str, float]:
        for variable in carried.values():
            variable.assign(tf.zeros_like(variable))
        return {"loss": float(np.mean([loss(batch) for batch in batches]))}

    return validate


def _application() -> Application[Config, SpeechData]:
    """What the shared driver of training and export asks of this application."""
    return Application(
        name=APPLICATION,
        config_type=Config,
        fitted=FITTED,
        is_dataset=lambda source: is_dataset_name(source, BUILDER_NAMES),
        load=_load,
        train_network=train_network,
        measure=measure,
    )


def _load(config: Config, fitted: Mapping[str, Any]) -> Loaded[Config, SpeechData]:
    data = load_data(config, fitted)
    corpus = data.corpus
    clips = len(corpus.splits["train"].labels)
    summary = f": {clips:,} clips, {len(data.labels)} labels"
    return Loaded(data, config, corpus.fingerprint, corpus.notes, summary)


def measure(run: RunFolder, data: SpeechData, config: Config, which: WhichCheckpoint, say: Say) -> MeasuredModel:
    """The network of a checkpoint as it will be exported, and what the test split says about it."""
    checkpoint = choose_checkpoint(run, which, say)
    network = build_model(config, len(data.labels), data.feature_mean, data.feature_scale, use_cudnn=False)
    load_weights(network, checkpoint, averaged=config.advanced.averaging > 0)
    silent = build_servable(build_stream(network, data, config, [np.inf] * len(data.labels))).module
    say(f"choosing thresholds on {config.advanced.validation_hours:g} hours of continuous audio")
    thresholds = fit_thresholds(silent, data, config)
    stream = build_stream(network, data, config, thresholds)
    servable = build_servable(stream)
    baseline = train_baseline(data, config, run, network.count_params(), say)
    say(f"evaluating on {config.advanced.evaluation_hours:g} hours of continuous audio and the clips of the test split")
    evaluation = evaluate(servable.module, stream.detector, data, config, baseline)
    return MeasuredModel(
        servable=servable,
        network=network,
        probe=build_probe(data),
        meanings=describe_meanings(data, config, thresholds),
        metrics=evaluation.metrics,
        verdicts=verdicts(evaluation.metrics),
        report=lambda history: build_report(evaluation, data, config, history),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The same as `runnel train speech_commands`."""
    from runnel.apps.cli import main as command_line

    return command_line(["train", APPLICATION, *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
