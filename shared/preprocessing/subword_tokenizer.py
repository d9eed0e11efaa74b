"""Pieces of words as token ids, and back to the very same text, inside the graph."""

from collections.abc import Sequence
from itertools import chain

import tensorflow as tf

from runnel.shared.preprocessing.piece_trie import PieceTrie
from runnel.shared.preprocessing.subword_vocabulary import BYTE_TOKENS, RESERVED_TOKENS, SPECIAL_TOKENS, WORD_MARK
from runnel.shared.preprocessing.vocabulary import check_vocabulary, join_tokens

__all__ = ["SubwordTokenizer"]

_LONGEST_CHARACTER = 4  # bytes of UTF-8


class SubwordTokenizer(tf.Module):
    """Turns text into ids of pieces of words, and back; no text is ever lost.

    A space before a word is part of it and written "▁" in a piece; the first word is given one too. From the beginning
    of a word on, the longest piece that comes next is taken. A character where no piece begins is given as the bytes
    of its UTF-8, so that no word is unknown as a whole. The mark stands for U+0020 alone: a "▁" in the text itself, and
    any other whitespace, is a character as any other.

    The same is done by WordPiece with an empty prefix for continuations after Metaspace, as the library `tokenizers`
    has it, wherever that knows a word.

    Args:
        vocabulary: the V tokens in the order of their ids, as `fit_subwords` gives them: "<pad>", "<start>", "<end>",
            "<0x00>" to "<0xFF>", then pieces, among them "▁" by itself.

    Attributes:
        is_word_start: bool [V], pieces that begin with "▁": the first token of every word, and no other.

    Raises:
        ValueError: the vocabulary does not begin with the reserved tokens, repeats a token, lacks "▁", or holds a
            piece that is empty or has a space, or "▁" elsewhere than at its beginning.
    """

    pad_id, start_id, end_id = range(3)

    def __init__(self, vocabulary: Sequence[str]) -> None:
        super().__init__()
        tokens = check_vocabulary(vocabulary, SPECIAL_TOKENS)
        pieces = _check_pieces(tokens)
        self._vocabulary = tokens
        self.is_word_start = tf.constant([False] * len(RESERVED_TOKENS) + [piece[0] == WORD_MARK for piece in pieces])
        texts = [piece.replace(WORD_MARK, " ") for piece in pieces]
        bytes_of_all = [b""] * len(SPECIAL_TOKENS), [bytes([value]) for value in range(256)], map(str.encode, texts)
        self._texts = tf.constant(list(chain(*bytes_of_all)))
        self._trie = PieceTrie({text: index for index, text in enumerate(texts, len(RESERVED_TOKENS))})
        self._sizes = tf.constant([0] * len(RESERVED_TOKENS) + [len(piece) for piece in pieces])

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens in the order of their ids."""
        return tuple(self._vocabulary)

    @property
    def size(self) -> int:
        """V, the number of tokens."""
        return len(self._vocabulary)

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids of texts, int32 [B, None], without marks of start and end.

        An empty text has no tokens.

        Args:
            texts: string [B], valid UTF-8; whatever is not is taken for U+FFFD.
        """
        return self._encode(tf.where(tf.equal(texts, ""), "", tf.strings.join([" ", texts])))

    def encode_words(self, words: tf.Tensor) -> tf.RaggedTensor:
        """Ids of single words, int32 [N, None]; an empty word is "▁", a space that no word follows.

        A text is its parts between the spaces: `encode` gives the ids of these in a row.

        Args:
            words: string [N], valid UTF-8, each without the space before it; whatever is not valid is taken for U+FFFD.
        """
        return self._encode(tf.strings.join([" ", words]))

    def decode(self, token_ids: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """The text of tokens, string [B], always valid UTF-8.

        The space that it begins with, if any, is dropped; bytes that make no character give U+FFFD; "<pad>", "<start>"
        and "<end>" give nothing.

        Args:
            token_ids: int32 [B, T].
            length: int32 [B], valid tokens of each row.
        """
        text = self.decode_continuation(token_ids, length)
        valid = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace")
        return tf.strings.regex_replace(valid, r"\A ", "", replace_global=False)

    def decode_continuation(self, token_ids: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """What tokens add to the text before them, string [B]; however a row is cut, its parts join to the same bytes.

        A space at the beginning stays, and a character may be cut within its bytes.

        Args:
            token_ids: int32 [B, T].
            length: int32 [B], valid tokens of each row.
        """
        return join_tokens(self._texts, token_ids, length)

    def _encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Ids int32 [B, None] of texts [B] that are empty or begin with a space."""
        rows = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        characters = rows.values  # [C], of all rows
        pieces = self._trie.longest_pieces(characters)  # [C]
        sizes = tf.where(pieces >= 0, tf.gather(self._sizes, tf.maximum(pieces, 0)), 1)
        # A piece has a space at its beginning alone, so none goes beyond its word or its row.
        is_start = _mark_starts(characters == ord(" "), sizes)
        tokens, counts = _or_bytes(tf.boolean_mask(pieces, is_start), tf.boolean_mask(characters, is_start))
        row_ids = tf.repeat(tf.boolean_mask(rows.value_rowids(), is_start), counts)
        return tf.RaggedTensor.from_value_rowids(tokens, row_ids, nrows=rows.nrows(), validate=False)


def _check_pieces(tokens: Sequence[str]) -> tuple[str, ...]:
    reserved = len(RESERVED_TOKENS)
    if tuple(tokens[:reserved]) != RESERVED_TOKENS:
        raise ValueError(
            f"Received a vocabulary of {len(tokens)} tokens in which those of the bytes are not in places "
            f"{len(SPECIAL_TOKENS)} to {reserved - 1}; expected {BYTE_TOKENS[0]!r} to {BYTE_TOKENS[-1]!r} there."
        )
    pieces = tuple(tokens[reserved:])
    for piece in pieces:
        if not piece or " " in piece or WORD_MARK in piece[1:]:
            raise ValueError(
                f"Received the piece {piece!r}; expected one character at least, no space, and {WORD_MARK!r} at the "
                "beginning alone."
            )
    if WORD_MARK not in pieces:
        raise ValueError(f"Received a vocabulary without {WORD_MARK!r}; expected it, for a word of unknown pieces.")
    return pieces


def _mark_starts(is_word_start: tf.Tensor, sizes: tf.Tensor) -> tf.Tensor:
    """Where a token begins, bool [C]: at the start of a word, and where the token before it ends.

    Each round doubles the number of tokens of a word that have been found, so that even a word of ten thousand needs
    no more than fifteen.

    Args:
        is_word_start: bool [C].
        sizes: int32 [C], characters of the token that would begin here.
    """
    count = tf.size(sizes)
    is_start = tf.pad(is_word_start, [[0, 1]])  # the end is a place as well, which leads to itself
    following = tf.concat([tf.range(count) + sizes, [count]], axis=0)

    def leap(_: tf.Tensor, is_start: tf.Tensor, following: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        reached = tf.boolean_mask(following, is_start)
        more = tf.tensor_scatter_nd_update(is_start, reached[:, None], tf.ones_like(reached, tf.bool))
        return tf.reduce_any(more != is_start), more, tf.gather(following, following)

    _, is_start, _ = tf.while_loop(lambda is_changed, *_: is_changed, leap, [True, is_start, following])
    return is_start[:-1]


def _or_bytes(pieces: tf.Tensor, characters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Tokens of pieces int32 [K], those of the bytes of a character [K] where the piece is -1.

    Returns:
        the tokens, int32 [T], and how many each piece or character gives, int32 [K].
    """
    text = tf.strings.unicode_encode(characters[:, None], "UTF-8")
    values = tf.cast(tf.io.decode_raw(text, tf.uint8, fixed_length=_LONGEST_CHARACTER), tf.int32)
    is_piece = pieces >= 0
    tokens = tf.where(is_piece[:, None], pieces[:, None], values + len(SPECIAL_TOKENS))  # [K, 4]
    counts = tf.where(is_piece, 1, tf.strings.length(text))
    return tf.boolean_mask(tokens, tf.sequence_mask(counts, _LONGEST_CHARACTER)), counts
