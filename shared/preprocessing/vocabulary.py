"""The tokens that a network knows: chosen by frequency, checked, and joined to text again."""

from collections import Counter
from collections.abc import Sequence

import tensorflow as tf

from runnel.shared.errors import InputError

__all__ = ["REPLACEMENT_CHARACTER", "UNKNOWN", "check_vocabulary", "join_tokens", "most_frequent", "token_table"]

UNKNOWN = "<unk>"
REPLACEMENT_CHARACTER = "\ufffd"


def most_frequent(counts: Counter[str], specials: Sequence[str], size: int, minimum_count: int) -> tuple[str, ...]:
    """A vocabulary of the most frequent tokens.

    Args:
        counts: occurrences of each token in the training text.
        specials: tokens that come first whatever their counts.
        size: tokens at most, specials included.
        minimum_count: occurrences that a token needs.

    Returns:
        the specials, then the tokens by falling frequency, alphabetically where they tie.

    Raises:
        InputError: no token is frequent enough.
    """
    known = sorted((token for token in counts if token not in specials), key=lambda token: (-counts[token], token))
    known = [token for token in known if counts[token] >= minimum_count][: max(size - len(specials), 0)]
    if not known:
        raise InputError(
            f"received text in which no token occurs {minimum_count} times, for a vocabulary of {size}; "
            "expected one at least: give more text"
        )
    return (*specials, *known)


def check_vocabulary(vocabulary: Sequence[str], specials: Sequence[str]) -> tuple[str, ...]:
    """The vocabulary as a tuple.

    Raises:
        ValueError: it does not begin with the specials, or holds a token twice.
    """
    if tuple(vocabulary[: len(specials)]) != tuple(specials):
        raise ValueError(f"Received a vocabulary that begins with {vocabulary[: len(specials)]}; expected {specials}.")
    repeated = [token for token, count in Counter(vocabulary).items() if count > 1]
    if repeated:
        raise ValueError(f"Received a vocabulary with repeated tokens {repeated[:5]}; expected each token once.")
    return tuple(vocabulary)


def token_table(ids: dict[str, int], unknown_id: int) -> tf.lookup.StaticHashTable:
    """A table from tokens, string, to ids, int32; `unknown_id` for any other token."""
    entries = tf.lookup.KeyValueTensorInitializer(list(ids), list(ids.values()), tf.string, tf.int32)
    return tf.lookup.StaticHashTable(entries, unknown_id)


def join_tokens(texts: tf.Tensor, token_ids: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    """The text of tokens.

    Args:
        texts: string [V], the text of each token.
        token_ids: int32 [B, T].
        length: int32 [B], valid tokens of each row.

    Returns:
        string [B].
    """
    is_valid = tf.sequence_mask(length, tf.shape(token_ids)[1])
    parts = tf.gather(texts, tf.where(is_valid, token_ids, 0))
    return tf.strings.reduce_join(tf.where(is_valid, parts, ""), axis=1)
