"""A text to training examples: tokens fitted to the training split, and stretches of text read side by side."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from runnel.apps.autocomplete.config import Config
from runnel.datasets.text.load_text import load_text
from runnel.datasets.text.text_corpus import TextCorpus
from runnel.shared.errors import InputError
from runnel.shared.preprocessing.character_tokenizer import CharacterTokenizer, fit_characters
from runnel.shared.preprocessing.word_tokenizer import WordTokenizer, fit_words
from runnel.shared.training.without_autotuning import without_autotuning

__all__ = [
    "LanguageData",
    "Tokenizer",
    "build_tokenizer",
    "load_data",
    "prepare",
    "side_by_side",
    "training_batches",
    "validation_batches",
]

_VALIDATION_STRETCHES = 16
_VALIDATION_WINDOW = 256

Tokenizer = WordTokenizer | CharacterTokenizer


@dataclass(frozen=True)
class LanguageData:
    """A text, the tokenizer fitted to its training split alone, and the token ids of each split."""

    corpus: TextCorpus
    tokenizer: Tokenizer
    token_ids: dict[str, np.ndarray]  # int32 [N] for each split, documents one after the other


def load_data(config: Config, vocabulary: Sequence[str] | None = None) -> LanguageData:
    """Reads the source and turns it into tokens.

    Args:
        config: the options.
        vocabulary: of a model to go on from, in place of a newly fitted one.

    Raises:
        InputError: the source cannot be used.
    """
    return prepare(load_text(config.data), config, vocabulary)


def prepare(corpus: TextCorpus, config: Config, vocabulary: Sequence[str] | None = None) -> LanguageData:
    """Fits the vocabulary to the training split and turns every split into token ids.

    Raises:
        InputError: a split is too short.
    """
    if vocabulary is None:
        fit = fit_words if config.level == "word" else fit_characters
        vocabulary = fit(corpus.splits["train"], config.vocabulary, config.advanced.minimum_count)
    tokenizer = build_tokenizer(config, vocabulary)
    token_ids = {
        name: np.concatenate([[], *(tokenizer.encode([text]).flat_values.numpy() for text in texts)]).astype(np.int32)
        for name, texts in corpus.splits.items()
    }
    needed = config.advanced.batch_size + 1
    for name, ids in token_ids.items():
        least = needed if name == "train" else 2
        if len(ids) < least:
            unit = "words and marks" if config.level == "word" else "characters"
            raise InputError(
                f"the {name} split of {config.data} has {len(ids)} {unit}; expected at least {least}; give more text"
            )
    return LanguageData(corpus, tokenizer, token_ids)


def build_tokenizer(config: Config, vocabulary: Sequence[str]) -> Tokenizer:
    """The tokenizer of the level that the options ask for."""
    return WordTokenizer(vocabulary) if config.level == "word" else CharacterTokenizer(vocabulary)


def training_batches(data: LanguageData, config: Config) -> Callable[[int], tf.data.Dataset]:
    """Windows of the training text, for truncated backpropagation through time.

    Row b of a batch goes on where row b of the batch before it ended. The text is read as a ring, from a place drawn
    anew for each epoch.

    Returns:
        from the epoch to batches of {`token_ids`, `targets`: int32 [B, T]}, where targets are one token later.
    """
    advanced, ids = config.advanced, tf.constant(data.token_ids["train"])
    window = min(advanced.window, len(ids) // advanced.batch_size)
    steps = advanced.steps_per_epoch or len(ids) // (advanced.batch_size * window)
    starts = tf.cast(tf.range(advanced.batch_size, dtype=tf.int64) * len(ids) // advanced.batch_size, tf.int32)

    def batches(epoch: int) -> tf.data.Dataset:
        turn = tf.random.stateless_uniform([], [advanced.seed, epoch], 0, len(ids), tf.int32)

        def cut(step: tf.Tensor) -> dict[str, tf.Tensor]:
            first = turn + starts + tf.cast(step, tf.int32) * window
            piece = tf.gather(ids, (first[:, None] + tf.range(window + 1)) % len(ids))  # [B, T + 1]
            return {"token_ids": piece[:, :-1], "targets": piece[:, 1:]}

        return tf.data.Dataset.range(steps).map(cut).prefetch(2)

    return batches


def validation_batches(data: LanguageData, split: str = "validation") -> tf.data.Dataset:
    """A whole split in windows that carry the state from one to the next.

    Returns:
        batches of {`token_ids`, `targets`: int32 [B, T], `mask`: bool [B, T]}; each target stands in one window alone.
    """
    token_ids, targets, mask = side_by_side(data.token_ids[split], _VALIDATION_STRETCHES)
    tensors = {"token_ids": token_ids, "targets": targets, "mask": mask}
    count = math.ceil(mask.shape[1] / _VALIDATION_WINDOW)
    pieces = {
        name: np.stack(np.split(np.pad(value, [(0, 0), (0, -value.shape[1] % _VALIDATION_WINDOW)]), count, axis=1))
        for name, value in tensors.items()
    }
    return without_autotuning(tf.data.Dataset.from_tensor_slices(pieces))


def side_by_side(token_ids: np.ndarray, stretches: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cuts a text into stretches of equal length.

    Args:
        token_ids: int32 [N].
        stretches: B, at most; fewer for a short text.

    Returns:
        token_ids, targets int32 [B, T] and mask bool [B, T], False behind the end of the text.
    """
    rows = max(1, min(stretches, len(token_ids) // 100))
    length = math.ceil((len(token_ids) - 1) / rows)
    padded = np.pad(token_ids, (0, rows * length + 1 - len(token_ids)))
    mask = np.arange(rows * length) < len(token_ids) - 1
    return padded[:-1].reshape(rows, length), padded[1:].reshape(rows, length), mask.reshape(rows, length)
