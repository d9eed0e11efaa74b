"""The network with an explicit state: tokens in, probabilities of the next one out."""

from typing import Any

import keras
import tensorflow as tf

from runnel.apps.autocomplete.model import next_token_logits
from runnel.shared.layers.explicit_state import initial_state
from runnel.shared.layers.unigram_cache import UnigramCache
from runnel.shared.streaming.run_in_blocks import run_in_blocks
from runnel.shared.streaming.stream_model import Tensors

__all__ = ["NextTokenModel"]

_BLOCK_TOKENS = 128


class NextTokenModel(tf.Module):
    """What a stream knows once some tokens have been read, and what it expects next.

    The state is that of the network, `context` [B, E] from which the next token is predicted, and `cache` [B, C].

    Args:
        network: what `build_model` gives.
        start_ids: the tokens that a stream begins after: an end mark.
        cache: what the user has typed lately, or None.
    """

    def __init__(self, network: keras.Model, start_ids: tuple[int, ...], cache: UnigramCache | None) -> None:
        super().__init__(name="next_token_model")
        self.network, self.start_ids, self.cache = network, start_ids, cache

    def initial_state(self, batch_size: Any) -> Tensors:
        """The state after an end mark, with an empty cache."""
        embedding = self.network.get_layer("embedding")
        state = initial_state(self.network.layers, batch_size)
        state["context"] = tf.zeros([batch_size, embedding.width])
        no_cache = {"cache": self.cache.initial_state(batch_size)} if self.cache else {}
        for token in self.start_ids:
            state = self.step(tf.fill([batch_size], token), state | no_cache)
        return state | no_cache

    def advance(self, token_ids: tf.Tensor, mask: tf.Tensor, state: Tensors) -> Tensors:
        """The state after further tokens.

        Args:
            token_ids: int32 [B, N].
            mask: bool [B, N]; valid positions come first.
            state: before them.
        """

        def block(tokens: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            return {}, self._run(tokens["token_ids"], tokens["mask"], state)[1]

        return run_in_blocks(block, {"token_ids": token_ids, "mask": mask}, state, _BLOCK_TOKENS)[1]

    def step(self, token_ids: tf.Tensor, state: Tensors) -> Tensors:
        """The state after one more token [B] in each row, without a loop."""
        return self._run(token_ids[:, None], tf.ones_like(token_ids[:, None], tf.bool), state)[1]

    def probabilities(self, state: Tensors) -> tf.Tensor:
        """Of every token to be the next: [B, V]."""
        probabilities = tf.nn.softmax(next_token_logits(self.network, state["context"]))
        return self.cache.mix(probabilities, state["cache"]) if self.cache else probabilities

    def score(self, token_ids: tf.Tensor, mask: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Log probability [B, N] of each token after those before it, 0 where invalid, and the state after them."""

        def block(tokens: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            ids, valid = tokens["token_ids"], tokens["mask"]
            context, new_state = self._run(ids, valid, state)
            before = tf.concat([state["context"][:, None], context[:, :-1]], axis=1)  # [B, N, E]
            score = -tf.nn.sparse_softmax_cross_entropy_with_logits(ids, next_token_logits(self.network, before))
            if self.cache:
                score = self.cache.mix_along(score, ids, state["cache"])
            return {"score": tf.where(valid, score, 0.0)}, new_state

        outputs, state = run_in_blocks(block, {"token_ids": token_ids, "mask": mask}, state, _BLOCK_TOKENS)
        return outputs["score"], state

    def _run(self, token_ids: tf.Tensor, mask: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """The context [B, N, E] after each token, and the state after the last valid one."""
        own = {name: value for name, value in state.items() if name not in ("context", "cache")}
        outputs, new_state = self.network({"token_ids": token_ids, "mask": mask, "state": own}, training=False)
        context = outputs["context"]
        length = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)  # [B]
        last = tf.gather(context, tf.maximum(length - 1, 0), axis=1, batch_dims=1)  # [B, E]
        new_state["context"] = tf.where(length[:, None] > 0, last, state["context"])
        if self.cache:
            new_state["cache"] = self.cache.remember(token_ids, mask, state["cache"])
        return context, new_state
