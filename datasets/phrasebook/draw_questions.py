"""Questions: whether, where, when, why, how, who, what, which, how many."""

import random

from runnel.datasets.phrasebook.clause import Clause, NounPhrase, Place, Tense, changed
from runnel.datasets.phrasebook.determiners import DETERMINERS
from runnel.datasets.phrasebook.draw_clauses import (
    DIRECT,
    DONE_BY_PEOPLE,
    draw_intransitive,
    draw_tense,
    draw_transitive,
    draw_verb_object,
    needs_place,
)
from runnel.datasets.phrasebook.draw_phrases import PEOPLE, chance, draw_subject, pick, pick_weighted
from runnel.datasets.phrasebook.draw_statements import described, intransitive, located, state, there_is, transitive
from runnel.datasets.phrasebook.pronouns import HE, ME, YOU

__all__ = ["asked_what", "asked_where", "asked_who", "whether"]

_SKILLED = frozenset({
    "build", "catch", "clean", "climb", "close", "cross", "draw", "drive", "find", "hide", "iron", "learn", "lift",
    "move", "open", "paint", "park", "plant", "play", "prepare", "repair", "translate", "turn off", "turn on", "use",
    "wash", "write",
})  # fmt: skip
_UNCOUNTED = frozenset({"mass", "unique", "language", "sport", "family"})


def _asked_of_you(clause: Clause) -> Clause:
    """Returns the clause as it is asked: "I gave you" becomes "you gave me"."""
    if clause.subject is not ME:
        return clause
    recipient = ME if clause.recipient is YOU else clause.recipient
    places = tuple(Place(place.preposition, ME) if place.where is YOU else place for place in clause.places)
    return changed(clause, subject=YOU, recipient=recipient, places=places)


def whether(rng: random.Random) -> Clause:
    """Does the dog sleep in the kitchen? Isn't she tired?"""
    base = pick(rng, (transitive, transitive, intransitive, intransitive, described, located, state, there_is))(rng)
    if base.subject is ME and chance(rng, 0.8):
        base = _asked_of_you(base)
    if base.tense is Tense.PERFECT:
        base = changed(base, polarity="", frequency="already")
    polarity = base.polarity if base.polarity == "not" and chance(rng, 0.4) else ""
    frequency = "" if base.frequency in ("probably", "rarely") else base.frequency
    contracted = base.contracted or bool(polarity)
    return changed(
        base, question="whether", time_first=False, polarity=polarity, frequency=frequency, contracted=contracted
    )


def asked_where(rng: random.Random) -> Clause:
    """Where are the keys? When did she leave? Why are you laughing? How do you repair a clock?"""
    if chance(rng, 0.2):
        return changed(located(rng), question="where", places=(), polarity="", frequency="")
    clause = draw_transitive(rng) if chance(rng, 0.5) else draw_intransitive(rng, DONE_BY_PEOPLE)
    verb = clause.verb
    weights = {"why": 2.0}
    if not verb.is_state:
        weights |= {"where": 1.2, "when": 1.2}
        if verb.english in _SKILLED:
            weights["how"] = 0.8
    question = pick_weighted(rng, weights)
    if clause.tense is Tense.PERFECT:
        clause = changed(clause, tense=Tense.PAST)
    if question == "when" and clause.tense not in (Tense.PAST, Tense.FUTURE, Tense.GOING_TO):
        clause = changed(clause, tense=pick(rng, (Tense.PAST, Tense.FUTURE)))
    if question == "where" or (question == "how" and not needs_place(verb)):
        clause = changed(clause, places=())
    if question == "why" and chance(rng, 0.25):
        clause = changed(clause, polarity="not", contracted=True)
    return changed(_asked_of_you(clause), question=question)


def asked_who(rng: random.Random) -> Clause:
    """Who ate the cake?"""
    base = draw_transitive(rng) if chance(rng, 0.5) else draw_intransitive(rng, DONE_BY_PEOPLE)
    if not {"adult", "child"} & set(base.verb.subjects):
        return asked_who(rng)
    tense = draw_tense(rng, base.verb, HE)
    tense = Tense.PAST if tense is Tense.PERFECT else tense
    return changed(base, subject=HE, tense=tense, question="who")


def asked_what(rng: random.Random) -> Clause:
    """What is she eating? Who did you meet? Which book did you read? How many pens do you have?"""
    verb = pick(rng, DIRECT)
    if verb.english == "tell":  # "What does he tell?" lacks somebody.
        return asked_what(rng)
    subject = draw_subject(rng, verb.subjects)
    subject = YOU if subject is ME else subject
    tense = draw_tense(rng, verb, subject)
    tense = Tense.PAST if tense is Tense.PERFECT else tense
    phrase = draw_verb_object(rng, verb, simple=True)
    asked = "whom" if phrase.noun.classes & set(PEOPLE) else "what"
    if phrase.noun.classes & _UNCOUNTED or chance(rng, 0.4):
        return Clause(subject, verb, tense, object=phrase, question=asked)
    many = chance(rng, 0.5)
    plural = "single" not in phrase.noun.classes and (many or chance(rng, 0.25))
    phrase = NounPhrase(phrase.noun, DETERMINERS["how many" if many and plural else "which"], plural)
    return Clause(subject, verb, tense, object=phrase, question="which")
