"""Translation as a stream: text as it arrives; what may be said of its translation, and is never taken back, out."""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.translation.config import LONGEST_WORD, Config
from runnel.apps.translation.data import TranslationData
from runnel.apps.translation.translator import Limits, Translator
from runnel.apps.translation.wait_k import WHOLE
from runnel.shared.export.probe import Probe
from runnel.shared.layers.trace_ahead import trace_ahead
from runnel.shared.preprocessing.subword_tokenizer import SubwordTokenizer
from runnel.shared.preprocessing.whitespace_splitter import WhitespaceSplitter
from runnel.shared.streaming.decode_strategies import Beam, Greedy, Strategy
from runnel.shared.streaming.stream_model import Signature, StreamModel, Tensors
from runnel.shared.streaming.when_any import when_any

__all__ = ["TranslationStream", "build_probe", "build_stream", "describe_meanings"]

_TEXT = tf.TensorSpec([None], tf.string, "text")
_FINAL = tf.TensorSpec([None], tf.bool, "final")


class _Written(NamedTuple):
    """What a call has written in each row.

    Attributes:
        text: string [B].
        log_probability: float32 [B], the sum over the subwords, end marks included, of what was written by `finish`.
        tokens: int32 [B], how many those are.
    """

    text: tf.Tensor
    log_probability: tf.Tensor
    tokens: tf.Tensor


class TranslationStream(StreamModel):
    """Reads text word by word and writes its translation, when all is there or some words behind.

    Args:
        translator: the network and its state.
        tokenizer: of both languages.
        beam: how `serving_default` chooses.
        can_wait_k: whether the network has learnt to translate before a sentence ends; else `wait_k` means nothing.
    """

    def __init__(self, translator: Translator, tokenizer: SubwordTokenizer, beam: Beam, can_wait_k: bool) -> None:
        super().__init__(name="translation_stream")
        self.translator, self.tokenizer, self.beam, self.can_wait_k = translator, tokenizer, beam, can_wait_k
        self.splitter = WhitespaceSplitter(LONGEST_WORD)

    @property
    def step_inputs(self) -> dict[str, tf.TensorSpec]:
        """Text [B], any piece of it, and whether the sentence ends with it [B]."""
        return {"text": _TEXT, "final": _FINAL}

    @property
    def serve_inputs(self) -> dict[str, tf.TensorSpec]:
        """Text [B], a whole sentence each."""
        return {"text": _TEXT}

    @property
    def extra_signatures(self) -> dict[str, Signature]:
        """`greedy`, which gives what `step` gives for the whole sentence."""
        return {"greedy": Signature({"text": _TEXT}, self.greedy)}

    def initial_state(self, batch_size: Any) -> Tensors:
        """Nothing read; `wait_k` int32 [B] is for the client to set, `begun` int32 [B] is 1 after the first commit."""
        return {
            **self.splitter.initial_state(batch_size),
            **self.translator.initial_state(batch_size),
            "wait_k": tf.fill([batch_size], WHOLE),
            "begun": tf.zeros([batch_size], tf.int32),
        }

    def step(self, inputs: Mapping[str, tf.Tensor], state: Tensors) -> tuple[Tensors, Tensors]:
        """Takes the next piece of text; gives what is added to the translation."""
        written, state = self._traced_greedy(dict(inputs), state)
        return {"committed": written.text, "finished": inputs["final"]}, state

    def serve(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Translates whole texts by beam search."""
        return self._whole(inputs["text"], lambda piece, state: self._translate(piece, state, self.beam, waits=False))

    def greedy(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Translates whole texts, always with the most probable subword."""
        return self._whole(inputs["text"], self._traced_greedy)

    @functools.cached_property
    def _traced_greedy(self) -> Any:
        """What `step` and `greedy` have in common, once in the graph."""
        return trace_ahead(
            lambda inputs, state: self._translate(inputs, state, Greedy(), self.can_wait_k),
            self.step_inputs,
            self.state_specs,
        )

    def _whole(self, text: tf.Tensor, translate: Callable[[Tensors, Tensors], tuple[_Written, Tensors]]) -> Tensors:
        batch = tf.shape(text)[0]
        written, _ = translate({"text": text, "final": tf.ones([batch], tf.bool)}, self.initial_state(batch))
        score = written.log_probability / tf.cast(tf.maximum(written.tokens, 1), tf.float32)
        return {"translation": written.text, "score": score}

    def _translate(
        self, inputs: Mapping[str, tf.Tensor], state: Tensors, strategy: Strategy, waits: bool
    ) -> tuple[_Written, Tensors]:
        """Reads the words that a piece of text completes, and writes what is due after each.

        `waits` says whether `wait_k` may be other than `WHOLE`.
        """
        text, final = inputs["text"], inputs["final"]
        words, heard = self.splitter.step(text, final, {name: state[name] for name in self.splitter.state_names})
        state, batch = {**state, **heard}, tf.shape(text)[0]
        nothing = _Written(tf.fill([batch], ""), tf.zeros([batch]), tf.zeros([batch], tf.int32))
        written, state = when_any(
            final | (words.row_lengths() > 0),
            lambda: self._over_words(words, final, strategy, nothing, state, waits),
            (nothing, state),
        )
        return written, {**state, "begun": tf.where(final, 0, state["begun"])}

    def _over_words(
        self,
        words: tf.RaggedTensor,
        final: tf.Tensor,
        strategy: Strategy,
        written: _Written,
        state: Tensors,
        waits: bool,
    ) -> tuple[_Written, Tensors]:
        """The work of `_translate`, word by word: string [B, None], complete ones."""
        pieces = self.tokenizer.encode_words(words.values)  # [words of all rows, subwords]
        counts = words.with_values(tf.cast(pieces.row_lengths(), tf.int32)).to_tensor(0)  # [B, W]
        token_ids = words.with_values(pieces).to_tensor(self.tokenizer.pad_id)  # [B, W, P]
        # The end of a text is one more word, an empty one.
        end = tf.shape(counts)[1]
        steps = end + tf.cast(tf.reduce_any(final), tf.int32)
        counts, token_ids = tf.pad(counts, [[0, 0], [0, 1]]), tf.pad(token_ids, [[0, 0], [0, 1], [0, 0]])

        def body(word: tf.Tensor, written: _Written, state: Tensors) -> tuple:
            count = counts[:, word]
            is_due = ~self.translator.has_room(count, state) | (final & (word == end))
            written, state = self._finish(is_due, strategy, written, state)

            def read() -> tuple[_Written, Tensors]:
                after = {**state, **self.translator.read(token_ids[:, word], count, self._of_translator(state))}
                return self._write_word(count > 0, written, after) if waits else (written, after)

            return word + 1, *when_any(count > 0, read, (written, state))

        _, written, state = tf.while_loop(
            lambda word, *_: word < steps,
            body,
            (tf.constant(0), written, state),
            shape_invariants=(
                tf.TensorShape([]),
                _Written(*[tf.TensorShape([None])] * 3),
                {name: tf.TensorShape([None, *value.shape[1:]]) for name, value in state.items()},
            ),
        )
        return written, state

    def _write_word(self, rows: tf.Tensor, written: _Written, state: Tensors) -> tuple[_Written, Tensors]:
        """One more word of the translation in those of the rows in which it is due."""
        rows &= (state["wait_k"] > 0) & (state["source_words"] >= state["wait_k"])

        def write() -> tuple[_Written, Tensors]:
            token_ids, length, after = self.translator.write_word(rows, self._of_translator(state))
            text, after = self._commit(token_ids, length, {**state, **after})
            return written._replace(text=tf.strings.join([written.text, text])), after

        return when_any(rows, write, (written, state))

    def _finish(
        self, rows: tf.Tensor, strategy: Strategy, written: _Written, state: Tensors
    ) -> tuple[_Written, Tensors]:
        """The rest of the translation in these rows, which then are ready for another sentence."""

        def finish() -> tuple[_Written, Tensors]:
            token_ids, length, log_probability = self.translator.finish(rows, strategy, self._of_translator(state))
            text, after = self._commit(token_ids, length, state)
            fresh = self.translator.initial_state(tf.shape(rows)[0])
            after |= {
                name: tf.where(tf.reshape(rows, [-1, *[1] * (len(value.shape) - 1)]), value, state[name])
                for name, value in fresh.items()
            }
            is_sentence = rows & (state["source_length"] > 0)
            tokens = written.tokens + tf.where(is_sentence, length + 1, 0)
            added = _Written(tf.strings.join([written.text, text]), written.log_probability + log_probability, tokens)
            return added, after

        return when_any(rows, finish, (written, state))

    def _commit(self, token_ids: tf.Tensor, length: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, Tensors]:
        """The text of more tokens; the very first of a text has no space before it."""
        text = self.tokenizer.decode_continuation(token_ids, length)
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
        first = tf.strings.regex_replace(text, r"\A ", "", replace_global=False)
        begun = tf.where(length > 0, 1, state["begun"])
        return tf.where(state["begun"] > 0, text, first), {**state, "begun": begun}

    def _of_translator(self, state: Tensors) -> Tensors:
        others = (*self.splitter.state_names, "wait_k", "begun")
        return {name: value for name, value in state.items() if name not in others}


def build_stream(network: keras.Model, tokenizer: SubwordTokenizer, config: Config) -> TranslationStream:
    """Puts the parts together.

    Args:
        network: what `build_model` gives.
        tokenizer: of both languages.
        config: the options.
    """
    advanced = config.advanced
    limits = Limits(advanced.window, advanced.longest_ratio, advanced.repeated_ngram)
    beam = Beam(advanced.beam, advanced.length_penalty)
    return TranslationStream(Translator(network, tokenizer, limits), tokenizer, beam, config.can_wait_k)


def build_probe(data: TranslationData, config: Config) -> Probe:
    """Sentences of unequal length for the verification: characters cut in two, more than the window holds, none."""
    first, second = (text.encode() for text in (data.corpus.splits["test"].sources * 2)[:2])
    longest_text = b" ".join([first] * (2 * config.advanced.window // max(len(first.split()), 1) + 1))
    texts = [first, second[:80], "naïve 🙂\t“quo".encode() + b" " + first[:20], b"bad \xff\x00 bytes", b"", b"  7 "]
    longest = max(map(len, texts))
    chunkings = [
        _cut(texts, cuts)
        for cuts in (range(longest + 1), (0, longest), (*range(0, longest, 7), longest), (0, 0, 1, 4, 4, 40, longest))
    ]
    waits = np.resize(np.array([3, 1, 2], np.int32), len(texts))
    return Probe(
        serve={"text": _array([*texts[:-1], longest_text])},
        chunkings=chunkings,
        final=(),
        growing={},
        extra={"greedy": {"text": _array(texts)}},
        appended={"committed": ("greedy", "translation")},
        starts=[{"state_wait_k": waits}],
    )


def _cut(texts: Sequence[bytes], cuts: Sequence[int]) -> list[dict[str, np.ndarray]]:
    """Pieces of all texts between these cuts; the last piece is final."""
    pairs = list(itertools.pairwise(cuts))
    return [
        {"text": _array([text[begin:end] for text in texts]), "final": np.full(len(texts), place == len(pairs) - 1)}
        for place, (begin, end) in enumerate(pairs)
    ]


def _array(texts: Sequence[bytes]) -> np.ndarray:
    return np.array(texts, object)


def describe_meanings(data: TranslationData, config: Config) -> dict[str, Any]:
    """What a client must know to fill the inputs and read the outputs, as plain data for the manifest."""
    advanced = config.advanced
    return {
        "attention": config.attention,
        "encoder": config.encoder,
        "can_wait_k": config.can_wait_k,
        "window": advanced.window,
        "longest_word": LONGEST_WORD,
        "beam": advanced.beam,
        "length_penalty": advanced.length_penalty,
        "vocabulary": list(data.tokenizer.vocabulary),
        "inputs": {
            "text": "any bytes, meant as UTF-8; in `step` a piece of a sentence: a word, several, part of a character, "
            "nothing; elsewhere a whole one",
            "final": "whether the sentence ends with this piece; the rest of its translation comes, and the next piece "
            "begins another sentence",
        },
        "state": {
            "state_wait_k": "how many words of the source to wait for before the first of the translation; each "
            "further one brings another; 0 waits for the end. May be set by the client before a sentence, and stays. "
            + ("" if config.can_wait_k else "This model always waits for the end."),
            "window": f"the last {advanced.window} subwords of the source are seen; where a longer text comes, what is "
            "there is translated as if it ended there, and what follows by itself",
        },
        "defaults": {"state_wait_k": WHOLE},
        "outputs": {
            "committed": "what this call adds to the translation, the space before it included; never taken back",
            "finished": "whether the translation of a sentence is complete with this",
            "translation": "of the whole text; of `greedy`, what the pieces of `committed` join to with state_wait_k 0",
            "score": "mean log probability of a subword of it, in nats; 0 where there is nothing to translate",
        },
    }
