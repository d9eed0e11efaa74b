"""Text that arrives as any bytes, cut anywhere, turned into valid UTF-8 inside the graph."""

import tensorflow as tf

__all__ = ["TAIL_SIZE", "decode_utf8"]

TAIL_SIZE = 3  # the longest sequence that is not complete yet

_LEADS = range(0xC2, 0xF5)
_LEADS_OF_THREE_OR_FOUR = range(0xE0, 0xF5)
_LEADS_OF_FOUR = range(0xF0, 0xF5)
# What may follow a lead byte where that is not 80..BF (The Unicode Standard, table 3-7).
_SECOND_BYTES = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
_LOWEST_SECOND, _HIGHEST_SECOND = zip(*(_SECOND_BYTES.get(lead, (0x80, 0xBF)) for lead in range(256)), strict=True)


def decode_utf8(text: tf.Tensor, tail: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Joins a piece of text to the bytes that waited for it; a character that is still incomplete waits in turn.

    Every maximal part of an invalid sequence becomes one U+FFFD, as in Python's incremental decoder with `replace`
    (The Unicode Standard, section 3.9), so that any cutting of the same bytes gives the same text.

    Args:
        text: string [B], any bytes.
        tail: int32 [B, 3], the bytes that wait, padded with zeros at the end.

    Returns:
        string [B], valid UTF-8, and the new tail int32 [B, 3].
    """
    # No byte of a tail is zero.
    waiting = tf.gather(tf.constant([b"", *(bytes([value]) for value in range(1, 256))]), tail)
    text = tf.strings.join([tf.strings.reduce_join(waiting, axis=-1), text])
    complete = tf.strings.length(text) - _incomplete_bytes(text)
    tail = tf.io.decode_raw(
        tf.strings.substr(text, complete, tf.fill(tf.shape(complete), TAIL_SIZE)), tf.uint8, fixed_length=TAIL_SIZE
    )
    text = tf.strings.substr(text, tf.zeros_like(complete), complete)
    return tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="replace"), tf.cast(tail, tf.int32)


def _incomplete_bytes(text: tf.Tensor) -> tf.Tensor:
    """How many bytes at the end begin a character that more bytes may complete: int32 [B], 0 to 3."""
    padded = tf.strings.join([tf.fill(tf.shape(text), "\0" * TAIL_SIZE), text])
    last = tf.io.decode_raw(tf.strings.substr(padded, -TAIL_SIZE, TAIL_SIZE), tf.uint8, fixed_length=TAIL_SIZE)
    first, second, third = tf.unstack(tf.cast(last, tf.int32), axis=1)
    one = _among(third, _LEADS)
    two = _among(second, _LEADS_OF_THREE_OR_FOUR) & _may_follow(second, third)
    three = _among(first, _LEADS_OF_FOUR) & _may_follow(first, second) & _among(third, range(0x80, 0xC0))
    return tf.cast(one, tf.int32) + 2 * tf.cast(two, tf.int32) + 3 * tf.cast(three, tf.int32)


def _among(byte: tf.Tensor, values: range) -> tf.Tensor:
    return (byte >= values.start) & (byte < values.stop)


def _may_follow(lead: tf.Tensor, byte: tf.Tensor) -> tf.Tensor:
    return (byte >= tf.gather(_LOWEST_SECOND, lead)) & (byte <= tf.gather(_HIGHEST_SECOND, lead))
