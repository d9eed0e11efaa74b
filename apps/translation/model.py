"""The translation model: subwords of both languages in, what the next subword's logits are made from out."""

from typing import Any

import keras
import tensorflow as tf

from runnel.apps.translation.config import Config
from runnel.shared.layers.additive_attention import AdditiveAttention
from runnel.shared.layers.explicit_state import initial_state, state_inputs
from runnel.shared.layers.recurrent_stack import RecurrentStack
from runnel.shared.layers.token_embedding import TokenEmbedding

__all__ = ["build_model", "next_token_logits", "start_state"]


def build_model(config: Config, tokens: int, use_cudnn: bool | str = "auto") -> keras.Model:
    """Builds the network: an encoder, and a decoder that is told the tokens it should have written (teacher forcing).

    Its parts `embedding`, `encoder`, `bridge` (without attention) and `decoder` are models of their own, for use step
    by step. The attention asks with the decoder's first recurrent layer, and what it finds is an input of the others,
    so the next query does not wait for it (Wu et al. 2016, arXiv 1609.08144, section 3).

    Args:
        config: the options.
        tokens: V, size of the vocabulary of both languages.
        use_cudnn: False for a model that will be exported.

    Returns:
        A functional model from {`source_ids` int32 [B, S], `source_mask` bool [B, S], `target_ids` int32 [B, T],
        `target_mask` bool [B, T], `visible` bool [B, T, S] (with attention), `state` {...}} to {`context` [B, T, E],
        `attention` [B, T, S] (with attention)}; `state` is what `start_state` gives, `next_token_logits` turns a
        context into logits.
    """
    # === Layers ===
    embedding = TokenEmbedding(tokens, config.advanced.embedding, name="embedding")
    encoder = _build_encoder(config, use_cudnn)
    decoder = _build_decoder(config, encoder, use_cudnn)

    # === Functional Model ===
    source_ids, target_ids = (keras.Input((None,), dtype="int32", name=f"{side}_ids") for side in ("source", "target"))
    source_mask, target_mask = (
        keras.Input((None,), dtype="bool", name=f"{side}_mask") for side in ("source", "target")
    )
    inputs = {
        "source_ids": source_ids,
        "source_mask": source_mask,
        "target_ids": target_ids,
        "target_mask": target_mask,
    }
    state = _state_inputs_of(encoder)
    encoded, after = encoder({"embedded": embedding(source_ids), "mask": source_mask, "state": dict(state)})
    read = {"embedded": embedding(target_ids), "mask": target_mask}
    if config.attention == "none":
        bridge = _build_bridge(encoder, decoder)
        outputs, _ = decoder({**read, "state": bridge(after)})
    else:
        inputs["visible"] = keras.Input((None, None), dtype="bool", name="visible")
        decoder_state = _state_inputs_of(decoder)
        outputs, _ = decoder({**read, **encoded, "visible": inputs["visible"], "state": decoder_state})
        state |= decoder_state
    return keras.Model({**inputs, "state": state}, outputs, name="translation_model")


def _build_encoder(config: Config, use_cudnn: bool | str) -> keras.Model:
    """From {`embedded` [B, S, E], `mask` bool [B, S], `state`} to ({`memory` [B, S, M], `keys` [B, S, A]}, state).

    Without attention there is neither memory nor keys.
    """
    advanced = config.advanced

    # === Layers ===
    stack = RecurrentStack(
        config.cell,
        advanced.units,
        advanced.depth,
        advanced.dropout,
        bidirectional=config.encoder == "bidirectional",
        use_cudnn=use_cudnn,
        prefix="encoder_",
        name="stack",
    )
    embedded_dropout = _variational_dropout(advanced.embedding_dropout, "embedded_dropout")
    memory_dropout = _variational_dropout(advanced.dropout, "memory_dropout")
    keys = keras.layers.Dense(advanced.units, use_bias=False, name="keys")

    # === Functional Model ===
    embedded = keras.Input((None, advanced.embedding), name="embedded")
    mask = keras.Input((None,), dtype="bool", name="mask")
    state = state_inputs(stack)
    hidden, after = stack(embedded_dropout(embedded), mask=mask, initial_state=state)  # [B, S, M]
    outputs = {}
    if config.attention != "none":
        memory = memory_dropout(hidden)
        outputs = {"memory": memory, "keys": keys(memory)}
    return keras.Model({"embedded": embedded, "mask": mask, "state": state}, (outputs, after), name="encoder")


def _build_decoder(config: Config, encoder: keras.Model, use_cudnn: bool | str) -> keras.Model:
    """From {`embedded` [B, T, E], `mask` bool [B, T], `state`} to ({`context` [B, T, E]}, state).

    With attention also from `memory` [B, S, M], `keys` [B, S, A] and `visible` bool [B, T, S] to `attention` [B, T, S].
    """
    advanced = config.advanced

    # === Layers ===
    first, upper = (
        RecurrentStack(
            config.cell, advanced.units, depth, advanced.dropout, use_cudnn=use_cudnn, prefix=f"{name}_", name=name
        )
        for name, depth in (("first", 1), ("upper", max(advanced.depth - 1, 1)))
    )
    embedded_dropout = _variational_dropout(advanced.embedding_dropout, "embedded_dropout")
    first_dropout = _variational_dropout(advanced.dropout, "first_dropout")
    upper_dropout = _variational_dropout(advanced.dropout, "upper_dropout")
    attention = AdditiveAttention(advanced.units, name="attention")
    readout = keras.layers.Dense(advanced.embedding, activation="tanh", name="readout")
    projection = keras.layers.Dense(advanced.embedding, name="projection")
    context_dropout = _variational_dropout(advanced.embedding_dropout, "context_dropout")

    # === Functional Model ===
    embedded = keras.Input((None, advanced.embedding), name="embedded")
    mask = keras.Input((None,), dtype="bool", name="mask")
    state = state_inputs(first, upper)
    inputs = {"embedded": embedded, "mask": mask, "state": state}
    previous = embedded_dropout(embedded)
    query, after_first = first(previous, mask=mask, initial_state={n: state[n] for n in first.state_shapes})
    found, outputs = first_dropout(query), {}
    if config.attention != "none":
        memory_spec, keys_spec = encoder.output[0]["memory"], encoder.output[0]["keys"]
        inputs["memory"] = keras.Input((None, memory_spec.shape[2]), name="memory")
        inputs["keys"] = keras.Input((None, keys_spec.shape[2]), name="keys")
        inputs["visible"] = keras.Input((None, None), dtype="bool", name="visible")
        attended, outputs["attention"] = attention(query, inputs["keys"], inputs["memory"], inputs["visible"])
        found = keras.layers.Concatenate(name="query_and_attended")([found, attended])
    hidden, after_upper = upper(found, mask=mask, initial_state={n: state[n] for n in upper.state_shapes})
    read = keras.layers.Concatenate(name="read")([upper_dropout(hidden), found, previous])
    outputs["context"] = context_dropout(projection(readout(read)))  # [B, T, E]
    return keras.Model(inputs, (outputs, {**after_first, **after_upper}), name="decoder")


def _build_bridge(encoder: keras.Model, decoder: keras.Model) -> keras.Model:
    """From the encoder's last state to the decoder's first (Cho et al. 2014, arXiv 1406.1078, appendix A.1.2)."""
    after = {name: keras.Input(value.shape[1:], name=name) for name, value in _state_inputs_of(encoder).items()}
    last = (
        keras.layers.Concatenate(name="last")([after[name] for name in sorted(after)])
        if len(after) > 1
        else after[next(iter(after))]
    )
    begin = {
        name: keras.layers.Dense(value.shape[-1], activation="tanh", name=f"to_{name}")(last)
        for name, value in _state_inputs_of(decoder).items()
    }
    return keras.Model(after, begin, name="bridge")


def start_state(part: keras.Model, batch_size: Any) -> dict[str, Any]:
    """The state before any token of the network, the encoder or the decoder, as its input `state`.

    Args:
        part: what `build_model` gives, or its layer `encoder` or `decoder`.
        batch_size: an integer or an int32 scalar.
    """
    return initial_state(_stateful_layers(part), batch_size)


def next_token_logits(network: keras.Model, context: tf.Tensor) -> tf.Tensor:
    """Logits [..., V] of the token that follows, from the same weights that embed tokens.

    Args:
        network: what `build_model` gives.
        context: [..., E], of its outputs.
    """
    logits: tf.Tensor = network.get_layer("embedding")(context, reverse=True)
    return logits


def _stateful_layers(part: keras.Model) -> list[keras.layers.Layer]:
    inside = [layer.layers if isinstance(layer, keras.Model) else [layer] for layer in part.layers]
    has_bridge = any(layer.name == "bridge" for layer in part.layers)  # then it says how the decoder begins
    return [
        layer
        for layers in inside
        for layer in layers
        if hasattr(layer, "initial_state") and not (has_bridge and layer.prefix in ("first_", "upper_"))
    ]


def _state_inputs_of(part: keras.Model) -> dict[str, keras.KerasTensor]:
    return state_inputs(*_stateful_layers(part))


def _variational_dropout(rate: float, name: str) -> keras.layers.Dropout:
    """Drops the same units at all time steps of a sentence (Gal & Ghahramani 2016, arXiv 1512.05287)."""
    return keras.layers.Dropout(rate, noise_shape=(None, 1, None), name=name)
