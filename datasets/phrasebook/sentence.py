"""Sentences and short texts, and how they are written in both languages."""

from dataclasses import dataclass
from types import MappingProxyType

from runnel.datasets.phrasebook.clause import Clause, NounPhrase
from runnel.datasets.phrasebook.english_clause import english_clause, english_participant
from runnel.datasets.phrasebook.english_forms import begin_with_capital, join_english
from runnel.datasets.phrasebook.french_clause import french_clause
from runnel.datasets.phrasebook.french_noun_phrase import french_participant
from runnel.datasets.phrasebook.french_spelling import french_mark, join_french

__all__ = ["CONNECTORS", "Fragment", "Sentence", "Text", "write_english", "write_french"]

CONNECTORS = MappingProxyType(
    {
        "because": (("because",), ("parce", "que")),
        "and": (("and",), ("et",)),
        "but": ((",", "but"), (",", "mais")),
    }
)
"""How the second clause is joined to the first, in English and in French."""


@dataclass(frozen=True)
class Sentence:
    """One clause or two.

    Attributes:
        clause: The first clause.
        connector: A key of `CONNECTORS`; empty of a single clause.
        second: The clause after the connector.
        mark: ".", "?" or "!".
        polite: Whether "please" follows.
    """

    clause: Clause
    connector: str = ""
    second: Clause | None = None
    mark: str = "."
    polite: bool = False


@dataclass(frozen=True)
class Fragment:
    """A noun phrase alone, with its mark or none."""

    phrase: NounPhrase
    mark: str = "."


@dataclass(frozen=True)
class Text:
    """What is translated at once: a sentence or two.

    Attributes:
        construction: Name of the construction that drew it.
        sentences: In their order.
        is_plain: Whether it is written as people type it: no capital at the start and no final mark.
    """

    construction: str
    sentences: tuple[Sentence | Fragment, ...]
    is_plain: bool = False


def write_english(text: Text) -> str:
    """Returns the English text."""
    return " ".join(_english(sentence, is_plain=text.is_plain) for sentence in text.sentences)


def write_french(text: Text) -> str:
    """Returns the French text."""
    return " ".join(_french(sentence, is_plain=text.is_plain) for sentence in text.sentences)


def _english(sentence: Sentence | Fragment, *, is_plain: bool) -> str:
    """Returns one sentence."""
    if isinstance(sentence, Fragment):
        words = english_participant(sentence.phrase)
    else:
        words = english_clause(sentence.clause)
        if sentence.second is not None:
            words = [*words, *CONNECTORS[sentence.connector][0], *english_clause(sentence.second)]
        if sentence.polite:
            words = [*words, ",", "please"]
    return join_english(words) if is_plain else begin_with_capital(join_english(words)) + sentence.mark


def _french(sentence: Sentence | Fragment, *, is_plain: bool) -> str:
    """Returns one sentence."""
    if isinstance(sentence, Fragment):
        words = french_participant(sentence.phrase)
    else:
        words = french_clause(sentence.clause)
        if sentence.second is not None:
            words = [*words, *CONNECTORS[sentence.connector][1], *french_clause(sentence.second)]
        if sentence.polite:
            words = [*words, ",", "s'il", "vous", "plaît"]
    return join_french(words) if is_plain else begin_with_capital(join_french(words)) + french_mark(sentence.mark)
