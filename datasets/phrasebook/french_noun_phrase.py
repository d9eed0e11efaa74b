"""A noun phrase, a name or a place -> its French words: article, agreement, adjectives before and after."""

from runnel.datasets.phrasebook.adjectives import Adjective
from runnel.datasets.phrasebook.clause import Coordination, NounPhrase, Participant, Place
from runnel.datasets.phrasebook.french_spelling import begins_with_vowel, with_preposition
from runnel.datasets.phrasebook.names import Name
from runnel.datasets.phrasebook.places import PREPOSITIONS, Country
from runnel.datasets.phrasebook.pronouns import Pronoun

__all__ = ["french_participant", "french_place", "head_words"]

_INDEFINITE = ("a", "some", "bare")
_PARTITIVE = ("some", "bare")


def french_participant(
    participant: Participant, *, negated: bool = False, preposition: tuple[str, ...] = ()
) -> list[str]:
    """Returns the words of a noun phrase, a name, or the stressed form of a pronoun.

    Args:
        participant: Whom or what.
        negated: Whether it is a direct object under a negation: "un", "du" and "des" become "de".
        preposition: Words before it; contracted with the article.
    """
    if isinstance(participant, Pronoun):
        words = [participant.stressed]
    elif isinstance(participant, Name):
        words = [participant.french]
    elif isinstance(participant, Coordination):  # Prepositions are repeated: de Paul et de Marie.
        first = french_participant(participant.first, negated=negated, preposition=preposition)
        repeated = preposition if preposition in (("de",), ("à",)) else ()
        return [*first, "et", *french_participant(participant.second, negated=negated, preposition=repeated)]
    else:
        after_de = preposition[-1:] == ("de",)
        head = head_words(participant)
        words = _article(participant, head[0], negated=negated, after_de=after_de) + head + _rest(participant)
    return with_preposition(preposition, words)


def french_place(place: Place) -> list[str]:
    """Returns the words of "on the mat", "in Paris", "to Japan"."""
    where = place.where
    if isinstance(where, Country):
        return list(where.origin if place.preposition == "from" else where.location)
    if isinstance(where, tuple):
        return [*(("de",) if place.preposition == "from" else ("à",)), where[1]]
    return french_participant(where, preposition=PREPOSITIONS[place.preposition])


def head_words(phrase: NounPhrase) -> list[str]:
    """Returns the adjectives before the noun, the noun, and the adjectives after it."""
    noun = phrase.noun
    before, after = _order(phrase.adjectives)
    words = (noun.french_plural if phrase.plural else noun.french).split()
    words += [form for adjective in after for form in _form(adjective, phrase).split()]
    for adjective in reversed(before):
        bel = not noun.feminine and not phrase.plural and begins_with_vowel(words[0])
        words = [adjective.before_vowel if bel else _form(adjective, phrase), *words]
    return words


def _order(adjectives: tuple[Adjective, ...]) -> tuple[list[Adjective], list[Adjective]]:
    """Returns the adjectives before and after the noun; of two that go after it, only a colour stays there."""
    before = [adjective for adjective in adjectives if adjective.is_before]
    after = [adjective for adjective in adjectives if not adjective.is_before]
    if len(after) == 2:  # Le rapide renard brun.
        before, after = [after[0]], [after[1]]
    return before, after


def _form(adjective: Adjective, phrase: NounPhrase) -> str:
    """Returns the adjective in the gender and number of the noun."""
    return adjective.form(feminine=phrase.noun.feminine, plural=phrase.plural)


def _article(phrase: NounPhrase, following: str, *, negated: bool, after_de: bool) -> list[str]:
    """Returns what stands before the noun and its adjectives."""
    determiner = phrase.determiner
    if phrase.owner is None and determiner.name in _PARTITIVE and after_de:
        return []  # De + du pain -> de pain.
    if negated and determiner.name in _INDEFINITE:
        return ["de"]
    if phrase.plural:
        before, _ = _order(phrase.adjectives)
        if determiner.name in _PARTITIVE and before:
            return ["de"]  # De vieilles maisons.
        return (determiner.feminine_plural if phrase.noun.feminine else determiner.plural).split()
    if begins_with_vowel(following):
        return (determiner.feminine_vowel if phrase.noun.feminine else determiner.masculine_vowel).split()
    return (determiner.feminine if phrase.noun.feminine else determiner.masculine).split()


def _rest(phrase: NounPhrase) -> list[str]:
    """Returns what follows the noun and its adjectives."""
    from runnel.datasets.phrasebook.french_clause import french_relative

    words: list[str] = []
    if phrase.content is not None:
        content = phrase.content
        words += ["de", *(content.french if content.is_mass else content.french_plural).split()]
    if phrase.owner is not None:
        words += french_participant(phrase.owner, preposition=("de",))
    if phrase.place is not None:
        words += french_place(phrase.place)
    if phrase.relative is not None:
        words += french_relative(phrase)
    return words
