"""A clause -> its French words: tense, auxiliary, negation, pronouns before the verb, agreement of the participle."""

from runnel.datasets.phrasebook.adverbs import DEGREES, FREQUENCIES, MANNERS, TIMES
from runnel.datasets.phrasebook.clause import (
    Agreement,
    Clause,
    Comparison,
    Described,
    NounPhrase,
    Tense,
    agreement_of,
    changed,
)
from runnel.datasets.phrasebook.french_agreement import agree
from runnel.datasets.phrasebook.french_noun_phrase import french_participant, french_place
from runnel.datasets.phrasebook.french_verbs import conjugate, participle_of
from runnel.datasets.phrasebook.pronouns import HE, Pronoun
from runnel.datasets.phrasebook.verbs import BE

__all__ = ["french_clause", "french_relative"]

_NEGATIONS = {"not": ["pas"], "never": ["jamais"], "no longer": ["plus"], "not yet": ["pas", "encore"]}
_ASKED = {"where": ["où"], "when": ["quand"], "why": ["pourquoi"], "how": ["comment"], "whom": ["qui"]}
_SHORT_ADVERBS = ("bien", "mal", "beaucoup")  # Before the participle.
_CLITIC_ORDER = ("me", "nous", "vous", "se", "le", "la", "les", "lui", "leur", "y")
_TENSES = {
    Tense.PRESENT: "present",
    Tense.PROGRESSIVE: "present",
    Tense.PAST_PROGRESSIVE: "imperfect",
    Tense.FUTURE: "future",
}


def french_clause(clause: Clause) -> list[str]:
    """Returns the words of a clause, without capital and final mark."""
    words = [*TIMES[clause.time], ","] if clause.time_first and clause.time else []
    if clause.tense is Tense.IMPERATIVE:
        return words + _imperative(clause)
    if clause.question:
        return words + _question(clause)
    return words + _statement(clause)


def french_relative(phrase: NounPhrase) -> list[str]:
    """Returns "qui chante", "que j'ai achetée"."""
    clause = phrase.relative
    assert clause is not None
    if clause.gap == "subject":
        return ["qui", *_predicate(clause, agreement_of(changed(phrase, relative=None)))]
    return ["que", *_statement(clause)]


def _statement(clause: Clause) -> list[str]:
    """Returns subject and predicate."""
    subject = clause.subject
    assert subject is not None
    words = [subject.french] if isinstance(subject, Pronoun) else french_participant(subject)
    return words + _predicate(clause, agreement_of(subject))


def _question(clause: Clause) -> list[str]:
    """Returns a question with "est-ce que", except "qui" as subject and "où est"."""
    subject = clause.subject
    assert subject is not None
    if clause.question == "who":
        return ["qui", *_predicate(clause, agreement_of(HE))]
    if clause.question == "where" and clause.verb is BE:
        agreement = agreement_of(subject)
        tense = "imperfect" if clause.tense is Tense.PAST else _TENSES[clause.tense]
        form = conjugate("être", tense)[agreement.person, agreement.plural]
        if isinstance(subject, Pronoun):
            return ["où", f"{form}-{subject.french}"]
        return ["où", form, *french_participant(subject)]
    if clause.question == "what":
        return ["qu'est-ce", "que", *_statement(clause)]
    asked = _ASKED.get(clause.question, [])
    if clause.question == "which":
        assert clause.object is not None
        asked = french_participant(clause.object)
    return [*asked, "est-ce", "que", *_statement(clause)]


def _object_leaves(clause: Clause) -> bool:
    """Says whether the object stands before the clause: in a relative clause or a question about it."""
    return clause.gap == "object" or clause.question in ("which", "what", "whom")


def _clitics(clause: Clause, agreement: Agreement) -> list[str]:
    """Returns the pronouns before the verb, in their order."""
    clitics = []
    if clause.verb.reflexive:
        clitics.append(agreement.pronoun.reflexive)
    if isinstance(agreement.pronoun, Pronoun) and agreement.pronoun.english == "there":
        clitics.append("y")
    if isinstance(clause.object, Pronoun) and not _object_leaves(clause):
        if not clause.verb.preposition:
            clitics.append(clause.object.direct)
        elif _has_indirect_clitic(clause):
            clitics.append(clause.object.indirect)
    if isinstance(clause.recipient, Pronoun):
        clitics.append(clause.recipient.indirect)
    return sorted(clitics, key=_CLITIC_ORDER.index)


def _has_indirect_clitic(clause: Clause) -> bool:
    """Says whether "à lui" becomes "lui" before the verb: not with penser."""
    return clause.verb.preposition == ("à",) and clause.verb.infinitive != "penser"


def _predicate(clause: Clause, agreement: Agreement) -> list[str]:
    """Returns verb and complements."""
    if agreement.pronoun.english == "there":
        agreement = changed(agreement, plural=False)
    clitics = _clitics(clause, agreement)
    pas = _NEGATIONS.get(clause.polarity, [])
    ne = ["ne"] if pas else []
    frequency = FREQUENCIES[clause.frequency].split() if clause.frequency else []
    manner = MANNERS[clause.manner].split() if clause.manner else []
    short = manner if clause.manner and manner[0] in _SHORT_ADVERBS else []
    long = manner if not short else []
    verb, person = clause.verb, (agreement.person, agreement.plural)
    own = verb.french.split()[1:]
    if clause.tense is Tense.GOING_TO:
        core = [*ne, conjugate("aller", "present")[person], *pas, *frequency, *short, *clitics, verb.infinitive, *long]
    elif clause.tense is Tense.PERFECT or (clause.tense is Tense.PAST and not verb.is_state):
        auxiliary = conjugate("être" if verb.with_etre or verb.reflexive else "avoir", "present")[person]
        core = [*ne, *clitics, auxiliary, *pas, *frequency, *short, _participle(clause, agreement), *long]
    else:
        tense = "imperfect" if clause.tense is Tense.PAST else _TENSES[clause.tense]
        core = [*ne, *clitics, conjugate(verb.infinitive, tense)[person], *pas, *frequency, *manner]
    return [*core, *own, *_complements(clause, agreement)]


def _participle(clause: Clause, agreement: Agreement) -> str:
    """Returns the participle: with être it agrees with the subject, with avoir with a direct object before it."""
    verb = clause.verb
    participle = participle_of(verb.infinitive)
    if verb.invariable:
        return participle
    if verb.with_etre or verb.reflexive:
        return agree(participle, feminine=agreement.feminine, plural=agreement.is_several)
    precedes = _object_leaves(clause) or isinstance(clause.object, Pronoun)
    if clause.object is None or verb.preposition or not precedes or clause.question in ("what", "whom"):
        return participle
    preceding = agreement_of(clause.object)
    return agree(participle, feminine=preceding.feminine, plural=preceding.is_several)


def _complements(clause: Clause, agreement: Agreement) -> list[str]:
    """Returns what follows the verb."""
    words: list[str] = []
    if clause.object is not None and not _object_leaves(clause):
        preposition = clause.verb.preposition
        is_clitic = isinstance(clause.object, Pronoun) and (not preposition or _has_indirect_clitic(clause))
        if not is_clitic:
            negated = clause.polarity != "" and not preposition
            words += french_participant(clause.object, negated=negated, preposition=preposition)
    if clause.recipient is not None and not isinstance(clause.recipient, Pronoun):
        words += french_participant(clause.recipient, preposition=("à",))
    words += _described(clause, agreement)
    if clause.infinitive is not None:
        inner = clause.infinitive
        words += [*clause.verb.link, *_clitics(inner, agreement), *inner.verb.french.split()[:1]]
        words += MANNERS[inner.manner].split() if inner.manner else []
        words += [*inner.verb.french.split()[1:], *_complements(inner, agreement)]
    if clause.reported is not None:
        words += ["que", *french_clause(clause.reported)]
    for place in clause.places:
        words += french_place(place)
    if clause.time and not clause.time_first:
        words += TIMES[clause.time]
    return words


def _described(clause: Clause, agreement: Agreement) -> list[str]:
    """Returns what the subject is: fatiguée, plus grand que Paul, infirmière."""
    predicate = clause.predicate
    if predicate is None:
        return []
    if isinstance(predicate, Described | Comparison):
        form = predicate.adjective.form(feminine=agreement.feminine, plural=agreement.is_several).split()
        if isinstance(predicate, Described):
            return [*(DEGREES[predicate.degree].split() if predicate.degree else []), *form]
        return [
            "aussi" if predicate.equal else "plus",
            *form,
            *french_participant(predicate.other, preposition=("que",)),
        ]
    noun = predicate.noun
    singular = noun.french_feminine if agreement.feminine else noun.french
    return [agree(singular, feminine=False, plural=agreement.is_several)]


def _imperative(clause: Clause) -> list[str]:
    """Returns "ouvrez la porte", "donnez-le-moi", "ne vous levez pas"."""
    assert isinstance(clause.subject, Pronoun)
    agreement = agreement_of(clause.subject)
    form = conjugate(clause.verb.infinitive, "imperative")[agreement.person, agreement.plural]
    clitics = _clitics(clause, agreement)
    manner = MANNERS[clause.manner].split() if clause.manner else []
    rest = [*manner, *clause.verb.french.split()[1:], *_complements(clause, agreement)]
    if clause.polarity:
        return ["ne", *clitics, form, *_NEGATIONS[clause.polarity], *rest]
    after = sorted(clitics, key=("le", "la", "les", "me", "nous", "vous", "lui", "leur").index)
    return ["-".join([form, *("moi" if clitic == "me" else clitic for clitic in after)]), *rest]
