import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
import sacrebleu

from runnel.shared.evaluation.translation_scores import translation_scores

WORDS = ["le", "la", "un", "chat", "chien", "dort", "mange", "ici", "souvent", "pas"]


def sentences(count: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, random.integers(1, 9))).capitalize() + "." for _ in range(count)]


TRANSLATIONS = sentences(12, 0)
REFERENCES = [
    [given if place % 4 == 0 else other, *more[: place % 3]]
    for place, (given, other, more) in enumerate(
        zip(TRANSLATIONS, sentences(12, 1), zip(sentences(12, 2), sentences(12, 3), strict=True), strict=True)
    )
]  # one to three of each; three translations are right


def with_sacrebleu(translations: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float, float]:
    """BLEU and chrF by the library's own functions; "" is no reference."""
    streams = [[several[place] if place < len(several) else None for several in references] for place in range(3)]
    streams = [stream for stream in streams if any(stream)]
    return sacrebleu.corpus_bleu(translations, streams).score, sacrebleu.corpus_chrf(translations, streams).score


@pytest.mark.parametrize("count", [1, 3])
def test_with_as_many_references_of_each_it_is_what_the_library_gives(count: int) -> None:
    columns = [[several[0] for several in REFERENCES], sentences(12, 4), sentences(12, 5)]
    references = [list(several) for several in zip(*columns[:count], strict=True)]
    scores = translation_scores(TRANSLATIONS, references)
    expected = with_sacrebleu(TRANSLATIONS, references)
    assert (scores["bleu"]["estimate"], scores["chrf"]["estimate"]) == expected
    assert 0 < expected[0] < 100
    assert f"nrefs:{count}|" in scores["bleu"]["signature"]


def test_numbers_of_references_may_differ() -> None:
    scores = translation_scores(TRANSLATIONS, REFERENCES)
    assert (scores["bleu"]["estimate"], scores["chrf"]["estimate"]) == with_sacrebleu(TRANSLATIONS, REFERENCES)
    assert scores["sentences"] == 12
    assert "nrefs:var|" in scores["bleu"]["signature"]
    assert "nrefs:var|" in scores["chrf"]["signature"]
    fewer = translation_scores(TRANSLATIONS, [several[:1] for several in REFERENCES])
    assert scores["bleu"]["estimate"] > fewer["bleu"]["estimate"]


def test_bleu_by_hand() -> None:
    """Every n-gram is right, and a word of five is missing: BLEU is exp(1 - 5 / 4); not so with a second reference."""
    text = "a b c d"
    assert translation_scores([text], [["a b c d e"]])["bleu"]["estimate"] == pytest.approx(100 * math.exp(-0.25))
    for references in (["a b c d e", text], [text, "a b c d e"], [text]):
        scores = translation_scores([text, text], [references, [text]])
        assert scores["bleu"]["estimate"] == pytest.approx(100)
        assert scores["chrf"]["estimate"] == pytest.approx(100)
        assert scores["exact"]["estimate"] == 1


def test_case_and_spaces_count() -> None:
    assert translation_scores(["A b c d"], [["a b c d"]])["bleu"]["estimate"] < 100
    for given in ("Le chat", "le  chat", "le chat "):
        assert translation_scores([given], [["le chat", "un chat"]])["exact"]["estimate"] == 0


@pytest.mark.parametrize(
    ("right", "total", "lower", "upper"),
    # (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), with z = 1.96 and z^2 = 3.8416
    [
        (3, 4, (0.75 + 0.4802 - 1.96 * math.sqrt(0.046875 + 0.060025)) / 1.9604, 0.954_41),
        (0, 10, 0.0, 0.38416 / 1.38416),
        (10, 10, 1 / 1.38416, 1.0),
        (1, 1, 1 / 4.8416, 1.0),
    ],
)
def test_the_share_of_exact_translations_by_hand(right: int, total: int, lower: float, upper: float) -> None:
    translations = ["oui"] * right + ["non"] * (total - right)
    exact = translation_scores(translations, [["peut-être", "oui"]] * total)["exact"]
    assert exact == pytest.approx({"estimate": right / total, "lower": lower, "upper": upper}, abs=1e-5)


def test_intervals_are_those_of_the_scores_of_drawn_sentences() -> None:
    scores = translation_scores(TRANSLATIONS, REFERENCES)
    random, drawn = np.random.default_rng(0), []
    for _ in range(500):
        rows = random.integers(12, size=12)
        drawn.append(with_sacrebleu([TRANSLATIONS[row] for row in rows], [REFERENCES[row] for row in rows]))
    lower, upper = np.percentile(drawn, [2.5, 97.5], axis=0)
    for metric, low, high in zip(("bleu", "chrf"), lower, upper, strict=True):
        assert scores[metric]["lower"] == pytest.approx(low, rel=1e-9)
        assert scores[metric]["upper"] == pytest.approx(high, rel=1e-9)
        assert scores[metric]["lower"] < scores[metric]["estimate"] < scores[metric]["upper"]
    assert translation_scores(TRANSLATIONS, REFERENCES) == scores  # drawn by a seed


@pytest.mark.parametrize(("count", "known"), [(1, False), (9, False), (10, True)])
def test_fewer_than_ten_sentences_have_no_interval(count: int, known: bool) -> None:
    scores = translation_scores(TRANSLATIONS[:count], REFERENCES[:count])
    for metric in ("bleu", "chrf"):
        assert math.isfinite(scores[metric]["estimate"])
        assert [math.isfinite(scores[metric][bound]) for bound in ("lower", "upper")] == [known, known]


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize(("translation", "reference"), [("", "le chat"), ("le chat", ""), (" ", "."), ("chat", "oui")])
def test_nothing_in_common_scores_zero(translation: str, reference: str, count: int) -> None:
    scores = translation_scores([translation] * count, [[reference]] * count)
    assert scores["bleu"]["estimate"] == scores["exact"]["estimate"] == 0
    assert scores["chrf"]["estimate"] == 0
    if count == 12:
        assert scores["bleu"]["lower"] == scores["bleu"]["upper"] == 0


def test_nothing_where_nothing_was_wanted_is_exact() -> None:
    assert translation_scores([""], [[""]])["exact"]["estimate"] == 1


def test_it_is_plain_data() -> None:
    scores = translation_scores(TRANSLATIONS, REFERENCES)
    assert json.loads(json.dumps(scores)) == scores


@pytest.mark.parametrize(
    ("translations", "references", "received"),
    [
        ([], [], "0 translations and references of 0 sentences"),
        (["a"], [], "1 translations and references of 0 sentences"),
        (["a", "b"], [["a"]], "2 translations and references of 1 sentences"),
        (["a", "b"], [["a"], []], "a reference or more for each"),
    ],
)
def test_what_cannot_be_scored_is_refused(translations: list[str], references: list[list[str]], received: str) -> None:
    with pytest.raises(ValueError, match=received):
        translation_scores(translations, references)
