import pytest

from runnel.datasets.phrasebook.french_verbs import conjugate, participle_of
from runnel.datasets.phrasebook.verbs import VERBS, WEATHER

# Written from a grammar book's tables: je, il, nous, vous, ils.
PRESENT = {
    "parler": "parle parle parlons parlez parlent",
    "manger": "mange mange mangeons mangez mangent",
    "commencer": "commence commence commençons commencez commencent",
    "appeler": "appelle appelle appelons appelez appellent",
    "acheter": "achète achète achetons achetez achètent",
    "préférer": "préfère préfère préférons préférez préfèrent",
    "nettoyer": "nettoie nettoie nettoyons nettoyez nettoient",
    "envoyer": "envoie envoie envoyons envoyez envoient",
    "finir": "finis finit finissons finissez finissent",
    "attendre": "attends attend attendons attendez attendent",
    "vendre": "vends vend vendons vendez vendent",
    "être": "suis est sommes êtes sont",
    "avoir": "ai a avons avez ont",
    "aller": "vais va allons allez vont",
    "pouvoir": "peux peut pouvons pouvez peuvent",
    "vouloir": "veux veut voulons voulez veulent",
    "venir": "viens vient venons venez viennent",
    "revenir": "reviens revient revenons revenez reviennent",
    "souvenir": "souviens souvient souvenons souvenez souviennent",
    "comprendre": "comprends comprend comprenons comprenez comprennent",
    "dire": "dis dit disons dites disent",
    "boire": "bois boit buvons buvez boivent",
    "recevoir": "reçois reçoit recevons recevez reçoivent",
    "connaître": "connais connaît connaissons connaissez connaissent",
    "éteindre": "éteins éteint éteignons éteignez éteignent",
    "endormir": "endors endort endormons endormez endorment",
    "asseoir": "assieds assied asseyons asseyez asseyent",
    "poursuivre": "poursuis poursuit poursuivons poursuivez poursuivent",
    "nourrir": "nourris nourrit nourrissons nourrissez nourrissent",
    "sourire": "souris sourit sourions souriez sourient",
}
FUTURE = {
    "parler": "parlerai parlera parlerons parlerez parleront",
    "acheter": "achètera",
    "préférer": "préférera",
    "appeler": "appellera",
    "nettoyer": "nettoiera",
    "être": "sera",
    "avoir": "aura",
    "aller": "ira",
    "voir": "verra",
    "envoyer": "enverra",
    "venir": "viendra",
    "courir": "courra",
    "cueillir": "cueillera",
    "attendre": "attendra",
    "savoir": "saura",
    "asseoir": "assiéra",
}
IMPERFECT = {
    "manger": "mangeais mangeait mangions mangiez mangeaient",
    "commencer": "commençais commençait commencions commenciez commençaient",
    "être": "étais était étions étiez étaient",
    "finir": "finissait",
    "boire": "buvait",
    "croire": "croyait",
    "peindre": "peignait",
}
PARTICIPLES = {
    "parler": "parlé", "finir": "fini", "vendre": "vendu", "être": "été", "avoir": "eu", "prendre": "pris",
    "mettre": "mis", "écrire": "écrit", "ouvrir": "ouvert", "offrir": "offert", "lire": "lu", "voir": "vu",
    "recevoir": "reçu", "asseoir": "assis", "naître": "né", "mourir": "mort", "courir": "couru", "suivre": "suivi",
    "conduire": "conduit", "construire": "construit", "traduire": "traduit",
    "cueillir": "cueilli", "endormir": "endormi", "tenir": "tenu", "boire": "bu", "devoir": "dû",
}  # fmt: skip


@pytest.mark.parametrize(
    ("tense", "table"), [("present", PRESENT), ("future", FUTURE), ("imperfect", IMPERFECT)], ids=str
)
def test_finite_forms(tense, table):
    for infinitive, expected in table.items():
        forms = list(conjugate(infinitive, tense).values())
        assert (forms if " " in expected else forms[1:2]) == expected.split(), infinitive


def test_participles():
    for infinitive, expected in PARTICIPLES.items():
        assert participle_of(infinitive) == expected


def test_no_verb_of_the_lexicon_is_left_without_forms():
    for verb in (*VERBS, *WEATHER):
        for tense in ("present", "imperfect", "future"):
            assert all(form.isalpha() for form in conjugate(verb.infinitive, tense).values()), verb
