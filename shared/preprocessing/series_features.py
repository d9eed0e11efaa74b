"""From rows of a series in raw units to what a network can learn from, inside the graph."""

from typing import Any

import keras
import tensorflow as tf

from runnel.shared.layers.running_normalization import RunningNormalization
from runnel.shared.layers.scan_time import scan_time
from runnel.shared.preprocessing.calendar_features import calendar_features
from runnel.shared.preprocessing.series_spec import SeriesSpec

__all__ = ["SeriesFeatures"]

State = dict[str, Any]

_NEVER = tf.int64.min
_LARGEST_DEVIATION = 8.0
_LONGEST_GAP = 64


@keras.saving.register_keras_serializable(package="runnel")
class SeriesFeatures(keras.layers.Layer):
    """Turns observations into normalised features, and keeps the level and scale that a forecast is relative to.

    A missing value becomes zero beside a feature that says it is missing. A row counts only if its timestamp is later
    than that of every row before it: a repeated or late row is left out as if it had not come.

    Args:
        spec: the fitted `SeriesSpec`, or its dictionary.
        decay: decay of the running mean and scale (see `RunningNormalization`).
        prior_weight: rows that the training scale counts for at the start of a stream.
    """

    def __init__(self, spec: SeriesSpec | dict, decay: float, prior_weight: float = 8.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec if isinstance(spec, SeriesSpec) else SeriesSpec.from_dict(spec)
        self.decay, self.prior_weight = decay, prior_weight
        self.normalization = RunningNormalization(decay, self.spec.scale, prior_weight, name="normalization")
        self.supports_masking = True

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes, without the batch dimension, of the state; `timestamp` is int64, the others float32."""
        statistics = {f"normalization_{name}": shape for name, shape in self.normalization.state_shapes.items()}
        return {"timestamp": (), "last_value": (len(self.spec.columns),), **statistics}

    def initial_state(self, batch_size: Any) -> State:
        """The state before the first row: no timestamp, and last values NaN."""
        statistics = self.normalization.initial_state(batch_size)
        return {
            "timestamp": tf.fill([batch_size], _NEVER),
            "last_value": tf.fill([batch_size, len(self.spec.columns)], float("nan")),
            **{f"normalization_{name}": value for name, value in statistics.items()},
        }

    def build(self, observation_shape: tuple, **_: Any) -> None:
        """Has no weights; only the number of columns is checked.

        Raises:
            ValueError: the last dimension is not F.
        """
        if observation_shape[-1] != len(self.spec.columns):
            raise ValueError(
                f"Received {observation_shape[-1]} columns; expected {len(self.spec.columns)}: {self.spec.columns}."
            )
        self.normalization.build(observation_shape)

    def call(
        self, observation: Any, timestamp: Any, mask: Any = None, initial_state: State | None = None
    ) -> tuple[dict[str, Any], State]:
        """Prepares a sequence or a chunk of one.

        Args:
            observation: float32 [B, T, F] in raw units, NaN where missing.
            timestamp: int64 [B, T], Unix seconds.
            mask: bool [B, T], True at valid rows.
            initial_state: the state to start from.

        Returns:
            {`features` [B, T, D], `values` and `level` [B, T, F] (this row's and the last known value, raw units),
            `scale` [B, T, F], `mask` bool [B, T] (rows that count), `elapsed` int32 [B, T] (grid steps since the
            row before)}, and the state.
        """
        state = self.initial_state(tf.shape(observation)[0]) if initial_state is None else initial_state
        mask = tf.ones(tf.shape(observation)[:2], tf.bool) if mask is None else mask
        rows = {
            "values": self.spec.clean(observation),
            "timestamp": timestamp,
            "grid_index": self.spec.grid.index(timestamp),
            "mask": mask,
        }
        outputs, state = scan_time(self._step, rows, state)
        outputs = {name: tf.stop_gradient(value) for name, value in outputs.items()}
        outputs["features"] = self._features(outputs, timestamp)
        return outputs, state

    def _step(self, row: State, state: State) -> tuple[State, State]:
        counts = row["mask"] & (row["timestamp"] > state["timestamp"])
        values = tf.where(counts[:, None], row["values"], float("nan"))
        level = tf.where(tf.math.is_nan(values), state["last_value"], values)
        last = state["last_value"]
        source = values if self.spec.transform == "none" else self.spec.relative(values, last)
        statistics = {name: state[f"normalization_{name}"] for name in self.normalization.state_shapes}
        normalized, _, scale, statistics = self.normalization.step(source, statistics)
        is_first = state["timestamp"] == _NEVER
        elapsed = row["grid_index"] - self.spec.grid.index(tf.where(is_first, row["timestamp"], state["timestamp"]))
        outputs = {
            "normalized": normalized,
            "values": values,
            "level": level,
            "scale": scale,
            "mask": counts,
            "elapsed": tf.where(is_first | ~counts, 1, tf.cast(tf.minimum(elapsed, tf.int32.max), tf.int32)),
        }
        state = {
            "timestamp": tf.where(counts, row["timestamp"], state["timestamp"]),
            "last_value": level,
            **{f"normalization_{name}": value for name, value in statistics.items()},
        }
        return outputs, state

    def _features(self, rows: State, timestamp: Any) -> Any:
        missing = tf.math.is_nan(rows["normalized"])
        deviations = tf.clip_by_value(
            tf.where(missing, 0.0, rows["normalized"]), -_LARGEST_DEVIATION, _LARGEST_DEVIATION
        )
        gap = tf.math.log(tf.cast(tf.clip_by_value(rows["elapsed"], 1, _LONGEST_GAP), tf.float32))
        parts = [deviations, tf.cast(missing, tf.float32), gap[..., None]]
        if self.spec.calendar_periods:
            parts.append(calendar_features(timestamp, self.spec.calendar_periods))
        return tf.concat(parts, axis=-1)

    def compute_mask(self, *_: Any, **__: Any) -> None:
        """Masks are passed explicitly: nothing is attached to the outputs."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "spec": self.spec.to_dict(),
            "decay": self.decay,
            "prior_weight": self.prior_weight,
        }
