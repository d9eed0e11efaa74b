"""Relative clauses: about the subject (qui) and about the object (que)."""

import random
from functools import cache

from runnel.datasets.phrasebook.clause import Clause, NounPhrase, Tense, changed
from runnel.datasets.phrasebook.determiners import DETERMINERS, POSSESSIVES
from runnel.datasets.phrasebook.draw_clauses import (
    DIRECT,
    ON_PEOPLE,
    draw_intransitive,
    draw_tense,
    draw_transitive,
    draw_verb_object,
    draw_verb_places,
)
from runnel.datasets.phrasebook.draw_phrases import (
    chance,
    draw_noun_phrase,
    draw_subject,
    pick,
)
from runnel.datasets.phrasebook.draw_statements import describe
from runnel.datasets.phrasebook.nouns import Noun
from runnel.datasets.phrasebook.pronouns import HE, SHE
from runnel.datasets.phrasebook.verbs import INTRANSITIVE, TRANSITIVE, Verb

__all__ = ["relative_object", "relative_subject"]

_DIRECT_ON_PEOPLE = tuple(verb for verb in DIRECT if verb in ON_PEOPLE)
_UNFIT = frozenset({"family", "language", "sport", "unique"})
_PLAIN_TENSES = (Tense.PRESENT, Tense.PROGRESSIVE, Tense.PAST)


def relative_subject(rng: random.Random) -> Clause:
    """The man who lives in Paris bought a house. I know a girl who plays the piano."""
    if chance(rng, 0.5):
        main = draw_transitive(rng, _DIRECT_ON_PEOPLE)
        phrase = main.object
        if not isinstance(phrase, NounPhrase) or not _acts(phrase.noun) or main.places:
            return relative_subject(rng)
        phrase = _certain(changed(phrase, adjectives=()))
        return changed(_simple(main), object=changed(phrase, relative=_about(rng, phrase)))
    main = draw_intransitive(rng, place=0.3) if chance(rng, 0.5) else draw_transitive(rng)
    phrase = draw_noun_phrase(rng, main.verb.subjects, is_subject=True, definite=True, adjective=0.1)
    if not _acts(phrase.noun):
        return relative_subject(rng)
    phrase = _certain(changed(phrase, adjectives=()))
    main = changed(
        main, tense=draw_tense(rng, main.verb, phrase), subject=changed(phrase, relative=_about(rng, phrase))
    )
    return _simple(main)


def _certain(phrase: NounPhrase) -> NounPhrase:
    """Returns "the dog" for "our dog": what follows tells which."""
    owned = phrase.owner is not None or phrase.determiner.name in POSSESSIVES
    return changed(phrase, owner=None, determiner=DETERMINERS["the"]) if owned else phrase


def _simple(clause: Clause) -> Clause:
    """Returns the clause in the simple past if it is in the perfect, which asks for an adverb."""
    return changed(clause, tense=Tense.PAST) if clause.tense is Tense.PERFECT else clause


@cache
def _verbs_about(noun: Noun, *, transitive: bool) -> tuple[Verb, ...]:
    """Returns the verbs that a noun does."""
    verbs = TRANSITIVE if transitive else INTRANSITIVE
    return tuple(
        verb
        for verb in verbs
        if set(verb.subjects) & {*noun.classes, noun.english}
        and not verb.has_recipient
        and "past_only" not in verb.places
    )


def _acts(noun: Noun) -> bool:
    """Says whether there is something that a noun does, and a "who" or "that" may follow it."""
    doing = _verbs_about(noun, transitive=True) + _verbs_about(noun, transitive=False)
    return bool(doing) and not noun.classes & _UNFIT


def _about(rng: random.Random, phrase: NounPhrase) -> Clause:
    """Draws "who sings" about a noun phrase."""
    described = describe(rng, phrase) if chance(rng, 0.2) else None
    if described is not None:
        return changed(described, gap="subject", contracted=False)
    transitive = chance(rng, 0.5)
    verbs = _verbs_about(phrase.noun, transitive=transitive) or _verbs_about(phrase.noun, transitive=not transitive)
    verb = pick(rng, verbs)
    tense = draw_tense(rng, verb, phrase)
    tense = tense if tense in _PLAIN_TENSES else Tense.PAST
    clause = Clause(phrase, verb, tense, gap="subject", places=draw_verb_places(rng, verb, phrase, 0.4))
    return changed(clause, object=draw_verb_object(rng, verb, simple=True)) if verb.objects else clause


@cache
def _verbs_on(noun: Noun) -> tuple[Verb, ...]:
    """Returns the verbs with a direct object that are done to a noun."""
    return tuple(
        verb
        for verb in DIRECT
        if set(verb.objects) & {*noun.classes, noun.english} and verb.english not in ("play", "begin")
    )


def relative_object(rng: random.Random) -> Clause:
    """The letter that I wrote is very long. She likes the dress that he bought."""
    inner = draw_transitive(rng, DIRECT, subject=0.6)
    phrase = inner.object
    if not isinstance(phrase, NounPhrase) or phrase.noun.classes & _UNFIT or inner.verb.english in ("play", "begin"):
        return relative_object(rng)
    if isinstance(inner.subject, NounPhrase) and inner.subject.determiner.name == "that":  # "That that" sounds odd.
        return relative_object(rng)
    phrase = NounPhrase(phrase.noun, DETERMINERS["the"], phrase.plural)
    tense = inner.tense if inner.tense in (*_PLAIN_TENSES, Tense.FUTURE) else Tense.PAST
    inner = changed(inner, object=phrase, recipient=None, places=(), tense=tense, gap="object")
    phrase = changed(phrase, relative=inner)
    if chance(rng, 0.5):
        clause = describe(rng, phrase)
        if clause is not None:
            return changed(clause, contracted=False)
    verb = pick(rng, tuple(verb for verb in _verbs_on(phrase.noun) if verb is not inner.verb) or _DIRECT_ON_PEOPLE[:1])
    subject = draw_subject(rng, verb.subjects)
    clause = _simple(Clause(subject, verb, draw_tense(rng, verb, subject), object=phrase))
    if verb.has_recipient:
        clause = changed(clause, recipient=pick(rng, tuple(other for other in (HE, SHE) if other is not subject)))
    return clause
