"""Articles, possessives, demonstratives, quantities and numerals."""

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DETERMINERS", "NUMERALS", "POSSESSIVES", "Determiner"]


@dataclass(frozen=True)
class Determiner:
    """What stands before a noun.

    Attributes:
        name: How this project calls it.
        english: Before a singular and before a plural; empty where there is none.
        masculine: French before a masculine singular.
        feminine: French before a feminine singular.
        before_vowel: French before a singular that begins with a vowel.
        plural: French before a masculine plural.
        feminine_plural: French before a feminine plural.
        number: "singular", "plural" or "any".
    """

    name: str
    english: tuple[str, str]
    masculine: str
    feminine: str
    before_vowel: str
    plural: str
    feminine_plural: str
    number: str


# name; English singular, plural; French masculine, feminine, before a vowel, plural[, feminine plural]
_TABLE = """
the; the, the; le, la, -, les
a; a, -; un, une, -, -
some; some, some; du, de la, de la, des
bare; , ; du, de la, de la, des
kind; , ; le, la, -, les
none; , ; , , -,
this; this, these; ce, cette, cet, ces
that; that, those; ce, cette, cet, ces
my; my, my; mon, ma, mon, mes
your; your, your; votre, votre, -, vos
his; his, his; son, sa, son, ses
her; her, her; son, sa, son, ses
our; our, our; notre, notre, -, nos
their; their, their; leur, leur, -, leurs
one's; one's, one's; son, sa, son, ses
every; every, -; chaque, chaque, -, -
all; all the, all the; tout le, toute la, -, tous les, toutes les
several; -, several; -, -, -, plusieurs
a few; -, a few; -, -, -, quelques
many; -, many; -, -, -, beaucoup de
too many; -, too many; -, -, -, trop de
how many; -, how many; -, -, -, combien de
which; which, which; quel, quelle, -, quels, quelles
another; another, -; un autre, une autre, -, -
"""

_NUMERALS = """
two deux, three trois, four quatre, five cinq, six six, seven sept, eight *huit, nine neuf, ten dix, eleven *onze,
twelve douze, thirteen treize, fourteen quatorze, fifteen quinze, sixteen seize, seventeen dix-sept, eighteen dix-huit,
nineteen dix-neuf, twenty vingt, thirty trente, forty quarante, fifty cinquante, sixty soixante
"""

NUMERALS = MappingProxyType(dict(pair.split() for pair in _NUMERALS.replace("\n", " ").strip().split(", ")))
"""English numeral -> French, from two on."""


def _read_determiner(line: str) -> Determiner:
    """Parses a row of the table; "-" stands for what does not exist or, before a vowel, for the ordinary form."""
    name, english, french = line.split("; ")
    singular, plural = english.split(", ")
    masculine, feminine, before_vowel, several, *feminine_plural = (
        french.rstrip(",").split(", ") if name != "none" else ("", "", "-", "")
    )
    number = "plural" if singular == "-" else "singular" if plural == "-" else "any"
    return Determiner(name, (singular, plural), masculine, feminine, "" if before_vowel == "-" else before_vowel,
                      several, feminine_plural[0] if feminine_plural else several, number)  # fmt: skip


DETERMINERS = MappingProxyType(
    {determiner.name: determiner for determiner in map(_read_determiner, _TABLE.strip("\n").splitlines())}
    | {
        english: Determiner(english, ("-", english), "-", "-", "", french, french, "plural")
        for english, french in NUMERALS.items()
    }
)
POSSESSIVES = ("my", "your", "his", "her", "our", "their")
