"""Articles, possessives, demonstratives, quantities and numerals."""

import re
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
        masculine_vowel: French before a masculine singular that begins with a vowel: cet.
        feminine_vowel: French before a feminine singular that begins with a vowel: mon.
        plural: French before a masculine plural.
        feminine_plural: French before a feminine plural.
    """

    name: str
    english: tuple[str, str]
    masculine: str
    feminine: str
    masculine_vowel: str
    feminine_vowel: str
    plural: str
    feminine_plural: str


# name; English singular, plural; French masculine, feminine, the two before a vowel, plural[, feminine plural]
_TABLE = """
the; the, the; le, la, le, la, les
a; a, -; un, une, un, une, -
some; some, some; du, de la, de la, de la, des
bare; , ; du, de la, de la, de la, des
kind; , ; le, la, le, la, les
none; , ; , , , ,
this; this, these; ce, cette, cet, cette, ces
that; that, those; ce, cette, cet, cette, ces
my; my, my; mon, ma, mon, mon, mes
your; your, your; votre, votre, votre, votre, vos
his; his, his; son, sa, son, son, ses
her; her, her; son, sa, son, son, ses
our; our, our; notre, notre, notre, notre, nos
their; their, their; leur, leur, leur, leur, leurs
every; every, -; chaque, chaque, chaque, chaque, -
another; another, -; un autre, une autre, un autre, une autre, -
all; -, all the; -, -, -, -, tous les, toutes les
several; -, several; -, -, -, -, plusieurs
a few; -, a few; -, -, -, -, quelques
many; -, many; -, -, -, -, beaucoup de
too many; -, too many; -, -, -, -, trop de
how many; -, how many; -, -, -, -, combien de
which; which, which; quel, quelle, quel, quelle, quels, quelles
"""

_NUMERALS = """
two deux, three trois, four quatre, five cinq, six six, seven sept, eight *huit, nine neuf, ten dix, eleven *onze,
twelve douze, thirteen treize, fourteen quatorze, fifteen quinze, sixteen seize, seventeen dix-sept, eighteen dix-huit,
nineteen dix-neuf, twenty vingt, thirty trente, forty quarante, fifty cinquante, sixty soixante
"""

NUMERALS = MappingProxyType(dict(pair.split() for pair in _NUMERALS.replace("\n", " ").strip().split(", ")))
"""English numeral -> French, from two on."""


def _read_determiner(line: str) -> Determiner:
    """Parses a row of the table; "-" stands for what does not exist."""
    name, english, french = re.split("; ?", line)
    singular, plural = english.split(", ")
    *forms, several = re.split(", ?", french)
    if len(forms) == 4:
        forms.append(several)
    masculine, feminine, masculine_vowel, feminine_vowel, masculine_plural = forms
    return Determiner(
        name, (singular, plural), masculine, feminine, masculine_vowel, feminine_vowel, masculine_plural, several
    )


DETERMINERS = MappingProxyType(
    {determiner.name: determiner for determiner in map(_read_determiner, _TABLE.strip("\n").splitlines())}
    | {
        english: Determiner(english, ("-", english), "-", "-", "-", "-", french, french)
        for english, french in NUMERALS.items()
    }
)
POSSESSIVES = ("my", "your", "his", "her", "our", "their")
