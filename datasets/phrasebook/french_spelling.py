"""French words in a row -> text: elision, contraction, and a no-break space before "?" and "!".

A word whose h is aspirated is written with a star in the lexicon ("*hibou"): nothing is elided before it. The star goes
when the words are joined.
"""

from collections.abc import Sequence

__all__ = ["NO_BREAK_SPACE", "begins_with_vowel", "french_mark", "join_french", "with_preposition"]

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

_ASPIRATED = "*"
_VOWELS = frozenset("aàâeéèêëhiîïoôuùûœ")  # The h is mute where no star says otherwise.
_ELIDED = {
    "le": "l'", "la": "l'", "de": "d'", "ne": "n'", "se": "s'", "me": "m'", "je": "j'", "que": "qu'",
}  # fmt: skip
_CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}


def begins_with_vowel(word: str) -> bool:
    """Says whether words are elided before this one: a vowel, a mute h, or the pronoun y."""
    return word[:1].lower() in _VOWELS or word == "y"


def with_preposition(preposition: Sequence[str], words: Sequence[str]) -> list[str]:
    """Puts a preposition before a noun phrase: de + le -> du, de + les -> des, à + le -> au, à + les -> aux.

    Args:
        preposition: Its words, such as ["à", "côté", "de"].
        words: The noun phrase; the first word is contracted if it is an article that is not elided.
    """
    if not preposition:
        return list(words)
    contracted = _CONTRACTED.get((preposition[-1], words[0]))
    if contracted and not (words[0] == "le" and begins_with_vowel(words[1])):
        return [*preposition[:-1], contracted, *words[1:]]
    return [*preposition, *words]


def join_french(words: Sequence[str]) -> str:
    """Joins the words of one sentence; a comma is a word of its own, and takes no space before it."""
    text = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == ",":
            text = text.rstrip(" ") + ", "
        elif word == "si" and following in ("il", "ils"):
            text += "s'"
        elif word in _ELIDED and begins_with_vowel(following):
            text += _ELIDED[word]
        else:
            text += word.removeprefix(_ASPIRATED) + " "
    return text.rstrip(" ")


def french_mark(mark: str) -> str:
    """Returns a final mark with the space that French writes before "?" and "!"."""
    return NO_BREAK_SPACE + mark if mark in ("?", "!") else mark
