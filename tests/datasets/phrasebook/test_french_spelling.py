import pytest

from runnel.datasets.phrasebook.french_spelling import begins_with_vowel, french_mark, join_french, with_preposition


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("je ai la orange", "j'ai l'orange"),
        ("il ne aime pas le hôtel", "il n'aime pas l'hôtel"),
        ("le *hibou", "le hibou"),
        ("est-ce que il se endort", "est-ce qu'il s'endort"),
        ("il ne y a pas de eau", "il n'y a pas d'eau"),
        ("elle me écoute", "elle m'écoute"),
        ("le œil et le œuf", "l'œil et l'œuf"),
        ("la école est à Évry", "l'école est à Évry"),
        ("hier , elle dort", "hier, elle dort"),
        ("il a *huit ou *onze ans", "il a huit ou onze ans"),
        ("parce que Alice rit", "parce qu'Alice rit"),
    ],
)
def test_elision(words, text):
    assert join_french(words.split()) == text


@pytest.mark.parametrize(
    ("preposition", "words", "expected"),
    [
        ("de", "le chat", "du chat"),
        ("de", "les chats", "des chats"),
        ("à", "le marché", "au marché"),
        ("à", "les États-Unis", "aux États-Unis"),
        ("à", "la gare", "à la gare"),
        ("à côté de", "le lit", "à côté du lit"),
        ("de", "le *hibou", "du hibou"),
        ("de", "le oiseau", "de l'oiseau"),
        ("à", "le hôpital", "à l'hôpital"),
        ("sur", "le tapis", "sur le tapis"),
        ("de", "tous les amis", "de tous les amis"),
    ],
)
def test_contraction(preposition, words, expected):
    assert join_french(with_preposition(preposition.split(), words.split())) == expected


def test_what_begins_with_a_vowel():
    assert all(map(begins_with_vowel, ("ami", "école", "Émile", "hôtel", "œuf", "y", "orange")))
    assert not any(map(begins_with_vowel, ("*hibou", "chat", "*huit", "yaourt")))


def test_marks():
    assert [french_mark(mark) for mark in (".", "?", "!", "")] == [
        ".",
        "\N{NO-BREAK SPACE}?",
        "\N{NO-BREAK SPACE}!",
        "",
    ]
