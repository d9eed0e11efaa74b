"""Everything in shared/ that carries a state, each with an example and, where one exists, a NumPy twin."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from contracts.adapters import FrameStream, LayerStream, StepStream
from contracts.numpy_twins import causal_convolution, run_stack, running_normalization
from contracts.streaming import Compiled, Example, Results, Stream, Tensors, Twin

from runnel.shared.layers.adaptive_intervals import AdaptiveIntervals
from runnel.shared.layers.anomaly_score import AnomalyScore, AnomalySpec
from runnel.shared.layers.causal_convolution import CausalConvolution
from runnel.shared.layers.clip_posterior import ClipPosterior
from runnel.shared.layers.event_detector import EventDetector
from runnel.shared.layers.posterior_smoother import PosteriorSmoother
from runnel.shared.layers.recurrent_stack import RecurrentStack
from runnel.shared.layers.running_normalization import RunningNormalization
from runnel.shared.layers.segment_forecaster import SegmentForecaster
from runnel.shared.layers.tail_surprise import TailSurprise
from runnel.shared.preprocessing.series_features import SeriesFeatures
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.preprocessing.time_grid import TimeGrid

LENGTHS = [9, 5, 0, 1]
UNITS = 4
DAY = 86_400
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


class Case:
    """One stream, in eager mode and compiled.

    Args:
        stream: what the contract runs on.
        inputs: a padded batch whose rows have the lengths `LENGTHS`.
        layer: the layer whose weights gradients are taken by, where the stream has any.
        differentiable: whether gradients by the inputs and the state are asked for too.
        twin: an independent NumPy implementation.
    """

    def __init__(
        self,
        stream: Stream,
        inputs: Mapping[str, np.ndarray],
        layer: keras.layers.Layer | None = None,
        differentiable: bool = False,
        twin: Twin | None = None,
    ) -> None:
        self.stream, self.differentiable, self.twin = stream, differentiable, twin
        self.example = Example(inputs, LENGTHS)
        self.compiled = Compiled(stream, self.example)
        self.variables = [] if layer is None else [variable.value for variable in layer.trainable_variables]


def _noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(LENGTHS), max(LENGTHS), *shape)).astype(np.float32)


def random_weights(layer: keras.layers.Layer) -> None:
    """Biases too: a layer whose biases are zero cannot show that they are used."""
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(scale=0.4, size=weight.shape) for weight in layer.get_weights()])


def recurrent_stack(cell: str, depth: int, residual: bool) -> Case:
    layer = RecurrentStack(cell, UNITS, depth, dropout=0.5, residual=residual)
    layer.build((None, None, UNITS))
    random_weights(layer)

    def twin(inputs: Mapping[str, np.ndarray]) -> Results:
        layers = [stock.get_weights() for stock in layer.forward_layers]
        outputs, states = run_stack(cell, inputs["inputs"], layers, residual)
        names = ("hidden", "cell")
        state = {f"{name}_{i}": v for i, values in enumerate(states) for name, v in zip(names, values, strict=False)}
        return {"output_0": outputs}, state

    return Case(LayerStream(layer), {"inputs": _noise(UNITS)}, layer, True, twin)


def normalization() -> Case:
    decay, prior_scale, prior_weight = 0.8, [2.0, 0.5, 1.0], 3.0
    layer = RunningNormalization(decay, prior_scale, prior_weight)
    values = 5 + 3 * _noise(3)
    values[0, [0, 3, 4], 1] = np.nan
    values[1, :, 2] = np.nan

    def twin(inputs: Mapping[str, np.ndarray]) -> Results:
        outputs, state = running_normalization(inputs["inputs"], decay, prior_scale, prior_weight)
        return {f"output_{index}": value for index, value in enumerate(outputs.values())}, state

    return Case(LayerStream(layer), {"inputs": values}, layer, True, twin)


def series_features(transform: str) -> Case:
    spec = SeriesSpec(("a", "b"), 1, transform, (0.1, 2.0), TimeGrid("second", DAY), (7 * DAY,))  # type: ignore[arg-type]
    layer = SeriesFeatures(spec, decay=0.9)
    observation = np.exp(_noise(2)) + 1
    observation[0, 2:4, 0] = np.nan
    observation[1, 1, 1] = np.inf
    days = np.array([[0, 1, 2, 4, 4, 3, 9, 10, 11]] * len(LENGTHS))  # a gap, a repeated row, a late row, a gap
    return Case(LayerStream(layer), {"observation": observation, "timestamp": days * DAY}, layer)


def segment_forecaster() -> Case:
    layer = SegmentForecaster(2, context=5, segment=2, units=UNITS, horizon=3, levels=LEVELS)
    layer.build((None, None, 2))
    random_weights(layer)
    return Case(LayerStream(layer), {"values": _noise(2), "scale": np.exp(_noise(2, seed=1))}, layer)


def convolution(bands: int, channels: int, kernel: tuple[int, int], stride: int, activation: str) -> Case:
    layer = CausalConvolution(3, bands, channels, kernel, (1, stride), activation, name="front")
    layer.build()
    random_weights(layer)

    def twin(inputs: Mapping[str, np.ndarray]) -> Results:
        frames = inputs["inputs"].reshape(-1, bands, channels)
        outputs, last = causal_convolution(frames, *layer.convolution.get_weights(), stride, activation)
        return {"output_0": outputs}, {"front_frames": last}

    shape = (bands,) if channels == 1 else (bands, channels)
    return Case(LayerStream(layer), {"inputs": _noise(*shape)}, layer, True, twin)


def adaptive_intervals() -> Case:
    intervals = AdaptiveIntervals(horizon=3, targets=2, levels=LEVELS, rate=0.3, slots=5)
    index = np.array([[0, 1, 2, 3, 6, 7, 8, 9, 10]] * len(LENGTHS))
    quantiles = np.sort(_noise(3, 2, len(LEVELS), seed=1), axis=-1)
    inputs = {"values": 2 * _noise(2), "index": index, "level": _noise(2, seed=2), "quantiles": quantiles}
    return Case(StepStream(intervals), inputs)


def tail_surprise() -> Case:
    values = np.abs(_noise(3))
    values[0, 4, 1] = np.nan
    values[1, 2:4, 0] = 40
    return Case(StepStream(TailSurprise([1.0, 0.5, 2.0], [0.3, 0.2, 0.4])), {"values": values})


def anomaly_score() -> Case:
    spec = dataclasses.replace(AnomalySpec.untold(2), usual_error=(0.1, 0.2, 0.1, 0.1), longest_repeat=(0.0, 5.0))
    spec = dataclasses.replace(spec, weights=((0.0, 0.5), (-0.2, 0.0)))
    values, errors = np.round(_noise(2)), _noise(2, seed=1)
    values[0, 3:6, 0] = errors[0, 3:6, 0] = np.nan
    return Case(StepStream(AnomalyScore(2, spec)), {"values": values, "errors": errors, "widths": np.exp(_noise(2))})


def _posteriors() -> dict[str, np.ndarray]:
    return {"probabilities": tf.nn.softmax(2 * _noise(3)).numpy()}


def posterior_smoother() -> Case:
    smoother = PosteriorSmoother(smoothing=4, classes=3)

    def advance(*arguments: Any) -> tuple[Tensors, Tensors]:
        smoothed, state = smoother.step(*arguments)
        return {"smoothed": smoothed}, state

    return Case(FrameStream(smoother.initial_state, advance), _posteriors())


def event_detector(smoothing: int) -> Case:
    hop = 320
    detector = EventDetector([0.4, 0.4, np.inf], smoothing, refractory=2, hop=hop)

    def advance(probabilities: Any, frame_count: Any, state: Tensors) -> tuple[Tensors, Tensors]:
        """Events where their frames are: class + 1 and the others, 0 where nothing fired."""
        events, after = detector.step(probabilities, frame_count, state)
        frame = events.sample // hop - 1 - state["frames"][:, None]  # [B, E]; negative for padding
        at = tf.range(tf.shape(probabilities)[1], dtype=tf.int64)[:, None] == frame[:, None]  # [B, M, E]
        values = events._replace(class_index=events.class_index + 1)._asdict()
        return {
            n: tf.reduce_sum(tf.where(at, v[:, None], tf.zeros_like(v[:, None])), 2) for n, v in values.items()
        }, after

    return Case(FrameStream(detector.initial_state, advance), _posteriors())


def clip_posterior() -> Case:
    clip = ClipPosterior(smoothing=3, classes=3)

    def advance(*arguments: Any) -> tuple[Tensors, Tensors]:
        state = clip.step(*arguments)
        return {"clip": clip.result(state)}, state

    return Case(FrameStream(clip.initial_state, advance, final={"clip"}), _posteriors())


CASES: dict[str, Callable[[], Case]] = {
    f"RecurrentStack-{cell}-{depth}{'-residual' * residual}": functools.partial(recurrent_stack, cell, depth, residual)
    for cell in ("simple_rnn", "gru", "lstm")
    for depth in (1, 2)
    for residual in (False, True)
}
CASES |= {
    "CausalConvolution-bands": functools.partial(convolution, 7, 1, (3, 4), 2, "relu"),
    "CausalConvolution-channels": functools.partial(convolution, 4, 2, (4, 3), 3, "tanh"),
    "RunningNormalization": normalization,
    "SeriesFeatures-none": functools.partial(series_features, "none"),
    "SeriesFeatures-difference": functools.partial(series_features, "difference"),
    "SeriesFeatures-log_return": functools.partial(series_features, "log_return"),
    "SegmentForecaster": segment_forecaster,
    "AdaptiveIntervals": adaptive_intervals,
    "AnomalyScore": anomaly_score,
    "TailSurprise": tail_surprise,
    "PosteriorSmoother": posterior_smoother,
    "EventDetector-unsmoothed": functools.partial(event_detector, 1),
    "EventDetector-smoothed": functools.partial(event_detector, 3),
    "ClipPosterior": clip_posterior,
}
build_case = functools.cache(lambda name: CASES[name]())
