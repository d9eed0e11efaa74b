"""A clause -> its English words."""

from runnel.datasets.phrasebook.clause import (
    Agreement,
    Clause,
    Comparison,
    Coordination,
    Described,
    NounPhrase,
    Participant,
    Place,
    Tense,
    agreement_of,
)
from runnel.datasets.phrasebook.english_forms import (
    article_for,
    comparative_of,
    gerund_of,
    past_of,
    past_participle_of,
    third_person_of,
)
from runnel.datasets.phrasebook.names import Name
from runnel.datasets.phrasebook.places import Country
from runnel.datasets.phrasebook.pronouns import Pronoun

__all__ = ["english_clause", "english_participant"]

_CONTRACTED_AUXILIARY = {"am": "'m", "are": "'re", "is": "'s", "will": "'ll"}
_CONTRACTED_NOT = {"can": "can't", "will": "won't"}
_WH = {"where": ["where"], "when": ["when"], "why": ["why"], "how": ["how"], "what": ["what"], "whom": ["who"]}


def english_clause(clause: Clause) -> list[str]:
    """Returns the words of a clause, without capital and final mark."""
    if clause.tense is Tense.IMPERATIVE:
        return _imperative(clause)
    words = []
    if clause.time_first and clause.time:
        words += [*clause.time.split(), ","]
    if clause.question:
        return words + _question(clause)
    subject = english_participant(clause.subject, is_subject=True) if clause.subject else []
    auxiliary, rest = _verb_group(clause, _agreement(clause))
    return words + _contract(clause, [*subject, *auxiliary], rest) + _complements(clause, _agreement(clause))


def _agreement(clause: Clause) -> Agreement:
    """Returns what the verb agrees with; a relative clause gets its antecedent as subject or stays third person."""
    assert clause.subject is not None
    return agreement_of(clause.subject)


def _contract(clause: Clause, before: list[str], rest: list[str]) -> list[str]:
    """Joins subject, auxiliary and the rest; writes "I'm" where the clause says so."""
    if (clause.contracted and isinstance(clause.subject, Pronoun) and before[-1] in _CONTRACTED_AUXILIARY and rest) or (
        clause.contracted and isinstance(clause.subject, Pronoun) and before[-1] in ("am", "is", "are")
    ):
        before = [*before[:-1], _CONTRACTED_AUXILIARY[before[-1]]]
    return before + rest


def _finite(base: str, tense: Tense, agreement: Agreement) -> str:
    """Returns a finite form of the simple present or past."""
    singular = agreement.person == 3 and not agreement.plural
    if base == "be":
        first = agreement.person == 1 and not agreement.plural
        if tense is Tense.PAST:
            return "was" if singular or first else "were"
        return "am" if first else "is" if singular else "are"
    if base in ("can", "must"):
        return {"can": "could"}.get(base, base) if tense is Tense.PAST else base
    if tense is Tense.PAST:
        return past_of(base)
    return third_person_of(base) if singular else base


def _auxiliary(clause: Clause, agreement: Agreement) -> tuple[str, list[str]]:
    """Returns the auxiliary ("" of a simple tense) and the verb forms after it."""
    head, *particles = _own_words(clause, agreement)
    tense = clause.tense
    if tense in (Tense.PROGRESSIVE, Tense.PAST_PROGRESSIVE):
        past = Tense.PAST if tense is Tense.PAST_PROGRESSIVE else Tense.PRESENT
        return _finite("be", past, agreement), [gerund_of(head), *particles]
    if tense is Tense.PERFECT:
        return _finite("have", Tense.PRESENT, agreement), [past_participle_of(head), *particles]
    if tense is Tense.FUTURE:
        return "will", [head, *particles]
    if tense is Tense.GOING_TO:
        return _finite("be", Tense.PRESENT, agreement), ["going", "to", head, *particles]
    if tense is Tense.INFINITIVE:
        return "", [head, *particles]
    if head in ("be", "can", "must"):
        return _finite(head, tense, agreement), particles
    return "", [_finite(head, tense, agreement), *particles]


def _own_words(clause: Clause, agreement: Agreement) -> list[str]:
    """Returns the words of the verb, "one's" as the subject has it."""
    words = clause.verb.english.split()
    if _is_inside(clause) and clause.object is not None:
        words[1:1] = english_participant(clause.object)
    possessive = agreement.pronoun.english_possessive
    return [possessive if word == "one's" else word for word in words]


def _is_inside(clause: Clause) -> bool:
    """Says whether the object stands inside the verb: turn it on."""
    return clause.verb.separable and isinstance(clause.object, Pronoun)


def _verb_group(clause: Clause, agreement: Agreement) -> tuple[list[str], list[str]]:
    """Returns the auxiliary and the rest of the verb, negated, with the adverb of frequency."""
    auxiliary, rest = _auxiliary(clause, agreement)
    adverb = clause.frequency.split()
    if clause.polarity in ("not", "not yet"):
        if not auxiliary:
            auxiliary, rest = _supported(clause, agreement)
        return _not(auxiliary, contracted=clause.contracted), adverb + rest
    if clause.polarity:
        adverb = [*clause.polarity.split(), *adverb]
    return [auxiliary] if auxiliary else [], adverb + rest


def _not(auxiliary: str, *, contracted: bool) -> list[str]:
    """Returns a negated auxiliary: does not, doesn't, cannot."""
    if contracted and auxiliary not in ("am", "must"):
        return [_CONTRACTED_NOT.get(auxiliary, f"{auxiliary}n't")]
    return ["cannot"] if auxiliary == "can" else [auxiliary, "not"]


def _supported(clause: Clause, agreement: Agreement) -> tuple[str, list[str]]:
    """Returns do, does or did, and the base form."""
    return _finite("do", clause.tense, agreement), _own_words(clause, agreement)


def _question(clause: Clause) -> list[str]:
    """Returns a question: the asked word, auxiliary, subject, the rest."""
    agreement = _agreement(clause)
    if clause.question == "who":
        auxiliary, rest = _verb_group(clause, agreement)
        return ["who", *auxiliary, *rest, *_complements(clause, agreement)]
    verb, rest = _auxiliary(clause, agreement)
    if not verb:
        verb, rest = _supported(clause, agreement)
    assert clause.subject is not None
    subject = english_participant(clause.subject, is_subject=True)
    asked = _WH.get(clause.question, [])
    if clause.question == "which":
        assert clause.object is not None
        asked = english_participant(clause.object)
    opening, negation = [verb], clause.polarity.split()
    if clause.polarity == "not" and clause.contracted:
        opening, negation = _not(verb, contracted=True), []
        opening, negation = opening[:1], opening[1:]
    adverb = clause.frequency.split()
    return [*asked, *opening, *subject, *negation, *adverb, *rest, *_complements(clause, agreement)]


def _imperative(clause: Clause) -> list[str]:
    """Returns "open the door", "do not open the door" or "let's open the door"."""
    agreement = _agreement(clause)
    words = [*_own_words(clause, agreement), *_complements(clause, agreement)]
    if agreement.person == 1:
        return ["let's", *(["not"] if clause.polarity else []), *words]
    if clause.polarity == "never":
        return ["never", *words]
    if clause.polarity:
        return (["don't"] if clause.contracted else ["do", "not"]) + words
    return words


def _complements(clause: Clause, agreement: Agreement) -> list[str]:
    """Returns what follows the verb."""
    words: list[str] = []
    negated = clause.polarity != ""
    recipient_first = isinstance(clause.recipient, Pronoun) and not isinstance(clause.object, Pronoun)
    recipient_first = recipient_first and not clause.verb.says_to
    if clause.recipient is not None and recipient_first:
        words += english_participant(clause.recipient)
    leaves = clause.question in ("which", "what", "whom") or clause.gap == "object" or _is_inside(clause)
    if clause.object is not None and not leaves:
        words += english_participant(clause.object, negated=negated or clause.question == "whether")
    if clause.recipient is not None and not recipient_first:
        words += ["to", *english_participant(clause.recipient)]
    words += _predicate(clause)
    if clause.infinitive is not None:
        words += _own_words(clause.infinitive, agreement) + _complements(clause.infinitive, agreement)
    if clause.reported is not None:
        words += ["that", *english_clause(clause.reported)]
    words += clause.manner.split()
    for place in clause.places:
        words += _place(place)
    if clause.polarity == "not yet":
        words.append("yet")
    if clause.time and not clause.time_first:
        words += clause.time.split()
    return words


def _predicate(clause: Clause) -> list[str]:
    """Returns what the subject is."""
    predicate = clause.predicate
    if predicate is None:
        return []
    if isinstance(predicate, Described):
        return [*predicate.degree.split(), predicate.adjective.english]
    if isinstance(predicate, Comparison):
        other = english_participant(predicate.other, is_subject=False)
        if predicate.equal:
            return ["as", predicate.adjective.english, "as", *other]
        return [*comparative_of(predicate.adjective.english), "than", *other]
    noun = predicate.noun
    if _agreement(clause).is_several:
        return [*noun.english_plural.split()]
    return [article_for(noun.english), *noun.english.split()]


def _place(place: Place) -> list[str]:
    """Returns a preposition and what it governs."""
    where = place.where
    if isinstance(where, Country):
        return [*place.preposition.split(), *where.english.split()]
    if isinstance(where, tuple):
        return [*place.preposition.split(), where[0]]
    return [*place.preposition.split(), *english_participant(where)]


def english_participant(participant: Participant, *, is_subject: bool = False, negated: bool = False) -> list[str]:
    """Returns the words of a noun phrase, a name or a pronoun.

    Args:
        participant: Whom or what.
        is_subject: Whether a pronoun takes its subject form.
        negated: Whether "some" becomes "any".
    """
    if isinstance(participant, Pronoun):
        return [participant.english if is_subject else participant.english_object]
    if isinstance(participant, Name):
        return [participant.english]
    if isinstance(participant, Coordination):
        return [*english_participant(participant.first), "and", *english_participant(participant.second)]
    return _noun_phrase(participant, negated=negated)


def _noun_phrase(phrase: NounPhrase, *, negated: bool) -> list[str]:
    """Returns the words of a noun phrase."""
    noun = phrase.noun.english_plural if phrase.plural else phrase.noun.english
    words = [*(adjective.english for adjective in phrase.adjectives), *noun.split()]
    if phrase.owner is not None:
        words = [*english_participant(phrase.owner), "'s", *words]
    else:
        determiner = phrase.determiner.english[1 if phrase.plural else 0]
        if determiner == "a":
            determiner = article_for(words[0])
        if determiner == "some" and negated:
            determiner = "any"
        words = [*determiner.split(), *words]
    if phrase.content is not None:
        content = phrase.content
        words += ["of", *(content.english if content.is_mass else content.english_plural).split()]
    if phrase.place is not None:
        words += _place(phrase.place)
    if phrase.relative is not None:
        words += _relative(phrase, phrase.relative)
    return words


def _relative(phrase: NounPhrase, clause: Clause) -> list[str]:
    """Returns "who sings", "that I bought"."""
    is_person = bool(phrase.noun.classes & {"adult", "child"})
    if clause.gap == "subject":
        auxiliary, rest = _verb_group(clause, _agreement(clause))
        return ["who" if is_person else "that", *auxiliary, *rest, *_complements(clause, _agreement(clause))]
    return ["that", *english_clause(clause)]
