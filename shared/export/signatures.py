"""The exported module: a stream model as named TensorFlow functions."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from runnel.shared.streaming.stream_model import StreamModel, Tensors

__all__ = ["STATE_PREFIX", "Servable", "build_servable", "describe_signatures", "state_specs"]

STATE_PREFIX = "state_"


@dataclass(frozen=True)
class Servable:
    """What is saved, and what can already be called in memory.

    Attributes:
        module: its methods `initial_state`, `step` and `serving_default` stay callable after loading.
        signatures: the traced functions of the same names.
    """

    module: tf.Module
    signatures: dict[str, Any]


def build_servable(stream: StreamModel) -> Servable:
    """Turns a stream model into named functions; the state travels as `state_NAME` in and out of `step`."""

    def initial_state(**inputs: tf.Tensor) -> Tensors:
        return _with_prefix(stream.initial_state(inputs["batch_size"]))

    def step(**inputs: tf.Tensor) -> Tensors:
        state = {name.removeprefix(STATE_PREFIX): v for name, v in inputs.items() if name.startswith(STATE_PREFIX)}
        results, new_state = stream.step({name: inputs[name] for name in stream.step_inputs}, state)
        return results | _with_prefix(new_state)

    def serving_default(**inputs: tf.Tensor) -> Tensors:
        return stream.serve(inputs)

    states = {f"{STATE_PREFIX}{name}": spec for name, spec in state_specs(stream).items()}
    inputs = {
        initial_state: {"batch_size": tf.TensorSpec([], tf.int32, "batch_size")},
        step: {**stream.step_inputs, **states},
        serving_default: stream.serve_inputs,
    }
    module = tf.Module(name="exported")
    module.stream = stream  # keeps variables and tables alive
    signatures = {}
    for function, specs in inputs.items():
        signatures[function.__name__] = tf.function(function, autograph=False).get_concrete_function(**specs)
        # The traced function, not the polymorphic one, which would trace anew for every number of rows it ever gets.
        setattr(module, function.__name__, signatures[function.__name__])
    return Servable(module, signatures)


def state_specs(stream: StreamModel) -> dict[str, tf.TensorSpec]:
    """Names, shapes and dtypes of a stream model's state, the batch dimension unknown."""
    return {
        name: tf.TensorSpec([None, *value.shape[1:]], value.dtype, f"{STATE_PREFIX}{name}")
        for name, value in stream.initial_state(1).items()
    }


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


def _with_prefix(state: Tensors) -> Tensors:
    return {f"{STATE_PREFIX}{name}": value for name, value in state.items()}
