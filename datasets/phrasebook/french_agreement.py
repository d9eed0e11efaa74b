"""Plural and feminine of French nouns, adjectives and participles."""

__all__ = ["agree", "feminine_of", "plural_of"]

_PLURAL_IN_X = frozenset({"bijou", "caillou", "chou", "genou", "*hibou", "joujou", "pou", "travail", "vitrail"})
_PLURAL_IN_S = frozenset({"bal", "carnaval", "festival", "pneu", "bleu"})
_DOUBLED = ("el", "eil", "en", "on", "et")


def plural_of(word: str) -> str:
    """Returns the plural of a masculine or feminine singular by rule; œil and ciel stand in the lexicon."""
    if word.endswith(("s", "x", "z")):
        return word
    if word in _PLURAL_IN_X:
        return (word.removesuffix("il") + "ux") if word.endswith("ail") else word + "x"
    if word in _PLURAL_IN_S:
        return word + "s"
    if word.endswith("al"):
        return word.removesuffix("al") + "aux"
    return word + ("x" if word.endswith(("eau", "au", "eu")) else "s")


def feminine_of(word: str) -> str:
    """Returns the feminine of a masculine adjective by rule; blanc, beau, long and their like stand in the lexicon."""
    if word.endswith("e"):
        return word
    if word.endswith("er"):
        return word.removesuffix("er") + "ère"
    if word.endswith("eux"):
        return word.removesuffix("x") + "se"
    if word.endswith("f"):
        return word.removesuffix("f") + "ve"
    if word.endswith(_DOUBLED):
        return word + word[-1] + "e"
    return word + "e"


def agree(participle: str, *, feminine: bool, plural: bool) -> str:
    """Returns a past participle in the gender and number of what it agrees with."""
    form = participle + "e" if feminine else participle
    return plural_of(form) if plural else form
