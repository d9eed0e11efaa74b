"""The nouns: English, French, gender, and the classes that say what they go together with."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from runnel.datasets.phrasebook import english_forms, french_agreement

__all__ = ["NOUNS", "NOUN_BY_ENGLISH", "Noun", "nouns_in"]


@dataclass(frozen=True)
class Noun:
    """A noun of both languages.

    Attributes:
        english: Singular.
        english_plural: Plural.
        french: Singular; a star before an aspirated h.
        french_plural: Plural.
        feminine: Its gender in French.
        french_feminine: What a woman is called, of a profession; else the same as `french`.
        classes: What it is: "animal", "food", "mass" (no plural) and so on.
    """

    english: str
    english_plural: str
    french: str
    french_plural: str
    feminine: bool
    french_feminine: str
    classes: frozenset[str]

    @property
    def is_mass(self) -> bool:
        """Whether it has no plural and takes a partitive article."""
        return "mass" in self.classes


# english/irregular plural; french/irregular plural; gender; classes
_TABLE = """
man/men; homme; m; adult
woman/women; femme; f; adult
boy; garçon; m; child
girl; fille; f; child
child/children; enfant; m; child relation
baby/babies; bébé; m; child
friend; ami; m; adult relation
neighbor; voisin; m; adult relation
guest; invité; m; adult relation
tourist; touriste; m; adult
king; roi; m; adult single
queen; reine; f; adult single
mother; mère; f; adult family single
father; père; m; adult family single
brother; frère; m; adult family
sister; sœur; f; adult family
son; fils; m; child family
daughter; fille; f; child family
uncle; oncle; m; adult family
aunt; tante; f; adult family
cousin; cousin; m; adult family
grandmother; grand-mère/grands-mères; f; adult family single
grandfather; grand-père/grands-pères; m; adult family single
husband; mari; m; adult family single
wife/wives; femme; f; adult family single
cat; chat; m; animal pet small
dog; chien; m; animal pet
horse; cheval; m; animal livestock big
cow; vache; f; animal livestock big
bird; oiseau; m; animal flying small
mouse/mice; souris; f; animal small
rabbit; lapin; m; animal pet small
fox/foxes; renard; m; animal wild
wolf/wolves; loup; m; animal wild
bear; ours; m; animal wild big
pig; cochon; m; animal livestock
goat; chèvre; f; animal livestock
duck; canard; m; animal livestock flying swimming
hen; poule; f; animal livestock small
owl; *hibou; m; animal wild flying
hedgehog; *hérisson; m; animal wild small
hamster; *hamster; m; animal pet small
lion; lion; m; animal wild big
tiger; tigre; m; animal wild big
elephant; éléphant; m; animal wild big
monkey; singe; m; animal wild
bee; abeille; f; animal flying tiny
spider; araignée; f; animal tiny
butterfly; papillon; m; animal flying tiny
snake; serpent; m; animal wild
frog; grenouille; f; animal small swimming
turtle; tortue; f; animal pet swimming
donkey; âne; m; animal livestock big
squirrel; écureuil; m; animal wild small
swan; cygne; m; animal flying swimming
eagle; aigle; m; animal wild flying
apple; pomme; f; food fruit
pear; poire; f; food fruit
banana; banane; f; food fruit
orange; orange; f; food fruit
cherry; cerise; f; food fruit
strawberry; fraise; f; food fruit
lemon; citron; m; food fruit
carrot; carotte; f; food vegetable
tomato/tomatoes; tomate; f; food vegetable fruit
potato/potatoes; pomme de terre/pommes de terre; f; food vegetable
onion; oignon; m; food vegetable
bean; *haricot; m; food vegetable
egg; œuf; m; food
cake; gâteau; m; food dish
cookie; biscuit; m; food
sandwich; sandwich; m; food dish
salad; salade; f; food dish
meal; repas; m; dish
pie; tarte; f; food dish
omelet; omelette; f; food dish
bread; pain; m; food mass
cheese; fromage; m; food mass
meat; viande; f; food mass
butter; beurre; m; food mass
rice; riz; m; food mass
soup; soupe; f; food mass dish
jam; confiture; f; food mass
honey; miel; m; food mass
sugar; sucre; m; mass grocery
salt; sel; m; mass grocery
flour; farine; f; mass grocery
chocolate; chocolat; m; food mass
water; eau; f; drink mass
milk; lait; m; drink mass
coffee; café; m; drink mass hotdrink
tea; thé; m; drink mass hotdrink
juice; jus; m; drink mass
wine; vin; m; drink mass
beer; bière; f; drink mass
money; argent; m; mass money
book; livre; m; text readable thing owned
letter; lettre; f; text readable thing
newspaper; journal; m; readable thing owned
magazine; magazine; m; readable thing owned
novel; roman; m; text readable thing owned
poem; poème; m; text readable
message; message; m; text readable
article; article; m; text readable
postcard; carte postale/cartes postales; f; text readable thing
report; rapport; m; text readable
recipe; recette; f; text readable
dictionary; dictionnaire; m; readable thing owned
story; histoire; f; tellable audible
joke; blague; f; tellable
secret; secret; m; tellable abstract
question; question; f; abstract askable
answer; réponse; f; abstract
idea; idée; f; abstract thought
problem; problème; m; abstract thought
rule; règle; f; abstract
lesson; leçon; f; abstract study
word; mot; m; abstract study
sentence; phrase; f; abstract text
dream; rêve; m; thought
trip; voyage; m; thought event
party; fête; f; event
meeting; réunion; f; event
concert; concert; m; event watchable
exam; examen; m; event
movie; film; m; watchable
match; match; m; watchable
play; pièce de théâtre/pièces de théâtre; f; watchable
song; chanson; f; audible song
music; musique; f; audible mass
noise; bruit; m; sound
voice; voix; f; sound
bell; cloche; f; sound ringing
key; clé; f; thing small_thing owned
bag; sac; m; thing container owned
suitcase; valise; f; thing container owned openable
box/boxes; boîte; f; thing container openable
wallet; portefeuille; m; thing small_thing owned
umbrella; parapluie; m; thing owned openable
knife/knives; couteau; m; thing tool
fork; fourchette; f; thing tool
spoon; cuillère; f; thing tool
plate; assiette; f; thing breakable washable
glass/glasses; verre; m; breakable vessel thing washable
cup; tasse; f; thing breakable washable vessel
bottle; bouteille; f; thing breakable openable vessel
vase; vase; m; thing breakable
hammer; marteau; m; thing tool
ladder; échelle; f; tool goods
basket; panier; m; thing container
pen; stylo; m; thing tool small_thing owned
pencil; crayon; m; thing tool small_thing owned
notebook; cahier; m; thing owned openable
toy; jouet; m; thing breakable
doll; poupée; f; thing breakable
ball; balle; f; thing throwable
stone; pierre; f; throwable small_thing
balloon; ballon; m; throwable
gift; cadeau; m; thing goods received
package; colis; m; thing received openable
ticket; billet; m; thing small_thing owned
map; carte; f; thing owned study
photo; photo; f; thing picture owned
painting; tableau; m; picture
flag; drapeau; m; picture
mirror; miroir; m; breakable goods
candle; bougie; f; thing lamp
ring; bague; f; small_thing jewel
watch; montre; f; thing device jewel breakable owned
necklace; collier; m; jewel
coin; pièce de monnaie/pièces de monnaie; f; small_thing
phone; téléphone; m; thing device breakable ringing switch owned
computer; ordinateur; m; device breakable switch goods owned
radio; radio; f; device breakable switch audible
television; télévision; f; device breakable switch
lamp; lampe; f; device breakable switch lamp goods
camera; appareil photo/appareils photo; m; thing device breakable owned
machine; machine; f; device breakable
oven; four; m; switch device
shirt; chemise; f; garment
dress; robe; f; garment
skirt; jupe; f; garment
coat; manteau; m; garment
sweater; pull; m; garment
hat; chapeau; m; garment
scarf/scarves; écharpe; f; garment
jacket; veste; f; garment
shoe; chaussure; f; garment
sock; chaussette; f; garment
glove; gant; m; garment
car; voiture; f; vehicle driven
truck; camion; m; vehicle driven
bus; bus; m; vehicle transit driven
train; train; m; transit
plane; avion; m; transit flying_machine
boat; bateau; m; vehicle
bicycle; vélo; m; vehicle ridden
motorcycle; moto; f; vehicle ridden
taxi; taxi; m; transit
table; table; f; furniture surface
chair; chaise; f; furniture seat
armchair; fauteuil; m; furniture seat
bench; banc; m; seat
bed; lit; m; furniture surface
sofa; canapé; m; furniture seat
desk; bureau; m; furniture surface
shelf/shelves; étagère; f; furniture surface
cupboard; placard; m; furniture storage openable
drawer; tiroir; m; storage openable
mat; tapis; m; floorcover
door; porte; f; openable part
window; fenêtre; f; openable part
wall; mur; m; part painted
roof; toit; m; part painted outside_surface
floor; sol; m; floorcover
garden; jardin; m; place area outdoors
park; parc; m; place area outdoors public
forest; forêt; f; area outdoors place
field; champ; m; area outdoors place
street; rue; f; area outdoors crossed
square; place; f; crossed
bridge; pont; m; crossed
river; rivière; f; crossed swimmable
lake; lac; m; place swimmable
sea; mer; f; unique swimmable viewed
beach/beaches; plage; f; place viewed
mountain; montagne; f; viewed climbed
hill; colline; f; climbed viewed
island; île; f; viewed
village; village; m; place area
city; ville; f; place area viewed
station; gare; f; place public building meeting_place
school; école; f; place building meeting_place
university; université; f; place building meeting_place
hospital; hôpital; m; place building meeting_place
hotel; hôtel; m; place building meeting_place
restaurant; restaurant; m; place building meeting_place public
library; bibliothèque; f; place building meeting_place public
museum; musée; m; place building meeting_place public
theater; théâtre; m; place building meeting_place public
market; marché; m; place meeting_place public
bakery; boulangerie; f; place building meeting_place
post office; poste; f; place meeting_place
airport; aéroport; m; place building meeting_place public
church; église; f; place building meeting_place public
castle; château; m; place building viewed
house; maison; f; place building home
apartment; appartement; m; home
tower; tour; f; building viewed climbed
farm; ferme; f; place building
factory; usine; f; place building
kitchen; cuisine; f; room
bedroom; chambre; f; room
living room; salon; m; room
bathroom; salle de bains/salles de bains; f; room
cellar; cave; f; room
garage; garage; m; room
tree; arbre; m; plant big_plant
flower; fleur; f; plant small_plant gifted
rose; rose; f; plant small_plant gifted
grass; herbe; f; mass ground
leaf/leaves; feuille; f; plantpart
sun; soleil; m; unique celestial
moon; lune; f; unique celestial
star; étoile; f; celestial
sky; ciel/cieux; m; unique viewed
cloud; nuage; m; sky_thing
piano; piano; m; instrument goods
guitar; guitare; f; instrument goods thing
violin; violon; m; instrument thing
flute; flûte; f; instrument thing
trumpet; trompette; f; instrument thing
soccer; football; m; sport mass
tennis; tennis; m; sport mass
basketball; basket; m; sport mass
French; français; m; language mass
English; anglais; m; language mass
Spanish; espagnol; m; language mass
German; allemand; m; language mass
Italian; italien; m; language mass
Japanese; japonais; m; language mass
hand; main; f; body
heart; cœur; m; picture_motif
eye; œil/yeux; m; body
foot/feet; pied; m; body
"""

# english; french; what a woman is called
_PROFESSIONS = """
teacher; professeur; professeure
student; étudiant; étudiante
doctor; médecin; médecin
nurse; infirmier; infirmière
baker; boulanger; boulangère
butcher; boucher; bouchère
farmer; agriculteur; agricultrice
singer; chanteur; chanteuse
dancer; danseur; danseuse
actor; acteur; actrice
writer; écrivain; écrivaine
journalist; journaliste; journaliste
artist; artiste; artiste
painter; peintre; peintre
musician; musicien; musicienne
lawyer; avocat; avocate
judge; juge; juge
engineer; ingénieur; ingénieure
mechanic; mécanicien; mécanicienne
pilot; pilote; pilote
waiter; serveur; serveuse
cook; cuisinier; cuisinière
gardener; jardinier; jardinière
librarian; bibliothécaire; bibliothécaire
dentist; dentiste; dentiste
"""


def _forms(cell: str, regular: object) -> tuple[str, str]:
    """Returns singular and plural of "mouse/mice", or of "cat" by rule."""
    singular, _, plural = cell.partition("/")
    return singular, plural or regular(singular)  # type: ignore[operator]


def _read_nouns() -> Iterable[Noun]:
    """Yields the nouns of both tables in their order."""
    for line in _TABLE.strip().splitlines():
        english, french, gender, classes = line.split("; ")
        if "skip" in classes:
            continue
        singular, plural = _forms(french, french_agreement.plural_of)
        feminine = gender == "f"
        yield Noun(*_forms(english, english_forms.plural_of), singular, plural, feminine, singular,
                   frozenset(classes.split()))  # fmt: skip
    for line in _PROFESSIONS.strip().splitlines():
        english, masculine, woman = line.split("; ")
        yield Noun(*_forms(english, english_forms.plural_of), *_forms(masculine, french_agreement.plural_of),
                   False, woman, frozenset({"adult", "profession"}))  # fmt: skip


NOUNS = tuple(_read_nouns())
NOUN_BY_ENGLISH = MappingProxyType({noun.english: noun for noun in NOUNS})


def nouns_in(classes: Iterable[str]) -> tuple[Noun, ...]:
    """Returns the nouns that are in at least one of the classes, or that are named themselves, in their order."""
    wanted = frozenset(classes)
    return tuple(noun for noun in NOUNS if wanted & noun.classes or noun.english in wanted)
