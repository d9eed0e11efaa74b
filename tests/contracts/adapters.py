"""What layers, stream models and loaded exports look like to the streaming contract."""

from collections.abc import Callable, Collection, Mapping
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


class FrameStream:
    """Something whose `advance(frames, frame_count, state)` gives (outputs, state)."""

    def __init__(
        self, initial_state: Callable[[int], Tensors], advance: Callable[..., Any], final: Collection[str] = ()
    ) -> None:
        self.initial_state, self.advance, self.final = initial_state, advance, final

    def run(self, inputs: Tensors, mask: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        return self.advance(*inputs.values(), tf.reduce_sum(tf.cast(mask, tf.int32), axis=1), dict(state))

    def step(self, inputs_t: Tensors, mask_t: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        outputs, state = self.run({name: value[:, None] for name, value in inputs_t.items()}, mask_t[:, None], state)
        return {name: value if name in self.final else value[:, 0] for name, value in outputs.items()}, state


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


class AudioStream:
    """A module that hears samples in frames: what a frame or an event gives stands at the sample that completed it."""

    final: Collection[str] = ()

    def __init__(self, module: Any, hop: int) -> None:
        self.module, self.hop = module, hop

    def initial_state(self, batch: int) -> Tensors:
        return dict(self.module.initial_state(batch_size=tf.constant(batch, tf.int32)))

    def run(self, inputs: Tensors, mask: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        length = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
        results = self.module.step(waveform=inputs["waveform"], length=length, **state)
        samples = tf.shape(inputs["waveform"])[1]
        frames = tf.range(tf.shape(results["probabilities"])[1])
        completed = (frames + 1) * self.hop - state["state_waiting"][:, None] - 1  # [B, M], samples of this chunk
        heard = state["state_frames"] * self.hop + tf.cast(state["state_waiting"], tf.int64)  # [B], before this chunk
        fired = tf.cast(results["event_sample"] - heard[:, None] - 1, tf.int32)  # [B, E]
        is_event = results["event_label"] != ""
        labels = tf.strings.to_hash_bucket_fast(results["event_label"], 1000)
        outputs = {
            "probabilities": _placed(results["probabilities"], completed, None, samples),
            "confidence": _placed(results["event_confidence"][..., None], fired, is_event, samples),
            "label": _placed(tf.cast(labels, tf.float32)[..., None], fired, is_event, samples),
        }
        return outputs, {name: results[name] for name in state}

    def step(self, inputs_t: Tensors, mask_t: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        outputs, state = self.run({name: value[:, None] for name, value in inputs_t.items()}, mask_t[:, None], state)
        return {name: value[:, 0] for name, value in outputs.items()}, state


def _placed(values: Any, place: Any, valid: Any, length: Any) -> Any:
    """Values [B, K, C] at places [B, K] of an otherwise empty [B, length, C]."""
    where = tf.one_hot(place if valid is None else tf.where(valid, place, -1), length)  # [B, K, length]
    return tf.einsum("bkc,bkt->btc", values, where)


def _named(outputs: list[Any]) -> Mapping[str, Any]:
    if isinstance(outputs[0], dict):
        return outputs[0]
    return {f"output_{index}": value for index, value in enumerate(outputs)}
