"""What an application exports: raw input in, results and an explicit state out."""

import abc
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from runnel.shared.layers.trace_ahead import trace_ahead

__all__ = ["Signature", "StreamModel", "Tensors"]

Tensors = dict[str, tf.Tensor]


@dataclass(frozen=True)
class Signature:
    """A function that a client may call.

    Attributes:
        inputs: what it takes besides the state, in the order a client would name them.
        function: maps {input: tensor} to results {name: tensor}; with `carries_state`, (inputs, state) to (results,
            state with the same names, shapes and dtypes).
        carries_state: whether it takes and gives the state, as `step` does.
    """

    inputs: dict[str, tf.TensorSpec]
    function: Callable[..., Any]
    carries_state: bool = False


class StreamModel(tf.Module, abc.ABC):
    """An application's model as a client sees it. Nothing is kept between calls.

    `step` over the pieces of an input, starting from `initial_state`, ends with the results that `serve` gives for the
    whole; the results of a stream are the concatenation of its pieces' results along the axes that grow.

    Everything inside is TensorFlow: the same functions run in-process and in the exported graph.
    """

    @property
    @abc.abstractmethod
    def step_inputs(self) -> dict[str, tf.TensorSpec]:
        """Inputs of `step` besides the state, in the order a client would name them."""

    @property
    @abc.abstractmethod
    def serve_inputs(self) -> dict[str, tf.TensorSpec]:
        """Inputs of `serve`."""

    @property
    def extra_signatures(self) -> dict[str, Signature]:
        """What an application offers besides `initial_state`, `step` and `serving_default`: {name: signature}."""
        return {}

    @abc.abstractmethod
    def initial_state(self, batch_size: Any) -> Tensors:
        """The state before any input, a flat dict of numeric tensors with the batch first.

        Args:
            batch_size: int32 scalar.
        """

    @property
    def state_specs(self) -> dict[str, tf.TensorSpec]:
        """Shapes and dtypes of the state, the batch unknown."""
        return {
            name: tf.TensorSpec([None, *value.shape[1:]], value.dtype) for name, value in self.initial_state(1).items()
        }

    @functools.cached_property
    def traced_step(self) -> Any:
        """`step` as a function of the graph: signatures that call it share it, so that an export holds it once."""
        return trace_ahead(self.step, self.step_inputs, self.state_specs)

    def step_from_start(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """The results of `step` for a whole input at once."""
        batch_size = tf.shape(next(iter(inputs.values())))[0]
        results: Tensors = self.traced_step(dict(inputs), self.initial_state(batch_size))[0]
        return results

    @abc.abstractmethod
    def step(self, inputs: Mapping[str, tf.Tensor], state: Tensors) -> tuple[Tensors, Tensors]:
        """Takes the next piece of input.

        Args:
            inputs: one tensor for each of `step_inputs`.
            state: what `initial_state` or the step before gave.

        Returns:
            results, and the state with the same names, shapes and dtypes.
        """

    @abc.abstractmethod
    def serve(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Takes a whole input, one tensor for each of `serve_inputs`, and gives the results in the user's terms."""
