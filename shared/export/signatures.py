"""The exported module: a stream model as named TensorFlow functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from runnel.shared.streaming.stream_model import Signature, StreamModel, Tensors

__all__ = ["STATE_PREFIX", "Servable", "build_servable", "describe_signatures"]

STATE_PREFIX = "state_"


@dataclass(frozen=True)
class Servable:
    """What is saved, and what can already be called in memory.

    Attributes:
        module: its methods, `initial_state`, `step`, `serving_default` and what the stream model has besides, stay
            callable after loading.
        signatures: the traced functions of the same names.
    """

    module: tf.Module
    signatures: dict[str, Any]


def build_servable(stream: StreamModel) -> Servable:
    """Turns a stream model into named functions; the state travels as `state_NAME` in and out of those that carry it.

    Raises:
        ValueError: an extra signature has the name of one that every stream model has, or of a part of the module.
    """
    signatures = {
        "initial_state": Signature(
            {"batch_size": tf.TensorSpec([], tf.int32, "batch_size")}, _initial_state_of(stream)
        ),
        "step": Signature(stream.step_inputs, stream.traced_step, carries_state=True),
        "serving_default": Signature(stream.serve_inputs, stream.serve),
    }
    module = tf.Module(name="exported")
    module.stream = stream  # keeps variables and tables alive
    states = {
        name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in _with_prefix(stream.state_specs).items()
    }
    traced = {}
    for name, signature in (*signatures.items(), *stream.extra_signatures.items()):
        if hasattr(module, name):
            raise ValueError(f"received an extra signature {name!r}; expected a name that is not taken; rename it")
        traced[name] = _trace(name, signature, states)
        # The traced function, not the polymorphic one, which would trace anew for every number of rows it ever gets.
        setattr(module, name, traced[name])
    return Servable(module, traced)


def _initial_state_of(stream: StreamModel) -> Callable[[Tensors], Tensors]:
    return lambda inputs: _with_prefix(stream.initial_state(inputs["batch_size"]))


def _trace(name: str, signature: Signature, states: dict[str, tf.TensorSpec]) -> Any:
    """A signature as a traced function of tensors passed by name, the state's among them."""

    def call(**tensors: tf.Tensor) -> Tensors:
        inputs = {key: tensors[key] for key in signature.inputs}
        if not signature.carries_state:
            return signature.function(inputs)
        results, state = signature.function(inputs, {key.removeprefix(STATE_PREFIX): tensors[key] for key in states})
        return results | _with_prefix(state)

    call.__name__ = name  # what the functions of the graph are called
    specs = signature.inputs | states if signature.carries_state else signature.inputs
    return tf.function(call, autograph=False).get_concrete_function(**specs)


def describe_signatures(signatures: dict[str, Any]) -> dict[str, dict]:
    """{signature: {`inputs`, `outputs`: {name: {`dtype`, `shape` (None where unknown)}}}}, as plain data."""
    return {
        name: {
            "inputs": _describe(function.structured_input_signature[1]),
            "outputs": _describe(function.structured_outputs),
        }
        for name, function in signatures.items()
    }


def _describe(specs: dict[str, tf.TensorSpec]) -> dict[str, dict]:
    return {name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()} for name, spec in sorted(specs.items())}


def _with_prefix(state: dict[str, Any]) -> dict[str, Any]:
    return {f"{STATE_PREFIX}{name}": value for name, value in state.items()}
