"""From the posteriors of frames to the moments at which a command was heard."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from runnel.shared.layers.posterior_smoother import PosteriorSmoother

__all__ = ["EventDetector", "Events", "pack_events"]

State = dict[str, Any]


class Events(NamedTuple):
    """What fired in each row, earliest first.

    Attributes:
        class_index: int32 [B, E]; -1 is padding.
        sample: int64 [B, E], samples from the beginning of the stream to the end of the frame; -1 is padding.
        confidence: float32 [B, E], the smoothed posterior; 0 is padding.
    """

    class_index: Any
    sample: Any
    confidence: Any


class EventDetector(tf.Module):
    """Smooths posteriors and fires when a class crosses its threshold.

    A class fires at a frame where its smoothed posterior reaches its threshold, it is armed, and at least `refractory`
    frames have passed since the last event of any class; among several, the one with the largest smoothed posterior.
    Firing disarms a class until its smoothed posterior falls below its threshold. So a word that is held fires once,
    and one that crosses during the refractory time fires when that ends, if it is still above.

    The work is a loop over events, each a search of all M frames: cut long inputs into blocks of some hundred frames.

    Source: smoothing as in Chen, Parada & Heigold 2014, "Small-footprint keyword spotting using deep neural networks",
    equation 1, with a threshold per class instead of one for all.

    Args:
        thresholds: C numbers; a class with infinity never fires.
        smoothing: frames to average over, at least 1.
        refractory: frames from an event to the next one, at the least.
        hop: samples of a frame.
    """

    def __init__(self, thresholds: Sequence[float] | np.ndarray, smoothing: int, refractory: int, hop: int) -> None:
        super().__init__(name="event_detector")
        self.thresholds = np.asarray(thresholds, np.float32)
        self.smoother = PosteriorSmoother(smoothing, len(self.thresholds))
        self.refractory, self.hop = max(refractory, 1), hop  # a frame fires once

    def initial_state(self, batch_size: Any) -> State:
        """Nothing heard yet.

        Beside the state of the smoother: `armed` int32 [B, C], 1 where a class may fire, and `rest` int32 [B], for how
        many further frames none may.
        """
        return self.smoother.initial_state(batch_size) | {
            "armed": tf.ones([batch_size, len(self.thresholds)], tf.int32),
            "rest": tf.zeros([batch_size], tf.int32),
        }

    def step(
        self, probabilities: tf.Tensor, frame_count: tf.Tensor, state: State, thresholds: Any = None
    ) -> tuple[Events, State]:
        """Takes any number of further frames.

        Args:
            probabilities: float32 [B, M, C].
            frame_count: int32 [B], how many of the M frames are valid; these come first.
            state: see `initial_state`.
            thresholds: float32 [C] or [B, C], instead of those of the detector.

        Returns:
            the events of these frames, with E the largest number of a row, and the state.
        """
        smoothed, heard = self.smoother.step(probabilities, frame_count, state)
        thresholds = tf.convert_to_tensor(self.thresholds if thresholds is None else thresholds, tf.float32)
        valid = tf.sequence_mask(frame_count, tf.shape(smoothed)[1])[..., None]  # [B, M, 1]
        above = valid & (smoothed >= thresholds[..., None, :])  # [B, M, C]
        below = tf.cast(valid & ~above, tf.int32)
        # A class is armed once it has fallen below its threshold more often than at its last event.
        spent, rest = -state["armed"], state["rest"]
        events, spent, rest = self._fire(smoothed, above, tf.cumsum(below, axis=1), spent, rest)
        events = events._replace(sample=_samples(events.sample, state["frames"], self.hop))
        armed = tf.cast(tf.reduce_sum(below, axis=1) > spent, tf.int32)
        return events, heard | {"armed": armed, "rest": tf.maximum(rest - frame_count, 0)}

    def _fire(self, smoothed: Any, above: Any, falls: Any, spent: Any, rest: Any) -> tuple[Events, Any, Any]:
        """The events, with the frame in this chunk as their sample, and what `spent` and `rest` are after the last.

        Args:
            smoothed: [B, M, C].
            above: bool [B, M, C], whether a class reaches its threshold.
            falls: int32 [B, M, C], at how many frames it has not, up to this one.
            spent: int32 [B, C], `falls` when the class fired; -1 if it has been armed since.
            rest: int32 [B], the first frame that may fire.
        """
        length = tf.shape(smoothed)[1]

        def body(frame: Any, may_fire: Any, events: Events, spent: Any, rest: Any) -> tuple:
            fires = frame < length  # [B]
            place = tf.minimum(frame, length - 1)
            winner, confidence = _most_confident(smoothed, may_fire, place)
            events = _append(events, fires, winner, place, confidence)
            fired = fires[:, None] & (tf.range(len(self.thresholds)) == winner[:, None])  # [B, C]
            spent = tf.where(fired, tf.gather(falls, place, batch_dims=1), spent)
            rest = tf.where(fires, frame + self.refractory, rest)
            return *_next_frame(above, falls, spent, rest), events, spent, rest

        several = tf.TensorShape([None, None])
        frame, may_fire = _next_frame(above, falls, spent, rest)
        *_, events, spent, rest = tf.while_loop(
            lambda frame, *_: tf.reduce_any(frame < length),
            body,
            (frame, may_fire, _no_events(tf.shape(smoothed)[0]), spent, rest),
            shape_invariants=(frame.shape, may_fire.shape, Events(*[several] * 3), spent.shape, rest.shape),
        )
        return events, spent, rest


def pack_events(events: Events) -> Events:
    """The same events with all padding last and none to spare: several calls' events, concatenated, as of one call."""
    is_event = events.class_index >= 0
    most = tf.maximum(tf.reduce_max(tf.reduce_sum(tf.cast(is_event, tf.int32), axis=1)), 0)
    order = tf.argsort(tf.cast(is_event, tf.int32), axis=1, direction="DESCENDING", stable=True)[:, :most]
    return Events(*(tf.gather(values, order, batch_dims=1) for values in events))


def _next_frame(above: Any, falls: Any, spent: Any, rest: Any) -> tuple[Any, Any]:
    """The first frame [B] at which anything may fire, M if there is none, and what may fire when: bool [B, M, C]."""
    length = tf.shape(above)[1]
    may_fire = above & (falls > spent[:, None]) & (tf.range(length) >= rest[:, None])[..., None]
    frames = tf.where(tf.reduce_any(may_fire, axis=2), tf.range(length), length)  # [B, M]
    return tf.minimum(tf.reduce_min(frames, axis=1), length), may_fire


def _most_confident(smoothed: Any, may_fire: Any, frame: Any) -> tuple[Any, Any]:
    """Among the classes that may fire at a frame [B], the one with the largest posterior, and that: both [B]."""
    smoothed, may_fire = (tf.gather(values, frame, batch_dims=1) for values in (smoothed, may_fire))  # [B, C]
    winner = tf.argmax(tf.where(may_fire, smoothed, -1.0), axis=1, output_type=tf.int32)
    return winner, tf.gather(smoothed, winner, batch_dims=1)


def _append(events: Events, fires: Any, winner: Any, frame: Any, confidence: Any) -> Events:
    """The events with one more in each row [B], which is padding where nothing fires."""
    one = (tf.where(fires, winner, -1), tf.where(fires, tf.cast(frame, tf.int64), -1), tf.where(fires, confidence, 0.0))
    return Events(*(tf.concat([values, new[:, None]], axis=1) for values, new in zip(events, one, strict=True)))


def _no_events(batch: Any) -> Events:
    return Events(*(tf.zeros([batch, 0], dtype) for dtype in (tf.int32, tf.int64, tf.float32)))


def _samples(frame: Any, before: Any, hop: int) -> Any:
    """The samples int64 [B, E] up to the end of frames [B, E] of a chunk that begins after `before` frames [B]."""
    return tf.where(frame >= 0, (before[:, None] + frame + 1) * hop, -1)
