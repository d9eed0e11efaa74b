from runnel.datasets.phrasebook.adjectives import ADJECTIVE_BY_ENGLISH
from runnel.datasets.phrasebook.french_agreement import agree, plural_of
from runnel.datasets.phrasebook.nouns import NOUN_BY_ENGLISH


def test_plurals():
    singulars = "chat souris nez cheval journal bal gâteau bijou clou feu pneu travail *hibou château œuf"
    plurals = "chats souris nez chevaux journaux bals gâteaux bijoux clous feux pneus travaux *hiboux châteaux œufs"
    assert [plural_of(word) for word in singulars.split()] == plurals.split()
    assert NOUN_BY_ENGLISH["eye"].french_plural == "yeux"
    assert NOUN_BY_ENGLISH["grandmother"].french_plural == "grands-mères"
    assert NOUN_BY_ENGLISH["potato"].french_plural == "pommes de terre"


def test_adjectives():
    forms = {
        "beautiful": "beau belle beaux belles",
        "old": "vieux vieille vieux vieilles",
        "new": "nouveau nouvelle nouveaux nouvelles",
        "white": "blanc blanche blancs blanches",
        "long": "long longue longs longues",
        "good": "bon bonne bons bonnes",
        "fat": "gros grosse gros grosses",
        "happy": "heureux heureuse heureux heureuses",
        "expensive": "cher chère chers chères",
        "dry": "sec sèche secs sèches",
        "fresh": "frais fraîche frais fraîches",
        "jealous": "jaloux jalouse jaloux jalouses",
        "gray": "gris grise gris grises",
        "kind": "gentil gentille gentils gentilles",
        "red": "rouge rouge rouges rouges",
    }
    for english, expected in forms.items():
        adjective = ADJECTIVE_BY_ENGLISH[english]
        assert [
            adjective.form(feminine=feminine, plural=plural) for plural in (False, True) for feminine in (False, True)
        ] == expected.split(), english
    assert ADJECTIVE_BY_ENGLISH["angry"].form(feminine=True, plural=True) == "en colère"


def test_participles():
    assert agree("vu", feminine=True, plural=True) == "vues"
    assert agree("assis", feminine=False, plural=True) == "assis"
    assert agree("assis", feminine=True, plural=False) == "assise"
