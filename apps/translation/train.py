"""Trains the translation model: data, network, training, evaluation, and one verified export."""

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.translation.config import Config
from runnel.apps.translation.data import TranslationData, load_data, training_batches, validation_batches
from runnel.apps.translation.evaluate import evaluate, verdicts
from runnel.apps.translation.losses import right_share, smoothed_cross_entropy
from runnel.apps.translation.model import build_model, start_state
from runnel.apps.translation.report import build_report
from runnel.apps.translation.streaming import build_probe, build_stream, describe_meanings
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.pairs.read_pair_dataset import BUILDER_NAMES
from runnel.shared.export.signatures import build_servable
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

APPLICATION = "translation"


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


def train_network(data: TranslationData, config: Config, run: RunFolder, say: Say) -> None:
    """Trains the network of a run from where its checkpoints stand."""
    advanced = config.advanced
    keras.utils.set_random_seed(advanced.seed)
    network = build_model(config, data.tokenizer.size)
    start_from_export(network, config.init_from)
    batches, steps = training_batches(data, config)
    fit_run(
        network,
        run,
        advanced,
        say,
        steps_per_epoch=steps,
        loss=lambda batch: (_loss(network, batch, config)[0], {}),
        batches=batches,
        validate=_validation(network, data, config),
    )


def _loss(network: keras.Model, batch: Mapping[str, tf.Tensor], config: Config) -> tuple[tf.Tensor, tf.Tensor]:
    """Nats a subword of a batch of the training, smoothed and plain."""
    context = _context(network, batch, config, training=True)
    smoothing = config.advanced.label_smoothing
    return smoothed_cross_entropy(network, context, batch["targets"], batch["target_mask"], smoothing)


def _context(network: keras.Model, batch: Mapping[str, tf.Tensor], config: Config, training: bool) -> tf.Tensor:
    """What the logits of the targets are made from, [B, T, E]."""
    names = (
        "source_ids",
        "source_mask",
        "target_ids",
        "target_mask",
        *(() if config.attention == "none" else ("visible",)),
    )
    inputs = {name: batch[name] for name in names}
    state = start_state(network, tf.shape(batch["source_ids"])[0])
    context: tf.Tensor = network({**inputs, "state": state}, training=training)["context"]
    return context


def _validation(network: keras.Model, data: TranslationData, config: Config) -> Callable[[], dict[str, float]]:
    """Scores the network on the validation split, whole sentences: nats a subword, and the share that is right."""
    batches = validation_batches(data, config)

    @tf.function(input_signature=[batches.element_spec], autograph=False)
    def score(batch: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        context = _context(network, batch, config, training=False)
        asked = (network, context, batch["targets"], batch["target_mask"])
        return smoothed_cross_entropy(*asked, smoothing=0)[1], right_share(*asked)

    def validate() -> dict[str, float]:
        scores = [tuple(map(float, score(batch))) for batch in batches]
        tokens = [int(tf.math.count_nonzero(batch["target_mask"])) for batch in batches]
        loss, accuracy = np.average(scores, axis=0, weights=tokens)
        return {"loss": float(loss), "accuracy": float(accuracy)}

    return validate


def _application() -> Application[Config, TranslationData]:
    """What the shared driver of training and export asks of this application."""
    return Application(
        name=APPLICATION,
        config_type=Config,
        fitted=("vocabulary",),
        is_dataset=lambda source: is_dataset_name(source, BUILDER_NAMES),
        load=_load,
        train_network=train_network,
        measure=measure,
    )


def _load(config: Config, fitted: Mapping[str, Any]) -> Loaded[Config, TranslationData]:
    """The data; what is `fitted` comes from the export to go on from."""
    data = load_data(config, fitted.get("vocabulary"))
    notes = [*data.corpus.notes]
    if data.left_out:
        notes.append(
            f"left out of the training, for a side has no word or more than {config.advanced.longest_sentence} "
            f"subwords: {data.left_out:,} pairs"
        )
    summary = f": {len(data.pairs['train']):,} pairs, {data.tokenizer.size:,} subwords"
    return Loaded(data, config, data.corpus.fingerprint, notes, summary)


def measure(run: RunFolder, data: TranslationData, config: Config, which: WhichCheckpoint, say: Say) -> MeasuredModel:
    """The network of a checkpoint as it will be exported, and what the test split says about it."""
    network = _trained(run, data, config, which, say)
    stream = build_stream(network, data.tokenizer, config)
    servable = build_servable(stream)
    rival = _without_attention(run, data, config, say)
    say("evaluating on the test split")
    evaluation = evaluate(servable.module, data, config, stream.translator, rival)
    return MeasuredModel(
        servable=servable,
        network=network,
        probe=build_probe(data, config),
        meanings=describe_meanings(data, config),
        metrics=evaluation.metrics,
        verdicts=verdicts(evaluation.metrics),
        report=lambda history: build_report(evaluation, data, config, history),
    )


def _trained(run: RunFolder, data: TranslationData, config: Config, which: WhichCheckpoint, say: Say) -> keras.Model:
    """The network of a checkpoint of a run, as it will be exported."""
    checkpoint = choose_checkpoint(run, which, say)
    network = build_model(config, data.tokenizer.size, use_cudnn=False)
    load_weights(network, checkpoint, averaged=config.advanced.averaging > 0)
    return network


def _without_attention(run: RunFolder, data: TranslationData, config: Config, say: Say) -> Any:
    """The module of a network without attention, trained alike to compare with; None where there is to be none."""
    plain = config.without_attention
    if plain is None:
        return None
    inside = dataclasses.replace(run, path=run.path / "without_attention")
    inside.path.mkdir(exist_ok=True)
    say("training a network without attention to compare with")
    train_network(data, plain, inside, say)
    network = _trained(inside, data, plain, "best", say)
    return build_servable(build_stream(network, data.tokenizer, plain)).module


def main(arguments: Sequence[str] | None = None) -> int:
    """The same as `runnel train translation`."""
    from runnel.apps.cli import main as command_line

    return command_line(["train", APPLICATION, *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
