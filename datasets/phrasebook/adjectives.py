"""The adjectives: English, French with its irregular forms, place, and the classes of nouns they are said of."""

from dataclasses import dataclass
from types import MappingProxyType

from runnel.datasets.phrasebook.french_agreement import feminine_of, plural_of

__all__ = ["ADJECTIVES", "ADJECTIVE_BY_ENGLISH", "Adjective"]


@dataclass(frozen=True)
class Adjective:
    """An adjective of both languages.

    Attributes:
        english: Its form.
        masculine: French masculine singular.
        feminine: French feminine singular.
        before_vowel: Masculine singular before a vowel or a mute h: bel, vieil, nouvel.
        is_before: Whether it stands before the noun in French.
        classes: Classes of nouns (see nouns.py) that it can be said of.
        kind: "size", "color", "state" (said of a subject, not in a noun phrase), or "quality".
        compares: Whether "taller than" makes sense.
    """

    english: str
    masculine: str
    feminine: str
    before_vowel: str
    is_before: bool
    classes: frozenset[str]
    kind: str
    compares: bool

    def form(self, *, feminine: bool, plural: bool) -> str:
        """Returns the French form for a gender and number; "en retard" and its like have one."""
        if " " in self.masculine:
            return self.masculine
        singular = self.feminine if feminine else self.masculine
        return plural_of(singular) if plural else singular


_GROUPS = {
    "PEOPLE": "adult child",
    "ALIVE": "adult child animal",
    "BEAST": "animal",
    "OBJECT": "thing goods vehicle furniture device",
    "CLOTHES": "garment",
    "LOVELY": "woman girl baby queen picture jewel",
    "BUILT": "building home room",
    "SPOT": "place area building room",
    "COLORED": "garment vehicle furniture thing small_plant part",
}

# english; masculine[, feminine[, before a vowel]]; before/after; kind; classes; compared?
_TABLE = """
big; grand; before; size; BEAST OBJECT BUILT SPOT big_plant cloud island mountain bottle eye hand foot; compared
small; petit; before; size; ALIVE OBJECT BUILT SPOT plant cloud island fruit hand foot eye; compared
tall; grand; before; size; adult child; compared
old; vieux, vieille, vieil; before; size; adult animal OBJECT BUILT CLOTHES SPOT bridge song movie; compared
young; jeune; before; size; adult animal; compared
new; nouveau, nouvelle, nouvel; before; size; OBJECT BUILT CLOTHES text bridge song movie idea; -
beautiful; beau, belle, bel; before; size; LOVELY animal CLOTHES SPOT plant viewed eye hand bridge song; compared
pretty; joli; before; size; girl CLOTHES small_plant village house garden picture jewel song; compared
good; bon, bonne; before; size; dish fruit cheese bread wine idea answer restaurant hotel friend profession movie; -
bad; mauvais; before; size; idea answer restaurant movie dream; -
long; long, longue; before; size; text trip street bridge river garment movie meeting; compared
fat; gros, grosse; before; size; animal; compared
excellent; excellent; before; size; dish cheese wine idea answer restaurant profession; -
black; noir; after; color; COLORED cat dog horse cow bird rabbit hen goat spider; -
white; blanc, blanche; after; color; COLORED cat dog horse cow bird rabbit hen goat mouse house; -
red; rouge; after; color; COLORED apple bird house; -
green; vert; after; color; COLORED apple bird frog snake leaf; -
blue; bleu; after; color; COLORED bird butterfly eye; -
yellow; jaune; after; color; COLORED bird butterfly apple leaf; -
gray; gris; after; color; COLORED cat dog horse mouse rabbit wolf donkey elephant squirrel; -
brown; brun; after; color; garment furniture bag suitcase cat dog horse bear rabbit fox squirrel cow monkey eye; -
pink; rose; after; color; garment flower umbrella balloon; -
round; rond; after; quality; table mirror box mat window; -
heavy; lourd; after; quality; suitcase bag box basket package table furniture hammer; compared
light; léger, légère; after; quality; suitcase bag box basket package coat jacket; compared
expensive; cher, chère; after; quality; OBJECT CLOTHES restaurant hotel apartment wine jewel instrument; compared
modern; moderne; after; quality; furniture building home kitchen device city; compared
famous; célèbre; after; quality; profession museum castle painting song novel restaurant movie; compared
rich; riche; after; quality; adult; compared
poor; pauvre; after; quality; adult; compared
strong; fort; after; quality; adult horse dog bear lion; compared
intelligent; intelligent; after; quality; adult child dog monkey; compared
lazy; paresseux; after; quality; adult child cat dog donkey; compared
happy; heureux; after; quality; adult child dog; compared
sad; triste; after; quality; adult child story song movie; compared
kind; gentil, gentille; before; quality; adult child; compared
patient; patient; after; quality; adult; compared
brave; courageux; after; quality; adult child dog; compared
shy; timide; after; quality; adult child; compared
funny; drôle; after; quality; adult child joke story movie; compared
serious; sérieux; after; quality; adult problem; compared
curious; curieux; after; quality; adult child cat monkey; compared
honest; honnête; after; quality; adult; compared
polite; poli; after; quality; adult child; compared
nervous; nerveux; after; quality; adult horse dog; compared
quiet; calme; after; quality; adult child street village beach hotel; compared
dangerous; dangereux; after; quality; wild street machine tool; compared
fast; rapide; after; quality; horse vehicle train plane computer; compared
quick; rapide; after; quality; animal answer; -
slow; lent; after; quality; turtle bus train computer truck donkey; compared
delicious; délicieux; after; quality; dish fruit cheese bread jam honey chocolate wine coffee juice; -
fresh; frais, fraîche; after; quality; fruit vegetable bread cheese egg milk; -
hot; chaud; after; quality; soup dish hotdrink water milk; -
cold; froid; after; quality; soup drink meal; -
sweet; sucré; after; quality; fruit cake pie wine tea; compared
interesting; intéressant; after; quality; readable movie museum idea question lesson story meeting city trip; compared
boring; ennuyeux; after; quality; readable movie lesson meeting match story; compared
difficult; difficile; after; quality; question exam lesson word language problem; compared
easy; facile; after; quality; question exam lesson word recipe language; compared
important; important; after; quality; question meeting letter message rule problem word; compared
strange; étrange; after; quality; idea question dream noise animal story voice house; compared
useful; utile; after; quality; tool device dictionary map answer book idea; compared
simple; simple; after; quality; idea question rule answer recipe sentence; compared
comfortable; confortable; after; quality; seat bed shoe sofa apartment hotel car coat; compared
warm; chaud; after; quality; garment room; -
dirty; sale; after; quality; garment washable room vehicle window dog pig street; -
clean; propre; after; quality; garment washable room vehicle window street beach; -
empty; vide; after; quality; container openable room vessel street house; -
full; plein; after; state; container vessel bus theater train hotel; -
open; ouvert; after; quality; openable restaurant museum library bakery; -
closed; fermé; after; quality; openable restaurant museum library bakery; -
broken; cassé; after; quality; breakable chair ladder toy; -
lost; perdu; after; quality; small_thing dog cat suitcase bag; -
dry; sec, sèche; after; quality; garment grass; -
wet; mouillé; after; quality; garment grass floor dog cat; -
wild; sauvage; after; quality; horse cat duck rabbit; -
hungry; affamé; after; quality; wolf dog cat lion bear fox; -
deep; profond; after; quality; lake river sea; compared
high; *haut; before; quality; wall mountain tower hill shelf; compared
narrow; étroit; after; quality; street bridge door; compared
tired; fatigué; after; state; adult child horse dog; compared
sick; malade; after; state; adult child animal; -
ready; prêt; after; state; adult child meal; -
late; en retard; after; state; adult child transit; -
busy; occupé; after; state; adult; -
angry; en colère; after; state; adult child; -
surprised; surpris; after; state; adult child; -
worried; inquiet, inquiète; after; state; adult; compared
alone; seul; after; state; adult child; -
free; libre; after; state; adult seat taxi; -
proud; fier, fière; after; state; adult; compared
jealous; jaloux, jalouse; after; state; adult; compared
safe; en sécurité; after; state; adult child animal; -
married; marié; after; state; adult; -
"""


def _read_adjective(line: str) -> Adjective:
    """Parses a row of the table."""
    english, forms, place, kind, classes, compared = line.split("; ")
    masculine, feminine, before_vowel, *_ = [*forms.split(", "), "", ""]
    names = " ".join(_GROUPS.get(name, name) for name in classes.split())
    return Adjective(
        english=english,
        masculine=masculine,
        feminine=feminine or feminine_of(masculine),
        before_vowel=before_vowel or masculine,
        is_before=place == "before",
        classes=frozenset(names.split()),
        kind=kind,
        compares=compared == "compared",
    )


ADJECTIVES = tuple(_read_adjective(line) for line in _TABLE.strip().splitlines())
ADJECTIVE_BY_ENGLISH = MappingProxyType({adjective.english: adjective for adjective in ADJECTIVES})
