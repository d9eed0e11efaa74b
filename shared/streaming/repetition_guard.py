"""Keeps a decode loop from writing the same tokens again and again, and from never coming to an end."""

from typing import Any

import tensorflow as tf

__all__ = ["PADDING", "block_repeated_ngrams", "only_token"]

PADDING = -1
"""Stands in front of a history that is shorter than others."""


def block_repeated_ngrams(log_probabilities: tf.Tensor, history: tf.Tensor, order: int) -> tf.Tensor:
    """Takes away the probability of every token that would repeat an n-gram of the history.

    Source: Paulus, Xiong & Socher 2018, arXiv 1705.04304, section 2.5, for n = 3.

    Args:
        log_probabilities: float32 [R, V], of the next token.
        history: int32 [R, N], the tokens before it, the latest last; `PADDING` in front of shorter ones.
        order: n, at least 1; 0 blocks nothing.

    Returns:
        float32 [R, V], with -inf for those tokens. A row whose every token would be taken away stays as it is.
    """
    if order == 0:
        return log_probabilities
    padded = tf.pad(history, [[0, 0], [order, 0]], constant_values=PADDING)
    length = tf.shape(history)[1] + 1  # windows of n tokens, the padded ones among them
    windows = tf.stack([padded[:, place : place + length] for place in range(order)], axis=2)  # [R, N + 1, n]
    latest = padded[:, tf.shape(padded)[1] - (order - 1) :]  # [R, n - 1]
    repeats = tf.reduce_all(windows[:, :, :-1] == latest[:, None], axis=2)
    last = windows[:, :, -1]  # [R, N + 1]
    rows, places = tf.unstack(tf.where(repeats & (last != PADDING)), num=2, axis=1)
    tokens = tf.gather_nd(last, tf.stack([rows, places], axis=1))
    is_blocked = tf.scatter_nd(
        tf.stack([rows, tf.cast(tokens, tf.int64)], axis=1),
        tf.ones_like(tokens),
        tf.shape(log_probabilities, tf.int64),
    )
    allowed = tf.where(is_blocked > 0, float("-inf"), log_probabilities)
    is_possible = tf.reduce_any(allowed > float("-inf"), axis=1, keepdims=True)
    return tf.where(is_possible, allowed, log_probabilities)


def only_token(log_probabilities: tf.Tensor, rows: tf.Tensor, token_id: Any) -> tf.Tensor:
    """Leaves one token possible in some rows, at no cost: its log probability becomes 0.

    Args:
        log_probabilities: float32 [R, V].
        rows: bool [R], which rows.
        token_id: the token, int32 scalar or [R].
    """
    vocabulary = tf.shape(log_probabilities)[1]
    is_token = tf.range(vocabulary) == tf.reshape(token_id, [-1, 1])  # [R or 1, V]
    return tf.where(rows[:, None], tf.where(is_token, 0.0, float("-inf")), log_probabilities)
