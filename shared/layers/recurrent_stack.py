"""A stack of recurrent layers with explicit state: the same weights for whole sequences, chunks and single steps."""

from collections.abc import Callable
from typing import Any, get_args

import keras
import tensorflow as tf
from keras import ops

from runnel.shared.layers.fused_recurrence import Cell, run_recurrence

__all__ = ["Cell", "RecurrentStack"]

State = dict[str, Any]

_LAYERS = {"simple_rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
_STATE_NAMES = {"simple_rnn": ("hidden",), "gru": ("hidden",), "lstm": ("hidden", "cell")}


@keras.saving.register_keras_serializable(package="runnel")
class RecurrentStack(keras.layers.Layer):
    """`depth` recurrent layers, one above the other, that carry their state explicitly.

    Streams: `call` over a sequence, over its chunks in turn, and `step` over its time steps give the same outputs and
    the same final state. The layer keeps nothing between calls.

    Sources: Elman 1990 (`simple_rnn`); Cho et al. 2014, arXiv 1406.1078, with the reset gate applied after the
    recurrent product as cuDNN computes it (`gru`); Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al.
    2000 (`lstm`); Gal & Ghahramani 2016, arXiv 1512.05287 (one dropout mask for all time steps).

    Args:
        cell: `simple_rnn`, `gru` or `lstm`.
        units: U, the width of every layer.
        depth: number of layers.
        dropout: fraction of a layer's inputs dropped from the second layer on, one mask for all time steps of a call.
        residual: adds a layer's input to its output where both have the same width.
        bidirectional: runs a second stack of layers from the last valid position to the first and concatenates the
            outputs, which are then [B, T, 2U]. Cannot stream: there is no `step`.
        use_cudnn: "auto" uses cuDNN on a GPU; False keeps cuDNN operations out of the graph, as an export needs.
            Without cuDNN, training runs through `run_recurrence`.
        jit_compile: whether XLA compiles the loops of that training. It takes about a second a layer for each shape of
            a batch, and makes narrow layers a quarter to a half faster: for batches of one shape, of T above 0.
        prefix: begins the names of the state, which must differ between the stacks of a model.

    Raises:
        ValueError: an unknown cell, or a size that is not positive.
    """

    def __init__(
        self,
        cell: Cell,
        units: int,
        depth: int = 1,
        dropout: float = 0.0,
        residual: bool = False,
        bidirectional: bool = False,
        use_cudnn: bool | str = "auto",
        jit_compile: bool = False,
        prefix: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if cell not in _LAYERS:
            raise ValueError(f"Received cell={cell!r}; expected one of {', '.join(get_args(Cell))}.")
        if units < 1 or depth < 1:
            raise ValueError(f"Received units={units}, depth={depth}; expected both to be at least 1.")
        self.cell, self.units, self.depth, self.dropout = cell, units, depth, dropout
        self.residual, self.bidirectional, self.use_cudnn = residual, bidirectional, use_cudnn
        self.jit_compile, self.prefix = jit_compile, prefix
        self.supports_masking = True
        self.forward_layers = [self._stock_layer(f"forward_{index}") for index in range(depth)]
        self.backward_layers = (
            [self._stock_layer(f"backward_{index}", go_backwards=True) for index in range(depth)]
            if bidirectional
            else []
        )
        self.dropouts = [
            keras.layers.Dropout(dropout, noise_shape=(None, 1, None), dtype=self.dtype_policy, name=f"dropout_{index}")
            for index in range(1, depth)
        ]

    def _stock_layer(self, name: str, go_backwards: bool = False) -> keras.layers.Layer:
        # SimpleRNN has no cuDNN kernel and no such argument.
        cudnn = {} if self.cell == "simple_rnn" else {"use_cudnn": self.use_cudnn}
        return _LAYERS[self.cell](
            self.units,
            return_sequences=True,
            return_state=True,
            go_backwards=go_backwards,
            dtype=self.dtype_policy,
            name=name,
            **cudnn,
        )

    @property
    def output_width(self) -> int:
        """Width of the outputs: U, or 2U when bidirectional."""
        return 2 * self.units if self.bidirectional else self.units

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch dimension, of the state: `hidden_0`, `cell_0`, ... bottom layer first."""
        directions = ("", "backward_") if self.bidirectional else ("",)
        return {
            f"{self.prefix}{direction}{name}_{index}": (self.units,)
            for direction in directions
            for index in range(self.depth)
            for name in _STATE_NAMES[self.cell]
        }

    def initial_state(self, batch_size: Any) -> State:
        """Zeros for every entry of `state_shapes`, [batch_size, U] each."""
        return {
            name: ops.zeros((batch_size, *shape), dtype=self.compute_dtype) for name, shape in self.state_shapes.items()
        }

    def build(self, inputs_shape: tuple, **_: Any) -> None:
        """Creates the weights for inputs of [B, T, F]."""
        width = inputs_shape[-1]
        for index in range(self.depth):
            for layer in (self.forward_layers[index], *self.backward_layers[index : index + 1]):
                layer.build((None, None, width))
                layer.cell.built = True
            width = self.output_width

    def call(
        self, inputs: Any, mask: Any = None, initial_state: State | None = None, training: bool | None = None
    ) -> tuple[Any, State]:
        """Runs over a sequence or a chunk of one.

        Args:
            inputs: [B, T, F]; T may be 0. Values at invalid positions are ignored, NaN included.
            mask: bool [B, T], True at valid positions; on a GPU they must come first in each row. A row may have none.
            initial_state: the state to start from (see `state_shapes`); zeros by default.
            training: whether dropout is active.

        Returns:
            outputs [B, T, U] (2U when bidirectional), zeros at invalid positions; and the state after the last valid
            position of each row, the initial one where a row has none.
        """
        state = self.initial_state(ops.shape(inputs)[0]) if initial_state is None else initial_state
        if inputs.shape[1] == 1 and not self.bidirectional:
            return self._run_single_step(inputs, mask, state, training)

        def run(index: int, layer_inputs: Any) -> tuple[Any, State]:
            before = self._layer_state(state, index)
            outputs, final_state = self._run_layer(self.forward_layers[index], layer_inputs, mask, before, training)
            named = self._named_state(index, final_state)
            if not self.bidirectional:
                return outputs, named
            before = self._layer_state(state, index, "backward_")
            backward, final_state = self._run_layer(self.backward_layers[index], layer_inputs, mask, before, training)
            named |= self._named_state(index, final_state, "backward_")
            return ops.concatenate([outputs, ops.flip(backward, axis=1)], axis=-1), named

        outputs, final_state = self._through_layers(_zero_invalid(inputs, mask), run, training)
        return _zero_invalid(outputs, mask), {name: final_state[name] for name in self.state_shapes}

    def step(self, inputs_t: Any, state: State, mask: Any = None) -> tuple[Any, State]:
        """Runs one time step from the same weights, without a loop and without dropout.

        Args:
            inputs_t: [B, F].
            state: the state before this step.
            mask: bool [B]; rows with False give zeros and keep their state.

        Returns:
            outputs [B, U] and the state after this step.

        Raises:
            ValueError: the stack is bidirectional.
        """
        if self.bidirectional:
            raise ValueError("A bidirectional stack needs the whole sequence; it has no step.")
        outputs, state = self.call(inputs_t[:, None, :], None if mask is None else mask[:, None], state, training=False)
        return outputs[:, 0], state

    def _run_layer(
        self, layer: keras.layers.Layer, inputs: Any, mask: Any, state: list[Any], training: bool | None
    ) -> tuple[Any, Any]:
        if not training or _uses_cudnn(layer):
            return _run_stock_layer(layer, inputs, mask, state)
        if layer.go_backwards:
            inputs, mask = ops.flip(inputs, axis=1), None if mask is None else ops.flip(mask, axis=1)
        variables = (layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias)
        weights = [ops.cast(variable, layer.compute_dtype) for variable in variables]
        return run_recurrence(self.cell, inputs, mask, state, weights, self.jit_compile)

    def _run_single_step(self, inputs: Any, mask: Any, state: State, training: bool | None) -> tuple[Any, State]:
        def run(index: int, layer_inputs: Any) -> tuple[Any, State]:
            before = self._layer_state(state, index)
            outputs, after = self.forward_layers[index].cell(layer_inputs[:, 0], before, training=training)
            if mask is not None:
                after = [ops.where(mask, new, old) for new, old in zip(after, before, strict=True)]
            return outputs[:, None], self._named_state(index, after)

        outputs, final_state = self._through_layers(_zero_invalid(inputs, mask), run, training)
        return _zero_invalid(outputs, mask), final_state

    def _through_layers(
        self, inputs: Any, run: Callable[[int, Any], tuple[Any, State]], training: bool | None
    ) -> tuple[Any, State]:
        outputs, final_state = inputs, State()
        for index in range(self.depth):
            layer_inputs = self.dropouts[index - 1](outputs, training=training) if index else outputs
            layer_outputs, layer_state = run(index, layer_inputs)
            if self.residual and outputs.shape[-1] == layer_outputs.shape[-1]:
                layer_outputs = layer_outputs + outputs
            outputs, final_state = layer_outputs, final_state | layer_state
        return outputs, final_state

    def _layer_state(self, state: State, index: int, direction: str = "") -> list[Any]:
        return [state[f"{self.prefix}{direction}{name}_{index}"] for name in _STATE_NAMES[self.cell]]

    def _named_state(self, index: int, values: Any, direction: str = "") -> State:
        names = (f"{self.prefix}{direction}{name}_{index}" for name in _STATE_NAMES[self.cell])
        return dict(zip(names, values, strict=True))

    def compute_mask(self, *_: Any, **__: Any) -> None:
        """Masks are passed explicitly: nothing is attached to the outputs."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("cell", "units", "depth", "dropout", "residual", "bidirectional", "use_cudnn", "jit_compile", "prefix")
        return super().get_config() | {name: getattr(self, name) for name in names}


def _zero_invalid(values: Any, mask: Any) -> Any:
    """Zeros at invalid positions: a NaN under the mask would otherwise make every gradient NaN."""
    return values if mask is None else ops.where(mask[..., None], values, ops.zeros_like(values))


def _uses_cudnn(layer: keras.layers.Layer) -> bool:
    use_cudnn = getattr(layer, "use_cudnn", False)
    return use_cudnn is True or (use_cudnn == "auto" and bool(tf.config.list_logical_devices("GPU")))


def _run_stock_layer(layer: keras.layers.Layer, inputs: Any, mask: Any, state: list[Any]) -> tuple[Any, list[Any]]:
    """Runs a stock layer, which can neither take zero time steps nor, with cuDNN, a row without a valid position.

    One padding step stands in for zero time steps, and the first position counts as valid where a row has no valid
    one; what they did to the outputs and the state is dropped.
    """
    length = tf.shape(inputs)[1]
    padding = 0 if inputs.shape[1] else tf.cast(length == 0, tf.int32)
    padded = tf.ensure_shape(tf.pad(inputs, [[0, 0], [0, padding], [0, 0]]), [*inputs.shape[:1], None, inputs.shape[2]])
    if mask is None:
        outputs, *final = layer(padded, initial_state=state)
        has_steps = length > 0
    else:
        mask = tf.pad(mask, [[0, 0], [0, padding]])
        has_steps = tf.reduce_any(mask, axis=1, keepdims=True)  # [B, 1]
        is_first = tf.range(tf.shape(mask)[1]) == 0
        outputs, *final = layer(padded, initial_state=state, mask=mask | (is_first & ~has_steps))
    return outputs[:, :length], [tf.where(has_steps, new, old) for new, old in zip(final, state, strict=True)]
