"""Two clauses in one sentence or in two: comparison, that, because, and, but, and pronouns for what was just named."""

import random

from runnel.datasets.phrasebook.adjectives import ADJECTIVE_BY_ENGLISH
from runnel.datasets.phrasebook.clause import (
    Clause,
    Comparison,
    Described,
    NounPhrase,
    Participant,
    Tense,
    agreement_of,
    changed,
)
from runnel.datasets.phrasebook.draw_clauses import (
    DIRECT,
    DONE_BY_PEOPLE,
    draw_intransitive,
    draw_tense,
    draw_verb_object,
    draw_verb_places,
)
from runnel.datasets.phrasebook.draw_phrases import (
    PEOPLE,
    adjectives_of,
    chance,
    draw_noun_phrase,
    draw_subject,
    pick,
    pick_weighted,
)
from runnel.datasets.phrasebook.draw_statements import (
    describe_as,
    described,
    intransitive,
    state,
    transitive,
)
from runnel.datasets.phrasebook.names import NAMES, Name
from runnel.datasets.phrasebook.nouns import NOUN_BY_ENGLISH
from runnel.datasets.phrasebook.pronouns import IT, IT_FEMININE, ME, THEY, THEY_FEMININE, YOU, Pronoun
from runnel.datasets.phrasebook.sentence import Sentence
from runnel.datasets.phrasebook.verbs import AVOIR_STATES, BE, REPORTING, VERB_BY_ENGLISH

__all__ = ["comparison", "joined", "person_and_pronoun", "reported", "thing_and_pronoun", "two_sentences"]

_COMPARED = ("animal", "vehicle", "building", "garment", "goods")
_UNFIT = frozenset({"adult", "child", "mass", "unique", "language", "sport"})
_REASONS = AVOIR_STATES[:6]  # Hungry, thirsty, cold, hot, sleepy, afraid.
_FEELINGS = ("like", "love", "hate")
_MOODS = ("tired", "sick", "sad", "happy", "late", "angry", "worried", "surprised", "nervous", "busy", "alone")


def comparison(rng: random.Random) -> Clause:
    """Paul is taller than Mary. The car is as old as the house."""
    subject: Participant
    other: Participant
    if chance(rng, 0.6):
        subject = draw_subject(rng, PEOPLE, pronoun=0.4, definite=True)
        other = draw_subject(rng, PEOPLE, pronoun=0.0, definite=True)
    else:
        classes = (pick(rng, _COMPARED),)
        subject = draw_noun_phrase(rng, classes, is_subject=True, definite=True, simple=True, adjective=0.0)
        other = draw_noun_phrase(rng, classes, is_subject=True, definite=True, simple=True, adjective=0.0)
    noun = subject.noun if isinstance(subject, NounPhrase) else NOUN_BY_ENGLISH["man"]
    choices = [adjective for adjective in adjectives_of(noun, predicate=True) if adjective.compares]
    is_same = isinstance(other, NounPhrase) and other.noun is noun
    if not choices or other == subject or is_same:
        return comparison(rng)
    tense = pick_weighted(rng, {Tense.PRESENT: 0.8, Tense.PAST: 0.2})
    predicate = Comparison(pick(rng, choices), other, equal=chance(rng, 0.3))
    polarity = "not" if chance(rng, 0.12) else ""
    return Clause(subject, BE, tense, polarity=polarity, predicate=predicate, contracted=chance(rng, 0.2))


def _untimed(clause: Clause) -> Clause:
    """Returns the clause without time."""
    return changed(clause, time="", time_first=False)


def _begins_with_that(clause: Clause) -> bool:
    """Says whether "that" before the clause would be "that that"."""
    subject = clause.subject
    return isinstance(subject, NounPhrase) and subject.determiner.name == "that"


def reported(rng: random.Random) -> Clause:
    """I think that she is right."""
    verb = pick(rng, REPORTING)
    inner = _untimed(pick(rng, (described, state, intransitive, transitive))(rng))
    if _begins_with_that(inner) or "past_only" in inner.verb.places:
        return reported(rng)
    if verb.english == "hope":
        inner = changed(inner, tense=Tense.FUTURE, frequency="", polarity="", contracted=False)
    subject = draw_subject(rng, PEOPLE, pronoun=0.7)
    return Clause(subject, verb, Tense.PRESENT, reported=inner, contracted=chance(rng, 0.3))


def joined(rng: random.Random) -> Sentence:
    """He is sleeping because he is tired. The cat sleeps and the dog eats."""
    connector = pick(rng, ("because", "because", "and", "but"))
    if connector == "because":
        return _because(rng)
    first, second = (_untimed(pick(rng, (intransitive, described))(rng)) for _ in range(2))
    if first.subject == second.subject or first.tense is not second.tense or Tense.PERFECT is first.tense:
        return joined(rng)
    return Sentence(first, connector, second)


def _because(rng: random.Random) -> Sentence:
    """Draws what somebody does, and why."""
    first = changed(_untimed(pick(rng, (intransitive, transitive))(rng)), frequency="", manner="")
    again = _again(first.subject)
    if again is None or "past_only" in first.verb.places or first.polarity == "not yet":
        return _because(rng)
    if first.tense not in (Tense.PRESENT, Tense.PROGRESSIVE, Tense.PAST):
        first = changed(first, tense=Tense.PAST, polarity="")
    tense = Tense.PAST if first.tense is Tense.PAST else Tense.PRESENT
    second = Clause(again, pick(rng, _REASONS), tense, contracted=chance(rng, 0.3))
    if chance(rng, 0.6):
        mood = Described(ADJECTIVE_BY_ENGLISH[pick(rng, _MOODS)], "very" if chance(rng, 0.2) else "")
        mood = mood if mood.adjective.compares else changed(mood, degree="")
        second = Clause(again, BE, tense, predicate=mood, contracted=chance(rng, 0.3))
    return Sentence(first, "because", second)


def _again(subject: Participant | None) -> Pronoun | None:
    """Returns the pronoun for somebody who was just named; None of animals and things."""
    if isinstance(subject, Pronoun):
        return subject
    if subject is None or (isinstance(subject, NounPhrase) and not subject.noun.classes & set(PEOPLE)):
        return None
    return agreement_of(subject).pronoun


def _not_to_come(clause: Clause) -> Clause:
    """Returns the clause in the present if it is in the future."""
    return changed(clause, tense=Tense.PRESENT) if clause.tense is Tense.FUTURE else clause


def thing_and_pronoun(rng: random.Random) -> tuple[Sentence, Sentence]:
    """I bought a car. It is red. -> J'ai acheté une voiture. Elle est rouge."""
    verb = pick(rng, DIRECT)
    phrase = draw_verb_object(rng, verb, simple=True)
    if verb.has_recipient or verb.generic or phrase.noun.classes & _UNFIT or "adult" not in verb.subjects:
        return thing_and_pronoun(rng)
    subject = pick(rng, (ME, YOU)) if chance(rng, 0.6) else pick(rng, NAMES)
    tense = draw_tense(rng, verb, subject)
    tense = tense if tense in (Tense.PRESENT, Tense.PROGRESSIVE, Tense.PAST) else Tense.PAST
    first = Clause(subject, verb, tense, object=changed(phrase, adjectives=()), contracted=chance(rng, 0.2))
    if phrase.plural:
        it = THEY_FEMININE if phrase.noun.feminine else THEY
    else:
        it = IT_FEMININE if phrase.noun.feminine else IT
    second = describe_as(rng, it, phrase.noun) if chance(rng, 0.5) else None
    second = _not_to_come(second) if second else None
    if second is None:
        liker = _again(subject)
        feeling = VERB_BY_ENGLISH[pick(rng, _FEELINGS)]
        polarity = "not" if chance(rng, 0.25) else ""
        second = Clause(liker, feeling, object=it, polarity=polarity, contracted=chance(rng, 0.5))
    return Sentence(first), Sentence(second)


def person_and_pronoun(rng: random.Random) -> tuple[Sentence, Sentence]:
    """My sisters arrived. They are tired. -> Mes sœurs sont arrivées. Elles sont fatiguées."""
    subject = draw_subject(rng, PEOPLE, pronoun=0.0)
    first = changed(draw_intransitive(rng, DONE_BY_PEOPLE, place=0.4), subject=subject)
    if first.places and isinstance(first.places[0].where, Pronoun | NounPhrase | Name):
        first = changed(first, places=draw_verb_places(rng, first.verb, subject, 1.0))
    first = changed(first, tense=draw_tense(rng, first.verb, subject))
    if first.tense is Tense.PERFECT:
        first = changed(first, tense=Tense.PAST)
    again = agreement_of(subject).pronoun
    second = Clause(again, pick(rng, AVOIR_STATES), contracted=chance(rng, 0.3))
    if chance(rng, 0.5):
        noun = subject.noun if isinstance(subject, NounPhrase) else NOUN_BY_ENGLISH["man"]
        second = _not_to_come(describe_as(rng, again, noun) or second)
    return Sentence(first), Sentence(second)


def two_sentences(rng: random.Random) -> tuple[Sentence, Sentence]:
    """The cat sleeps. The dog eats."""
    first = changed(_untimed(intransitive(rng)), manner="")
    second = changed(_untimed(pick(rng, (intransitive, transitive, described))(rng)), manner="")
    for clause in (first, second):  # "He" would be somebody who was named.
        if isinstance(clause.subject, Pronoun) and clause.subject.person == 3:
            return two_sentences(rng)
    return Sentence(first), Sentence(second)
