"""The language model: token ids and a state in, what the next token's logits are made from and a state out."""

import keras
import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.shared.layers.explicit_state import state_inputs
from runnel.shared.layers.recurrent_stack import RecurrentStack
from runnel.shared.layers.token_embedding import TokenEmbedding

__all__ = ["build_model", "next_token_logits"]


def build_model(config: Config, tokens: int, use_cudnn: bool | str = "auto") -> keras.Model:
    """Builds the network.

    Args:
        config: the options.
        tokens: V, size of the vocabulary.
        use_cudnn: False for a model that will be exported.

    Returns:
        A functional model from {`token_ids` int32 [B, T], `mask` bool [B, T], `state` {...}} to
        ({`context` [B, T, E]}, state); `next_token_logits` turns a context into logits.
    """
    advanced = config.advanced

    # === Layers ===
    embedding = TokenEmbedding(tokens, advanced.embedding, name="embedding")
    stack = RecurrentStack(
        config.cell, advanced.units, advanced.depth, advanced.dropout, use_cudnn=use_cudnn, name="stack"
    )
    embedding_dropout = _variational_dropout(advanced.embedding_dropout, "embedding_dropout")
    output_dropout = _variational_dropout(advanced.dropout, "output_dropout")
    projection = keras.layers.Dense(advanced.embedding, name="projection")
    context_dropout = _variational_dropout(advanced.embedding_dropout, "context_dropout")

    # === Functional Model ===
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="bool", name="mask")
    state = state_inputs(stack)
    embedded = embedding_dropout(embedding(token_ids))  # [B, T, E]
    encoded, new_state = stack(embedded, mask=mask, initial_state=state)  # [B, T, U]
    context = context_dropout(projection(output_dropout(encoded)))  # [B, T, E]

    inputs = {"token_ids": token_ids, "mask": mask, "state": state}
    return keras.Model(inputs, ({"context": context}, new_state), name="language_model")


def next_token_logits(network: keras.Model, context: tf.Tensor) -> tf.Tensor:
    """Logits [..., V] of the token that follows, from the same weights that embed tokens.

    Args:
        network: what `build_model` gives.
        context: [..., E], of its outputs.
    """
    logits: tf.Tensor = network.get_layer("embedding")(context, reverse=True)
    return logits


def _variational_dropout(rate: float, name: str) -> keras.layers.Dropout:
    """Drops the same units at all time steps of a window (Gal & Ghahramani 2016, arXiv 1512.05287)."""
    return keras.layers.Dropout(rate, noise_shape=(None, 1, None), name=name)
