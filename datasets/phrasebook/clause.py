"""What a sentence says, before either language: clauses, noun phrases and what they are made of.

english_clause.py and french_clause.py realise the same structure; no sentence is a template of words.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from runnel.datasets.phrasebook.adjectives import Adjective
from runnel.datasets.phrasebook.determiners import Determiner
from runnel.datasets.phrasebook.names import Name
from runnel.datasets.phrasebook.nouns import Noun
from runnel.datasets.phrasebook.places import Country
from runnel.datasets.phrasebook.pronouns import HE, IT, IT_FEMININE, SHE, THEY, THEY_FEMININE, Pronoun
from runnel.datasets.phrasebook.verbs import Verb

__all__ = ["Agreement", "Clause", "Comparison", "Coordination", "Described", "NounPhrase", "Participant", "Place",
           "Profession", "Tense", "agreement_of", "changed"]  # fmt: skip


T = TypeVar("T")


class Tense(Enum):
    """The English tense; french_clause.py says which French one it is."""

    PRESENT = "present"
    PROGRESSIVE = "progressive"
    PAST = "past"
    PAST_PROGRESSIVE = "past progressive"
    PERFECT = "perfect"
    FUTURE = "future"
    GOING_TO = "going to"
    IMPERATIVE = "imperative"
    INFINITIVE = "infinitive"


@dataclass(frozen=True)
class Agreement:
    """What a verb, an adjective or a participle agrees with.

    Attributes:
        person: 1, 2 or 3.
        plural: Whether the verb is plural.
        is_several: Whether adjectives and participles are plural.
        feminine: Whether they are feminine in French.
        pronoun: Stands for it in "washes himself", "his hands".
    """

    person: int
    plural: bool
    is_several: bool
    feminine: bool
    pronoun: Pronoun


@dataclass(frozen=True)
class NounPhrase:
    """A noun with what belongs to it.

    Attributes:
        noun: Its head.
        determiner: What stands before it.
        plural: Whether there are several.
        adjectives: In English order.
        owner: "Paul's car": whose it is; takes the place of the determiner in English.
        content: "a cup of tea": what is in it.
        relative: "who sings", "that I bought": a clause without its subject or object.
        place: "the cat on the sofa".
    """

    noun: Noun
    determiner: Determiner
    plural: bool = False
    adjectives: tuple[Adjective, ...] = ()
    owner: "NounPhrase | Name | None" = None
    content: Noun | None = None
    relative: "Clause | None" = None
    place: "Place | None" = None


@dataclass(frozen=True)
class Coordination:
    """Two participants joined by "and"."""

    first: "NounPhrase | Name"
    second: "NounPhrase | Name"


Participant = NounPhrase | Name | Pronoun | Coordination


@dataclass(frozen=True)
class Place:
    """A preposition and what it governs: a noun phrase, a name, a pronoun, a city (its two names) or a country."""

    preposition: str
    where: Participant | Country | tuple[str, str]


@dataclass(frozen=True)
class Described:
    """An adjective said of the subject, with its degree ("very") if any."""

    adjective: Adjective
    degree: str = ""


@dataclass(frozen=True)
class Comparison:
    """Says "taller than Paul" or "as tall as Paul" of the subject."""

    adjective: Adjective
    other: Participant
    equal: bool = False


@dataclass(frozen=True)
class Profession:
    """Says "a doctor" of the subject."""

    noun: Noun


@dataclass(frozen=True)
class Clause:
    """A subject, a verb and what completes it.

    Attributes:
        subject: Who does it; None where a relative clause is about them.
        verb: What happens.
        tense: When, in English terms.
        polarity: "", "not", "never", "no longer" or "not yet".
        object: What it is done to.
        recipient: To whom.
        predicate: What the subject is, with the verb "be".
        infinitive: What somebody wants, can, tries to do; its subject is the same.
        reported: What somebody thinks or says.
        manner: English adverb of manner.
        frequency: English adverb of frequency.
        places: Where.
        time: English time.
        time_first: Whether the time opens the sentence.
        question: "", "whether", "where", "when", "why", "how", "who", "what", "whom", or "which" (of its object).
        contracted: Whether English writes "doesn't", "I'm".
        gap: "", "subject" or "object": what a relative clause leaves out.
    """

    subject: Participant | None
    verb: Verb
    tense: Tense = Tense.PRESENT
    polarity: str = ""
    object: Participant | None = None
    recipient: Participant | None = None
    predicate: Described | Comparison | Profession | None = None
    infinitive: "Clause | None" = None
    reported: "Clause | None" = None
    manner: str = ""
    frequency: str = ""
    places: tuple[Place, ...] = ()
    time: str = ""
    time_first: bool = False
    question: str = ""
    contracted: bool = False
    gap: str = ""


def changed(item: T, **changes: object) -> T:
    """Returns a copy of a frozen dataclass with some attributes changed.

    It does what `dataclasses.replace` does in a tenth of the time: a phrasebook changes half a million clauses.

    Args:
        item: What is copied.
        changes: The attributes that differ.
    """
    copy = object.__new__(type(item))
    copy.__dict__.update(item.__dict__, **changes)
    return copy


def agreement_of(participant: Participant) -> Agreement:
    """Returns what a verb or an adjective agrees with if it is about this participant."""
    if isinstance(participant, Pronoun):
        return Agreement(
            participant.person, participant.plural, participant.is_several, participant.feminine, participant
        )
    if isinstance(participant, Name):
        return Agreement(3, False, False, participant.feminine, SHE if participant.feminine else HE)
    if isinstance(participant, Coordination):
        feminine = agreement_of(participant.first).feminine and agreement_of(participant.second).feminine
        return Agreement(3, True, True, feminine, THEY_FEMININE if feminine else THEY)
    feminine = participant.noun.feminine
    if participant.plural:
        return Agreement(3, True, True, feminine, THEY_FEMININE if feminine else THEY)
    if participant.noun.classes & {"adult", "child"}:
        return Agreement(3, False, False, feminine, SHE if feminine else HE)
    return Agreement(3, False, False, feminine, IT_FEMININE if feminine else IT)
