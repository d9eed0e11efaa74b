"""A convolution over time and frequency that streams: the frames that it still needs are its state."""

from typing import Any

import keras
import tensorflow as tf

__all__ = ["CausalConvolution"]

State = dict[str, Any]


@keras.saving.register_keras_serializable(package="runnel")
class CausalConvolution(keras.layers.Layer):
    """Convolves frames of a spectrum with the frames before them, and neighbouring bands with each other.

    An output frame sees its own input frame and the `kernel[0] - 1` before it, zeros before the first; over the bands
    the convolution is the usual one with zeros on both sides ("same"). Whole sequences, chunks and single frames give
    the same outputs and the same final state. The layer keeps nothing between calls.

    Source: Sainath & Parada 2015, "Convolutional neural networks for small-footprint keyword spotting", the first
    layer, without pooling and made causal.

    Args:
        filters: channels of the output.
        bands: F, bands of the input.
        channels: channels of the input.
        kernel: extent of the kernel in frames and in bands.
        strides: from output to output in frames, which must be 1, and in bands, at most `kernel[1]` and below F.
        activation: as Keras layers take it.

    Attributes:
        output_bands: bands of the output, F / strides[1] rounded up.

    Raises:
        ValueError: a size below 1, or strides that are not as above.
    """

    def __init__(
        self,
        filters: int,
        bands: int,
        channels: int = 1,
        kernel: tuple[int, int] = (5, 8),
        strides: tuple[int, int] = (1, 1),
        activation: Any = "relu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        sizes = {"filters": filters, "bands": bands, "channels": channels, "kernel": min(kernel), "strides": strides[1]}
        if too_small := {name: size for name, size in sizes.items() if size < 1}:
            raise ValueError(f"Received {too_small}; expected all to be at least 1.")
        if strides[0] != 1:
            raise ValueError(f"Received strides={strides}; expected 1 as the first: every frame has its output.")
        # Beyond these bounds oneDNN gives wrong outputs (one output band), and its gradients write where they must not.
        if strides[1] > 1 and not (strides[1] <= kernel[1] and strides[1] < bands):
            raise ValueError(
                f"Received strides={strides}; expected the second to be at most {kernel[1]}, the kernel's width, and "
                f"below {bands}, the bands."
            )
        self.filters, self.bands, self.channels = filters, bands, channels
        self.kernel, self.strides = tuple(kernel), tuple(strides)
        self.supports_masking = True
        self.output_bands = -(-bands // strides[1])
        missing = (self.output_bands - 1) * strides[1] + kernel[1] - bands
        self.padding = (missing // 2, missing - missing // 2)
        self.convolution = keras.layers.Conv2D(
            filters,
            self.kernel,
            self.strides,
            activation=activation,
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="convolution",
        )

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name, with the layer's own in front, and shape, without the batch dimension, of the state."""
        return {f"{self.name}_frames": (self.kernel[0] - 1, self.bands, self.channels)}

    def initial_state(self, batch_size: Any) -> State:
        """The frames before the first: zeros."""
        return {name: tf.zeros([batch_size, *shape], self.compute_dtype) for name, shape in self.state_shapes.items()}

    def build(self, *_: Any, **__: Any) -> None:
        """Creates the weights."""
        self.convolution.build((None, None, sum(self.padding) + self.bands, self.channels))

    def call(self, inputs: Any, mask: Any = None, initial_state: State | None = None) -> tuple[Any, State]:
        """Convolves a sequence or a chunk of one.

        Args:
            inputs: [B, T, F, channels], or [B, T, F] where there is one channel; T may be 0. Values at invalid
                positions are ignored, NaN included.
            mask: bool [B, T], True at valid positions, which must come first in each row. A row may have none.
            initial_state: the state to start from (see `state_shapes`); zeros by default.

        Returns:
            outputs [B, T, output_bands, filters], zeros at invalid positions; and the state after the last valid
            position of each row: its last `kernel[0] - 1` frames.
        """
        (name,) = self.state_shapes
        frames = tf.reshape(inputs, [*tf.unstack(tf.shape(inputs)[:2]), self.bands, self.channels])
        if mask is not None:  # a NaN under the mask would otherwise make every gradient NaN
            frames = tf.where(mask[..., None, None], frames, tf.zeros_like(frames))
        state = self.initial_state(tf.shape(frames)[0]) if initial_state is None else initial_state
        extended = tf.concat([state[name], frames], axis=1)
        outputs = self._convolve(extended, frames, mask)
        if mask is None:
            return outputs, {name: extended[:, tf.shape(frames)[1] :]}
        last = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True) + tf.range(self.kernel[0] - 1)
        return outputs, {name: tf.gather(extended, last, batch_dims=1)}

    def _convolve(self, extended: Any, frames: Any, mask: Any) -> Any:
        """Outputs for frames [B, T, F, channels], extended by those before them."""

        def convolve() -> Any:
            outputs = self.convolution(tf.pad(extended, [[0, 0], [0, 0], self.padding, [0, 0]]))
            # A product is faster than a selection, and nothing here is NaN that was not at a valid position.
            return outputs if mask is None else outputs * tf.cast(mask, outputs.dtype)[..., None, None]

        def empty() -> Any:
            return tf.zeros([*tf.unstack(tf.shape(frames)[:2]), self.output_bands, self.filters], self.compute_dtype)

        # oneDNN gives an output without elements the shape of the input, and raises in its gradient.
        sizes = frames.shape[:2].as_list()
        if 0 in sizes:
            return empty()
        return tf.cond(tf.size(frames) > 0, convolve, empty) if None in sizes else convolve()

    def compute_mask(self, *_: Any, **__: Any) -> None:
        """Masks are passed explicitly: nothing is attached to the outputs."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = ("filters", "bands", "channels", "kernel", "strides")
        activation = keras.activations.serialize(self.convolution.activation)
        return super().get_config() | {name: getattr(self, name) for name in names} | {"activation": activation}
