"""Speech commands as a stream: samples as they arrive; the commands that were heard, and posteriors, out."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.speech_commands.config import Config
from runnel.apps.speech_commands.data import HOP, SAMPLE_RATE, SpeechData, log_mel
from runnel.apps.speech_commands.pad_waveforms import pad_waveforms
from runnel.datasets.audio.to_float32 import to_float32
from runnel.shared.export.probe import Probe
from runnel.shared.layers.clip_posterior import ClipPosterior
from runnel.shared.layers.event_detector import EventDetector, Events, pack_events
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.preprocessing.log_mel import LogMel
from runnel.shared.streaming.run_in_blocks import run_in_blocks
from runnel.shared.streaming.stream_model import StreamModel, Tensors

__all__ = ["SpeechCommandsStream", "build_probe", "build_stream", "describe_meanings"]

_GARBAGE = np.nan  # behind the end of a row, where it must not matter
_BLOCK = 250  # frames that are computed at once, 5 s
_WAVEFORM = tf.TensorSpec([None, None], tf.float32, "waveform")
_LENGTH = tf.TensorSpec([None], tf.int32, "length")


class SpeechCommandsStream(StreamModel):
    """Hears commands in samples that arrive in pieces of any size.

    Args:
        network: what `build_model` gives.
        features: from samples to frames.
        detector: from the posteriors of frames to events.
        clip_posterior: from the posteriors of frames to one answer for a clip.
        labels: of the classes.
    """

    def __init__(
        self,
        network: keras.Model,
        features: LogMel,
        detector: EventDetector,
        clip_posterior: ClipPosterior,
        labels: Sequence[str],
    ) -> None:
        super().__init__(name="speech_commands_stream")
        self.network, self.features, self.detector = network, features, detector
        self.clip_posterior = clip_posterior
        self.labels = tf.constant([*labels, ""])  # the last for -1, the padding

    @property
    def step_inputs(self) -> dict[str, tf.TensorSpec]:
        """Samples [B, N] and how many of them are valid in each row [B]; any number, 0 too."""
        return {"waveform": _WAVEFORM, "length": _LENGTH}

    @property
    def serve_inputs(self) -> dict[str, tf.TensorSpec]:
        """Clips [B, N] and their lengths [B]."""
        return self.step_inputs

    def initial_state(self, batch_size: Any) -> Tensors:
        """The state before anything was heard."""
        return {
            **self.features.initial_state(batch_size),
            **initial_state(self.network.layers, batch_size),
            **self.detector.initial_state(batch_size),
        }

    def step(self, inputs: Mapping[str, tf.Tensor], state: Tensors) -> tuple[Tensors, Tensors]:
        """Takes the next samples; gives the commands that were heard in them, and the posteriors of their frames."""
        features, frame_count, state = self._frames(inputs, state)

        def advance(piece: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            probabilities, state = self._posteriors(piece["features"], piece["mask"], state)
            events, heard = self.detector.step(probabilities, _count(piece["mask"]), state)
            return {"probabilities": probabilities, **events._asdict()}, {**state, **heard}

        outputs, state = self._over_frames(advance, features, frame_count, state, often_one=True)
        events = pack_events(Events(*(outputs[name] for name in Events._fields)))
        results = {
            "event_label": tf.gather(self.labels, tf.math.floormod(events.class_index, tf.size(self.labels))),
            "event_sample": events.sample,
            "event_confidence": events.confidence,
            "probabilities": outputs["probabilities"],
            "frame_count": frame_count,
        }
        return results, state

    def serve(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Takes whole clips and says which class each is; each is heard with silence after it."""
        rows = tf.shape(inputs["waveform"])[0]
        features, frame_count, state = self._frames(self._with_silence_after(inputs), self.initial_state(rows))
        state = {**state, **self.clip_posterior.initial_state(rows)}

        def advance(piece: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            probabilities, state = self._posteriors(piece["features"], piece["mask"], state)
            return {}, {**state, **self.clip_posterior.step(probabilities, _count(piece["mask"]), state)}

        _, state = self._over_frames(advance, features, frame_count, state, often_one=False)
        probabilities = self.clip_posterior.result(state)
        return {
            "label": tf.gather(self.labels, tf.argmax(probabilities, axis=1)),
            "probabilities": probabilities,
        }

    def _with_silence_after(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """The same as `with_silence_after` in the graph: what a clip ends with is decided on in what follows."""
        samples = tf.shape(inputs["waveform"])[1]
        length = tf.clip_by_value(inputs["length"], 0, samples)
        waveform = tf.where(tf.sequence_mask(length, samples), inputs["waveform"], 0.0)
        silence = self.clip_posterior.smoother.smoothing * self.features.hop
        return {
            "waveform": tf.pad(waveform, [[0, 0], [0, silence]]),
            "length": tf.where(length < self.features.hop, length, length + silence),
        }

    def _frames(self, inputs: Mapping[str, tf.Tensor], state: Tensors) -> tuple[tf.Tensor, tf.Tensor, Tensors]:
        """Features [B, M, F] of the frames that the samples complete, how many those are in each row, and the state."""
        length = tf.clip_by_value(inputs["length"], 0, tf.shape(inputs["waveform"])[1])
        names = self.features.state_names
        waiting = state["waiting"]

        def advance(piece: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            features, _, state = self.features.step(piece["waveform"], _count(piece["mask"]), state)
            return {"features": features}, state

        # A row fills every block but its last, so that its frames stand one behind the other.
        mask = tf.sequence_mask(length, tf.shape(inputs["waveform"])[1])
        sequences = {"waveform": inputs["waveform"], "mask": mask}
        before = {name: state[name] for name in names}
        outputs, heard = run_in_blocks(advance, sequences, before, _BLOCK * self.features.hop, often_one=False)
        return outputs["features"], (waiting + length) // self.features.hop, {**state, **heard}

    def _over_frames(
        self, advance: Any, features: tf.Tensor, frame_count: tf.Tensor, state: Tensors, *, often_one: bool
    ) -> tuple:
        mask = tf.sequence_mask(frame_count, tf.shape(features)[1])
        return run_in_blocks(advance, {"features": features, "mask": mask}, state, _BLOCK, often_one=often_one)

    def _posteriors(self, features: tf.Tensor, mask: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Class posteriors [B, M, C], zeros where there is no frame, and the state."""
        names = initial_state(self.network.layers, 1).keys()
        inputs = {"features": features, "mask": mask, "state": {name: state[name] for name in names}}
        outputs, heard = self.network(inputs, training=False)
        posteriors = tf.where(mask[..., None], tf.nn.softmax(outputs["logits"]), 0.0)
        return posteriors, {**state, **heard}


def build_stream(
    network: keras.Model, data: SpeechData, config: Config, thresholds: Sequence[float] | np.ndarray
) -> SpeechCommandsStream:
    """Puts the parts together.

    Args:
        network: what `build_model` gives.
        data: for its labels.
        config: the options.
        thresholds: of the classes; infinity for one that is never an event.
    """
    advanced = config.advanced
    return SpeechCommandsStream(
        network,
        log_mel(config),
        EventDetector(thresholds, advanced.smoothing_frames, advanced.refractory_frames, HOP),
        ClipPosterior(advanced.smoothing_frames, len(data.labels)),
        data.labels,
    )


def build_probe(data: SpeechData) -> Probe:
    """Sessions of unequal length for the verification: several words in a row, one, noise, one sample, none."""
    test = [to_float32(waveform) for waveform in data.corpus.splits["test"].waveforms[:4]]
    noise = np.random.default_rng(0).normal(scale=0.01, size=SAMPLE_RATE // 2).astype(np.float32)
    sessions: list[np.ndarray] = [
        np.concatenate(test)[: 4 * SAMPLE_RATE],
        test[0],
        noise,
        np.ones(1, np.float32),
        np.zeros(0, np.float32),
    ]
    longest = max(map(len, sessions))
    chunkings = [
        _cut(sessions, cuts)
        for cuts in (
            (*range(0, longest, HOP), longest),
            (0, longest),
            (*range(0, longest, 1111), longest),
            (0, 0, 1, 2, 321, 321, 5000, longest),
        )
    ]
    return Probe(
        serve=pad_waveforms(sessions, _GARBAGE),
        chunkings=chunkings,
        final=(),
        growing={},
        ragged={
            "event_label": "event_label",
            "event_sample": "event_label",
            "event_confidence": "event_label",
            "probabilities": "frame_count",
        },
    )


def describe_meanings(data: SpeechData, config: Config, thresholds: Sequence[float] | np.ndarray) -> dict[str, Any]:
    """What a client must know to fill the inputs and read the outputs, as plain data for the manifest."""
    named = zip(data.labels, thresholds, strict=True)
    return {
        "labels": list(data.labels),
        "sample_rate": SAMPLE_RATE,
        "frame_samples": HOP,
        "feature_mean": list(data.feature_mean),
        "feature_scale": list(data.feature_scale),
        "thresholds": {label: float(threshold) for label, threshold in named if np.isfinite(threshold)},
        "smoothing_frames": config.advanced.smoothing_frames,
        "refractory_frames": config.advanced.refractory_frames,
        "inputs": {
            "waveform": f"mono, {SAMPLE_RATE:,} samples a second, in [-1, 1] (16-bit samples divided by 32768); any "
            "number of samples; NaN counts as 0",
            "length": "how many samples of each row are valid; the others are ignored",
        },
        "outputs": {
            "event_label": "the commands that were heard, first to last; an empty string is padding",
            "event_sample": "samples since initial_state at which each was recognised; -1 is padding",
            "event_confidence": "the mean posterior, over smoothing_frames, that passed the threshold of the command",
            "probabilities": "step: posteriors of the labels for each frame that these samples completed; "
            "serving_default: those of the clip",
            "frame_count": "how many frames those are in each row",
            "label": "the most probable label of the clip, heard with silence after it; without a complete frame it is "
            "_silence_",
        },
    }


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)


def _cut(sessions: Sequence[np.ndarray], cuts: Sequence[int]) -> list[dict[str, np.ndarray]]:
    pieces = [[session[begin:end] for session in sessions] for begin, end in itertools.pairwise(cuts)]
    return [pad_waveforms(piece, _GARBAGE) for piece in pieces]
