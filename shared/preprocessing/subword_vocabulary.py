"""What every vocabulary of pieces of words holds."""

__all__ = ["BYTE_TOKENS", "RESERVED_TOKENS", "SPECIAL_TOKENS", "WORD_MARK"]

SPECIAL_TOKENS = ("<pad>", "<start>", "<end>")
BYTE_TOKENS = tuple(f"<0x{value:02X}>" for value in range(256))
RESERVED_TOKENS = (*SPECIAL_TOKENS, *BYTE_TOKENS)  # they come first, before the pieces
WORD_MARK = "▁"  # the space before a word, in a piece that begins one
