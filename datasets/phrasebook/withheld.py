"""Which combinations of known words train never sees: what the split `compositional` is made of.

A combination is a pair of lexemes: an adjective and its noun, a verb and the noun of its object, or a verb and the
construction that it is in (negated, asked, in a relative clause, as an infinitive). A fixed share of all pairs is
withheld, by the hash of their names: nothing else decides, so nothing can leak.
"""

import hashlib
from collections.abc import Iterator
from functools import cache

from runnel.datasets.phrasebook.clause import Clause, Comparison, Coordination, NounPhrase
from runnel.datasets.phrasebook.sentence import Fragment, Text

__all__ = ["Combination", "combinations_of", "is_withheld"]

Combination = tuple[str, str, str]
"""Kind, and the two that are combined."""

_SHARES = {"adjective": 0.04, "object": 0.04, "construction": 0.03}


@cache
def is_withheld(combination: Combination) -> bool:
    """Says whether a combination is for the split `compositional` alone."""
    digest = hashlib.sha256(" | ".join(combination).encode()).digest()
    return int.from_bytes(digest[:4], "big") < _SHARES[combination[0]] * 2**32


def combinations_of(text: Text) -> frozenset[Combination]:
    """Returns the combinations of a text."""
    found: set[Combination] = set()
    for sentence in text.sentences:
        if isinstance(sentence, Fragment):
            found.update(_of_phrase(sentence.phrase))
            continue
        for clause in (sentence.clause, sentence.second):
            if clause is not None:
                found.update(_of_clause(clause))
    return frozenset(found)


def _of_clause(clause: Clause) -> Iterator[Combination]:
    """Yields the combinations of a clause and of all in it."""
    verb = f"{clause.verb.english} ({clause.verb.french})"
    labels = (clause.polarity, clause.question, clause.gap, "infinitive" if clause.tense.value == "infinitive" else "")
    for label in labels:
        if label:
            yield ("construction", label, verb)
    if isinstance(clause.object, NounPhrase):
        yield ("object", verb, clause.object.noun.english)
    for phrase in _phrases(clause):
        yield from _of_phrase(phrase)
    for inner in (clause.infinitive, clause.reported):
        if inner is not None:
            yield from _of_clause(inner)


def _phrases(clause: Clause) -> Iterator[NounPhrase]:
    """Yields the noun phrases that the clause itself holds; what a relative clause leaves out is not in it."""
    other = clause.predicate.other if isinstance(clause.predicate, Comparison) else None
    subject = None if clause.gap == "subject" else clause.subject
    thing = None if clause.gap == "object" else clause.object
    for participant in (subject, thing, clause.recipient, other, *(place.where for place in clause.places)):
        if isinstance(participant, NounPhrase):
            yield participant
        elif isinstance(participant, Coordination):
            yield from (part for part in (participant.first, participant.second) if isinstance(part, NounPhrase))


def _of_phrase(phrase: NounPhrase) -> Iterator[Combination]:
    """Yields the combinations of a noun phrase and of all in it."""
    for adjective in phrase.adjectives:
        yield ("adjective", adjective.english, phrase.noun.english)
    if isinstance(phrase.owner, NounPhrase):
        yield from _of_phrase(phrase.owner)
    if phrase.relative is not None:
        yield from _of_clause(phrase.relative)
