"""SegRNN: a recurrent network over segments of a lookback window instead of single rows."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from runnel.shared.layers.quantile_head import QuantileHead

__all__ = ["SegmentForecaster"]

State = dict[str, Any]


@keras.saving.register_keras_serializable(package="runnel")
class SegmentForecaster(keras.layers.Layer):
    """Forecasts H steps from the last L rows, each target by itself with the same weights.

    SegRNN (Lin et al. 2023, arXiv 2308.11200): the window, relative to its last value, is cut into segments; a linear
    layer with ReLU embeds each, a GRU reads them, and one further GRU step for each future segment, all from the same
    hidden state and told apart by learnt position (and target) embeddings, gives the forecast. Its state is the last
    lookback window itself, which a recurrent network over rows would not need.

    Args:
        targets: Y.
        context: L, rows in the window.
        segment: rows in a segment; the window is filled up at its old end where it is no multiple.
        units: width of the embedding and of the GRU.
        horizon: H.
        levels: Q quantile levels.
        dropout: share of the decoder's outputs dropped before the last layer.
        rows: forecast only after the last `rows` rows of a sequence; after every row by default.
        logarithmic: a value relative to the last one is the logarithm of their ratio; else their difference.
        use_cudnn: False for a model that will be exported.
    """

    def __init__(
        self,
        targets: int,
        context: int,
        segment: int,
        units: int,
        horizon: int,
        levels: Sequence[float],
        dropout: float = 0.0,
        rows: int | None = None,
        logarithmic: bool = False,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.targets, self.logarithmic = targets, logarithmic
        self.context, self.segment, self.units, self.horizon = context, segment, units, horizon
        self.levels, self.dropout, self.rows, self.use_cudnn = [float(x) for x in levels], dropout, rows, use_cudnn
        self.supports_masking = True
        self.future_segments = -(-horizon // segment)
        self.embedding = keras.layers.Dense(units, activation="relu", dtype=self.dtype_policy, name="embedding")
        self.gru = keras.layers.GRU(units, use_cudnn=use_cudnn, dtype=self.dtype_policy, name="gru")
        self.output_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")
        self.head = QuantileHead(segment, 1, self.levels, dtype=self.dtype_policy, name="head")

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape, without the batch dimension, of the state."""
        return {"window": (self.context, self.targets)}

    def initial_state(self, batch_size: Any) -> State:
        """A window without a row: all NaN."""
        return {"window": tf.fill([batch_size, *self.state_shapes["window"]], float("nan"))}

    def build(self, *_: Any, **__: Any) -> None:
        """Creates the weights."""
        self.embedding.build((None, None, self.segment))
        self.gru.build((None, None, self.units))
        self.head.build((None, None, self.units))
        targets = self.targets
        width = self.units if targets == 1 else self.units // 2
        spread = keras.initializers.RandomNormal(stddev=0.5)
        self.position = self.add_weight((self.future_segments, width), spread, name="position")
        if targets > 1:
            self.target = self.add_weight((targets, self.units - width), spread.clone(), name="target")

    def call(
        self,
        values: Any,
        scale: Any,
        mask: Any,
        initial_state: State | None = None,
        training: bool | None = None,
    ) -> tuple[Any, State]:
        """Forecasts after the rows of a sequence or a chunk of one.

        Args:
            values: float32 [B, T, Y], last known values in raw units.
            scale: float32 [B, T, Y], the scale of each row.
            mask: bool [B, T], rows that count.
            initial_state: the state to start from.
            training: whether dropout is active.

        Returns:
            quantiles [B, R, H, Y, Q] relative to level and scale, where R is `rows` or T, and the state.
        """
        state = self.initial_state(tf.shape(values)[0]) if initial_state is None else initial_state
        # Rows that count, moved together behind the window: the window after row t ends where the count up to t does.
        in_front = tf.argsort(tf.cast(~mask, tf.int32), axis=1, stable=True)
        extended = tf.concat([state["window"], tf.gather(values, in_front, axis=1, batch_dims=1)], axis=1)
        count = tf.cumsum(tf.cast(mask, tf.int32), axis=1)  # [B, T]
        total = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)
        since = None if self.rows is None else -self.rows
        windows = self._windows(extended, count[:, since:])  # [B, R, L, Y]
        quantiles = self._forecast(windows, scale[:, since:], training)
        return quantiles, {"window": self._windows(extended, total)[:, 0]}

    def _windows(self, extended: Any, count: Any) -> Any:
        rows = count[..., None] + tf.range(self.context)  # [B, R, L]
        return tf.gather(extended, rows, axis=1, batch_dims=1)

    def _forecast(self, windows: Any, scale: Any, training: bool | None) -> Any:
        shape = tf.shape(windows)
        targets = self.targets
        relative = self._relative(windows, windows[:, :, -1:]) / scale[:, :, None]  # [B, R, L, Y]
        relative = tf.where(tf.math.is_finite(relative), relative, 0.0)
        relative = tf.transpose(relative, [0, 1, 3, 2])  # [B, R, Y, L]
        filling = -self.context % self.segment
        relative = tf.pad(relative, [[0, 0], [0, 0], [0, 0], [filling, 0]])
        segments = tf.reshape(relative, [-1, (self.context + filling) // self.segment, self.segment])  # [B*R*Y, S, w]

        hidden = self.gru(self.embedding(segments))  # [B*R*Y, U]
        decoded = self._decode(hidden)  # [B*R*Y*M, U], M future segments
        decoded = self.output_dropout(decoded, training=training)
        quantiles = self.head(decoded[:, None])  # [B*R*Y*M, 1, w, 1, Q]
        length = self.future_segments * self.segment
        quantiles = tf.reshape(quantiles, [shape[0], shape[1], targets, length, len(self.levels)])
        return tf.transpose(quantiles[:, :, :, : self.horizon], [0, 1, 3, 2, 4])

    def _relative(self, values: Any, last: Any) -> Any:
        return tf.math.log(values / last) if self.logarithmic else values - last

    def _decode(self, hidden: Any) -> Any:
        """One step of the GRU [B*R*Y*M, U] for every future segment, each from the hidden state [B*R*Y, U].

        As `gru.cell` computes it, but each product once: that of a query for all sequences, that of a hidden state for
        all its future segments.
        """
        cell, targets = self.gru.cell, self.targets
        from_query = tf.reshape(tf.matmul(self._queries(), cell.kernel) + cell.bias[0], [1, targets, -1, 3, self.units])
        from_hidden = tf.matmul(hidden, cell.recurrent_kernel) + cell.bias[1]
        from_hidden = tf.reshape(from_hidden, [-1, targets, 1, 3, self.units])
        gates = tf.sigmoid(from_query[..., :2, :] + from_hidden[..., :2, :])
        update, reset = gates[..., 0, :], gates[..., 1, :]  # [B*R, Y, M, U]
        candidate = tf.tanh(from_query[..., 2, :] + reset * from_hidden[..., 2, :])
        before = tf.reshape(hidden, [-1, targets, 1, self.units])
        return tf.reshape(update * before + (1 - update) * candidate, [-1, self.units])

    def _queries(self) -> Any:
        """Inputs of the decoding steps [Y*M, U]: what tells future segments, and targets, apart."""
        if self.targets == 1:
            return self.position
        shape = [self.targets, self.future_segments]
        position = tf.broadcast_to(self.position[None], [*shape, self.position.shape[1]])
        target = tf.broadcast_to(self.target[:, None], [*shape, self.target.shape[1]])
        return tf.reshape(tf.concat([position, target], axis=-1), [-1, self.units])

    def compute_mask(self, *_: Any, **__: Any) -> None:
        """Masks are passed explicitly: nothing is attached to the outputs."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        names = (
            "targets",
            "context",
            "segment",
            "units",
            "horizon",
            "levels",
            "dropout",
            "rows",
            "logarithmic",
            "use_cudnn",
        )
        return super().get_config() | {name: getattr(self, name) for name in names}
