"""Words as token ids, a piece of text at a time, inside the graph."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import tensorflow as tf

from runnel.shared.preprocessing.typed_word import read_typed_word
from runnel.shared.preprocessing.vocabulary import (
    REPLACEMENT_CHARACTER,
    UNKNOWN,
    check_vocabulary,
    join_tokens,
    most_frequent,
    token_table,
)
from runnel.shared.preprocessing.word_candidates import WordCandidates
from runnel.shared.preprocessing.word_pattern import WORD_CHARACTER
from runnel.shared.preprocessing.word_splitter import END_MARK, SPACE_MARK, WordSplitter

__all__ = ["WordTokenizer", "fit_words"]

Tensors = dict[str, tf.Tensor]

_SPECIALS = (UNKNOWN, END_MARK)
_DOCUMENTS_AT_ONCE = 64


class WordTokenizer(tf.Module):
    """Turns text into ids of words, punctuation and paragraph ends, and back; `WordSplitter` says how text is split.

    A vocabulary holds words in one or both of two forms: "▁fox" follows whitespace or begins a text or paragraph,
    "fox" follows another token directly. A word in a form that is missing gets the id of its other form; a word that
    has neither gets the id of "<unk>".

    Args:
        vocabulary: the V tokens in the order of their ids, as `fit_words` gives them: "<unk>", "</p>", the words.
        longest_word: characters of the longest word that may be known.

    Attributes:
        surfaces: string [V], the words without their form; empty for "<unk>" and "</p>".
        is_spaced: bool [V], tokens that bring whitespace before them.

    Raises:
        ValueError: the vocabulary does not begin with "<unk>" and "</p>", repeats a token, or holds a word too long.
    """

    unknown_id, end_id = range(2)
    state_names = ("tail", "word", "gap")

    def __init__(self, vocabulary: Sequence[str], longest_word: int = 40) -> None:
        super().__init__()
        tokens = check_vocabulary(vocabulary, _SPECIALS)
        words = [_without_form(token) for token in tokens[2:]]
        if any(len(word) > longest_word for word in words):
            raise ValueError(f"Received {max(words, key=len)!r}; expected words of {longest_word} characters at most.")
        self._vocabulary = tokens
        self._splitter = WordSplitter(longest_word)
        self.surfaces = tf.constant(["", "", *words])
        self.is_spaced = tf.constant([False, False, *map(_is_spaced, tokens[2:])])
        spaces = [" " if _is_spaced(token) else "" for token in tokens[2:]]
        self._texts = tf.constant([f" {REPLACEMENT_CHARACTER}", "\n\n", *map("".join, zip(spaces, words, strict=True))])
        forms = _ids_of_forms(tokens)
        by_token = {SPACE_MARK * form + word: index for form, ids in enumerate(forms) for word, index in ids.items()}
        self._ids = token_table({END_MARK: self.end_id, **by_token}, self.unknown_id)
        is_word = tf.strings.regex_full_match(self.surfaces, f"(?s){WORD_CHARACTER}.*").numpy()
        is_of_form = [np.isin(np.arange(len(tokens)), list(ids.values())) for ids in forms]
        self._candidates = WordCandidates(["", "", *words], np.stack(is_of_form) & is_word)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens in the order of their ids."""
        return tuple(self._vocabulary)

    @property
    def size(self) -> int:
        """V, the number of tokens."""
        return len(self._vocabulary)

    def initial_state(self, batch_size: tf.Tensor | int) -> Tensors:
        """The state before any text: `tail`, `word` and `gap`, as `WordSplitter.initial_state` says."""
        return self._splitter.initial_state(batch_size)

    def step(self, text: tf.Tensor, state: Tensors) -> tuple[tf.RaggedTensor, Tensors]:
        """Takes the next piece of text; the word being typed waits in the state.

        Args:
            text: string [B], any bytes: a key, a paste, part of a character, nothing.
            state: as `initial_state` or the step before gave it.

        Returns:
            ids of the tokens that this piece completes, int32 [B, None], and the state.
        """
        tokens, state = self._splitter.step(text, state)
        return tokens.with_values(self._ids.lookup(tokens.values)), state

    def current_word(self, state: Tensors) -> tf.Tensor:
        """The word being typed, string [B]; empty where there is none."""
        return read_typed_word(state["word"])

    def candidates(self, state: Tensors) -> tf.Tensor:
        """Tokens that complete the word being typed, or all that may begin one where there is none.

        They are words in the form that is due here, or in their other form where that one is unknown; no word is
        among them twice. A word in the vocabulary completes itself. A word too long to be known has no completion.

        Args:
            state: as `step` gave it.

        Returns:
            bool [B, V].
        """
        return self._candidates(self.current_word(state), tf.cast(state["gap"] > 0, tf.int32))

    def unknown_share(self, state: Tensors) -> tf.Tensor:
        """The share of unknown words that begin with the word being typed, float32 [B, 1]; 1 where there is none."""
        return self._candidates.unknown_share(self.current_word(state))

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids of whole documents, int32 [B, None], each with exactly one end mark at its end.

        Args:
            texts: string [B], any bytes.
        """
        tokens = self._splitter.split(texts)
        return tokens.with_values(self._ids.lookup(tokens.values))

    def decode(self, token_ids: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """The text of tokens.

        A spaced form brings a space before it, at the beginning too; the end mark gives a blank line, and no space
        after it; "<unk>" gives a space and U+FFFD.

        Args:
            token_ids: int32 [B, T].
            length: int32 [B], valid tokens of each row.

        Returns:
            string [B].
        """
        return tf.strings.regex_replace(join_tokens(self._texts, token_ids, length), "\n\n ", "\n\n")


def fit_words(texts: Iterable[str], size: int, minimum_count: int = 2, longest_word: int = 40) -> tuple[str, ...]:
    """A vocabulary for `WordTokenizer`: the most frequent tokens of the training text in their forms.

    Words that are too rare, too long or beyond `size` will become "<unk>".

    Args:
        texts: the documents of the training split.
        size: tokens at most, "<unk>" and "</p>" included.
        minimum_count: occurrences that a token needs.
        longest_word: characters of the longest word that may be known.

    Returns:
        "<unk>", "</p>", then the tokens by falling frequency, alphabetically where they tie.

    Raises:
        InputError: no token is frequent enough.
    """
    splitter = WordSplitter(longest_word)
    counts: Counter[str] = Counter()
    documents = iter(texts)
    while batch := list(islice(documents, _DOCUMENTS_AT_ONCE)):
        counts.update(token.decode() for token in splitter.split(tf.constant(batch)).values.numpy())
    known = Counter({token: count for token, count in counts.items() if len(_without_form(token)) <= longest_word})
    return most_frequent(known, _SPECIALS, size, minimum_count)


def _is_spaced(token: str) -> bool:
    return len(token) > 1 and token.startswith(SPACE_MARK)


def _without_form(token: str) -> str:
    return token[1:] if _is_spaced(token) else token


def _ids_of_forms(tokens: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """The id that each word gets in the joined and in the spaced form: its own, or else that of the other form."""
    joined = {token: index for index, token in enumerate(tokens[2:], 2) if not _is_spaced(token)}
    spaced = {_without_form(token): index for index, token in enumerate(tokens[2:], 2) if _is_spaced(token)}
    return spaced | joined, joined | spaced
