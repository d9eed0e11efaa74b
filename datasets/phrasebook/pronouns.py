"""The personal pronouns, each with its forms in both languages."""

from dataclasses import dataclass

__all__ = [
    "HE",
    "IT",
    "IT_FEMININE",
    "ME",
    "PRONOUNS",
    "SHE",
    "THERE",
    "THERE_SEVERAL",
    "THEY",
    "THEY_FEMININE",
    "WE",
    "YOU",
    "Pronoun",
]  # fmt: skip


@dataclass(frozen=True)
class Pronoun:
    """Somebody who was named, speaks or is spoken to.

    Attributes:
        english: Subject form.
        english_object: Object form.
        english_possessive: Before a noun.
        english_reflexive: "himself".
        french: Subject form.
        direct: French object before the verb.
        indirect: French object with à before the verb.
        reflexive: French reflexive.
        stressed: French form after a preposition.
        person: 1, 2 or 3.
        plural: Whether the verb is plural ("vous" is).
        is_several: Whether adjectives and participles are plural ("vous" is one person here).
        feminine: Whether they are feminine.
    """

    english: str
    english_object: str
    english_possessive: str
    english_reflexive: str
    french: str
    direct: str
    indirect: str
    reflexive: str
    stressed: str
    person: int
    plural: bool
    is_several: bool
    feminine: bool


ME = Pronoun("I", "me", "my", "myself", "je", "me", "me", "me", "moi", 1, False, False, False)
YOU = Pronoun("you", "you", "your", "yourself", "vous", "vous", "vous", "vous", "vous", 2, True, False, False)
HE = Pronoun("he", "him", "his", "himself", "il", "le", "lui", "se", "lui", 3, False, False, False)
SHE = Pronoun("she", "her", "her", "herself", "elle", "la", "lui", "se", "elle", 3, False, False, True)
WE = Pronoun("we", "us", "our", "ourselves", "nous", "nous", "nous", "nous", "nous", 1, True, True, False)
THEY = Pronoun("they", "them", "their", "themselves", "ils", "les", "leur", "se", "eux", 3, True, True, False)
THEY_FEMININE = Pronoun(
    "they", "them", "their", "themselves", "elles", "les", "leur", "se", "elles", 3, True, True, True
)
IT = Pronoun("it", "it", "its", "itself", "il", "le", "lui", "se", "lui", 3, False, False, False)
IT_FEMININE = Pronoun("it", "it", "its", "itself", "elle", "la", "lui", "se", "elle", 3, False, False, True)
THERE = Pronoun("there", "there", "", "", "il", "", "", "", "", 3, False, False, False)
THERE_SEVERAL = Pronoun("there", "there", "", "", "il", "", "", "", "", 3, True, False, False)
"""Of "there is", "there are": « il y a » in both cases."""

PRONOUNS = (ME, YOU, HE, SHE, WE, THEY)
