"""The constructions: what kinds of texts are drawn, and how often."""

import random
from collections.abc import Callable
from types import MappingProxyType

from runnel.datasets.phrasebook import draw_joined, draw_questions, draw_relatives, draw_requests, draw_statements
from runnel.datasets.phrasebook.clause import Clause
from runnel.datasets.phrasebook.draw_phrases import chance, draw_noun_phrase, pick, pick_weighted
from runnel.datasets.phrasebook.sentence import Fragment, Sentence, Text

__all__ = ["CONSTRUCTIONS", "draw_text", "fragment"]

_FRAGMENTS = (
    "adult",
    "child",
    "animal",
    "food",
    "thing",
    "garment",
    "vehicle",
    "building",
    "furniture",
    "plant",
    "room",
)

_Drawn = Clause | Sentence | Fragment | tuple[Sentence, Sentence]


def fragment(rng: random.Random) -> Fragment:
    """Paul's old house."""
    return Fragment(draw_noun_phrase(rng, (pick(rng, _FRAGMENTS),), adjective=0.7), mark=pick(rng, ("", ".")))


CONSTRUCTIONS: MappingProxyType[Callable[[random.Random], _Drawn], float] = MappingProxyType(
    {
        draw_statements.transitive: 21.0,
        draw_statements.intransitive: 13.0,
        draw_statements.described: 7.0,
        draw_statements.profession: 2.0,
        draw_statements.located: 5.0,
        draw_statements.state: 3.5,
        draw_statements.there_is: 3.5,
        draw_statements.weather: 1.0,
        draw_questions.whether: 6.0,
        draw_questions.asked_where: 5.0,
        draw_questions.asked_who: 2.0,
        draw_questions.asked_what: 3.5,
        draw_requests.object_pronoun: 6.0,
        draw_requests.imperative: 4.0,
        draw_requests.infinitive: 7.0,
        draw_relatives.relative_subject: 3.0,
        draw_relatives.relative_object: 3.0,
        draw_joined.comparison: 2.5,
        draw_joined.reported: 2.5,
        draw_joined.joined: 3.5,
        draw_joined.thing_and_pronoun: 2.0,
        draw_joined.person_and_pronoun: 1.5,
        draw_joined.two_sentences: 2.0,
        fragment: 2.0,
    }
)
"""Each construction and how often it is drawn, in relation to the others."""

_WEIGHTS = dict(CONSTRUCTIONS)


def draw_text(rng: random.Random, *, plain: float = 0.0) -> Text:
    """Draws a text of any construction.

    Args:
        rng: Source of chance.
        plain: Probability that a single sentence is written without capital and mark.
    """
    draw = pick_weighted(rng, _WEIGHTS)
    name = draw.__name__
    drawn = draw(rng)
    if isinstance(drawn, Clause):
        drawn = Sentence(drawn, mark="?" if drawn.question else ".")
    if isinstance(drawn, tuple):
        return Text(name, drawn)
    return Text(name, (drawn,), is_plain=chance(rng, plain))
