"""Trains the language model: data, network, training, evaluation, and one verified export."""

import contextlib
import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

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
from runnel.shared.errors import InputError
from runnel.shared.evaluation.report import write_report
from runnel.shared.export.export_model import ExportContent, export_model
from runnel.shared.export.load_export import network_file
from runnel.shared.export.manifest import read_manifest
from runnel.shared.export.signatures import build_servable
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.training.checkpoint import CheckpointStore
from runnel.shared.training.history import History
from runnel.shared.training.loop import fit
from runnel.shared.training.optimizer import build_optimizer
from runnel.shared.training.progress import Progress
from runnel.shared.training.run_folder import RunFolder, load_run, open_run
from runnel.shared.training.variables import load_weights

__all__ = ["export", "main", "train", "train_network"]

APPLICATION = "autocomplete"

Say = Callable[[str], None]


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
    data, config, fingerprint = _load(config)
    for note in data.corpus.notes:
        say(note)
    run = open_run(APPLICATION, _asked(config, fingerprint, out), fingerprint, out, Path("runs"), now)
    if run.finished:
        say(f"{run.path} is finished; its export is in {run.export_dir}")
        return run
    say(f"training in {run.path}: {len(data.token_ids['train']):,} tokens, {data.tokenizer.size:,} different ones")
    try:
        train_network(data, config, run, say)
        _export(run, data, config, "best", say)
    except KeyboardInterrupt:
        say(f"stopped; to go on, repeat the command with {run.resume_hint}")
        raise
    run.mark_finished()
    return run


def export(run_folder: Path, checkpoint: Literal["best", "last"], say: Say) -> RunFolder:
    """Evaluates and exports a checkpoint of a run, finished or not.

    Raises:
        InputError: the folder holds no run of this application, or no checkpoint yet, or what it learned from has
            changed.
        ExportError: the export did not pass its verification.
    """
    run = load_run(run_folder)
    config = Config.from_dict(dict(run.config))
    data, config, fingerprint = _load(config)
    if fingerprint != run.data_fingerprint:
        is_same_text = run.data_fingerprint.startswith(data.corpus.fingerprint)
        changed = f"the export in {config.init_from} has" if is_same_text else f"the data in {config.data} have"
        raise InputError(f"{changed} changed since {run_folder} was trained; expected the same as then")
    _export(run, data, config, checkpoint, say)
    return run


def train_network(data: LanguageData, config: Config, run: RunFolder, say: Say) -> None:
    """Trains the network of a run from where its checkpoints stand."""
    advanced = config.advanced
    keras.utils.set_random_seed(advanced.seed)
    network = build_model(config, data.tokenizer.size)
    if config.init_from:
        network.set_weights(keras.models.load_model(Path(config.init_from) / "model.keras").get_weights())
    batches = training_batches(data, config)
    carried = {
        name: tf.Variable(value, trainable=False)
        for name, value in initial_state(network.layers, advanced.batch_size).items()
    }
    steps = advanced.epochs * int(batches(0).cardinality())
    fit(
        model=network,
        optimizer=build_optimizer(
            advanced.learning_rate,
            steps,
            steps // 20,
            advanced.weight_decay,
            clip_norm=1.0,
            averaging=advanced.averaging,
        ),
        loss=lambda batch: _training_loss(network, batch, carried),
        batches=batches,
        validate=_validation(network, data),
        epochs=advanced.epochs,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: _forget(carried)),
            Progress(),
            keras.callbacks.CSVLogger(str(run.log_csv)),
            keras.callbacks.EarlyStopping("val_loss", patience=advanced.patience),
        ],
        store=CheckpointStore(run.checkpoints),
        carried=carried,
        report=say,
    )


def _load(config: Config) -> tuple[LanguageData, Config, str]:
    """The data, the decided options, and the fingerprint of all that the network learns from.

    With `init_from`, shape and vocabulary are those of that export, and the fingerprint says which one it was.
    """
    if config.init_from is None:
        data = load_data(config)
        return data, _with_whole_paths(config), data.corpus.fingerprint
    manifest = read_manifest(Path(config.init_from), APPLICATION)
    network_file(Path(config.init_from), manifest)
    config = Config.from_dict(manifest["config"]).with_training_of(config)
    vocabulary = manifest["meanings"]["vocabulary"]
    data = load_data(config, vocabulary)
    begin = hashlib.sha256(json.dumps([manifest["files"]["model.keras"], vocabulary]).encode()).hexdigest()
    return data, _with_whole_paths(config), f"{data.corpus.fingerprint}, going on from the export {begin}"


def _with_whole_paths(config: Config) -> Config:
    """The options, where the data that were read and the export can be found from any folder."""
    is_name = is_dataset_name(config.data, BUILDER_NAMES)
    return dataclasses.replace(
        config,
        data=config.data if is_name else str(Path(config.data).resolve()),
        init_from=config.init_from and str(Path(config.init_from).resolve()),
    )


def _asked(config: Config, fingerprint: str, out: Path | None) -> dict[str, Any]:
    """The options to compare with those of the run in `out`, if there is one; what is the same may have been moved."""
    options = config.to_dict()
    if out is not None:
        with contextlib.suppress(InputError):
            run = load_run(out)
            if (run.application, run.data_fingerprint) == (APPLICATION, fingerprint):
                options |= {name: run.config[name] for name in ("data", "init_from")}
    return options


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


def _export(run: RunFolder, data: LanguageData, config: Config, which: Literal["best", "last"], say: Say) -> None:
    network = _trained_network(run, data, config, which, say)
    cache = _fit_cache(network, data, config, say)
    servable = build_servable(build_stream(network, data.tokenizer, config, cache.weight))
    plain = build_servable(build_stream(network, data.tokenizer, config, 0.0)) if cache.weight else None
    newest = CheckpointStore(run.checkpoints).latest_valid(say)
    history = History.of(newest).rows if newest else []
    say("evaluating on the test split, key by key")
    evaluation = evaluate(servable.module, data, config, plain.module if plain else None)
    evaluation.metrics["cache"] = dataclasses.asdict(cache)
    for line in verdicts(evaluation.metrics):
        say(line)
    content = ExportContent(
        application=APPLICATION,
        config=config.to_dict(),
        data={"source": Path(config.data).name, "fingerprint": data.corpus.fingerprint},
        meanings=describe_meanings(data, config, cache.weight),
        metrics=evaluation.metrics,
        write_report=lambda path: write_report(build_report(evaluation, data, config, history), path),
    )
    say("exporting and verifying in a clean process")
    export_model(servable, network, build_probe(data), content, run.export_dir)
    say(f"exported to {run.export_dir}")


def _trained_network(
    run: RunFolder, data: LanguageData, config: Config, which: Literal["best", "last"], say: Say
) -> keras.Model:
    """The network of a checkpoint of a run, as it will be exported."""
    store = CheckpointStore(run.checkpoints)
    checkpoint = store.best(say) if which == "best" else store.latest_valid(say)
    if checkpoint is None:
        raise InputError(f"{run.path} holds no {which} checkpoint yet; expected a run that has trained for a while")
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
