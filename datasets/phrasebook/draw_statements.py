"""Statements of one clause: what somebody does, what something is, where it is, what there is."""

import random

from runnel.datasets.phrasebook.clause import (
    Clause,
    Described,
    NounPhrase,
    Participant,
    Profession,
    Tense,
    changed,
)
from runnel.datasets.phrasebook.determiners import DETERMINERS, NUMERALS
from runnel.datasets.phrasebook.draw_clauses import draw_finish, draw_intransitive, draw_tense, draw_transitive
from runnel.datasets.phrasebook.draw_phrases import (
    PEOPLE,
    adjectives_of,
    chance,
    draw_noun,
    draw_noun_phrase,
    draw_place,
    draw_subject,
    pick,
    pick_weighted,
)
from runnel.datasets.phrasebook.nouns import NOUN_BY_ENGLISH, Noun
from runnel.datasets.phrasebook.pronouns import IT, THERE, THERE_SEVERAL
from runnel.datasets.phrasebook.verbs import AGE, AVOIR_STATES, BE, EXIST, HAVE, WEATHER

__all__ = [
    "describe",
    "describe_as",
    "described",
    "intransitive",
    "located",
    "profession",
    "state",
    "there_is",
    "transitive",
    "weather",
]

_DESCRIBED = (
    "thing", "vehicle", "building", "animal", "garment", "readable", "dish", "furniture", "adult", "child", "container",
    "seat", "tool", "openable", "fruit", "area", "hotdrink", "viewed", "crossed", "device", "vessel", "goods",
    "transit", "exam", "room", "abstract", "watchable", "ground", "big_plant", "food", "event",
)  # fmt: skip
_THERE = {
    "here": ("animal", "child", "adult"),
    "on_furniture": ("thing", "fruit", "food", "tool"),
    "under": ("pet", "toy", "ball"),
    "room": ("furniture", "pet", "child", "lamp"),
    "garden": ("big_plant", "flower", "bird", "bench"),
    "sky_place": ("cloud", "star", "bird", "plane"),
}
_COUNTABLE = ("a", "some", "several", "many", "a few", *NUMERALS)
_LITTLE = ("tired", "sad", "worried", "jealous", "nervous", "shy", "boring", "strange", "slow", "expensive")
_YEAR = Noun("year old", "years old", "an", "ans", False, "an", frozenset())
_BE_TENSES = {Tense.PRESENT: 0.7, Tense.PAST: 0.3}


def transitive(rng: random.Random) -> Clause:
    """Paul bought a red car yesterday."""
    return draw_finish(rng, draw_transitive(rng))


def intransitive(rng: random.Random) -> Clause:
    """The cat sleeps on the sofa."""
    clause = draw_finish(rng, draw_intransitive(rng))
    is_short = not (clause.places or clause.manner or clause.time or clause.polarity or clause.frequency)
    return intransitive(rng) if is_short and chance(rng, 0.6) else clause  # There are few of these.


def describe(rng: random.Random, subject: Participant, *, negated: float = 0.0) -> Clause | None:
    """Draws what a subject is like.

    Args:
        rng: Source of chance.
        subject: A pronoun or a name is somebody.
        negated: Probability of a negation.

    Returns:
        "she is very tired"; None if nothing can be said of the subject.
    """
    noun = subject.noun if isinstance(subject, NounPhrase) else NOUN_BY_ENGLISH["man"]
    return describe_as(rng, subject, noun, negated=negated)


def describe_as(rng: random.Random, subject: Participant, noun: Noun, *, negated: float = 0.0) -> Clause | None:
    """Draws what a subject is like if it is such a noun: "it" is a car."""
    choices = adjectives_of(noun, predicate=True)
    if not choices:
        return None
    adjective = pick(rng, choices)
    degree = ""
    if adjective.compares and " " not in adjective.masculine and chance(rng, 0.5):
        degree = pick(rng, ("very", "too", "so", "quite", "a little" if adjective.english in _LITTLE else "very"))
    polarity = ""
    if chance(rng, negated):
        alive = bool(noun.classes & set(PEOPLE))
        polarity = pick_weighted(rng, {"not": 5.0, "no longer": 1.0, **({"never": 1.0} if alive else {})})
        degree = degree if polarity == "not" and degree in ("very", "too") else ""
    tense = pick_weighted(rng, {Tense.PRESENT: 0.65, Tense.PAST: 0.25, Tense.FUTURE: 0.1})
    predicate = Described(adjective, degree)
    return Clause(subject, BE, tense, polarity=polarity, predicate=predicate, contracted=chance(rng, 0.25))


def described(rng: random.Random) -> Clause:
    """The house is very old."""
    if chance(rng, 0.4):
        subject = draw_subject(rng, PEOPLE, pronoun=0.6, definite=True)
    else:
        classes = (pick(rng, _DESCRIBED),)
        subject = draw_noun_phrase(rng, classes, is_subject=True, definite=True, adjective=0.0)
    clause = describe(rng, subject, negated=0.2)
    if clause is None:
        return described(rng)
    predicate = clause.predicate
    assert isinstance(predicate, Described)
    passes = predicate.adjective.kind == "state"  # A bridge is not "often narrow".
    if passes and clause.tense is Tense.PRESENT and not clause.polarity and chance(rng, 0.4):
        frequency = pick(rng, ("always", "often", "still", "already"))
        return changed(clause, frequency=frequency, predicate=changed(predicate, degree=""))
    return clause


def profession(rng: random.Random) -> Clause:
    """She is a dentist."""
    subject = draw_subject(rng, ("family", "relation", "adult"), pronoun=0.5, definite=True)
    if isinstance(subject, NounPhrase):
        if subject.noun.classes & {"profession", "child"} or subject.noun.english in ("man", "woman"):
            return profession(rng)
        subject = changed(subject, adjectives=())
    polarity = "not" if chance(rng, 0.2) else ""
    predicate = Profession(draw_noun(rng, ("profession",)))
    tense = pick_weighted(rng, _BE_TENSES)
    return Clause(subject, BE, tense, polarity=polarity, predicate=predicate, contracted=chance(rng, 0.2))


def located(rng: random.Random) -> Clause:
    """The keys are on the table."""
    if chance(rng, 0.35):
        subject = draw_subject(rng, PEOPLE)
        kinds: tuple[str, ...] = ("here", "at", "city", "room", "near")
    elif chance(rng, 0.3):
        subject = draw_noun_phrase(rng, ("animal",), is_subject=True, definite=True)
        kinds = ("here", "on", "under", "behind", "near")
    else:
        subject = draw_noun_phrase(
            rng, ("thing", "fruit", "tool", "garment", "dish", "food"), is_subject=True, definite=True
        )
        kinds = ("on_furniture", "under", "room")
    tense = pick_weighted(rng, _BE_TENSES)
    clause = Clause(subject, BE, tense, places=(draw_place(rng, pick(rng, kinds)),), contracted=chance(rng, 0.2))
    if chance(rng, 0.15):
        return changed(clause, polarity=pick(rng, ("not", "not", "no longer")))
    if chance(rng, 0.1):
        return changed(clause, frequency=pick(rng, ("still", "often", "always")))
    return clause


def state(rng: random.Random) -> Clause:
    """I am hungry. She is ten years old. He has blue eyes."""
    subject = draw_subject(rng, PEOPLE, pronoun=0.6)
    tense = pick_weighted(rng, _BE_TENSES)
    kind = pick_weighted(rng, {"avoir": 4.0, "age": 2.5, "body": 2.0})
    if kind == "body":
        return _body(rng, subject, tense)
    if kind == "age":
        young = isinstance(subject, NounPhrase) and "child" in subject.noun.classes
        number = pick(rng, tuple(NUMERALS)[2:9] if young else tuple(NUMERALS)[5:])
        years = NounPhrase(_YEAR, DETERMINERS[number], True)
        return Clause(subject, AGE, tense, object=years, contracted=chance(rng, 0.2))
    clause = Clause(subject, pick(rng, AVOIR_STATES), tense, contracted=chance(rng, 0.2))
    if chance(rng, 0.25):
        return changed(clause, polarity=pick(rng, ("not", "not", "never", "no longer")))
    if chance(rng, 0.2):
        return changed(clause, frequency=pick(rng, ("always", "often", "probably")))
    return clause


def _body(rng: random.Random, subject: Participant, tense: Tense) -> Clause:
    """Draws "has blue eyes": « les yeux bleus », but « de grands pieds »."""
    noun = NOUN_BY_ENGLISH[pick(rng, ("eye", "eye", "hand", "foot"))]
    adjective = pick(rng, adjectives_of(noun, predicate=False))
    determiner = DETERMINERS["bare" if adjective.is_before else "kind"]
    return Clause(subject, HAVE, tense, object=NounPhrase(noun, determiner, True, (adjective,)))


def there_is(rng: random.Random) -> Clause:
    """There is a cat in the garden."""
    kind = pick(rng, tuple(_THERE))
    phrase = draw_noun_phrase(rng, _THERE[kind], plural=0.4)
    while phrase.determiner.name not in _COUNTABLE:
        phrase = draw_noun_phrase(rng, _THERE[kind], plural=0.4)
    tense = pick_weighted(rng, {Tense.PRESENT: 0.7, Tense.PAST: 0.2, Tense.FUTURE: 0.1})
    there = THERE_SEVERAL if phrase.plural else THERE
    clause = Clause(there, EXIST, tense, object=phrase, places=(draw_place(rng, kind),))
    if phrase.determiner.name in ("a", "some") and chance(rng, 0.15):
        return changed(clause, polarity=pick(rng, ("not", "not", "no longer")), contracted=chance(rng, 0.5))
    return clause


def weather(rng: random.Random) -> Clause:
    """It rained in Paris yesterday. It is cold today."""
    verb = pick(rng, WEATHER)
    clause = draw_finish(rng, Clause(IT, verb, draw_tense(rng, verb, IT)), time=0.8)
    if verb.is_state and clause.tense is Tense.PRESENT and not clause.polarity and chance(rng, 0.5):
        clause = changed(clause, time=pick(rng, ("today", "now", "this morning")))
    if chance(rng, 0.4):
        clause = changed(clause, places=(draw_place(rng, "city"),))
    return clause
