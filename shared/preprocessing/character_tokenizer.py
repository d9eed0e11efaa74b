"""Characters as token ids, a piece of text at a time, inside the graph."""

from collections import Counter
from collections.abc import Iterable, Sequence

import tensorflow as tf

from runnel.shared.preprocessing.typed_word import (
    has_outgrown,
    read_typed_word,
    split_typed_word,
    typed_word_size,
    write_typed_word,
)
from runnel.shared.preprocessing.utf8 import TAIL_SIZE, decode_utf8
from runnel.shared.preprocessing.vocabulary import (
    REPLACEMENT_CHARACTER,
    UNKNOWN,
    check_vocabulary,
    join_tokens,
    most_frequent,
    token_table,
)
from runnel.shared.preprocessing.word_pattern import WORD_CHARACTER, WORD_JOINER

__all__ = ["CharacterTokenizer", "fit_characters"]

Tensors = dict[str, tf.Tensor]

_SPECIALS = (UNKNOWN,)
_DOCUMENT_END = "\n\n"


class CharacterTokenizer(tf.Module):
    """Turns text into ids of characters (code points), and back.

    Args:
        vocabulary: the V tokens in the order of their ids, as `fit_characters` gives them: "<unk>", the characters.
        longest_word: characters of the word being typed that are remembered; the ids do not depend on it.

    Attributes:
        is_word_character: bool [V], letters, marks, digits and "_", which make words.
        is_joiner: bool [V], characters that belong to a word between two word characters.
        newline_id: the id of a newline, of which two in a row end a paragraph.

    Raises:
        ValueError: the vocabulary does not begin with "<unk>", repeats a token, or holds one of several characters.
    """

    unknown_id = 0
    state_names = ("tail", "word", "newlines")

    def __init__(self, vocabulary: Sequence[str], longest_word: int = 40) -> None:
        super().__init__()
        tokens = check_vocabulary(vocabulary, _SPECIALS)
        if any(len(token) != 1 for token in tokens[1:]):
            raise ValueError(f"Received {max(tokens[1:], key=len)!r}; expected tokens of one character each.")
        self._vocabulary, self._longest_word = tokens, longest_word
        self._texts = tf.constant([REPLACEMENT_CHARACTER, *tokens[1:]])
        self._ids = token_table({token: index for index, token in enumerate(tokens[1:], 1)}, self.unknown_id)
        self.newline_id = tokens.index("\n") if "\n" in tokens else self.unknown_id
        self.is_word_character = tf.strings.regex_full_match(self._texts, WORD_CHARACTER)
        self.is_joiner = tf.strings.regex_full_match(self._texts, WORD_JOINER)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens in the order of their ids."""
        return tuple(self._vocabulary)

    @property
    def size(self) -> int:
        """V, the number of tokens."""
        return len(self._vocabulary)

    def initial_state(self, batch_size: tf.Tensor | int) -> Tensors:
        """The state before any text.

        Args:
            batch_size: int32 scalar.

        Returns:
            `tail` int32 [B, 3], bytes of an incomplete character, `word` int32 [B, longest_word + 2], code points of
            the word being typed, both padded with zeros, and `newlines` int32 [B], how many end the text, at most the
            two of a paragraph's end, which is also what comes before any text.
        """
        return {
            "tail": tf.zeros([batch_size, TAIL_SIZE], tf.int32),
            "word": tf.zeros([batch_size, typed_word_size(self._longest_word)], tf.int32),
            "newlines": tf.fill([batch_size], len(_DOCUMENT_END)),
        }

    def step(self, text: tf.Tensor, state: Tensors) -> tuple[tf.RaggedTensor, Tensors]:
        """Takes the next piece of text; only bytes of an incomplete character wait.

        Args:
            text: string [B], any bytes.
            state: as `initial_state` or the step before gave it.

        Returns:
            ids of the characters that this piece completes, int32 [B, None], and the state.
        """
        text, tail = decode_utf8(text, state["tail"])
        _, word = split_typed_word(tf.strings.join([read_typed_word(state["word"]), text]))
        newlines = _count_newlines(text, state["newlines"])
        return self._ids_of(text), {
            "tail": tail,
            "word": write_typed_word(word, self._longest_word),
            "newlines": newlines,
        }

    def current_word(self, state: Tensors) -> tf.Tensor:
        """The word being typed, string [B]; empty where there is none."""
        return read_typed_word(state["word"])

    def is_after_newline(self, state: Tensors) -> tf.Tensor:
        """Where one newline ends the text, so that another would end the paragraph: bool [B]."""
        return state["newlines"] == 1

    def has_outgrown(self, state: Tensors) -> tf.Tensor:
        """Where the word being typed is too long to be remembered, and `current_word` only its stand-in: bool [B]."""
        return has_outgrown(state["word"])

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids of whole documents, int32 [B, None], each with exactly one blank line at its end.

        Args:
            texts: string [B], any bytes.
        """
        batch = tf.shape(texts)[0]
        ended = tf.strings.join([texts, tf.fill([batch], _DOCUMENT_END)])
        valid, _ = decode_utf8(ended, tf.zeros([batch, TAIL_SIZE], tf.int32))
        return self._ids_of(tf.strings.regex_replace(valid, r"\n+\z", _DOCUMENT_END, replace_global=False))

    def decode(self, token_ids: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """The text of characters; "<unk>" gives U+FFFD.

        Args:
            token_ids: int32 [B, T].
            length: int32 [B], valid tokens of each row.

        Returns:
            string [B].
        """
        return join_tokens(self._texts, token_ids, length)

    def _ids_of(self, text: tf.Tensor) -> tf.RaggedTensor:
        characters = tf.strings.unicode_split(text, "UTF-8")
        return characters.with_values(self._ids.lookup(characters.values))


def _count_newlines(text: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
    """Newlines at the end of text [B] that follows so many, int32 [B] both; two at most."""
    ending = tf.strings.join([tf.gather(["", "\n", _DOCUMENT_END], before), text])
    ending = tf.strings.regex_replace(ending, r"(?s)\A.*[^\n]", "")
    return tf.minimum(tf.strings.length(ending), len(_DOCUMENT_END))


def fit_characters(texts: Iterable[str], size: int = 256, minimum_count: int = 2) -> tuple[str, ...]:
    """A vocabulary for `CharacterTokenizer`: the most frequent characters of the training text.

    A newline is always among them; characters that are too rare or beyond `size` will become "<unk>".

    Args:
        texts: the documents of the training split.
        size: tokens at most, "<unk>" and the newline included.
        minimum_count: occurrences that a character needs.

    Returns:
        "<unk>", a newline, then the characters by falling frequency, by code point where they tie.

    Raises:
        InputError: no character is frequent enough.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    return most_frequent(counts, (*_SPECIALS, "\n"), size, minimum_count)
