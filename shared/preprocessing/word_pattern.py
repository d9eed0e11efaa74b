"""What counts as a word, a token and whitespace, as RE2 patterns: the one definition for every tokenizer."""

__all__ = ["ONE_TOKEN", "TYPED_WORD", "WHITESPACE", "WORD_CHARACTER", "WORD_JOINER"]

WORD_CHARACTER = r"[\p{L}\p{M}\p{N}_]"
WORD_JOINER = "['\u2019-]"  # between two word characters it belongs to the word: don't, well-known
WHITESPACE = r"[\t\n\v\f\r\x{85}\p{Z}]"  # Unicode's White_Space; RE2's own \s is ASCII without \v

_WORD = rf"{WORD_CHARACTER}+(?:{WORD_JOINER}{WORD_CHARACTER}+)*"

# A run of whitespace, a word, or any other character by itself: every character belongs to exactly one of them.
ONE_TOKEN = rf"(?s){WHITESPACE}+|{_WORD}|."

# A word that reaches the end of the text may still grow, and so may a joiner directly after it.
TYPED_WORD = rf"{_WORD}{WORD_JOINER}?"
