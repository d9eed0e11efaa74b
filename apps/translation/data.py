"""Pairs of texts to training examples: subwords fitted to the training split, batches of sentences alike in length."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from runnel.apps.translation.config import LONGEST_WORD, Config
from runnel.apps.translation.copied_texts import copied_texts
from runnel.apps.translation.wait_k import WHOLE, draw_wait, word_numbers
from runnel.datasets.pairs.load_pairs import load_pairs
from runnel.datasets.pairs.pair_corpus import PairCorpus, Pairs
from runnel.shared.errors import InputError
from runnel.shared.preprocessing.fit_subwords import fit_subwords
from runnel.shared.preprocessing.subword_tokenizer import SubwordTokenizer
from runnel.shared.preprocessing.whitespace_splitter import WhitespaceSplitter
from runnel.shared.training.without_autotuning import without_autotuning

__all__ = ["SentencePairs", "TranslationData", "load_data", "prepare", "training_batches", "validation_batches"]

_TEXTS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class SentencePairs:
    """Pairs as tokens.

    Attributes:
        source_ids: int32 [N, None], without marks.
        source_words: int32 [N, None], the number of the word, from 1, that each of these tokens belongs to.
        target_ids: int32 [N, None], the end mark last.
    """

    source_ids: tf.RaggedTensor
    source_words: tf.RaggedTensor
    target_ids: tf.RaggedTensor

    def __len__(self) -> int:
        return int(self.source_ids.nrows())

    def __add__(self, others: "SentencePairs") -> "SentencePairs":
        sides = zip(vars(self).values(), vars(others).values(), strict=True)
        return SentencePairs(*(tf.concat(tokens, axis=0) for tokens in sides))

    @property
    def lengths(self) -> np.ndarray:
        """int64 [N, 2], tokens of each side, the start mark of the target counted in place of its end mark."""
        return np.stack([self.source_ids.row_lengths().numpy(), self.target_ids.row_lengths().numpy()], axis=1)

    def take(self, rows: np.ndarray) -> "SentencePairs":
        """The pairs of these rows."""
        return SentencePairs(*(tf.gather(tokens, rows) for tokens in vars(self).values()))


@dataclass(frozen=True, eq=False)
class TranslationData:
    """Pairs of texts, the tokenizer fitted to their training split alone, and the tokens that are trained on.

    Attributes:
        corpus: the texts.
        tokenizer: of both languages.
        pairs: the tokens of `train`, some made up pairs to be copied among them, and of `validation`.
        left_out: pairs of train that are too long, or of which a side has no word.
    """

    corpus: PairCorpus
    tokenizer: SubwordTokenizer
    pairs: dict[str, SentencePairs]
    left_out: int


def load_data(config: Config, vocabulary: Sequence[str] | None = None) -> TranslationData:
    """Reads the source and turns it into tokens.

    Args:
        config: the options.
        vocabulary: of a model to go on from, in place of a newly fitted one.

    Raises:
        InputError: the source cannot be used.
    """
    return prepare(load_pairs(config.data), config, vocabulary)


def prepare(corpus: PairCorpus, config: Config, vocabulary: Sequence[str] | None = None) -> TranslationData:
    """Fits the vocabulary to the training split and turns what is trained on into tokens.

    Raises:
        InputError: no pair is left to train on, or to validate on.
    """
    train = corpus.splits["train"]
    if vocabulary is None:
        vocabulary = fit_subwords([*train.sources, *train.targets], config.vocabulary)
    tokenizer = SubwordTokenizer(vocabulary)
    longest = min(config.advanced.longest_sentence, config.advanced.batch_tokens)
    pairs = {name: _usable(_tokens(corpus.splits[name], tokenizer), longest) for name in ("train", "validation")}
    for name, kept in pairs.items():
        if not len(kept):
            raise InputError(
                f"the {name} split of {config.data} has no pair with words on both sides and {longest} subwords at "
                f"most on each, out of {len(corpus.splits[name]):,}; expected one at least; give shorter texts, or a "
                "larger --longest-sentence"
            )
    left_out = len(train) - len(pairs["train"])
    made_up = tuple(copied_texts(int(config.advanced.copied_share * len(train)), config.advanced.seed))
    pairs["train"] += _usable(_tokens(Pairs(made_up, made_up), tokenizer), longest)
    return TranslationData(corpus, tokenizer, pairs, left_out)


def training_batches(data: TranslationData, config: Config) -> tuple[Callable[[int], tf.data.Dataset], int]:
    """Batches of pairs alike in length, in an order drawn for each epoch.

    Returns:
        from an epoch to its batches of {`source_ids` int32 [B, S], `source_mask` bool [B, S], `target_ids` int32
        [B, T], the start mark first, `targets` int32 [B, T], the end mark last, `target_mask` bool [B, T], `visible`
        bool [B, T, S], what of the source may be seen before each target is written}; and how many batches an epoch
        has.
    """
    advanced, pairs = config.advanced, data.pairs["train"]
    lengths = pairs.lengths
    a_pass = len(_cut(np.sort(lengths.max(axis=1)), advanced.batch_tokens))
    steps = advanced.steps_per_epoch or a_pass

    @tf.function(autograph=False)  # traced once for all epochs
    def batch(chosen: tf.Tensor, epoch: tf.Tensor, step: tf.Tensor) -> dict[str, tf.Tensor]:
        return _batch(pairs, chosen, draw_wait(epoch, step, config), data.tokenizer)

    def batches(epoch: int) -> tf.data.Dataset:
        rows = tf.ragged.constant(list(_rows_of(epoch, lengths, steps, a_pass, config)), tf.int32)
        numbered = tf.data.Dataset.from_tensor_slices((rows, tf.fill([steps], epoch), tf.range(steps)))
        return numbered.map(batch).prefetch(4)

    return batches, steps


def validation_batches(data: TranslationData, config: Config) -> tf.data.Dataset:
    """All pairs of the validation split, alike in length, with the whole source visible."""
    pairs = data.pairs["validation"]
    longest = pairs.lengths.max(axis=1)
    order = np.argsort(longest, kind="stable")
    rows = [order[begin:end] for begin, end in _cut(longest[order], config.advanced.batch_tokens)]
    chosen = tf.data.Dataset.from_tensor_slices(tf.ragged.constant(rows, tf.int32))
    batches = chosen.map(lambda rows: _batch(pairs, rows, tf.constant(WHOLE), data.tokenizer)).cache()
    return without_autotuning(batches)


def _rows_of(epoch: int, lengths: np.ndarray, steps: int, a_pass: int, config: Config) -> Iterator[np.ndarray]:
    """The pairs of each batch of an epoch, a function of the seed and the epoch.

    Passes over all pairs follow each other, an epoch may be a part of one or more than one: batch k of the training is
    batch k % `a_pass` of pass k // `a_pass`.
    """
    passes: dict[int, list[np.ndarray]] = {}
    for step in range(epoch * steps, (epoch + 1) * steps):
        number = step // a_pass
        if number not in passes:
            passes = {number: _batches_of_pass(number, lengths, config)}
        yield passes[number][step % a_pass]


def _batches_of_pass(number: int, lengths: np.ndarray, config: Config) -> list[np.ndarray]:
    """All pairs in batches, each of pairs alike in length, the batches in a drawn order; as many in every pass."""
    random = np.random.default_rng([config.advanced.seed, number])
    longest = lengths.max(axis=1)
    order = np.lexsort([random.random(len(lengths)), lengths.sum(axis=1), longest])
    cuts = _cut(longest[order], config.advanced.batch_tokens)
    return [order[slice(*cuts[place])] for place in random.permutation(len(cuts))]


def _cut(longest: np.ndarray, batch_tokens: int) -> list[tuple[int, int]]:
    """Where to cut lengths in rising order so that no batch has more tokens, padding included."""
    cuts, begin = [], 0
    for place, length in enumerate(longest):
        if (place + 1 - begin) * length > batch_tokens and place > begin:
            cuts.append((begin, place))
            begin = place
    return [*cuts, (begin, len(longest))]


def _batch(pairs: SentencePairs, rows: tf.Tensor, wait: tf.Tensor, tokenizer: SubwordTokenizer) -> dict[str, tf.Tensor]:
    """The pairs of these rows, padded; each target sees the source words that a wait of so many has let in."""
    source_ids, source_words, target_ids = (tf.gather(tokens, rows) for tokens in vars(pairs).values())
    targets = target_ids.to_tensor(tokenizer.pad_id)  # [B, T]
    source_mask = tf.sequence_mask(source_ids.row_lengths())  # [B, S]
    read = word_numbers(tf.gather(tokenizer.is_word_start, targets) | (targets == tokenizer.end_id))  # [B, T]
    # The end mark may only come once all has been read.
    seen = tf.where((wait == WHOLE) | (targets == tokenizer.end_id), tf.int32.max, read + wait - 1)
    words = source_words.to_tensor(tf.int32.max)
    return {
        "source_ids": source_ids.to_tensor(tokenizer.pad_id),
        "source_mask": source_mask,
        "target_ids": tf.pad(targets, [[0, 0], [1, 0]], constant_values=tokenizer.start_id)[:, :-1],
        "targets": targets,
        "target_mask": tf.sequence_mask(target_ids.row_lengths()),
        "visible": source_mask[:, None] & (words[:, None] <= seen[..., None]),
    }


def _tokens(pairs: Pairs, tokenizer: SubwordTokenizer) -> SentencePairs:
    """The tokens of all pairs: sources word by word as the stream reads them, targets as they are."""
    source_words = _in_parts(WhitespaceSplitter(LONGEST_WORD).split, pairs.sources)
    source_pieces = _pieces(source_words, tokenizer)  # [N, words, subwords]
    numbers = tf.repeat(tf.ragged.range(source_words.row_lengths()).values + 1, source_pieces.values.row_lengths())
    source_ids = source_pieces.merge_dims(1, 2)
    target_words = _in_parts(lambda texts: tf.strings.split(texts, " "), pairs.targets)
    target_ids = _pieces(target_words, tokenizer).merge_dims(1, 2)
    end = tf.fill([len(pairs), 1], tokenizer.end_id)
    return SentencePairs(
        source_ids, source_ids.with_values(tf.cast(numbers, tf.int32)), tf.concat([target_ids, end], axis=1)
    )


def _in_parts(function: Callable[[tf.Tensor], tf.RaggedTensor], texts: Sequence[str]) -> tf.RaggedTensor:
    """What a function gives for texts [N], some thousands at once."""
    parts = [texts[begin : begin + _TEXTS_AT_ONCE] for begin in range(0, max(len(texts), 1), _TEXTS_AT_ONCE)]
    return tf.concat([function(tf.constant(part, tf.string)) for part in parts], axis=0)


def _pieces(words: tf.RaggedTensor, tokenizer: SubwordTokenizer) -> tf.RaggedTensor:
    """The tokens int32 [N, None, None] of words string [N, None], each different one encoded once."""
    different, places = tf.unique(words.values)
    return words.with_values(tf.gather(_in_parts(tokenizer.encode_words, different.numpy()), places))


def _usable(pairs: SentencePairs, longest: int) -> SentencePairs:
    lengths = pairs.lengths
    is_usable = (lengths.max(axis=1) <= longest) & (lengths[:, 0] > 0) & (lengths[:, 1] > 1)
    return pairs.take(np.flatnonzero(is_usable))
