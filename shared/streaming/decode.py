"""The decode loop, once for all strategies and models: token by token until every hypothesis has ended."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from runnel.shared.streaming.decode_strategies import Hypotheses, Strategy

__all__ = ["Advance", "Constrain", "Decoded", "decode"]

State = dict[str, tf.Tensor]
Advance = Callable[[tf.Tensor, State], tuple[tf.Tensor, State]]
Constrain = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


class Decoded(NamedTuple):
    """The W hypotheses of each of B rows, best first.

    Attributes:
        token_ids: int32 [B, W, N] without the end mark, padded with it; N is the length of the longest hypothesis.
        length: int32 [B, W].
        score: float32 [B, W], sum of the log probabilities, the end mark's included.
        state: {name: [R, ...]}, of each hypothesis as `advance` gave it last. It was never given the last token, which
            may be an end mark; one that ended before others was given its end mark, once for each further token.
    """

    token_ids: tf.Tensor
    length: tf.Tensor
    score: tf.Tensor
    state: Mapping[str, tf.Tensor]


def decode(
    strategy: Strategy,
    first_log_probabilities: tf.Tensor,
    advance: Advance,
    state: Mapping[str, tf.Tensor],
    max_tokens: Any,
    end_id: int,
    constrain: Constrain | None = None,
) -> Decoded:
    """Continues each row by tokens of a strategy's choice.

    `advance` runs only when one more token is needed: never after the last one, nor once all hypotheses have ended. It
    gets R = B * W rows, the W hypotheses of a row next to each other; what it gives for an ended one is not used.

    A hypothesis of probability zero is none: where a row has fewer than W of others, and where all log probabilities
    are -inf (a dead end), the score is -inf and the length 0.

    Args:
        strategy: chooses the tokens, `Greedy`, `Sampling` or `Beam`.
        first_log_probabilities: float32 [B, V], of the first token.
        advance: maps (token_ids int32 [R], state) to (log_probabilities float32 [R, V] of the next token, state with
            the same names, shapes and dtypes).
        state: {name: [B, ...]}, as it was when it gave `first_log_probabilities`.
        max_tokens: int32 scalar; a hypothesis of this length stays without an end mark. 0 or less: nothing is decoded.
        end_id: id of the end mark; a number outside of the vocabulary: nothing ends.
        constrain: maps (log_probabilities float32 [R, V], token_ids int32 [R, N] so far, position int32 scalar, which
            is N) to log probabilities, with -inf for tokens that may not follow. Scores count what it gives.

    Returns:
        what was decoded.
    """
    width = strategy.width
    log_probabilities = _repeat(first_log_probabilities, width)
    state = {name: _repeat(value, width) for name, value in state.items()}

    def body(hypotheses: Hypotheses, log_probabilities: tf.Tensor, state: State) -> tuple:
        allowed = log_probabilities
        if constrain is not None:
            rows = tf.reshape(hypotheses.token_ids, [tf.shape(log_probabilities)[0], hypotheses.position])
            allowed = constrain(log_probabilities, rows, hypotheses.position)
        hypotheses, parent = _extend(strategy, hypotheses, allowed, end_id)
        state = _gather_rows(state, parent, width)

        def go_on() -> tuple[tf.Tensor, State]:
            token_ids = tf.reshape(hypotheses.token_ids[:, :, -1], [-1])
            next_log_probabilities, next_state = advance(token_ids, state)
            return (
                tf.ensure_shape(next_log_probabilities, log_probabilities.shape),
                {name: tf.ensure_shape(next_state[name], value.shape) for name, value in state.items()},
            )

        needed = _unfinished(hypotheses, max_tokens)
        return hypotheses, *tf.cond(needed, go_on, lambda: (log_probabilities, state))

    start = _start(tf.shape(first_log_probabilities)[0], width)
    hypotheses, _, state = tf.while_loop(
        lambda hypotheses, *_: _unfinished(hypotheses, max_tokens),
        body,
        (start, log_probabilities, state),
        shape_invariants=(
            Hypotheses(tf.TensorShape([None, width, None]), *[tf.TensorShape([None, width])] * 3),
            log_probabilities.shape,
            {name: value.shape for name, value in state.items()},
        ),
    )
    return _without_impossible(hypotheses, end_id, state)


def _start(batch: tf.Tensor, width: int) -> Hypotheses:
    """One empty hypothesis for each row; more of it would all continue alike."""
    score = tf.tile(tf.constant([[0.0] + [float("-inf")] * (width - 1)]), [batch, 1])
    length = tf.zeros([batch, width], tf.int32)
    return Hypotheses(tf.zeros([batch, width, 0], tf.int32), length, score, tf.math.is_inf(score))


def _unfinished(hypotheses: Hypotheses, max_tokens: Any) -> tf.Tensor:
    return (hypotheses.position < max_tokens) & ~tf.reduce_all(hypotheses.ended)


def _extend(
    strategy: Strategy, hypotheses: Hypotheses, log_probabilities: tf.Tensor, end_id: int
) -> tuple[Hypotheses, tf.Tensor]:
    """The hypotheses with one more token each, and which hypothesis each of them was before, int32 [B, W]."""
    batch, width, vocabulary = tf.shape(hypotheses.ended)[0], strategy.width, tf.shape(log_probabilities)[-1]
    stay = tf.where(tf.range(vocabulary) == end_id, 0.0, float("-inf"))  # [V]: an ended one has no other future
    log_probabilities = tf.reshape(log_probabilities, [batch, width, vocabulary])
    log_probabilities = tf.where(hypotheses.ended[..., None], stay, log_probabilities)

    parent, token_ids = strategy.choose(log_probabilities, hypotheses)
    before = Hypotheses(*(tf.gather(value, parent, axis=1, batch_dims=1) for value in hypotheses))
    flat = tf.reshape(log_probabilities, [batch, width * vocabulary])
    score = before.score + tf.gather(flat, parent * vocabulary + token_ids, axis=1, batch_dims=1)
    is_end = token_ids == end_id
    extended = Hypotheses(
        token_ids=tf.concat([before.token_ids, token_ids[..., None]], axis=2),
        length=before.length + tf.cast(~is_end, tf.int32),
        score=score,
        ended=is_end | tf.math.is_inf(score),
    )
    return extended, parent


def _repeat(values: tf.Tensor, width: int) -> tf.Tensor:
    """[B, ...] to [R, ...]."""
    return tf.repeat(values, width, axis=0) if width > 1 else values


def _gather_rows(state: State, parent: tf.Tensor, width: int) -> State:
    """The state [R, ...] of the hypotheses that are continued."""
    if width == 1:
        return state
    rows = tf.reshape(tf.range(tf.shape(parent)[0])[:, None] * width + parent, [-1])
    return {name: tf.ensure_shape(tf.gather(value, rows), value.shape) for name, value in state.items()}


def _without_impossible(hypotheses: Hypotheses, end_id: int, state: Mapping[str, tf.Tensor]) -> Decoded:
    possible = hypotheses.score > float("-inf")
    length = tf.where(possible, hypotheses.length, 0)
    longest = tf.maximum(tf.reduce_max(length), 0)  # of no rows, the largest is the smallest integer
    token_ids = tf.where(possible[..., None], hypotheses.token_ids, end_id)[:, :, :longest]
    return Decoded(token_ids, length, hypotheses.score, state)
