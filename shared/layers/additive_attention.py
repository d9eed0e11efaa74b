"""Additive attention over a memory whose keys are projected once."""

from typing import Any

import keras
from keras import ops

__all__ = ["AdditiveAttention"]


@keras.saving.register_keras_serializable(package="runnel")
class AdditiveAttention(keras.layers.Layer):
    """Weighs the positions of a memory by v . tanh(W query + key), and sums what stands there.

    It carries no state: over time, each query is answered by itself.

    Source: Bahdanau, Cho & Bengio 2015, arXiv 1409.0473, appendix A.1.2; U h_j is the key of position j.

    Args:
        width: A, of queries after their projection, and of keys.
    """

    def __init__(self, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.query = keras.layers.Dense(width, dtype=self.dtype_policy, name="query")
        self.score = keras.layers.Dense(1, use_bias=False, dtype=self.dtype_policy, name="score")

    def build(self, queries_shape: tuple, *_: Any, **__: Any) -> None:
        """Creates the weights for queries of [B, T, U]."""
        self.query.build(queries_shape)
        self.score.build((None, None, None, self.width))

    def call(self, queries: Any, keys: Any, memory: Any, visible: Any) -> tuple[Any, Any]:
        """Answers queries.

        Args:
            queries: [B, T, U].
            keys: [B, S, A], a projection of the memory, made once for all queries.
            memory: [B, S, M]. At positions that no query sees, keys and memory are ignored, NaN included; at others
                they must be finite, for all queries.
            visible: bool [B, T, S], which positions a query may see.

        Returns:
            contexts [B, T, M], zeros where nothing is visible, and the weights [B, T, S], which add up to 1, or to 0
            where nothing is visible.
        """
        seen = ops.any(visible, axis=1)[..., None]  # a NaN would make every gradient NaN
        keys, memory = (ops.where(seen, values, ops.zeros_like(values)) for values in (keys, memory))
        hidden = ops.tanh(self.query(queries)[:, :, None] + keys[:, None])  # [B, T, S, A]
        scores = self.score(hidden)[..., 0]  # [B, T, S]
        scores = ops.where(visible, scores, ops.cast(-1e9, scores.dtype))
        weights = ops.where(visible, ops.softmax(scores, axis=-1), ops.zeros_like(scores))
        return ops.matmul(weights, memory), weights

    def compute_mask(self, *_: Any, **__: Any) -> None:
        """Masks are passed explicitly: nothing is attached to the outputs."""

    def compute_output_spec(self, queries: Any, keys: Any, memory: Any, visible: Any) -> tuple[Any, Any]:  # noqa: ARG002
        """Shapes of the contexts and the weights."""
        contexts = keras.KerasTensor((*queries.shape[:2], memory.shape[2]), dtype=self.compute_dtype)
        return contexts, keras.KerasTensor(tuple(visible.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"width": self.width}
