"""English word forms: plural, a or an, the parts of verbs, comparatives; and words in a row -> text."""

from collections.abc import Sequence
from functools import cache
from types import MappingProxyType

__all__ = [
    "article_for", "begin_with_capital", "comparative_of", "gerund_of", "join_english", "past_of",
    "past_participle_of", "plural_of", "third_person_of",
]  # fmt: skip

_VOWELS = "aeiou"
_DOUBLED = frozenset({"begin", "cut", "forget", "get", "plan", "prefer", "put", "run", "sit", "stop", "swim"})

# Base, past, past participle.
_IRREGULAR_TABLE = """
be was been; become became become; begin began begun; bite bit bitten; break broke broken;
bring brought brought; build built built; buy bought bought; catch caught caught; choose chose chosen;
come came come; cut cut cut; do did done; draw drew drawn; dream dreamed dreamed; drink drank drunk;
drive drove driven; eat ate eaten; fall fell fallen; feed fed fed; feel felt felt; find found found;
fly flew flown; forget forgot forgotten; get got gotten; give gave given; go went gone; grow grew grown;
have had had; hear heard heard; hide hid hidden; hold held held; keep kept kept; know knew known;
learn learned learned; leave left left; lend lent lent; lose lost lost; make made made; meet met met;
pay paid paid; put put put; read read read; ring rang rung; run ran run; say said said; see saw seen;
sell sold sold; send sent sent; shine shone shone; sing sang sung; sit sat sat; sleep slept slept;
speak spoke spoken; stand stood stood; swim swam swum; take took taken; teach taught taught; tell told told;
think thought thought; throw threw thrown; understand understood understood; wake woke woken; wear wore worn;
write wrote written
"""


def _read_table() -> dict[str, tuple[str, str]]:
    """Returns (past, past participle) of each irregular verb."""
    rows = (row.split() for row in _IRREGULAR_TABLE.replace("\n", " ").split(";"))
    return {base: (past, participle) for base, past, participle in rows}


_IRREGULAR = MappingProxyType(_read_table())


def _ends_in_consonant_and_y(word: str) -> bool:
    """Says whether y becomes i before an ending."""
    return word.endswith("y") and word[-2] not in _VOWELS


def plural_of(noun: str) -> str:
    """Returns the regular plural; mice and their like stand in the lexicon."""
    if _ends_in_consonant_and_y(noun):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def article_for(word: str) -> str:
    """Returns "a" or "an" for the word that follows, by its sound."""
    if word.startswith(("hour", "honest")):
        return "an"
    if word.startswith(("university", "useful", "uniform", "European", "one")):
        return "a"
    return "an" if word[0].lower() in _VOWELS else "a"


def third_person_of(verb: str) -> str:
    """Returns the third person singular of the present."""
    special = {"be": "is", "have": "has", "do": "does", "go": "goes"}
    return special.get(verb) or plural_of(verb)


@cache
def past_of(verb: str) -> str:
    """Returns the simple past."""
    return _IRREGULAR[verb][0] if verb in _IRREGULAR else _regular_past(verb)


@cache
def past_participle_of(verb: str) -> str:
    """Returns the past participle."""
    return _IRREGULAR[verb][1] if verb in _IRREGULAR else _regular_past(verb)


def _regular_past(verb: str) -> str:
    """Returns the form in -ed."""
    if verb.endswith("e"):
        return verb + "d"
    if _ends_in_consonant_and_y(verb):
        return verb[:-1] + "ied"
    return verb + (verb[-1] if verb in _DOUBLED else "") + "ed"


@cache
def gerund_of(verb: str) -> str:
    """Returns the form in -ing."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe")) and verb != "be":
        return verb[:-1] + "ing"
    return verb + (verb[-1] if verb in _DOUBLED else "") + "ing"


def comparative_of(adjective: str) -> tuple[str, ...]:
    """Returns the words of the comparative: -er for short adjectives, "more" for long ones."""
    special = {"good": "better", "bad": "worse", "far": "farther"}
    if adjective in special:
        return (special[adjective],)
    if adjective != "shy" and _ends_in_consonant_and_y(adjective) and len(adjective) <= 6:
        return (adjective[:-1] + "ier",)
    if sum(letter in _VOWELS for letter in adjective.removesuffix("e")) > 1 and not adjective.endswith("ow"):
        if adjective in ("proud", "clean", "poor", "cheap", "weak", "quiet", "sweet", "young", "great", "loud"):
            return (adjective + "er",)
        return ("more", adjective)
    if adjective in ("big", "fat", "hot", "sad", "thin", "wet", "red"):
        return (adjective + adjective[-1] + "er",)
    if adjective in ("tired", "bored"):
        return ("more", adjective)
    return (adjective + ("r" if adjective.endswith("e") else "er"),)


def join_english(words: Sequence[str]) -> str:
    """Joins the words of one sentence; a comma and a clitic such as "'s" are words of their own."""
    text = ""
    for word in words:
        text += word if not text or word == "," or word.startswith("'") else " " + word
    return text


def begin_with_capital(text: str) -> str:
    """Returns the text with a capital at its start, in either language."""
    return text[:1].upper() + text[1:]
