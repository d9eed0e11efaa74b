"""Draws clauses: tense, polarity, adverbs, times and places that go with a verb."""

import random
from collections.abc import Sequence

from runnel.datasets.phrasebook.adverbs import CLOCK, MANNERS_OF_VERB, TIME_GROUPS
from runnel.datasets.phrasebook.clause import Clause, NounPhrase, Participant, Place, Tense, agreement_of, changed
from runnel.datasets.phrasebook.determiners import DETERMINERS, NUMERALS
from runnel.datasets.phrasebook.draw_phrases import (
    PEOPLE,
    chance,
    draw_noun_phrase,
    draw_place,
    draw_subject,
    pick,
    pick_weighted,
)
from runnel.datasets.phrasebook.english_forms import past_of
from runnel.datasets.phrasebook.names import NAMES
from runnel.datasets.phrasebook.pronouns import PRONOUNS, Pronoun
from runnel.datasets.phrasebook.verbs import INTRANSITIVE, TRANSITIVE, Verb

__all__ = [
    "CHOSEN_BY_PEOPLE", "COMMON_INTRANSITIVE", "COMMON_TRANSITIVE", "DIRECT", "DONE_BY_PEOPLE", "ON_PEOPLE",
    "draw_finish", "draw_intransitive", "draw_tense", "draw_transitive", "draw_verb_object", "draw_verb_places",
    "is_chosen", "is_counted",
    "needs_place",
]  # fmt: skip

_TENSES = {
    Tense.PRESENT: 0.30, Tense.PROGRESSIVE: 0.16, Tense.PAST: 0.30, Tense.FUTURE: 0.12, Tense.GOING_TO: 0.06,
    Tense.PAST_PROGRESSIVE: 0.05, Tense.PERFECT: 0.05,
}  # fmt: skip
_TIME_GROUP = {
    Tense.PRESENT: "habit", Tense.PROGRESSIVE: "now", Tense.PAST: "past", Tense.FUTURE: "future",
    Tense.GOING_TO: "future",
}  # fmt: skip
_OPTIONAL_TENSES = (Tense.PROGRESSIVE, Tense.PAST_PROGRESSIVE, Tense.PERFECT, Tense.GOING_TO)
_NEEDED = {"on_needed": "on", "to_needed": "to", "city_needed": "city", "from_needed": "from",
           "on_furniture_needed": "on_furniture"}  # fmt: skip
_RESULTS = {"open": "open", "close": "closed", "clean": "clean", "break": "broken", "lose": "lost", "wash": "clean"}
_PERCEPTIONS = ("see", "hear", "find", "lose", "catch", "smell", "understand", "begin", "finish", "disappear")
_LONG = frozenset(["ago", "in", "week", "month", "year", "summer", "winter", "weeks"])
_NO_PLACE = ("time", "time_only", "hour", "past", "past_only", "no_imperative")


_COMMON = frozenset({
    "eat", "drink", "buy", "see", "like", "love", "prepare", "need", "hear", "read", "write", "want", "have", "open",
    "close", "find", "lose", "look for", "give", "take", "wear", "sell", "wash", "clean", "visit", "help", "know",
    "use", "paint", "sleep", "work", "walk", "go", "come", "leave", "arrive", "sing", "live", "wait", "go home", "run",
    "get up", "play", "can", "must", "want to", "be",
})  # fmt: skip
"""Verbs that are drawn more often; they alone have the future of "I", "we", "you" and the past progressive of these."""


def _as_often_as_drawn(verbs: Sequence[Verb]) -> tuple[Verb, ...]:
    """Returns common verbs three times, and those of eating and drinking, with their many objects, five times."""
    often = {"eat": 5, "drink": 4}
    return tuple(verb for verb in verbs for _ in range(often.get(verb.english, 3 if verb.english in _COMMON else 1)))


COMMON_TRANSITIVE = _as_often_as_drawn(TRANSITIVE)
"""The verbs with an object, as often as they are drawn."""
COMMON_INTRANSITIVE = _as_often_as_drawn(INTRANSITIVE)
"""The verbs without an object, as often as they are drawn."""
DIRECT = tuple(
    verb for verb in TRANSITIVE if not verb.preposition and verb.english not in ("speak", "teach", "ask", "put")
)
"""The verbs with a direct object that can go without it, or stand for more than one thing."""
ON_PEOPLE = tuple(
    verb
    for verb in TRANSITIVE
    if {*PEOPLE, "relation", "profession", "family"} & set(verb.objects)
    and verb.english not in ("have", "want", "hold", "carry", "touch", "talk about", "ask")
)
"""The verbs that are done to people."""
DONE_BY_PEOPLE = tuple(verb for verb in INTRANSITIVE if "adult" in verb.subjects and "past_only" not in verb.places)
"""The verbs without an object that people do."""
_UNCHOSEN = frozenset({
    "arrive", "arrive late", "believe", "break", "come", "complain", "cough", "cry", "disappear", "fall",
    "fall asleep", "find", "forget", "get angry", "get bored", "grow", "hate", "have", "hear", "know", "like",
    "lose", "love", "make a mistake", "miss", "need", "receive", "refuse", "see", "shine", "smell", "sneeze",
    "snore", "understand", "wake up", "want",
})  # fmt: skip


def is_chosen(verb: Verb) -> bool:
    """Says whether people do it because they want to: not of "lose", "cough"."""
    return verb.english not in _UNCHOSEN


CHOSEN_BY_PEOPLE = (
    tuple(verb for verb in DONE_BY_PEOPLE if is_chosen(verb)),
    tuple(verb for verb in TRANSITIVE if is_chosen(verb) and "adult" in verb.subjects),
)
"""What people can want or be asked to do, without and with an object."""


def needs_place(verb: Verb) -> bool:
    """Says whether the verb cannot stand without its place."""
    return any(kind in _NEEDED for kind in verb.places)


def draw_tense(rng: random.Random, verb: Verb, subject: Participant) -> Tense:
    """Draws a tense that the verb has, and that English shows: "they read" could be present or past."""
    if "past_only" in verb.places:
        return Tense.PAST
    weights = dict(_TENSES)
    if verb.is_state:
        weights = {tense: weight for tense, weight in weights.items() if tense not in _OPTIONAL_TENSES}
    elif verb.no_progressive:
        del weights[Tense.PROGRESSIVE], weights[Tense.PAST_PROGRESSIVE]
    agreement = agreement_of(subject)
    if past_of(verb.head) == verb.head and (agreement.person != 3 or agreement.plural):
        del weights[Tense.PRESENT]
    if agreement.person != 3 and verb.english not in _COMMON and not verb.is_state:
        weights.pop(Tense.PAST_PROGRESSIVE, None)
        weights.pop(Tense.FUTURE, None)
    return pick_weighted(rng, weights)


def draw_finish(rng: random.Random, clause: Clause, *, time: float = 0.45, negated: float = 0.14) -> Clause:
    """Adds polarity, frequency, manner and time to a clause with its verb, tense and object.

    Args:
        rng: Source of chance.
        clause: A clause without them.
        time: Probability of a time.
        negated: Probability of a negation.
    """
    tense, verb = clause.tense, clause.verb
    if tense is Tense.PERFECT:
        if chance(rng, 0.5) or is_counted(clause.subject) or is_counted(clause.object):
            return changed(clause, frequency="already")
        return changed(clause, polarity=pick(rng, ("never", "not yet")), contracted=chance(rng, 0.3))
    if chance(rng, negated) and "past_only" not in verb.places:
        return _negated(rng, clause)
    clause = changed(clause, contracted=chance(rng, 0.2))
    if tense in (Tense.PRESENT, Tense.FUTURE) and not verb.is_state and chance(rng, 0.2):
        names = (
            ("often", "always", "sometimes", "rarely") if tense is Tense.PRESENT else ("often", "probably", "always")
        )
        clause = changed(clause, frequency=pick(rng, names))
    elif tense is Tense.PROGRESSIVE and chance(rng, 0.1):
        clause = changed(clause, frequency=pick(rng, ("still", "probably")))
    manners = MANNERS_OF_VERB.get(verb.english, ())
    if manners and not clause.frequency and not clause.places and chance(rng, 0.25):
        clause = changed(clause, manner=pick(rng, manners))
    elif not (clause.frequency and tense is Tense.PRESENT) and chance(rng, time):
        clause = _timed(rng, clause)
    return clause


_COUNTED = ("several", "a few", "many", "too many", "all", "every", "another", *NUMERALS)


def is_counted(participant: Participant | None) -> bool:
    """Says whether it is several, every or another one; what is counted is not denied."""
    return isinstance(participant, NounPhrase) and participant.determiner.name in _COUNTED


def _negated(rng: random.Random, clause: Clause) -> Clause:
    """Makes a clause negative, sometimes with a time; nothing that is counted is denied."""
    if is_counted(clause.subject) or is_counted(clause.object):
        return clause
    choices = {"not": 6.0, "never": 2.0}
    if clause.tense in (Tense.PRESENT, Tense.FUTURE):
        choices["no longer"] = 1.5
    if clause.tense in (Tense.PROGRESSIVE, Tense.PAST_PROGRESSIVE, Tense.GOING_TO):
        choices = {"not": 1.0}
    clause = changed(clause, polarity=pick_weighted(rng, choices), contracted=chance(rng, 0.4))
    if clause.polarity == "not" and chance(rng, 0.2) and clause.tense is not Tense.PRESENT:
        clause = _timed(rng, clause)
    return clause


def _timed(rng: random.Random, clause: Clause) -> Clause:
    """Adds a time that goes with the tense."""
    group = _TIME_GROUP.get(clause.tense)
    if clause.tense is Tense.PRESENT and (clause.verb.is_state or clause.verb.english in _PERCEPTIONS):
        group = None
    if group is None:
        return clause
    if clause.verb.is_state and group == "past":
        group = "past_state"
    times = TIME_GROUPS[group]
    if "hour" in clause.verb.places:  # Nobody gets up next month.
        times = tuple(time for time in times if not _LONG.intersection(time.split()))
    time = pick(rng, times)
    if "hour" in clause.verb.places and chance(rng, 0.5):
        time = f"at {pick(rng, tuple(CLOCK))} o'clock"
    if time == "soon" and clause.places:  # « Dans la rue bientôt » sounds odd.
        time = "tomorrow"
    return changed(clause, time=time, time_first=chance(rng, 0.2) and not time.startswith("at "))


def draw_verb_places(rng: random.Random, verb: Verb, subject: Participant, probability: float) -> tuple[Place, ...]:
    """Draws where it happens: always if the verb needs it, else with a probability."""
    needed = [_NEEDED[kind] for kind in verb.places if kind in _NEEDED]
    if needed:
        return (draw_place(rng, pick(rng, needed)),)
    kinds = [kind for kind in verb.places if kind not in _NO_PLACE]
    if not kinds or not chance(rng, probability):
        return ()
    place = draw_place(rng, pick(rng, kinds))
    while _is_self(place, subject):
        place = draw_place(rng, pick(rng, kinds))
    return (place,)


def _is_self(place: Place, subject: Participant) -> bool:
    """Says whether somebody would be with himself: "I travel with me"."""
    if isinstance(place.where, Pronoun):
        return place.where.person < 3 and place.where.person == agreement_of(subject).person
    return place.where == subject


def draw_verb_object(rng: random.Random, verb: Verb, *, simple: bool) -> NounPhrase:
    """Draws what the verb is done to, with the determiner that the verb asks for."""
    phrase = draw_noun_phrase(rng, verb.objects, simple=simple, adjective=0.45)
    if any(adjective.english == _RESULTS.get(verb.english) for adjective in phrase.adjectives):
        phrase = changed(phrase, adjectives=())
    classes = phrase.noun.classes
    if "language" in classes or "sport" in classes:
        determiner = DETERMINERS["none" if verb.english == "speak" else "kind"]
        return NounPhrase(phrase.noun, determiner)
    if verb.english == "have" and "family" in classes:
        several = "single" not in classes and chance(rng, 0.5)
        return NounPhrase(phrase.noun, DETERMINERS[pick(rng, ("two", "three", "four")) if several else "a"], several)
    if verb.english == "play":
        return NounPhrase(phrase.noun, DETERMINERS["the"])
    if verb.generic:
        if chance(rng, 0.6):
            return NounPhrase(phrase.noun, DETERMINERS["kind"], not phrase.noun.is_mass)
        if phrase.determiner.name in ("a", "some", "bare", "a few", "several", "many"):
            return changed(phrase, determiner=DETERMINERS["this"])
    return phrase


def draw_transitive(rng: random.Random, verbs: Sequence[Verb] = COMMON_TRANSITIVE, *, subject: float = 0.4) -> Clause:
    """Draws a clause with an object, affirmative and without adverbs."""
    verb = pick(rng, verbs)
    who = draw_subject(rng, verb.subjects, pronoun=subject)
    clause = Clause(who, verb, draw_tense(rng, verb, who), object=draw_verb_object(rng, verb, simple=False))
    if verb.has_recipient:
        clause = changed(clause, recipient=_draw_recipient(rng, who))
    return changed(clause, places=draw_verb_places(rng, verb, who, 0.5))


def _draw_recipient(rng: random.Random, subject: Participant) -> Participant:
    """Draws to whom something is given: nobody gives it to himself."""
    if chance(rng, 0.4):
        person = agreement_of(subject).person
        return pick(rng, [pronoun for pronoun in PRONOUNS if pronoun.person != person or person == 3])
    if chance(rng, 0.3):
        return pick(rng, [name for name in NAMES if name != subject])
    return draw_noun_phrase(rng, ("family", "relation", "child", "profession"), simple=True, adjective=0.1)


def draw_intransitive(rng: random.Random, verbs: Sequence[Verb] = COMMON_INTRANSITIVE, *, place: float = 0.7) -> Clause:
    """Draws a clause without an object, affirmative and without adverbs."""
    verb = pick(rng, verbs)
    who = draw_subject(rng, verb.subjects)
    return Clause(who, verb, draw_tense(rng, verb, who), places=draw_verb_places(rng, verb, who, place))
