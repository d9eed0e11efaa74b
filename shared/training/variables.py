"""The variables of a training as named arrays, and back."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf

from runnel.shared.errors import InputError
from runnel.shared.training.checkpoint import Checkpoint

__all__ = ["Variable", "assign_variables", "load_weights", "name_variables", "read_variables"]

Variable: TypeAlias = keras.Variable | tf.Variable


def name_variables(group: str, variables: Iterable[Variable]) -> dict[str, Variable]:
    """Names variables `GROUP/INDEX`; their own names count the layers of a process and differ between two."""
    return {f"{group}/{index}": variable for index, variable in enumerate(variables)}


def read_variables(variables: Mapping[str, Variable]) -> dict[str, np.ndarray]:
    """Returns the values of named variables."""
    return {name: variable.numpy() for name, variable in variables.items()}


def assign_variables(variables: Mapping[str, Variable], arrays: Mapping[str, np.ndarray]) -> None:
    """Gives named variables the values of the arrays of the same names.

    Raises:
        InputError: If names or shapes differ; no variable has been changed then.
    """
    for name in sorted(variables.keys() | arrays.keys()):
        received = str(arrays[name].shape) if name in arrays else "nothing"
        expected = str(tuple(variables[name].shape)) if name in variables else "nothing"
        if "nothing" in (received, expected) or not _fits(variables[name], arrays[name]):
            raise InputError(
                f"the checkpoint holds {received} for {name}; expected {expected}, as in this model; "
                "use the configuration and the version that wrote the checkpoint, or start a new run"
            )
    for name, variable in variables.items():
        variable.assign(arrays[name])


def load_weights(model: keras.Model, checkpoint: Checkpoint, averaged: bool) -> None:
    """Gives a model the weights of a checkpoint, to evaluate, export or fine-tune.

    Args:
        model: A built model of the architecture that was trained.
        checkpoint: Written by `fit`.
        averaged: Take the averaged weights, which validation and the best checkpoint go by, in place of the raw ones.

    Raises:
        InputError: If the checkpoint is of another architecture.
        ValueError: If `averaged` and the optimizer kept no average.
    """
    arrays = {name: array for name, array in checkpoint.arrays.items() if name.startswith("model/")}
    if averaged:
        averages: dict[str, str] = checkpoint.state["averages"]
        if not averages:
            raise ValueError("received averaged=True for a run without use_ema; expected averaged=False")
        arrays |= {weight: checkpoint.arrays[average] for weight, average in averages.items()}
    assign_variables(name_variables("model", model.variables), arrays)


def _fits(variable: Variable, array: np.ndarray) -> bool:
    return bool(tf.TensorShape(variable.shape).is_compatible_with(array.shape))
