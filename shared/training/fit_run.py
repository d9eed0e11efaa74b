"""Trains a network in a run folder, as every application does, and finds what the training left there."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias

import keras
import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.training.checkpoint import Checkpoint, CheckpointStore
from runnel.shared.training.loop import fit
from runnel.shared.training.optimizer import OptimizerName, build_optimizer
from runnel.shared.training.progress import Progress
from runnel.shared.training.run_folder import RunFolder
from runnel.shared.training.train_step import Loss

__all__ = ["TrainingOptions", "WhichCheckpoint", "choose_checkpoint", "fit_run", "start_from_export"]

WhichCheckpoint: TypeAlias = Literal["best", "last"]


class TrainingOptions(Protocol):
    """The options of training that every application has."""

    @property
    def epochs(self) -> int:
        """Rounds of training, each followed by a validation."""

    @property
    def learning_rate(self) -> float:
        """Peak of the warm-up and cosine decay."""

    @property
    def weight_decay(self) -> float:
        """Decoupled, as a fraction per step of the learning rate."""

    @property
    def averaging(self) -> float:
        """Momentum of the averaged weights; 0 turns averaging off."""

    @property
    def patience(self) -> int:
        """Rounds without a better validation loss before training stops."""


def start_from_export(network: keras.Model, init_from: str | None) -> None:
    """Gives a network the weights of an export of the same shape; without an export it stays as it is."""
    if init_from:
        network.set_weights(keras.models.load_model(Path(init_from) / "model.keras").get_weights())


def fit_run(
    network: keras.Model,
    run: RunFolder,
    options: TrainingOptions,
    say: Callable[[str], None],
    *,
    steps_per_epoch: int,
    loss: Loss,
    batches: Callable[[int], tf.data.Dataset],
    validate: Callable[[], Mapping[str, float]],
    carried: Mapping[str, tf.Variable] = MappingProxyType({}),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    optimizer: OptimizerName = "adamw",
    output_layers: Sequence[str] = (),
) -> None:
    """Trains a network from where the checkpoints of its run stand.

    Args:
        network: built with a seed.
        run: gets the checkpoints and the log.
        options: how long, and how fast; the first twentieth of all steps warms up.
        say: called with a line about where the run goes on.
        steps_per_epoch: batches in an epoch.
        loss: of a batch, as for `fit`.
        batches: of an epoch, as for `fit`.
        validate: scores the network, as for `fit`; `loss` among its names makes an epoch the best.
        carried: variables that `loss` carries from batch to batch, as for `fit`.
        callbacks: what this application needs besides progress, log and early stopping; called before those.
        optimizer: which one, as for `build_optimizer`.
        output_layers: likewise.

    Raises:
        InputError: the training diverged, there is no batch, or the checkpoint is of another network.
        KeyboardInterrupt: on Ctrl-C, after a checkpoint has been written.
    """
    steps = options.epochs * steps_per_epoch
    fit(
        model=network,
        optimizer=build_optimizer(
            options.learning_rate,
            steps,
            steps // 20,
            options.weight_decay,
            clip_norm=1.0,
            averaging=options.averaging,
            name=optimizer,
            output_layers=output_layers,
        ),
        loss=loss,
        batches=batches,
        validate=validate,
        epochs=options.epochs,
        callbacks=[
            *callbacks,
            Progress(),
            keras.callbacks.CSVLogger(str(run.log_csv)),
            keras.callbacks.EarlyStopping("val_loss", patience=options.patience),
        ],
        store=CheckpointStore(run.checkpoints),
        carried=carried,
        report=say,
    )


def choose_checkpoint(run: RunFolder, which: WhichCheckpoint, say: Callable[[str], None]) -> Checkpoint:
    """The checkpoint of a run to export: the one with the best validation loss, or the newest.

    Raises:
        InputError: the run has none yet.
    """
    store = CheckpointStore(run.checkpoints)
    checkpoint = store.best(say) if which == "best" else store.latest_valid(say)
    if checkpoint is None:
        raise InputError(f"{run.path} holds no {which} checkpoint yet; expected a run that has trained for a while")
    return checkpoint
