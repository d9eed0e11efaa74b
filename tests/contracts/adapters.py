"""What layers, stream models and loaded exports look like to the streaming contract."""

from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf
from contracts.streaming import Tensors

from runnel.shared.layers.scan_time import scan_time


class LayerStream:
    """A layer: `layer(*inputs, mask=, initial_state=)` gives one or more outputs and, last, the state."""

    final: Collection[str] = ()

    def __init__(self, layer: Any) -> None:
        self.layer, self.initial_state = layer, layer.initial_state

    def run(self, inputs: Tensors, mask: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        *outputs, state = self.layer(*inputs.values(), mask=mask, initial_state=dict(state))
        return _named(outputs), state

    def step(self, inputs_t: Tensors, mask_t: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        if hasattr(self.layer, "step"):
            *outputs, state = self.layer.step(*inputs_t.values(), dict(state), mask=mask_t)
            return _named(outputs), state
        outputs, state = self.run({name: value[:, None] for name, value in inputs_t.items()}, mask_t[:, None], state)
        return {name: value[:, 0] for name, value in outputs.items()}, state


class StepStream:
    """Something with `step(*inputs, mask, state)` alone, such as a decoder's bookkeeping."""

    final: Collection[str] = ()

    def __init__(self, module: Any) -> None:
        self.module, self.initial_state = module, module.initial_state

    def run(self, inputs: Tensors, mask: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        def step(row: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            return self.step({name: row[name] for name in inputs}, row["mask"], state)

        return scan_time(step, {**inputs, "mask": mask}, dict(state))

    def step(self, inputs_t: Tensors, mask_t: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        *outputs, state = self.module.step(*inputs_t.values(), mask_t, dict(state))
        return _named(outputs), state


class ModuleStream:
    """A stream model's `servable` module or a loaded export whose `step` takes `length` beside its inputs."""

    def __init__(self, module: Any, final: Collection[str]) -> None:
        self.module, self.final = module, final

    def initial_state(self, batch: int) -> Tensors:
        return dict(self.module.initial_state(batch_size=tf.constant(batch, tf.int32)))

    def run(self, inputs: Tensors, mask: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        length = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        results = self.module.step(**inputs, length=length, **state)
        return {name: value for name, value in results.items() if name not in state}, {n: results[n] for n in state}

    def step(self, inputs_t: Tensors, mask_t: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        outputs, state = self.run({name: value[:, None] for name, value in inputs_t.items()}, mask_t[:, None], state)
        return {name: value if name in self.final else value[:, 0] for name, value in outputs.items()}, state


def _named(outputs: list[Any]) -> Mapping[str, Any]:
    if isinstance(outputs[0], dict):
        return outputs[0]
    return {f"output_{index}": value for index, value in enumerate(outputs)}
