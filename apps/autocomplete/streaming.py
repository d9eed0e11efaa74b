"""Autocomplete as a stream: keys as they are typed; suggestions out."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from runnel.apps.autocomplete.character_completion import CharacterCompletion
from runnel.apps.autocomplete.config import Config
from runnel.apps.autocomplete.data import LanguageData, Tokenizer
from runnel.apps.autocomplete.next_token_model import NextTokenModel
from runnel.apps.autocomplete.word_completion import WordCompletion
from runnel.shared.export.probe import Probe
from runnel.shared.layers.unigram_cache import UnigramCache
from runnel.shared.preprocessing.word_tokenizer import WordTokenizer
from runnel.shared.streaming.decode_strategies import Sampling
from runnel.shared.streaming.stream_model import Signature, StreamModel, Tensors

__all__ = ["AutocompleteStream", "build_probe", "build_stream", "describe_meanings"]

_TEXT = tf.TensorSpec([None], tf.string, "text")
_DEFAULTS = {"max_tokens": 50, "temperature": 0.8, "top_k": 0, "top_p": 0.95, "seed": 0}  # of `generate`


class AutocompleteStream(StreamModel):
    """Reads text as it is typed and says how the word being typed, or the next one, may go on.

    Args:
        tokenizer: from text to tokens.
        model: from tokens to the probabilities of the next one.
        completion: from those to words.
    """

    def __init__(
        self, tokenizer: Tokenizer, model: NextTokenModel, completion: WordCompletion | CharacterCompletion
    ) -> None:
        super().__init__(name="autocomplete_stream")
        self.tokenizer, self.model, self.completion = tokenizer, model, completion

    @property
    def step_inputs(self) -> dict[str, tf.TensorSpec]:
        """Text [B]: a key, many, part of a character, or nothing."""
        return {"text": _TEXT}

    @property
    def serve_inputs(self) -> dict[str, tf.TensorSpec]:
        """Text [B]: all that has been typed."""
        return {"text": _TEXT}

    @property
    def extra_signatures(self) -> dict[str, Signature]:
        """`generate`, which writes on, and `score`, which says how probable a text is."""
        generate_inputs = {
            "prompt": tf.TensorSpec([None], tf.string, "prompt"),
            "max_tokens": tf.TensorSpec([], tf.int32, "max_tokens"),
            "temperature": tf.TensorSpec([], tf.float32, "temperature"),
            "top_k": tf.TensorSpec([], tf.int32, "top_k"),
            "top_p": tf.TensorSpec([], tf.float32, "top_p"),
            "seed": tf.TensorSpec([], tf.int32, "seed"),
        }
        return {
            "generate": Signature(generate_inputs, self.generate),
            "score": Signature({"text": _TEXT}, self.score, carries_state=True),
        }

    def initial_state(self, batch_size: Any) -> Tensors:
        """The state after an end mark: nothing typed yet."""
        return {**self.tokenizer.initial_state(batch_size), **self.model.initial_state(batch_size)}

    def step(self, inputs: Mapping[str, tf.Tensor], state: Tensors) -> tuple[Tensors, Tensors]:
        """Takes the next piece of text; gives the suggestions after it."""
        token_ids, mask, typed, known = self._read(inputs["text"], state)
        known = self.model.advance(token_ids, mask, known)
        suggestions, scores = self.completion.suggest(typed, known)
        return {"suggestions": suggestions, "scores": scores}, {**typed, **known}

    def serve(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Takes all that has been typed and gives the suggestions after it."""
        return self.step_from_start(inputs)

    def score(self, inputs: Mapping[str, tf.Tensor], state: Tensors) -> tuple[Tensors, Tensors]:
        """Takes the next piece of text; gives the log probability, in nats, of the tokens that it completes."""
        token_ids, mask, typed, known = self._read(inputs["text"], state)
        scores, known = self.model.score(token_ids, mask, known)
        results = {
            "log_probability": tf.reduce_sum(scores, axis=1),
            "tokens": tf.reduce_sum(tf.cast(mask, tf.int32), axis=1),
        }
        return results, {**typed, **known}

    def generate(self, inputs: Mapping[str, tf.Tensor]) -> Tensors:
        """Writes on after a prompt, up to an end mark or `max_tokens`; gives what follows the prompt."""
        prompt = inputs["prompt"]
        token_ids, mask, typed, known = self._read(prompt, self.initial_state(tf.shape(prompt)[0]))
        known = self.model.advance(token_ids, mask, known)
        strategy = Sampling(inputs["temperature"], inputs["top_k"], inputs["top_p"], inputs["seed"])
        return {"text": self.completion.generate(typed, known, strategy, inputs["max_tokens"])}

    def _read(self, text: tf.Tensor, state: Tensors) -> tuple[tf.Tensor, tf.Tensor, Tensors, Tensors]:
        """The tokens int32 [B, N] that a piece of text completes, their mask, and the tokenizer's and model's state."""
        names = self.tokenizer.state_names
        token_ids, typed = self.tokenizer.step(text, {name: state[name] for name in names})
        dense = token_ids.to_tensor()  # [B, N]
        mask = tf.sequence_mask(token_ids.row_lengths(), tf.shape(dense, tf.int64)[1])
        return dense, mask, typed, {name: value for name, value in state.items() if name not in names}


def build_stream(network: keras.Model, tokenizer: Tokenizer, config: Config, cache_weight: float) -> AutocompleteStream:
    """Puts the parts together.

    Args:
        network: what `build_model` gives.
        tokenizer: of the level that the options ask for.
        config: the options.
        cache_weight: of the user's latest words; 0 leaves the cache out.
    """
    cache = UnigramCache(config.advanced.cache_tokens, cache_weight) if cache_weight > 0 else None
    if isinstance(tokenizer, WordTokenizer):
        model = NextTokenModel(network, (tokenizer.end_id,), cache)
        return AutocompleteStream(tokenizer, model, WordCompletion(tokenizer, model, config.advanced.suggestions))
    model = NextTokenModel(network, (tokenizer.newline_id, tokenizer.newline_id), None)
    return AutocompleteStream(tokenizer, model, CharacterCompletion(tokenizer, model, config.advanced.suggestions))


def build_probe(data: LanguageData) -> Probe:
    """Sessions of text of unequal length for the verification: one with characters cut in two, one empty."""
    text = data.corpus.splits["test"][0][:120].encode()
    texts = [text, "naïve 🙂\t“quo".encode() + text[:20], b"The quick brown ", b"bad \xff\x00 bytes", b""]
    longest = max(map(len, texts))
    chunkings = [
        _cut(texts, cuts)
        for cuts in (range(longest + 1), (0, longest), (*range(0, longest, 7), longest), (0, 0, 1, 4, 4, 40, longest))
    ]
    drawing = {name: np.float32(_DEFAULTS[name]) for name in ("temperature", "top_p")}
    limits = {"max_tokens": np.int32(8), "top_k": np.int32(_DEFAULTS["top_k"]), "seed": np.int32(1)}
    return Probe(
        serve={"text": _array(texts)},
        chunkings=chunkings,
        final=("suggestions", "scores"),
        growing={},
        ranked={"suggestions": "scores"},
        extra={
            "generate": {"prompt": _array(texts), **limits, **drawing},
            "score": {"text": _array(texts)},
        },
    )


def _cut(texts: Sequence[bytes], cuts: Sequence[int]) -> list[dict[str, np.ndarray]]:
    pairs = itertools.pairwise(cuts)
    return [{"text": _array([text[begin:end] for text in texts])} for begin, end in pairs]


def _array(texts: Sequence[bytes]) -> np.ndarray:
    return np.array(texts, object)


def describe_meanings(data: LanguageData, config: Config, cache_weight: float) -> dict[str, Any]:
    """What a client must know to fill the inputs and read the outputs, as plain data for the manifest."""
    return {
        "level": config.level,
        "suggestions": config.advanced.suggestions,
        "cache_weight": cache_weight,
        "vocabulary": list(data.tokenizer.vocabulary),
        "inputs": {
            "text, prompt": "any bytes, meant as UTF-8; in `step` a key, many, part of a character, or nothing",
            "max_tokens": "words and marks (level word) or characters (level char) to write at most",
            "temperature": "1 draws as the model expects; lower is more cautious; 0 takes the most probable token",
            "top_k": "draw among so many of the most probable tokens; 0: among all",
            "top_p": "draw among the fewest tokens that have this probability together; 1: among all",
            "seed": "the same seed gives the same text",
        },
        "defaults": dict(_DEFAULTS),
        "outputs": {
            "suggestions": "whole words, best first, that begin with the word being typed, or that may come next; "
            '"" where there are no more',
            "scores": "their probabilities, given that a word stands there that begins so",
            "log_probability": "in nats, of the tokens that this piece of text completed; a word still being typed is "
            "not among them",
            "tokens": "how many those are",
            "text": "what follows the prompt; it begins with the rest of the word being typed",
        },
    }
