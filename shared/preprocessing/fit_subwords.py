"""The pieces of words that a text is best written with."""

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from runnel.shared.errors import InputError
from runnel.shared.preprocessing.subword_vocabulary import RESERVED_TOKENS, WORD_MARK

__all__ = ["fit_subwords"]

_NO_PIECE = "\ufffd"
_NEITHER_LETTER_NOR_MARK = rf"[^{WORD_MARK}\p{{L}}\p{{M}}]"


def fit_subwords(texts: Iterable[str], size: int, minimum_count: int = 2) -> tuple[str, ...]:
    """A vocabulary for `SubwordTokenizer`: the characters of the training text and the pieces that shorten it most.

    Starting with single characters, the most frequent pair of neighbouring pieces in a word becomes a piece, again and
    again (Sennrich, Haddow, Birch 2016, "Neural Machine Translation of Rare Words with Subword Units"). A piece of
    several characters holds letters and their combining marks alone, "▁" before them where they begin a word; digits,
    punctuation, symbols and whitespace are pieces of one character each.

    Args:
        texts: the texts of the training split, in all languages that share the vocabulary.
        size: tokens at most, the reserved ones included.
        minimum_count: occurrences that a character or a pair needs. U+FFFD and "▁" never become a piece as characters.

    Returns:
        "<pad>", "<start>", "<end>", "<0x00>" to "<0xFF>", the characters by code point, then the longer pieces in the
        order in which they were found. The same texts in the same order give the same vocabulary.

    Raises:
        InputError: no character is frequent enough, or `size` has no room for all that are.
    """
    texts = list(texts)
    counts = Counter[str]()
    for text in texts:
        counts.update(text)
    known = {character for character, count in counts.items() if count >= minimum_count}
    known -= {" ", WORD_MARK, _NO_PIECE}
    if not known:
        raise InputError(
            f"received {len(texts)} texts in which no character but a space occurs {minimum_count} times; "
            "expected one at least: give more text"
        )
    least = len(RESERVED_TOKENS) + len(known) + len(WORD_MARK)
    if size < least:
        raise InputError(
            f"received a vocabulary size of {size}; expected {least} at least: {len(RESERVED_TOKENS)} reserved tokens, "
            f"{WORD_MARK!r} and {len(known)} characters that occur {minimum_count} times"
        )
    # An unknown character stands between pieces, as it will when text is encoded.
    unknown = dict.fromkeys(map(ord, counts.keys() - known - {" "}), _NO_PIECE)
    pieces = _train((text.translate(unknown) for text in texts), size - len(RESERVED_TOKENS) + 1, minimum_count)
    return (*RESERVED_TOKENS, *(piece for piece in pieces if piece != _NO_PIECE))[:size]


def _train(texts: Iterable[str], size: int, minimum_count: int) -> list[str]:
    """The pieces in the order in which the library has found them."""
    tokenizer = Tokenizer(models.WordPiece(continuing_subword_prefix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(WORD_MARK, prepend_scheme="always", split=True),
            pre_tokenizers.Split(Regex(_NEITHER_LETTER_NOR_MARK), behavior="isolated"),
        ]
    )
    trainer = trainers.WordPieceTrainer(
        vocab_size=size,
        min_frequency=minimum_count,
        show_progress=False,
        initial_alphabet=[WORD_MARK],
        continuing_subword_prefix="",
    )
    tokenizer.train_from_iterator(texts, trainer)
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.__getitem__)
