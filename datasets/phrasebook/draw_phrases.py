"""Draws noun phrases, subjects, objects and places that make sense together."""

import random
from bisect import bisect
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import TypeVar

from runnel.datasets.phrasebook.adjectives import ADJECTIVES, Adjective
from runnel.datasets.phrasebook.clause import Coordination, NounPhrase, Participant, Place
from runnel.datasets.phrasebook.determiners import DETERMINERS, NUMERALS, POSSESSIVES
from runnel.datasets.phrasebook.names import NAMES
from runnel.datasets.phrasebook.nouns import NOUNS, Noun, nouns_in
from runnel.datasets.phrasebook.places import CITIES, COUNTRIES, PLACE_KINDS
from runnel.datasets.phrasebook.pronouns import PRONOUNS
from runnel.datasets.phrasebook.verbs import TRANSITIVE

__all__ = [
    "PEOPLE", "adjectives_of", "chance", "draw_determiner", "draw_noun", "draw_noun_phrase", "draw_place",
    "draw_subject", "pick", "pick_weighted",
]  # fmt: skip

PEOPLE = ("adult", "child")
"""Classes of the nouns that are people."""

T = TypeVar("T")

_OWNABLE = frozenset(
    [
        "family",
        "relation",
        "pet",
        "garment",
        "owned",
        "vehicle",
        "home",
        "device",
        "instrument",
        "text",
        "ridden",
        "furniture",
        "goods",
    ]
)
_SPOUSES = {"husband": ("my", "your", "her"), "wife": ("my", "your", "his")}
_SMALL_NUMERALS = tuple(NUMERALS)[:11]


def pick(rng: random.Random, choices: Sequence[T]) -> T:
    """Draws one of the choices; `random()` is the only method that gives the same on every version of Python."""
    return choices[int(rng.random() * len(choices))]


def pick_weighted(rng: random.Random, weights: dict[T, float]) -> T:
    """Draws a key with a probability proportional to its weight."""
    left = rng.random() * sum(weights.values())
    for key, weight in weights.items():
        left -= weight
        if left < 0:
            return key
    return next(reversed(weights))


def chance(rng: random.Random, probability: float) -> bool:
    """Says yes with the probability."""
    return rng.random() < probability


@cache
def _demand() -> dict[str, float]:
    """Returns how often each noun would be drawn, by its English, if all that ask for nouns drew evenly."""
    asked = [verb.objects for verb in TRANSITIVE] + [
        classes for kind in PLACE_KINDS.values() for _, classes in kind.choices
    ]
    demand = dict.fromkeys((noun.english for noun in NOUNS), 0.05)
    for nouns in (nouns_in(classes) for classes in asked if classes):
        for noun in nouns:
            demand[noun.english] += 1 / len(nouns)
    return demand


@cache
def _weighed_nouns(classes: tuple[str, ...]) -> tuple[tuple[Noun, ...], list[float]]:
    """Returns the nouns of the classes and their added weights: what is asked for seldom weighs more."""
    nouns = nouns_in(classes)
    demand = _demand()
    return nouns, list(accumulate(demand[noun.english] ** -0.7 for noun in nouns))


def draw_noun(rng: random.Random, classes: Sequence[str]) -> Noun:
    """Draws a noun of the classes, so that over all texts each noun occurs about as often."""
    nouns, weights = _weighed_nouns(tuple(classes))
    return nouns[bisect(weights, rng.random() * weights[-1])]


@cache
def _weighed_adjectives(noun: Noun) -> tuple[tuple[Adjective, ...], list[float]]:
    """Returns what can be said of a noun before it, and the added weights: what few nouns have weighs more."""
    adjectives = adjectives_of(noun, predicate=False)
    return adjectives, list(accumulate(_reach(adjective) ** -0.6 for adjective in adjectives))


@cache
def _reach(adjective: Adjective) -> int:
    """Returns of how many nouns the adjective can be said."""
    return len(nouns_in(adjective.classes))


@cache
def adjectives_of(noun: Noun, *, predicate: bool) -> tuple[Adjective, ...]:
    """Returns the adjectives that can be said of a noun, before it or after "is"."""
    return tuple(
        adjective
        for adjective in ADJECTIVES
        if (adjective.classes & noun.classes or noun.english in adjective.classes)
        and (adjective.english not in ("new", "quick", "wild") if predicate else adjective.kind != "state")
    )


def _draw_adjectives(rng: random.Random, noun: Noun, probability: float) -> tuple[Adjective, ...]:
    """Draws no adjective, one, or a pair that both languages have in a fixed order: new red, quick brown."""
    choices, weights = _weighed_adjectives(noun)
    if not choices or not chance(rng, probability):
        return ()
    first = choices[bisect(weights, rng.random() * weights[-1])]
    colors = [adjective for adjective in choices if adjective.kind == "color"]
    if colors and (chance(rng, 0.25) if first.is_before else first.english == "quick" and chance(rng, 0.6)):
        return first, pick(rng, colors)
    return (first,)


def draw_determiner(rng: random.Random, noun: Noun, *, plural: bool, simple: bool) -> str:
    """Draws the name of a determiner that suits a noun.

    Args:
        rng: Source of chance.
        noun: What it stands before.
        plural: Whether there are several.
        simple: Whether quantities are left out, as under a negation.
    """
    if "unique" in noun.classes:
        return "the"
    if "family" in noun.classes:
        return pick(rng, _SPOUSES.get(noun.english, POSSESSIVES))
    weights: dict[str, float] = {"the": 4.0, "this": 0.7, "that": 0.5}
    if noun.classes & _OWNABLE:
        weights |= dict.fromkeys(POSSESSIVES, 0.4)
    if noun.is_mass:
        return pick_weighted(rng, {"the": 4.0, "this": 0.5, "some": 3.0, "bare": 1.0})
    if plural:
        weights |= {"bare": 0.8, "some": 1.2}
        if not simple:
            weights |= {
                "several": 0.4,
                "a few": 0.4,
                "many": 0.4,
                "too many": 0.2,
                "all": 0.4,
                pick(rng, _SMALL_NUMERALS): 1.6,
            }
    else:
        weights |= {"a": 3.0} if simple else {"a": 3.0, "another": 0.3}
    return pick_weighted(rng, weights)


def draw_noun_phrase(
    rng: random.Random,
    classes: Sequence[str],
    *,
    is_subject: bool = False,
    definite: bool = False,
    simple: bool = False,
    adjective: float = 0.35,
    plural: float = 0.25,
) -> NounPhrase:
    """Draws a noun of the classes, with its determiner and perhaps adjectives.

    Args:
        rng: Source of chance.
        classes: Classes of nouns, or nouns themselves.
        is_subject: Whether bare plurals are left out, for they would be a whole kind there.
        definite: Whether a subject is a certain one: not "a key".
        simple: Whether quantities are left out.
        adjective: Probability of an adjective.
        plural: Probability of a plural.
    """
    noun = draw_noun(rng, classes)
    several = not noun.classes & {"mass", "unique", "single"} and chance(rng, plural)
    name = draw_determiner(rng, noun, plural=several, simple=simple)
    unfit = ("bare", "some", "a few", "a") if definite else ("bare", "some", "a few")
    while is_subject and name in unfit:
        name = draw_determiner(rng, noun, plural=several, simple=simple)
    if is_subject and not definite and name == "the" and not several and not noun.is_mass and chance(rng, 0.05):
        name = "every" if "unique" not in noun.classes else "the"
    adjectives = _draw_adjectives(rng, noun, adjective)
    owner = None
    if name in POSSESSIVES and chance(rng, 0.3):
        owner = pick(rng, NAMES) if chance(rng, 0.6) else _owner(rng)
    return NounPhrase(noun, DETERMINERS["the" if owner else name], several, adjectives, owner)


def _owner(rng: random.Random) -> NounPhrase:
    """Draws whose it is: the teacher, my sister; always one, for "teachers'" sounds like "teacher's"."""
    noun = draw_noun(rng, ("adult", "child"))
    name = (
        pick(rng, _SPOUSES.get(noun.english, POSSESSIVES))
        if "family" in noun.classes
        else pick(rng, ("the", "the", "my", "this", "that"))
    )
    return NounPhrase(noun, DETERMINERS[name if noun.classes & _OWNABLE or name != "my" else "the"])


def draw_subject(
    rng: random.Random, classes: Sequence[str], *, pronoun: float = 0.5, definite: bool = False
) -> Participant:
    """Draws who or what does something.

    Args:
        rng: Source of chance.
        classes: Classes of nouns that do it.
        pronoun: Probability of a pronoun, if people do it.
        definite: Whether a noun is a certain one or several, and not counted.
    """
    if "adult" in classes:
        if chance(rng, pronoun):
            return pick(rng, PRONOUNS)
        if chance(rng, 0.25):
            return pick(rng, NAMES)
        if chance(rng, 0.08):
            return _draw_pair(rng)
    return draw_noun_phrase(rng, classes, is_subject=True, definite=definite, simple=definite, adjective=0.3)


def _draw_pair(rng: random.Random) -> Coordination:
    """Draws "Paul and Mary", "my brother and Anne"."""
    first, second = pick(rng, NAMES), pick(rng, NAMES)
    while second is first:
        second = pick(rng, NAMES)
    if chance(rng, 0.4):
        noun = draw_noun(rng, ("family",))
        return Coordination(
            NounPhrase(noun, DETERMINERS[draw_determiner(rng, noun, plural=False, simple=True)]), second
        )
    return Coordination(first, second)


def draw_place(rng: random.Random, kind: str) -> Place:
    """Draws a place of a kind (see `PLACE_KINDS`), a city, a country or company."""
    if kind == "city":
        return Place("in", pick(rng, tuple(CITIES.items()))) if chance(rng, 0.6) else Place("in", pick(rng, COUNTRIES))
    if kind == "country":
        return Place("in", pick(rng, COUNTRIES)) if chance(rng, 0.6) else Place("to", pick(rng, tuple(CITIES.items())))
    if kind == "to" and chance(rng, 0.35):
        where = pick(rng, COUNTRIES) if chance(rng, 0.5) else pick(rng, tuple(CITIES.items()))
        return Place("to", where)
    if kind == "from" and chance(rng, 0.35):
        where = pick(rng, COUNTRIES) if chance(rng, 0.5) else pick(rng, tuple(CITIES.items()))
        return Place("from", where)
    if kind in ("with", "for"):
        preposition = "without" if kind == "with" and chance(rng, 0.2) else kind
        return Place(preposition, draw_subject(rng, ("relation", "family", "adult"), pronoun=0.3))
    preposition, classes = pick(rng, PLACE_KINDS[kind].choices)
    noun = draw_noun(rng, classes)
    name = pick_weighted(rng, {"the": 6.0, "a": 1.0, "this": 0.4, "that": 0.2} | (
        {"my": 0.4, "your": 0.3, "his": 0.3, "her": 0.3, "our": 0.2} if noun.classes & _OWNABLE else {}
    ))  # fmt: skip
    if preposition in ("at", "to", "from") or "unique" in noun.classes or noun.is_mass:
        name = "the"
    adjectives = _draw_adjectives(rng, noun, 0.2) if preposition not in ("at", "to", "from") else ()
    return Place(preposition, NounPhrase(noun, DETERMINERS[name], False, adjectives))
