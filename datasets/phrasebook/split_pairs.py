"""Draws the pairs of all splits, already shuffled; no text is in two, and each English one has one translation."""

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from runnel.datasets.phrasebook.constructions import draw_text
from runnel.datasets.phrasebook.everyday_phrases import everyday_phrases
from runnel.datasets.phrasebook.sentence import write_english, write_french
from runnel.datasets.phrasebook.withheld import Combination, combinations_of, is_withheld

__all__ = ["COUNTS", "Pair", "key_of", "split_pairs", "words_of"]

COUNTS = MappingProxyType({"train": 100_000, "validation": 2_000, "test": 2_000, "compositional": 2_000})
_SEED = 20_240
_SPARE = 1.25  # Some of what is held out has a word that train lacks, and goes: more of it where train is small.
_SPARE_WITHHELD = 2
_PLAIN = 0.033
_MOST_WORDS = 14
_NO_LETTERS = re.compile(r"[^\w]+")
_WORD = re.compile(r"[\w-]+'?")


@dataclass(frozen=True)
class Pair:
    """A text in both languages.

    Attributes:
        english: As people write it.
        french: Its only translation.
        construction: What drew it; "everyday phrase" if it stands in a table.
        combinations: The combinations of words in it (see withheld.py).
    """

    english: str
    french: str
    construction: str
    combinations: frozenset[Combination] = frozenset()


def key_of(text: str) -> str:
    """Returns the text without case, marks and spaces: what makes two texts the same."""
    return _NO_LETTERS.sub("", text.lower())


def words_of(text: str) -> set[str]:
    """Returns the words of a text without case and marks; l' and d' are words."""
    return set(_WORD.findall(text.lower()))


def split_pairs(counts: Mapping[str, int] = COUNTS) -> dict[str, list[Pair]]:
    """Draws the pairs of each split.

    Args:
        counts: How many pairs each of `train`, `validation`, `test` and `compositional` holds.

    Returns:
        The pairs of each split, in the order in which they are read.
    """
    rng = random.Random(_SEED)
    phrases = [Pair(english, french, "everyday phrase") for english, french in everyday_phrases()]
    wanted = counts["train"] + _with_spare(counts["validation"]) + _with_spare(counts["test"])
    groups, withheld = _draw(rng, phrases, wanted, _SPARE_WITHHELD * counts["compositional"])
    order = sorted(groups.values(), key=lambda _: rng.random())
    held_out = {split: _take(order, _with_spare(counts[split])) for split in ("validation", "test")}
    held_out["compositional"] = withheld
    train = phrases + _take(order, counts["train"] - len(phrases))[: counts["train"] - len(phrases)]
    english = set().union(*(words_of(pair.english) for pair in train))
    french = set().union(*(words_of(pair.french) for pair in train))
    splits = {"train": sorted(train, key=lambda _: rng.random())}
    for split, pairs in held_out.items():
        splits[split] = _covered(pairs, english, french)[: counts[split]]
    return splits


def _with_spare(count: int) -> int:
    """Returns how many pairs to draw so that enough are left where train has all words."""
    return int(count * _SPARE)


def _draw(
    rng: random.Random, phrases: Iterable[Pair], wanted: int, wanted_withheld: int
) -> tuple[dict[str, list[Pair]], list[Pair]]:
    """Draws texts until there are enough.

    Args:
        rng: Source of chance.
        phrases: What may not be drawn again.
        wanted: How many pairs without a withheld combination.
        wanted_withheld: How many with one, at most.

    Returns:
        The pairs by the key of their French text, so that what means the same stays together; and the pairs with a
        withheld combination.
    """
    seen = {key_of(pair.english) for pair in phrases} | {key_of(pair.french) for pair in phrases}
    groups: dict[str, list[Pair]] = {}
    withheld: list[Pair] = []
    drawn = 0
    while drawn < wanted:
        text = draw_text(rng, plain=_PLAIN)
        combinations = combinations_of(text)
        is_held = any(is_withheld(combination) for combination in combinations)
        if is_held and len(withheld) >= wanted_withheld:
            continue
        english = write_english(text)
        key = key_of(english)
        if key in seen or len(english.split()) > _MOST_WORDS:
            continue
        pair = Pair(english, write_french(text), text.construction, combinations)
        meaning = key_of(pair.french)
        if meaning in seen:  # An everyday phrase says it already.
            continue
        seen.add(key)
        if is_held:
            withheld.append(pair)
        else:
            groups.setdefault(meaning, []).append(pair)
            drawn += 1
    return groups, [pair for pair in withheld if key_of(pair.french) not in groups]


def _take(groups: list[list[Pair]], count: int) -> list[Pair]:
    """Takes groups from the end of the list until there are `count` pairs or a few more."""
    taken: list[Pair] = []
    while groups and len(taken) < count:
        taken += groups.pop()
    return taken


def _covered(pairs: Iterable[Pair], english: set[str], french: set[str]) -> list[Pair]:
    """Returns the pairs all of whose words occur in train."""
    return [pair for pair in pairs if words_of(pair.english) <= english and words_of(pair.french) <= french]
