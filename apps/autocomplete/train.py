"""Trains the language model: data, network, training, evaluation, and one verified export."""

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import LanguageData, load_data, training_batches
from runnel.apps.autocomplete.evaluate import evaluate, verdicts
from runnel.apps.autocomplete.model import build_model
from runnel.apps.autocomplete.report import build_report
from runnel.apps.autocomplete.streaming import build_probe, build_stream, describe_meanings
from runnel.apps.autocomplete.token_losses import CacheFit, cross_entropy, fit_cache, token_losses
from runnel.datasets.builders.open_builder import is_dataset_name
from runnel.datasets.text.read_text_dataset import BUILDER_NAMES
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

__all__ = ["export", "main", "train", "train_network"]

APPLICATION = "autocomplete"


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


def train_network(data: LanguageData, config: Config, run: RunFolder, say: Say) -> None:
    """Trains the network of a run from where its checkpoints stand."""
    advanced = config.advanced
    keras.utils.set_random_seed(advanced.seed)
    network = build_model(config, data.tokenizer.size)
    start_from_export(network, config.init_from)
    batches = training_batches(data, config)
    carried = {
        name: tf.Variable(value, trainable=False)
        for name, value in initial_state(network.layers, advanced.batch_size).items()
    }
    fit_run(
        network,
        run,
        advanced,
        say,
        steps_per_epoch=int(batches(0).cardinality()),
        loss=lambda batch: _training_loss(network, batch, carried),
        batches=batches,
        validate=_validation(network, data),
        carried=carried,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: _forget(carried))],
    )


def _application() -> Application[Config, LanguageData]:
    """What the shared driver of training and export asks of this application."""
    return Application(
        name=APPLICATION,
        config_type=Config,
        fitted=("vocabulary",),
        is_dataset=lambda source: is_dataset_name(source, BUILDER_NAMES),
        load=_load,
        train_network=train_network,
        measure=_measure,
    )


def _load(config: Config, fitted: Mapping[str, Any]) -> Loaded[Config, LanguageData]:
    """The data; what is `fitted` comes from the export to go on from."""
    data = load_data(config, fitted.get("vocabulary"))
    summary = f": {len(data.token_ids['train']):,} tokens, {data.tokenizer.size:,} different ones"
    return Loaded(data, config, data.corpus.fingerprint, data.corpus.notes, summary)


def _forget(carried: Mapping[str, tf.Variable]) -> None:
    """An epoch begins at another place of the text: what was before is unknown."""
    for variable in carried.values():
        variable.assign(tf.zeros_like(variable))


def _training_loss(
    network: keras.Model, batch: Mapping[str, tf.Tensor], carried: Mapping[str, tf.Variable]
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Nats a token of a window whose state goes on from the window before it."""
    mask = tf.ones_like(batch["token_ids"], tf.bool)
    state = {name: tf.convert_to_tensor(variable) for name, variable in carried.items()}
    outputs, new_state = network({"token_ids": batch["token_ids"], "mask": mask, "state": state}, training=True)
    for name, variable in carried.items():
        variable.assign(new_state[name])
    return tf.reduce_mean(cross_entropy(network, outputs["context"], batch["targets"])), {}


def _validation(network: keras.Model, data: LanguageData) -> Callable[[], dict[str, float]]:
    """Scores the network on the whole validation split: nats a token, and perplexity."""
    read = token_losses(network, data, "validation")

    def validate() -> dict[str, float]:
        loss = float(np.mean(read()))
        return {"loss": loss, "perplexity": math.exp(min(loss, 700.0))}

    return validate


def _measure(run: RunFolder, data: LanguageData, config: Config, which: WhichCheckpoint, say: Say) -> MeasuredModel:
    """What a checkpoint of a run would export, measured on the test split."""
    network = _trained_network(run, data, config, which, say)
    cache = _fit_cache(network, data, config, say)
    servable = build_servable(build_stream(network, data.tokenizer, config, cache.weight))
    plain = build_servable(build_stream(network, data.tokenizer, config, 0.0)) if cache.weight else None
    say("evaluating on the test split, key by key")
    evaluation = evaluate(servable.module, data, config, plain.module if plain else None)
    evaluation.metrics["cache"] = dataclasses.asdict(cache)
    return MeasuredModel(
        servable=servable,
        network=network,
        probe=build_probe(data),
        meanings=describe_meanings(data, config, cache.weight),
        metrics=evaluation.metrics,
        verdicts=verdicts(evaluation.metrics),
        report=lambda history: build_report(evaluation, data, config, history),
    )


def _trained_network(
    run: RunFolder, data: LanguageData, config: Config, which: WhichCheckpoint, say: Say
) -> keras.Model:
    """The network of a checkpoint of a run, as it will be exported."""
    checkpoint = choose_checkpoint(run, which, say)
    network = build_model(config, data.tokenizer.size, use_cudnn=False)
    load_weights(network, checkpoint, averaged=config.advanced.averaging > 0)
    return network


def _fit_cache(network: keras.Model, data: LanguageData, config: Config, say: Say) -> CacheFit:
    """The cache of the user's latest words, weighed on the validation split; none for characters or with --no-cache."""
    if config.level == "char" or not config.cache:
        return CacheFit(0.0, math.nan, math.nan)
    fitted = fit_cache(network, data, config.advanced.cache_tokens)
    perplexities = (math.exp(loss) for loss in (fitted.loss_without, fitted.loss))
    say(
        "cache of the latest words: weight {}, validation perplexity {:.1f} -> {:.1f}".format(
            fitted.weight, *perplexities
        )
    )
    return fitted


def main(arguments: Sequence[str] | None = None) -> int:
    """The same as `runnel train autocomplete`."""
    from runnel.apps.cli import main as command_line

    return command_line(["train", APPLICATION, *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
