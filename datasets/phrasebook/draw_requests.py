"""Pronouns as objects, requests, and what somebody can, must or wants to do."""

import random
from collections.abc import Sequence

from runnel.datasets.phrasebook.clause import Clause, Participant, Tense, agreement_of, changed
from runnel.datasets.phrasebook.draw_clauses import (
    CHOSEN_BY_PEOPLE,
    DIRECT,
    ON_PEOPLE,
    draw_finish,
    draw_tense,
    draw_verb_object,
    draw_verb_places,
    is_counted,
    needs_place,
)
from runnel.datasets.phrasebook.draw_phrases import PEOPLE, chance, draw_noun_phrase, draw_subject, pick
from runnel.datasets.phrasebook.pronouns import HE, ME, PRONOUNS, SHE, THEY, WE, YOU, Pronoun
from runnel.datasets.phrasebook.sentence import Sentence
from runnel.datasets.phrasebook.verbs import INFINITIVE_VERBS, Verb

__all__ = ["imperative", "infinitive", "object_pronoun"]

_SKILLS = frozenset({
    "swim", "dance", "sing", "read", "write", "play", "drive", "draw", "paint", "repair", "speak", "build", "prepare",
    "use", "iron", "climb", "translate",
})  # fmt: skip

_LASTING = ("like to", "prefer to", "hope to", "know how to")


def _others(subject: Participant, among: Sequence[Pronoun]) -> list[Pronoun]:
    """Returns the pronouns that are somebody else: not "I see me", "we help me"."""
    person = agreement_of(subject).person
    return [other for other in among if other is not subject and (other.person != person or person == 3)]


def object_pronoun(rng: random.Random) -> Clause:
    """I saw her yesterday. We give them to the teacher."""
    verb = pick(rng, ON_PEOPLE) if chance(rng, 0.65) else pick(rng, DIRECT)
    subject = draw_subject(rng, verb.subjects)
    whom = pick(rng, _others(subject, PRONOUNS)) if verb in ON_PEOPLE else THEY
    clause = Clause(subject, verb, draw_tense(rng, verb, subject), object=whom)
    if verb.has_recipient:
        clause = changed(clause, recipient=_recipient(rng, subject))
    clause = changed(clause, places=draw_verb_places(rng, verb, subject, 1.0 if needs_place(verb) else 0.2))
    return draw_finish(rng, clause)


def _recipient(rng: random.Random, subject: Participant) -> Participant:
    """Draws a recipient that goes with "them"."""
    if chance(rng, 0.3):
        return pick(rng, _others(subject, (ME, YOU, HE, SHE, WE)))
    return draw_noun_phrase(rng, ("relation", "family", "profession"), simple=True, adjective=0.0, plural=0.15)


def imperative(rng: random.Random) -> Sentence:
    """Open the door, please. Don't touch it! Let's eat."""
    verb = pick(rng, CHOSEN_BY_PEOPLE[1] if chance(rng, 0.65) else CHOSEN_BY_PEOPLE[0])
    if "no_imperative" in verb.places or verb.is_state:
        return imperative(rng)
    who = YOU if chance(rng, 0.8) else WE
    polarity = "not" if who is YOU and chance(rng, 0.3) else ""
    clause = Clause(who, verb, Tense.IMPERATIVE, polarity=polarity, contracted=chance(rng, 0.5))
    if verb.objects:
        clause = changed(clause, object=draw_verb_object(rng, verb, simple=True))
        if verb in DIRECT and chance(rng, 0.15):
            clause = changed(clause, object=THEY)
        if verb.has_recipient:
            clause = changed(clause, recipient=pick(rng, (ME, HE, SHE, WE) if who is YOU else (HE, SHE)))
    clause = changed(clause, places=draw_verb_places(rng, verb, who, 0.4))
    return Sentence(clause, mark="!" if chance(rng, 0.4) else ".", polite=who is YOU and chance(rng, 0.3))


def infinitive(rng: random.Random) -> Clause:
    """She wants to buy a car. I can help you."""
    subject = draw_subject(rng, PEOPLE, pronoun=0.5)
    main = pick(rng, INFINITIVE_VERBS)
    tense = draw_tense(rng, main, subject)
    if tense in (Tense.PERFECT, Tense.PAST_PROGRESSIVE, Tense.GOING_TO) or main.head in ("can", "must"):
        tense = Tense.PRESENT if main.head == "must" or chance(rng, 0.65) else Tense.PAST
    if tense is Tense.FUTURE and main.english in _LASTING:
        tense = Tense.PRESENT
    polarity = "not" if chance(rng, 0.2) and not is_counted(subject) else ""
    inner = _draw_infinitive(rng, subject, is_skill=main.english in ("know how to", "learn to"))
    if inner.verb.french == main.french:  # "Agree to accept" would be « accepter d'accepter ».
        return infinitive(rng)
    return Clause(subject, main, tense, polarity=polarity, infinitive=inner, contracted=chance(rng, 0.25))


def _draw_infinitive(rng: random.Random, subject: Participant, *, is_skill: bool) -> Clause:
    """Draws what somebody wants, can or tries to do."""
    verbs: Sequence[Verb] = CHOSEN_BY_PEOPLE[1] if chance(rng, 0.65) else CHOSEN_BY_PEOPLE[0]
    verb = pick(rng, [verb for verb in verbs if verb.english in _SKILLS] if is_skill else verbs)
    inner = Clause(subject, verb, Tense.INFINITIVE)
    if verb.objects:
        inner = changed(inner, object=draw_verb_object(rng, verb, simple=True))
        if not is_skill and not verb.preposition and chance(rng, 0.2):
            whom = _others(subject, PRONOUNS) if verb in ON_PEOPLE else [THEY]
            inner = changed(inner, object=pick(rng, whom))
    if verb.has_recipient:
        inner = changed(inner, recipient=_recipient(rng, subject))
    if is_skill and not needs_place(verb):
        return inner
    return changed(inner, places=draw_verb_places(rng, verb, subject, 0.4))
