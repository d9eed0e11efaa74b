"""French infinitive -> its finite forms and its past participle: rules for the groups, a table for the rest.

Persons are indexed (person, plural). The second person is "vous" alone, so five forms make a tense.
"""

from functools import cache
from types import MappingProxyType

__all__ = ["PERSONS", "conjugate", "participle_of"]

PERSONS = ((1, False), (3, False), (1, True), (2, True), (3, True))

_FUTURE = ("ai", "a", "ons", "ez", "ont")
_IMPERFECT = ("ais", "ait", "ions", "iez", "aient")

# Infinitive: present (je, il, nous, vous, ils) | stem of the future | past participle.
# A verb that ends in one of these, such as revenir, goes like it; the longest ending counts.
_IRREGULAR_TABLE = """
être: suis est sommes êtes sont | ser | été
avoir: ai a avons avez ont | aur | eu
aller: vais va allons allez vont | ir | allé
faire: fais fait faisons faites font | fer | fait
dire: dis dit disons dites disent | dir | dit
lire: lis lit lisons lisez lisent | lir | lu
écrire: écris écrit écrivons écrivez écrivent | écrir | écrit
rire: ris rit rions riez rient | rir | ri
voir: vois voit voyons voyez voient | verr | vu
savoir: sais sait savons savez savent | saur | su
devoir: dois doit devons devez doivent | devr | dû
recevoir: reçois reçoit recevons recevez reçoivent | recevr | reçu
pouvoir: peux peut pouvons pouvez peuvent | pourr | pu
vouloir: veux veut voulons voulez veulent | voudr | voulu
venir: viens vient venons venez viennent | viendr | venu
tenir: tiens tient tenons tenez tiennent | tiendr | tenu
connaître: connais connaît connaissons connaissez connaissent | connaîtr | connu
disparaître: disparais disparaît disparaissons disparaissez disparaissent | disparaîtr | disparu
naître: nais naît naissons naissez naissent | naîtr | né
partir: pars part partons partez partent | partir | parti
sortir: sors sort sortons sortez sortent | sortir | sorti
dormir: dors dort dormons dormez dorment | dormir | dormi
sentir: sens sent sentons sentez sentent | sentir | senti
servir: sers sert servons servez servent | servir | servi
courir: cours court courons courez courent | courr | couru
mourir: meurs meurt mourons mourez meurent | mourr | mort
ouvrir: ouvre ouvre ouvrons ouvrez ouvrent | ouvrir | ouvert
offrir: offre offre offrons offrez offrent | offrir | offert
cueillir: cueille cueille cueillons cueillez cueillent | cueiller | cueilli
prendre: prends prend prenons prenez prennent | prendr | pris
mettre: mets met mettons mettez mettent | mettr | mis
battre: bats bat battons battez battent | battr | battu
boire: bois boit buvons buvez boivent | boir | bu
croire: crois croit croyons croyez croient | croir | cru
conduire: conduis conduit conduisons conduisez conduisent | conduir | conduit
construire: construis construit construisons construisez construisent | construir | construit
traduire: traduis traduit traduisons traduisez traduisent | traduir | traduit
suivre: suis suit suivons suivez suivent | suivr | suivi
vivre: vis vit vivons vivez vivent | vivr | vécu
peindre: peins peint peignons peignez peignent | peindr | peint
éteindre: éteins éteint éteignons éteignez éteignent | éteindr | éteint
plaindre: plains plaint plaignons plaignez plaignent | plaindr | plaint
asseoir: assieds assied asseyons asseyez asseyent | assiér | assis
envoyer: envoie envoie envoyons envoyez envoient | enverr | envoyé
pleuvoir: pleus pleut pleuvons pleuvez pleuvent | pleuvr | plu
"""


def _read_table() -> dict[str, tuple[tuple[str, ...], str, str]]:
    """Returns (present, stem of the future, participle) of each irregular verb."""
    table = {}
    for line in _IRREGULAR_TABLE.strip().splitlines():
        infinitive, forms = line.split(": ")
        present, future, participle = forms.split(" | ")
        table[infinitive] = (tuple(present.split()), future, participle)
    return table


_IRREGULAR = MappingProxyType(_read_table())
_ALONE = ("être", "avoir", "aller")  # No verb goes like these: installer is regular.


@cache
def _principal_parts(infinitive: str) -> tuple[tuple[str, ...], str, str]:
    """Returns the present (five forms), the stem of the future, and the past participle."""
    if infinitive in _IRREGULAR:
        return _IRREGULAR[infinitive]
    endings = [known for known in _IRREGULAR if infinitive.endswith(known) and known not in _ALONE]
    if endings:
        known = max(endings, key=len)
        prefix = infinitive.removesuffix(known)
        present, future, participle = _IRREGULAR[known]
        return tuple(prefix + form for form in present), prefix + future, prefix + participle
    if infinitive.endswith("er"):
        return _first_group(infinitive.removesuffix("er"))
    stem = infinitive[:-2]
    if infinitive.endswith("ir"):
        present = tuple(stem + ending for ending in ("is", "it", "issons", "issez", "issent"))
        return present, infinitive, stem + "i"
    present = tuple(stem + ending for ending in ("s", "" if stem[-1] in "dt" else "t", "ons", "ez", "ent"))
    return present, infinitive.removesuffix("e"), stem + "u"


def _first_group(stem: str) -> tuple[tuple[str, ...], str, str]:
    """Returns the principal parts of a verb in -er, with the changes of its stem before a mute e."""
    mute = future = stem
    if stem.endswith(("oy", "uy", "ay")):  # nettoyer -> nettoie, essuyer -> essuie
        mute = future = stem[:-1] + "i"
    elif stem in ("appel", "rappel", "jet"):
        mute = future = stem + stem[-1]
    elif len(stem) > 2 and stem[-2] == "e" and stem[-1] in "vtslnmr":  # lever -> lève
        mute = future = stem[:-2] + "è" + stem[-1]
    elif len(stem) > 2 and stem[-2] == "é" and stem[-1] not in "aeiouy":  # préférer -> préfère, préférera
        mute = stem[:-2] + "è" + stem[-1]
    we = stem + "e" if stem.endswith("g") else stem[:-1] + "ç" if stem.endswith("c") else stem
    return (mute + "e", mute + "e", we + "ons", stem + "ez", mute + "ent"), future + "er", stem + "é"


def _imperfect(infinitive: str) -> tuple[str, ...]:
    """Returns the imparfait: from the stem of "nous", except être."""
    stem = "ét" if infinitive == "être" else _principal_parts(infinitive)[0][2].removesuffix("ons")
    forms = [stem + ending for ending in _IMPERFECT]
    if infinitive.endswith("ger"):  # nous mangions
        forms[2:4] = [stem.removesuffix("e") + "ions", stem.removesuffix("e") + "iez"]
    if infinitive.endswith("cer"):
        forms[2:4] = [stem[:-1] + "cions", stem[:-1] + "ciez"]
    return tuple(forms)


@cache
def conjugate(infinitive: str, tense: str) -> dict[tuple[int, bool], str]:
    """Returns the simple forms of a tense by (person, plural).

    Args:
        infinitive: Without "se".
        tense: "present", "imperfect", "future", or "imperative" (nous and vous).
    """
    present, future, _ = _principal_parts(infinitive)
    forms = {
        "present": present,
        "imperative": ("", "", present[2], present[3], ""),
        "imperfect": _imperfect(infinitive),
        "future": tuple(future + ending for ending in _FUTURE),
    }[tense]
    return dict(zip(PERSONS, forms, strict=True))


def participle_of(infinitive: str) -> str:
    """Returns the past participle, masculine singular."""
    return _principal_parts(infinitive)[2]
