"""The trained network as the stream uses it: a source that grows word by word, and a translation that grows with it."""

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from runnel.apps.translation.model import next_token_logits, start_state
from runnel.shared.preprocessing.subword_tokenizer import SubwordTokenizer
from runnel.shared.streaming.decode import decode
from runnel.shared.streaming.decode_strategies import Greedy, Strategy
from runnel.shared.streaming.repetition_guard import PADDING, block_repeated_ngrams, only_token
from runnel.shared.streaming.run_in_blocks import run_in_blocks

__all__ = ["Limits", "Translator"]

Tensors = dict[str, tf.Tensor]

_HISTORY = 64  # latest subwords of a translation among which none may come again
_LONGEST_WORD = 32  # subwords that a word of a translation may have while it is written word by word
_SPARE = 8  # subwords that a translation may have beyond its share


@dataclass(frozen=True)
class Limits:
    """What keeps a translation in bounds.

    Attributes:
        window: subwords of the source that are kept.
        longest_ratio: subwords of a translation for each of the source, at most, and a few more.
        repeated_ngram: no so many subwords come twice; 0 lets them.
    """

    window: int
    longest_ratio: float
    repeated_ngram: int


class Translator(tf.Module):
    """Reads words of a source and writes words of its translation, with all that is known in an explicit state.

    Args:
        network: what `build_model` gives.
        tokenizer: of both languages.
        limits: what keeps a translation in bounds.
    """

    def __init__(self, network: keras.Model, tokenizer: SubwordTokenizer, limits: Limits) -> None:
        super().__init__(name="translator")
        self.network, self.tokenizer, self.limits = network, tokenizer, limits
        self.embedding, self.encoder, self.decoder = map(network.get_layer, ("embedding", "encoder", "decoder"))
        names = {layer.name for layer in network.layers}
        self.bridge = network.get_layer("bridge") if "bridge" in names else None
        self.reads_at_end = self.encoder.get_layer("stack").bidirectional

    def initial_state(self, batch_size: Any) -> Tensors:
        """Nothing read, nothing written.

        Returns:
            `source_length` and `source_words` int32 [B], subwords and words that were read, and what became of them:
            the state of the encoder and, with attention, `memory` [B, window, M] and `keys` [B, window, A]; of an
            encoder that reads both ways `source_ids` int32 [B, window] instead. `written` int32 [B, 64], the latest
            subwords of the translation, last ones last, and `written_length` int32 [B], how many there are; the state
            of the decoder before the last of them.
        """
        state = {name: tf.zeros([batch_size], tf.int32) for name in ("source_length", "source_words", "written_length")}
        state["written"] = tf.fill([batch_size, _HISTORY], PADDING)
        window = self.limits.window
        if self.reads_at_end:
            state["source_ids"] = tf.zeros([batch_size, window], tf.int32)
        else:
            state |= start_state(self.encoder, batch_size)
            for name, spec in self.encoder.output[0].items():
                state[name] = tf.zeros([batch_size, window, spec.shape[2]])
        return state | start_state(self.decoder, batch_size)

    def has_room(self, count: tf.Tensor, state: Tensors) -> tf.Tensor:
        """Whether a word of so many subwords, int32 [B], still fits into the window: bool [B]."""
        return state["source_length"] + count <= self.limits.window

    def read(self, token_ids: tf.Tensor, count: tf.Tensor, state: Tensors) -> Tensors:
        """Reads one more word of the source.

        Args:
            token_ids: int32 [B, P].
            count: int32 [B], how many of them are valid; the word must fit into the window. 0: there is no word.
            state: see `initial_state`.
        """
        place = tf.range(self.limits.window) - state["source_length"][:, None]  # [B, window], within the word
        is_new = (place >= 0) & (place < count[:, None])
        place = tf.clip_by_value(place, 0, tf.maximum(tf.shape(token_ids)[1] - 1, 0))
        token_ids = tf.pad(token_ids, [[0, 0], [0, tf.cast(tf.shape(token_ids)[1] == 0, tf.int32)]])
        after = dict(state)
        if self.reads_at_end:
            after["source_ids"] = tf.where(is_new, tf.gather(token_ids, place, batch_dims=1), state["source_ids"])
        else:
            mask = tf.sequence_mask(count, tf.shape(token_ids)[1])
            encoded, encoder_state = self._encode(token_ids, mask, state)
            after |= encoder_state
            for name, values in encoded.items():
                new = tf.gather(values, place, batch_dims=1)
                after[name] = tf.where(is_new[..., None], new, state[name])
        after["source_length"] = state["source_length"] + count
        after["source_words"] = state["source_words"] + tf.cast(count > 0, tf.int32)
        return after

    def write_word(self, rows: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, tf.Tensor, Tensors]:
        """Writes one more word of the translation before the sentence has ended, or none where it seems complete.

        Args:
            rows: bool [B], in which rows.
            state: see `initial_state`.

        Returns:
            its subwords int32 [B, N], how many are valid int32 [B], 0 elsewhere, and the state.
        """
        source = self._source(state)
        start = self._decoder_state(state)
        first, after = self._next(self._last(state), start, source)
        end = self.tokenizer.end_id

        def advance(token_ids: tf.Tensor, pair: Tensors) -> tuple[tf.Tensor, Tensors]:
            """Keeps the state before and after the latest token, and both where a row has ended."""
            latest = {name: pair[name] for name in start}
            log_probabilities, new = self._next(token_ids, latest, source)
            goes_on = token_ids != end
            moved = {
                **{name: _select(goes_on, new[name], latest[name]) for name in start},
                **{f"before_{name}": _select(goes_on, latest[name], pair[f"before_{name}"]) for name in start},
            }
            return log_probabilities, moved

        def constrain(log_probabilities: tf.Tensor, token_ids: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
            allowed = self._guard(log_probabilities, token_ids, state)
            best = tf.argmax(allowed, axis=1, output_type=tf.int32)
            begins_next = tf.gather(self.tokenizer.is_word_start, best) & (position > 0)
            return only_token(allowed, ~rows | begins_next | self._is_full(position, state), end)

        pair = {**after, **{f"before_{name}": value for name, value in start.items()}}
        decoded = decode(Greedy(), first, advance, pair, _LONGEST_WORD, end, constrain)
        token_ids, length = decoded.token_ids[:, 0], decoded.length[:, 0]
        was_cut = length == _LONGEST_WORD  # then the last token has not been given to `advance`
        before = {
            name: _select(
                length == 0, start[name], _select(was_cut, decoded.state[name], decoded.state[f"before_{name}"])
            )
            for name in start
        }
        return token_ids, length, self._with_written(token_ids, length, {**state, **before})

    def finish(self, rows: tf.Tensor, strategy: Strategy, state: Tensors) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Writes the rest of the translation.

        Args:
            rows: bool [B], in which rows.
            strategy: chooses the subwords.
            state: see `initial_state`.

        Returns:
            subwords int32 [B, N], how many are valid int32 [B], 0 elsewhere, and the sum of their log probabilities,
            the end mark's included, float32 [B].
        """
        if self.reads_at_end:
            longest = tf.reduce_max(state["source_length"])
            token_ids = state["source_ids"][:, :longest]
            mask = tf.sequence_mask(state["source_length"], longest)
            encoded, encoder_state = self._encode(token_ids, mask, start_state(self.encoder, tf.shape(rows)[0]))
            state = {**state, **encoded, **encoder_state}
        rows &= state["source_length"] > 0
        source = self._source(state)
        first, after = self._next(self._last(state), self._decoder_state(state), source)
        width = strategy.width
        source = {name: tf.repeat(values, width, axis=0) for name, values in source.items()}
        repeated = {
            name: tf.repeat(state[name], width, axis=0) for name in ("written", "written_length", "source_length")
        }
        is_idle = ~tf.repeat(rows, width)

        def advance(token_ids: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
            return self._next(token_ids, state, source)

        def constrain(log_probabilities: tf.Tensor, token_ids: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
            allowed = self._guard(log_probabilities, token_ids, repeated)
            return only_token(allowed, is_idle | self._is_full(position, repeated), self.tokenizer.end_id)

        longest = tf.reduce_max(tf.where(rows, self._most(state) - state["written_length"], 0)) + 1  # and the end mark
        decoded = decode(strategy, first, advance, after, longest, self.tokenizer.end_id, constrain)
        return decoded.token_ids[:, 0], decoded.length[:, 0], tf.where(rows, decoded.score[:, 0], 0.0)

    def attend(self, source_ids: tf.Tensor, target_ids: tf.Tensor) -> tf.Tensor:
        """How much of each subword of the sources is seen when each of the targets is written, float32 [B, T, S].

        Args:
            source_ids: int32 [B, S], all valid.
            target_ids: int32 [B, T], all valid, without marks.

        Raises:
            ValueError: the network has no attention.
        """
        if self.bridge is not None:
            raise ValueError("The network has no attention to show.")
        batch, length = tf.unstack(tf.shape(source_ids))
        before = tf.pad(target_ids, [[0, 0], [1, 0]], constant_values=self.tokenizer.start_id)[:, :-1]
        inputs = {
            "source_ids": source_ids,
            "source_mask": tf.ones_like(source_ids, tf.bool),
            "target_ids": before,
            "target_mask": tf.ones_like(before, tf.bool),
            "visible": tf.ones([batch, tf.shape(before)[1], length], tf.bool),
            "state": start_state(self.network, batch),
        }
        weights: tf.Tensor = self.network(inputs, training=False)["attention"]
        return weights

    def _encode(self, token_ids: tf.Tensor, mask: tf.Tensor, state: Tensors) -> tuple[Tensors, Tensors]:
        """Memory and keys [B, P, ...] of more subwords, none without attention, and the state of the encoder."""
        names = start_state(self.encoder, 1).keys()

        def advance(piece: Tensors, state: Tensors) -> tuple[Tensors, Tensors]:
            embedded = self.embedding(piece["token_ids"])
            outputs, after = self.encoder(
                {"embedded": embedded, "mask": piece["mask"], "state": dict(state)}, training=False
            )
            return dict(outputs), dict(after)

        before = {name: state[name] for name in names}
        if self.reads_at_end:  # both ways, so there is no piece by piece
            return advance({"token_ids": token_ids, "mask": mask}, before)
        return run_in_blocks(advance, {"token_ids": token_ids, "mask": mask}, before, self.limits.window)

    def _source(self, state: Tensors) -> Tensors:
        """What the decoder sees of the source: `memory`, `keys` and `visible`, none without attention."""
        if self.bridge is not None:
            return {}
        longest = tf.reduce_max(state["source_length"])
        visible = tf.sequence_mask(state["source_length"], longest)[:, None]  # [B, 1, S]
        return {"memory": state["memory"][:, :longest], "keys": state["keys"][:, :longest], "visible": visible}

    def _decoder_state(self, state: Tensors) -> Tensors:
        """The state of the decoder; without attention it begins with what the encoder has come to."""
        own = {name: state[name] for name in start_state(self.decoder, 1)}
        if self.bridge is None:
            return own
        begin = self.bridge({name: state[name] for name in start_state(self.encoder, 1)})
        return {name: _select(state["written_length"] == 0, begin[name], own[name]) for name in own}

    def _next(self, token_ids: tf.Tensor, state: Tensors, source: Tensors) -> tuple[tf.Tensor, Tensors]:
        """Log probabilities float32 [R, V] of the token after these [R], and the state of the decoder."""
        embedded = self.embedding(token_ids[:, None])  # [R, 1, E]
        mask = tf.ones([tf.shape(token_ids)[0], 1], tf.bool)
        inputs = {"embedded": embedded, "mask": mask, "state": dict(state), **source}
        outputs, after = self.decoder(inputs, training=False)
        logits = next_token_logits(self.network, outputs["context"][:, 0])
        return tf.nn.log_softmax(logits), {name: after[name] for name in state}

    def _last(self, state: Tensors) -> tf.Tensor:
        """The latest token of the translation, or the start mark: int32 [B]."""
        return tf.where(state["written_length"] > 0, state["written"][:, -1], self.tokenizer.start_id)

    def _guard(self, log_probabilities: tf.Tensor, token_ids: tf.Tensor, state: Tensors) -> tf.Tensor:
        """Without tokens that may not come: marks that are no text, and what would repeat an n-gram."""
        is_mark = tf.range(self.tokenizer.size) <= self.tokenizer.start_id  # padding and start
        allowed = tf.where(is_mark, float("-inf"), log_probabilities)
        history = tf.concat([state["written"], token_ids], axis=1)
        return block_repeated_ngrams(allowed, history, self.limits.repeated_ngram)

    def _most(self, state: Tensors) -> tf.Tensor:
        """Subwords that a translation of the source so far may have, int32 [R]."""
        return tf.cast(self.limits.longest_ratio * tf.cast(state["source_length"], tf.float32), tf.int32) + _SPARE

    def _is_full(self, position: tf.Tensor, state: Tensors) -> tf.Tensor:
        return state["written_length"] + position >= self._most(state)

    def _with_written(self, token_ids: tf.Tensor, length: tf.Tensor, state: Tensors) -> Tensors:
        """The state with more tokens of the translation: [B, N], of which the first are valid."""
        everything = tf.concat([state["written"], token_ids], axis=1)
        latest = length[:, None] + tf.range(_HISTORY)
        return {
            **state,
            "written": tf.gather(everything, latest, batch_dims=1),
            "written_length": state["written_length"] + length,
        }


def _select(rows: tf.Tensor, chosen: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Values [R, ...] of one tensor in these rows, bool [R], and of the other elsewhere."""
    return tf.where(tf.reshape(rows, [-1, *[1] * (len(chosen.shape) - 1)]), chosen, other)
