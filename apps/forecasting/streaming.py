"""The forecaster as a stream: rows in raw units as they arrive; forecasts, intervals, anomaly scores and alarms out."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.forecasting.config import Config
from runnel.apps.forecasting.data import ForecastingData
from runnel.shared.export.probe import Probe
from runnel.shared.layers.adaptive_intervals import AdaptiveIntervals, width_towards
from runnel.shared.layers.anomaly_score import AnomalyScore, AnomalySpec
from runnel.shared.layers.explicit_state import initial_state, part_of, with_prefix
from runnel.shared.layers.quantile_head import quantile_levels
from runnel.shared.layers.scan_time import scan_time
from runnel.shared.preprocessing.series_spec import SeriesSpec
from runnel.shared.streaming.run_in_blocks import run_in_blocks
from runnel.shared.streaming.stream_model import Signature, StreamModel, Tensors

__all__ = ["ForecastStream", "build_probe", "describe_meanings"]

_BLOCK_ROWS = 256
_OF_EACH_ROW = ("anomaly_score", "alarm")
_PROBE_ROWS = 60
_WAITING = 128  # forecasts that wait for their truth, over all targets: 9 KiB of state
_SMALLEST_WIDTH = 1e-3  # of an interval that an error is measured by, in the scale of the training rows


class ForecastStream(StreamModel):
    """Streams rows through the network, adapts its intervals to what they missed, and scores how unusual each row is.

    Args:
        network: what `build_model` gives, with forecasts after every row.
        spec: what was fitted to the training rows.
        horizon: H.
        adaptation_rate: step size of the interval widths (see `AdaptiveIntervals`).
        anomalies: what is known of the errors, and where alarms begin; no alarm by default.
    """

    def __init__(
        self,
        network: keras.Model,
        spec: SeriesSpec,
        horizon: int,
        adaptation_rate: float,
        anomalies: AnomalySpec | None = None,
    ) -> None:
        super().__init__(name="forecast_stream")
        self.network, self.spec, self.horizon = network, spec, horizon
        self.levels = quantile_levels()
        self.intervals = AdaptiveIntervals(
            horizon, spec.targets, self.levels, adaptation_rate, max(1, _WAITING // spec.targets), spec.relative
        )
        self.anomalies = AnomalyScore(spec.targets, anomalies or AnomalySpec.untold(spec.targets))
        self.smallest_width = _SMALLEST_WIDTH * np.array(spec.scale[: spec.targets], np.float32)

    @property
    def step_inputs(self) -> dict[str, tf.TensorSpec]:
        """Observation [B, N, F], timestamp [B, N] and length [B], the number of valid rows."""
        return {
            "observation": tf.TensorSpec([None, None, len(self.spec.columns)], tf.float32, "observation"),
            "timestamp": tf.TensorSpec([None, None], tf.int64, "timestamp"),
            "length": tf.TensorSpec([None], tf.int32, "length"),
        }

    @property
    def serve_inputs(self) -> dict[str, tf.TensorSpec]:
        """History [B, T, F], timestamp [B, T] and length [B]."""
        step_inputs = self.step_inputs
        history = tf.TensorSpec([None, None, len(self.spec.columns)], tf.float32, "history")
        return {"history": history, "timestamp": step_inputs["timestamp"], "length": step_inputs["length"]}

    @property
    def extra_signatures(self) -> dict[str, Signature]:
        """`score`, which gives for whole series what `step` gives row by row."""
        return {"score": Signature(self.serve_inputs, self.score)}

    def initial_state(self, batch_size: Any) -> Tensors:
        """The states of network, intervals and anomaly score, and the forecasts of the last row: none yet (NaN)."""
        quantiles = tf.fill([batch_size, self.horizon, self.spec.targets, len(self.levels)], float("nan"))
        intervals = with_prefix("interval", self.intervals.initial_state(batch_size))
        anomalies = with_prefix("anomaly", self.anomalies.initial_state(batch_size))
        level = quantiles[:, 0, :, 0]  # [B, Y], what the quantiles are relative to
        own = {"level": level, "quantiles": quantiles}
        return {**initial_state(self.network.layers, batch_size), **intervals, **anomalies, **own}

    def step(self, inputs: Mapping[str, tf.Tensor], state: Tensors) -> tuple[Tensors, Tensors]:
        """Takes N rows; gives the forecasts after the last, and `anomaly_score` and `alarm` [B, N] of each.

        A row is judged by the forecast made before it. Rows past `length` have the score 0 and no alarm. Without any
        row so far the forecasts are NaN and their timestamps 0.
        """

        def advance(rows: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            judged, state = self._advance(rows, state)
            return {name: judged[name] for name in _OF_EACH_ROW}, state

        scores, state = run_in_blocks(advance, _rows(inputs), state, _BLOCK_ROWS)
        return self._forecast(state) | scores, state

    def judge(self, inputs: Mapping[str, tf.Tensor], state: Tensors) -> tuple[Tensors, Tensors]:
        """Takes N rows as `step` does.

        Returns:
            of each row `anomaly_score` and `alarm` [B, N], and what they come from (see `AnomalyScore.step`): `values`,
            `error` and `width` [B, N, Y], and `counts` [B, N]; and the state.
        """
        return run_in_blocks(self._advance, _rows(inputs), state, _BLOCK_ROWS, often_one=False)

    def serve(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Takes a whole history and gives the forecasts after its last row."""
        results = self._whole(inputs)
        return {name: value for name, value in results.items() if name not in _OF_EACH_ROW}

    def score(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Takes a whole history and gives `anomaly_score` float32 [B, T] and `alarm` bool [B, T] of its rows."""
        results = self._whole(inputs)
        return {name: results[name] for name in _OF_EACH_ROW}

    def _whole(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        return self.step_from_start(
            {"observation": inputs["history"], "timestamp": inputs["timestamp"], "length": inputs["length"]}
        )

    def _advance(self, rows: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """One block of rows: the network over all of them, then what must go row by row."""
        before = {name: state[name] for name in initial_state(self.network.layers, 1)}
        outputs, network_state = self.network({**rows, "state": before}, training=False)
        judged = {
            "values": outputs["values"],
            "level": outputs["level"],
            "quantiles": outputs["scale"][:, :, None, :, None] * outputs["quantiles"],  # [B, N, H, Y, Q]
            "index": self.spec.grid.index(rows["timestamp"]),
            "elapsed": outputs["elapsed"],
            "mask": outputs["mask"],
        }
        of_each_row = {name: value for name, value in state.items() if name not in before}
        scores, judged_state = scan_time(self._judge, judged, of_each_row)
        return scores | {"values": outputs["values"], "counts": outputs["mask"]}, {**network_state, **judged_state}

    def _judge(self, row: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
        """Scores a row by the last forecast for its step, then learns from it and keeps the new forecasts."""
        step = tf.clip_by_value(row["elapsed"] - 1, 0, self.horizon - 1)
        expected = tf.gather(state["quantiles"], step, axis=1, batch_dims=1)  # [B, Y, Q]
        seen = self.spec.relative(row["values"], state["level"])  # [B, Y]
        error = seen - expected[..., len(self.levels) // 2]
        width = tf.maximum(width_towards(seen, expected), self.smallest_width)
        score, watched = self.anomalies.step(row["values"], error, width, row["mask"], part_of(state, "anomaly"))
        quantiles, adapted = self.intervals.step(
            row["values"], row["index"], row["level"], row["quantiles"], row["mask"], part_of(state, "interval")
        )
        new_state = with_prefix("interval", adapted) | with_prefix("anomaly", watched)
        new_state["level"] = tf.where(row["mask"][:, None], row["level"], state["level"])
        new_state["quantiles"] = tf.where(row["mask"][:, None, None, None], quantiles, state["quantiles"])
        judged = {"anomaly_score": score, "alarm": self.anomalies.is_alarm(score), "error": error, "width": width}
        return judged, new_state

    def _forecast(self, state: Tensors) -> Tensors:
        """The forecasts in raw units that the state holds."""
        quantiles = self.spec.absolute(state["quantiles"], state["level"][:, None, :, None])
        last = state["timestamp"]
        ahead = self.spec.grid.shift(last[:, None], tf.range(1, self.horizon + 1, dtype=tf.int64))
        known = (last != last.dtype.min)[:, None]
        return {
            "forecast": quantiles[..., len(self.levels) // 2],
            "quantiles": quantiles,
            "forecast_timestamp": tf.where(known, ahead, tf.zeros_like(ahead)),
        }


def _rows(inputs: Mapping[str, tf.Tensor]) -> Tensors:
    """The inputs of `step`, with a mask [B, N] in place of the length."""
    rows = {"observation": inputs["observation"], "timestamp": inputs["timestamp"]}
    return rows | {"mask": tf.sequence_mask(inputs["length"], tf.shape(rows["timestamp"])[1])}


def build_probe(data: ForecastingData) -> Probe:
    """Three sessions on rows of the series, for the verification: a whole one with gaps, a short one, an empty one."""
    series = data.table.series[0]
    rows = min(_PROBE_ROWS, len(series.timestamps))
    observation = np.repeat(series.values[None, -rows:], 3, axis=0)
    timestamp = np.repeat(series.timestamps[None, -rows:], 3, axis=0)
    observation[0, rows // 3 : rows // 2, 0] = np.nan
    length = np.array([rows, rows // 2, 0], np.int32)
    chunkings = [
        [
            {
                "observation": observation[:, begin:end],
                "timestamp": timestamp[:, begin:end],
                "length": np.clip(length - begin, 0, end - begin).astype(np.int32),
            }
            for begin, end in pairwise(cuts)
        ]
        for cuts in (range(rows + 1), (0, rows), (*range(0, rows, 7), rows), (0, 0, 1, 3, 3, rows // 2, rows))
    ]
    return Probe(
        serve={"history": observation, "timestamp": timestamp, "length": length},
        chunkings=chunkings,
        final=("forecast", "quantiles", "forecast_timestamp"),
        growing=dict.fromkeys(_OF_EACH_ROW, 1),
        columns={"forecast": 2, "quantiles": 2, "state_last_value": 1, "state_level": 1, "state_quantiles": 2},
        extra={"score": {"history": observation, "timestamp": timestamp, "length": length}},
    )


def describe_meanings(data: ForecastingData, config: Config, anomalies: AnomalySpec) -> dict[str, Any]:
    """What a client must know to fill the inputs and read the outputs, as plain data for the manifest."""
    spec = data.spec
    return {
        "columns": list(spec.columns),
        "targets": list(spec.columns[: spec.targets]),
        "time_column": data.table.time_column,
        "series_id_column": data.table.series_id_column,
        "horizon": config.horizon,
        "quantile_levels": list(quantile_levels()),
        "context": config.context,
        "spec": spec.to_dict(),
        "alarms": {"false_alarms_per_week": config.false_alarms_per_week, **anomalies.to_dict()},
        "inputs": {
            "history, observation": "rows in the units of the training data, ordered as `columns`; NaN is missing",
            "timestamp": "Unix seconds (UTC); a row not later than the one before it is left out",
            "length": "number of valid rows of each session",
        },
        "outputs": {
            "forecast": "the median of each target at each step ahead, in the units of the data",
            "quantiles": "the same at every level of `quantile_levels`",
            "forecast_timestamp": "Unix seconds (UTC) that the forecasts are for",
            "anomaly_score": "how unusual each row and those shortly before it are: a tenth for each power of ten, so "
            "0.3 comes about once in 1,000 rows like those so far; 0 where nothing can be said: no forecast yet, or a "
            "row that was left out",
            "alarm": "whether the score reaches the threshold under `alarms`",
        },
    }
