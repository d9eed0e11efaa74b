import collections

import numpy as np
import pytest

from runnel.shared.evaluation.word_dictionary import WordDictionary, fit_word_dictionary

ENGLISH = ["the house", "the book", "a book", "a house", "the old house", "the old book"]
GERMAN = ["das Haus", "das Buch", "ein Buch", "ein Haus", "das alte Haus", "das alte Buch"]


def test_the_right_dictionary_of_a_few_pairs() -> None:
    dictionary = fit_word_dictionary(GERMAN, ENGLISH, rounds=20)
    assert dictionary.entries == {"das": "the", "ein": "a", "Haus": "house", "Buch": "book", "alte": "old"}
    assert dictionary.translate("ein alte Buch") == "a old book"


def test_two_rounds_by_hand() -> None:
    """Of "a b" = "x y" and "a" = "x", with 0 for nothing.

    All are equally probable at first, so the counts of the first round are 1/3 + 1/2 for x from 0 and from a, 1/3 for y
    from them, 1/3 for each from b: the probabilities become 5/7 and 2/7 from 0 and a, 1/2 and 1/2 from b. In the second
    round b then has (1/2) / (5/7 + 5/7 + 1/2) = 7/27 of x and (1/2) / (2/7 + 2/7 + 1/2) = 7/15 of y.
    """
    assert fit_word_dictionary(["a b", "a"], ["x y", "x"], rounds=1).entries == {"a": "x", "b": "x"}
    assert fit_word_dictionary(["a b", "a"], ["x y", "x"], rounds=2).entries == {"a": "x", "b": "y"}


def ibm_model_1(sources: list[str], targets: list[str], rounds: int) -> tuple[dict, dict]:
    """Probabilities {(source word, target word)} and words of the target per source word, as Brown et al. write it."""
    pairs = [([None, *source.split()], target.split()) for source, target in zip(sources, targets, strict=True)]
    probability: dict = collections.defaultdict(lambda: 1.0)
    for _ in range(rounds):
        counts: dict = collections.defaultdict(float)
        totals: dict = collections.defaultdict(float)
        for source, target in pairs:
            for f in target:
                whole = sum(probability[e, f] for e in source)
                for e in source:
                    counts[e, f] += probability[e, f] / whole
                    totals[e] += probability[e, f] / whole
        probability = {(e, f): count / totals[e] for (e, f), count in counts.items()}
    occurrences = collections.Counter(e for source, _ in pairs for e in source)
    return probability, {e: totals[e] / count for e, count in occurrences.items()}


@pytest.mark.parametrize("seed", range(6))
def test_random_corpora_as_in_plain_python(seed: int) -> None:
    random, nothing = np.random.default_rng(seed), 0
    sources, targets = [], []
    for _ in range(12):
        meanings = random.integers(0, 6, random.integers(1, 5))
        sources.append(
            " ".join(word for meaning in meanings for word in (f"s{meaning}", "um")[: random.integers(1, 3)])
        )
        targets.append(" ".join(f"t{meaning}" for meaning in random.permutation(meanings) if meaning))
    entries = fit_word_dictionary(sources, targets, rounds=3).entries
    probability, words_from = ibm_model_1(sources, targets, rounds=3)
    assert entries.keys() == words_from.keys() - {None}
    for word, translation in entries.items():
        if translation:
            assert words_from[word] >= 0.5 - 1e-9
            assert probability[word, translation] >= max(p for (e, _), p in probability.items() if e == word) - 1e-9
        else:
            assert words_from[word] < 0.5
            nothing += 1
    assert 0 < nothing < len(entries)


def test_a_word_that_is_translated_by_nothing() -> None:
    """ "do" stands beside everything, and nothing comes of it."""
    sources = ["do you run", "do you eat", "you sing", "do we sing", "we eat", "do I run", "I eat", "do they sing"]
    targets = ["tu cours", "tu manges", "tu chantes", "nous chantons", "nous mangeons", "je cours", "je mange"]
    dictionary = fit_word_dictionary(sources, [*targets, "ils chantent"], rounds=20)
    assert dictionary.entries["do"] == ""
    assert dictionary.translate("do you run") == "tu cours"
    assert dictionary.translate("you run, do") == "tu cours,"


def test_words_of_the_target_may_come_from_nothing() -> None:
    """ "le" stands everywhere, and takes the place of no noun."""
    nouns = {"dog": "chien", "cat": "chat", "cake": "gâteau", "book": "livre"}
    dictionary = fit_word_dictionary(list(nouns), [f"le {noun}" for noun in nouns.values()], rounds=20)
    assert dictionary.entries == nouns


@pytest.mark.parametrize(
    ("text", "translation"),
    [
        ("the house", "la maison"),
        ("the Fox", "la Fox"),  # an unknown word is copied, as it is written
        ("The house", "The maison"),
        ("Hello, house!", "Bonjour, maison!"),
        ("the house (the house)…", "la maison (la maison)…"),
        ("the house's", "la maison's"),
        ("house-house", "maison-maison"),
        ("so the house is", "la maison is"),  # "so" is translated by nothing
        ("the  so so house so.", "la maison."),
        ("house\u00a0?", "maison\u00a0?"),
        ("  the\thouse\n", "la\tmaison"),
        ("so", ""),
        ("", ""),
        ("🙂 9 house9", "🙂 9 house9"),
    ],
)
def test_each_word_stands_in_its_place(text: str, translation: str) -> None:
    dictionary = WordDictionary({"the": "la", "house": "maison", "Hello": "Bonjour", "so": ""})
    assert dictionary.translate(text) == translation


def test_marks_are_words_of_their_own() -> None:
    dictionary = fit_word_dictionary(["Yes.", "No.", "Yes?", "No!"], ["Oui.", "Non.", "Oui ?", "Non !"], rounds=20)
    assert dictionary.entries == {"Yes": "Oui", "No": "Non", ".": ".", "?": "?", "!": "!"}


def test_texts_without_words() -> None:
    assert fit_word_dictionary(["hello", "hm", ""], ["bonjour", "", "!"]).entries == {"hello": "bonjour", "hm": ""}
    assert fit_word_dictionary(["hm"], [""]).entries == {"hm": ""}
    assert fit_word_dictionary([""], ["oui"]).entries == {}
    assert fit_word_dictionary([""], [" "]).entries == {}


@pytest.mark.parametrize(
    ("sources", "targets", "rounds"), [([], [], 6), (["a"], [], 6), (["a"], ["b", "c"], 6), (["a"], ["b"], 0)]
)
def test_what_teaches_nothing_is_refused(sources: list[str], targets: list[str], rounds: int) -> None:
    received = f"received {len(sources)} sources, {len(targets)} targets, {rounds} rounds; expected"
    with pytest.raises(ValueError, match=received):
        fit_word_dictionary(sources, targets, rounds)
