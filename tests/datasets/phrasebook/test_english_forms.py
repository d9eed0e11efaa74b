from runnel.datasets.phrasebook.english_forms import (
    article_for,
    comparative_of,
    gerund_of,
    join_english,
    past_of,
    past_participle_of,
    plural_of,
    third_person_of,
)
from runnel.datasets.phrasebook.nouns import NOUN_BY_ENGLISH


def test_plurals():
    assert [plural_of(noun) for noun in ("cat", "glass", "box", "watch", "city", "key")] == [
        "cats", "glasses", "boxes", "watches", "cities", "keys",
    ]  # fmt: skip
    irregular = {
        "man": "men",
        "child": "children",
        "mouse": "mice",
        "wolf": "wolves",
        "knife": "knives",
        "foot": "feet",
    }
    for singular, plural in irregular.items():
        assert NOUN_BY_ENGLISH[singular].english_plural == plural


def test_articles():
    words = ("cat", "apple", "hour", "university", "umbrella", "honest", "house", "useful", "old", "European")
    assert [article_for(word) for word in words] == ["a", "an", "an", "a", "an", "an", "a", "a", "an", "a"]


def test_verbs():
    forms = {
        "walk": "walks walked walked walking",
        "cry": "cries cried cried crying",
        "play": "plays played played playing",
        "wash": "washes washed washed washing",
        "go": "goes went gone going",
        "write": "writes wrote written writing",
        "stop": "stops stopped stopped stopping",
        "prefer": "prefers preferred preferred preferring",
        "begin": "begins began begun beginning",
        "die": "dies died died dying",
        "read": "reads read read reading",
        "put": "puts put put putting",
        "see": "sees saw seen seeing",
        "open": "opens opened opened opening",
        "have": "has had had having",
        "listen": "listens listened listened listening",
    }
    for verb, expected in forms.items():
        assert [third_person_of(verb), past_of(verb), past_participle_of(verb), gerund_of(verb)] == expected.split()


def test_comparatives():
    forms = {
        "tall": "taller", "big": "bigger", "happy": "happier", "beautiful": "more beautiful", "nice": "nicer",
        "narrow": "narrower", "tired": "more tired", "expensive": "more expensive", "proud": "prouder",
        "slow": "slower", "useful": "more useful", "easy": "easier", "sad": "sadder", "heavy": "heavier",
    }  # fmt: skip
    for adjective, expected in forms.items():
        assert " ".join(comparative_of(adjective)) == expected


def test_joining():
    assert join_english(["Paul", "'s", "cat", ",", "please"]) == "Paul's cat, please"
