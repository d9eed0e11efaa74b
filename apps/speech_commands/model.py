"""The acoustic model: log-mel frames and a state in, the logits of each frame's class and a state out."""

from collections.abc import Sequence

import keras

from runnel.apps.speech_commands.config import Config
from runnel.shared.layers.causal_convolution import CausalConvolution
from runnel.shared.layers.explicit_state import state_inputs
from runnel.shared.layers.recurrent_stack import RecurrentStack

__all__ = ["OUTPUT_LAYER", "build_model"]

OUTPUT_LAYER = "classifier"

_KERNELS = ((5, 5), (3, 3), (3, 3))  # frames and bands of the convolutions
_BAND_STRIDE = 2  # of each


def build_model(
    config: Config, classes: int, mean: Sequence[float], scale: Sequence[float], use_cudnn: bool | str = "auto"
) -> keras.Model:
    """Builds the network: three convolutions over frames and bands, of causal kernels, then recurrent layers.

    Args:
        config: the options.
        classes: C.
        mean: of each band of the training split's features; fixed, so nothing looks ahead and nothing drifts.
        scale: likewise, their standard deviation.
        use_cudnn: False for a model that will be exported.

    Returns:
        A functional model from {`features` float32 [B, M, F], `mask` bool [B, M], `state` {...}} to
        ({`logits` [B, M, C]}, state).
    """
    advanced = config.advanced

    # === Layers ===
    standardize = keras.layers.Normalization(mean=list(mean), variance=[value**2 for value in scale])
    front: list[CausalConvolution] = []
    bands, channels = advanced.bands, 1
    for index, kernel in enumerate(_KERNELS):
        filters = advanced.filters * (1 if index == 0 else 2)
        strides = (1, _BAND_STRIDE)
        convolution = CausalConvolution(filters, bands, channels, kernel, strides, name=f"front_{index}")
        front.append(convolution)
        bands, channels = convolution.output_bands, filters
    flatten = keras.layers.Reshape((-1, bands * channels), name="flatten")
    normalize = keras.layers.LayerNormalization(name="front_normalization")
    stack = RecurrentStack(
        config.cell,
        advanced.units,
        advanced.depth,
        advanced.dropout,
        use_cudnn=use_cudnn,
        jit_compile=advanced.jit_compile,
        name="stack",
    )
    front_dropout, stack_dropout = (
        keras.layers.Dropout(advanced.dropout, noise_shape=(None, 1, None), name=f"{name}_dropout")
        for name in ("front", "stack")
    )
    classifier = keras.layers.Dense(classes, name=OUTPUT_LAYER)

    # === Functional Model ===
    features = keras.Input((None, advanced.bands), name="features")
    mask = keras.Input((None,), dtype="bool", name="mask", optional=True)
    state = state_inputs(*front, stack)
    hidden = standardize(features)
    new_state: dict[str, keras.KerasTensor] = {}
    for convolution in front:
        before = {name: state[name] for name in convolution.state_shapes}
        hidden, after = convolution(hidden, mask=mask, initial_state=before)  # [B, M, F / 2, filters]
        new_state |= after
    before = {name: state[name] for name in stack.state_shapes}
    encoded, after = stack(front_dropout(normalize(flatten(hidden))), mask=mask, initial_state=before)  # [B, M, U]
    logits = classifier(stack_dropout(encoded))  # [B, M, C]

    inputs = {"features": features, "mask": mask, "state": state}
    return keras.Model(inputs, ({"logits": logits}, {**new_state, **after}), name="acoustic_model")
