"""The verbs: English, French, who does it to what, and how the two languages form it."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["AGE", "AVOIR_STATES", "BE", "EXIST", "HAVE", "INFINITIVE_VERBS", "INTRANSITIVE", "REPORTING", "TRANSITIVE",
           "VERBS", "VERB_BY_ENGLISH", "WEATHER", "Verb"]  # fmt: skip

_FLAGS = ("-", "être", "state", "no_progressive", "generic", "recipient", "to", "separable", "invariable")
_SUBJECTS = {"H": ("adult", "child"), "HA": ("adult", "child", "animal"), "G": ("adult",)}


@dataclass(frozen=True)
class Verb:
    """A verb of both languages, with the words that belong to it.

    Attributes:
        english: Its first word is conjugated; "one's" and "oneself" follow the subject.
        french: The infinitive without "se", and the words after it.
        preposition: French words before its object: ("à",), or none of a direct object.
        reflexive: Whether it takes "se".
        invariable: Whether the participle of a reflexive verb stays: se laver les mains.
        with_etre: Whether its passé composé takes être.
        subjects: Classes of nouns that do it.
        objects: Classes of nouns that it is done to; empty of an intransitive verb.
        places: Kinds of places it goes with: "here" (where it happens), "to", "from", "on" (must be named), ...
        is_state: Whether it has no progressive, and its past is the imparfait.
        no_progressive: Whether it has no progressive, although its past is the passé composé.
        generic: Whether a bare English plural is the whole kind: "likes cats", « aime les chats ».
        has_recipient: Whether it is done to somebody as well: give, show, send.
        says_to: Whether English says "to him" after its object: explain the idea to him.
        separable: Whether a pronoun stands inside it in English: turn it on.
        link: Word before an infinitive that follows: "de", "à", or none.
    """

    english: str
    french: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    preposition: tuple[str, ...] = ()
    reflexive: bool = False
    invariable: bool = False
    with_etre: bool = False
    is_state: bool = False
    no_progressive: bool = False
    generic: bool = False
    has_recipient: bool = False
    says_to: bool = False
    separable: bool = False
    link: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """The English word that is conjugated."""
        return self.english.split()[0]

    @property
    def infinitive(self) -> str:
        """The French word that is conjugated."""
        return self.french.split()[0]


# english; french ("se" and a preposition at the end count); subjects; objects; flags
_TRANSITIVE_TABLE = """
eat; manger; HA; food; @here @at_restaurant
drink; boire; HA; drink; @here @at_restaurant
read; lire; H; readable poem message; @here @on
write; écrire; G; text; @in_room @for
buy; acheter; G; thing garment goods furniture food grocery device; @market @for
sell; vendre; G; grocery goods garment vehicle furniture fruit vegetable cheese bread house apartment device
prepare; préparer; G; dish hotdrink; @in_kitchen @for
watch; regarder; H; watchable television bird
look at; regarder; HA; picture cloud sky star moon animal tree window garment flower river sea
see; voir; HA; sun moon animal thing building vehicle adult child star mountain bridge; no_progressive @here
hear; entendre; HA; sound song music train plane child; no_progressive @here
listen to; écouter; H; audible bell
like; aimer; H; fruit animal music bread cheese chocolate tea coffee soup novel flower movie garden; state generic
love; adorer; H; fruit animal music cheese chocolate honey pie cake trip concert song poem; state generic
hate; détester; H; vegetable exam noise soup milk meeting mouse spider snake onion; state generic
want; vouloir; H; toy fruit gift drink pet ridden goods cake jewel; state
need; avoir besoin de; H; umbrella water grocery tool answer bread key butter egg money device garment bed map; state
have; avoir; H; pet garment owned house ridden car family family question idea problem instrument friend money; state
know; connaître; H; secret adult village city song story museum word; state
look for; chercher; H; thing pet garment money tool; @here
find; trouver; H; small_thing pet answer owned mouse; no_progressive @on_furniture @under
lose; perdre; H; small_thing garment phone money match; no_progressive @here
open; ouvrir; H; openable
close; fermer; H; openable
break; casser; H; breakable
repair; réparer; G; device vehicle part ladder toy furniture
clean; nettoyer; G; room window vehicle furniture floor cellar
wash; laver; G; garment washable vehicle dog fruit vegetable
carry; porter; H; container ladder chair table baby package
wear; porter; H; garment jewel
take; prendre; H; transit umbrella key photo bag pen map
bring; apporter; H; grocery flower dish chair gift bottle hotdrink thing
give; donner; H; gift money book key flower answer thing; recipient
show; montrer; H; photo picture map toy house garden letter; recipient
send; envoyer; G; letter message postcard photo package money; recipient
lend; prêter; G; money owned ridden car; recipient
offer; offrir; G; gifted jewel chocolate gift; recipient
throw; lancer; H; throwable
paint; peindre; G; wall door house flag roof ladder bench heart sun
draw; dessiner; H; animal plant house castle boat star map heart cloud; @in_room
build; construire; G; house bridge wall tower school castle boat
visit; visiter; G; museum castle city village church island farm
meet; rencontrer; H; adult; @here @at
help; aider; H; adult child
call; appeler; H; adult dog taxi
invite; inviter; G; relation family profession
thank; remercier; H; relation profession family
follow; suivre; HA; adult animal vehicle; @area
wait for; attendre; H; transit relation family letter answer taxi package; @here @at @near
answer; répondre à; H; question letter message
ask; poser; H; question
understand; comprendre; H; word sentence question lesson rule problem text; no_progressive
learn; apprendre; H; language song poem word; @at_school
speak; parler; H; language
teach; enseigner; profession; language
study; étudier; H; language study map rule problem; @at_school
play; jouer de; H; instrument; @here
play; jouer à; H; sport; @here
sing; chanter; H; song; @here @at
tell; raconter; H; story joke; recipient
use; utiliser; H; tool computer ladder dictionary device grocery grocery
drive; conduire; G; driven
park; garer; G; car truck motorcycle; @street
catch; attraper; HA; ball mouse butterfly bird; no_progressive
chase; poursuivre; animal; cat mouse rabbit bird duck squirrel hen; @area
feed; nourrir; G; livestock pet bird
kiss; embrasser; G; baby family child
choose; choisir; H; gift garment book movie gifted cake dish novel; @for
forget; oublier; H; key umbrella rule word bag answer; no_progressive @on_furniture
finish; finir; H; book meal novel report letter soup painting exam
begin; commencer; H; lesson book letter painting meeting match report
translate; traduire; G; text
explain; expliquer; G; rule problem idea lesson word; recipient to
cut; couper; H; bread cake fruit meat cheese grass vegetable
put; mettre; H; thing dish fruit; @on_furniture_needed
leave; quitter; G; village house station city party meeting hotel; no_progressive
cross; traverser; HA; crossed forest
climb; escalader; H; climbed wall
protect; protéger; G; child plant forest farm
plant; planter; G; plant bean tomato; @garden
water; arroser; G; plant garden grass
pick; cueillir; H; fruit flower rose
taste; goûter; H; dish fruit cheese honey wine
smell; sentir; HA; small_plant meat; no_progressive
touch; toucher; H; wall window snake device picture horse
hide; cacher; H; gift money key letter small_thing chocolate; @on_furniture @under
borrow; emprunter; G; grocery owned ladder car money ridden
keep; garder; H; money ticket photo gift secret
rent; louer; G; home car boat ridden
receive; recevoir; H; letter postcard package message gift; no_progressive
accept; accepter; H; gift idea answer; no_progressive
refuse; refuser; H; gift money meal answer; no_progressive
hold; tenir; H; tool bag umbrella baby candle flag doll pen cat
admire; admirer; H; viewed picture building
remember; se souvenir de; H; dream trip word story song adult city; state
believe; croire; H; adult child story; state
iron; repasser; G; shirt dress skirt
turn on; allumer; H; switch lamp; separable
turn off; éteindre; H; switch lamp; separable
pull; tirer; HA; table suitcase box ladder
push; pousser; H; furniture vehicle door box
lift; soulever; H; suitcase box table stone chair bag
move; déplacer; H; furniture box vase
record; enregistrer; G; song concert voice message
share; partager; H; fruit cake dish meal secret room
miss; rater; G; transit meeting exam; no_progressive
enter; entrer dans; HA; room garden forest castle; être no_progressive
think about; penser à; G; thought trip exam family relation
dream of; rêver de; H; trip island sea castle
talk about; parler de; H; thought event movie novel match family
talk to; parler à; H; relation profession family child
smile at; sourire à; H; baby relation child
pay for; payer; G; meal ticket garment coffee book
correct; corriger; profession; sentence exam text
"""

_INTRANSITIVE_TABLE = """
sleep; dormir; HA; here on under near
run; courir; HA; here
walk; marcher; HA; here
swim; nager; HA; water
dance; danser; H; here
sing; chanter; H bird; here
laugh; rire; H; here
smile; sourire; H; -
cry; pleurer; H; here
work; travailler; adult; here at city
wait; attendre; H; here at near
jump; sauter; HA; on over
fall; tomber; HA; on; être
arrive; arriver; H transit; at time; être
leave; partir; H transit; time; être
go; aller; H; to_needed; être
come; venir; H; from_needed with; être
come back; revenir; H; from time; être
go home; rentrer; H; time; être
go out; sortir; HA; time with; être
stay; rester; HA; here at; être
live; habiter; adult; city_needed; state no_imperative
arrive late; arriver en retard; H; at; être
bark; aboyer; dog; here
meow; miauler; cat; here
fly; voler; flying flying_machine; over
grow; pousser; plant; garden
shine; briller; sun moon star; sky_place
ring; sonner; ringing; -
start; démarrer; driven; -
stop; se arrêter; vehicle transit adult; street
travel; voyager; adult; country with
snore; ronfler; adult child; -
cough; tousser; adult child; -
sneeze; éternuer; adult child cat; -
whistle; siffler; adult; street
shout; crier; H; street
eat; manger; H; at_restaurant with
get up; se lever; H; hour
wake up; se réveiller; HA; hour
sit; se asseoir; HA; on_needed; no_progressive
go to bed; se coucher; H; hour
get dressed; se habiller; H; room
hurry; se dépêcher; H; -
rest; se reposer; HA; here on
fall asleep; se endormir; HA; on bed
take a walk; se promener; H; area with
have fun; se amuser; H; here with
get bored; se ennuyer; H; at
wash; se laver; H; bathroom
make a mistake; se tromper; H; -
get angry; se fâcher; H; -
get married; se marier; adult; city; no_imperative
wash one's hands; se laver les mains; H; bathroom; invariable
brush one's teeth; se brosser les dents; H; bathroom; invariable
brush one's hair; se brosser les cheveux; H; bathroom; invariable
hide; se cacher; HA; under behind
complain; se plaindre; adult; -
disappear; disparaître; animal; forest; no_progressive
be born; naître; H; city_needed; être no_progressive past_only
die; mourir; animal king queen; past; être no_progressive past_only
"""

# english; french; link: the verb takes an infinitive
_INFINITIVE_TABLE = """
can; pouvoir; -; state
must; devoir; -; state
want to; vouloir; -; state
hope to; espérer; -; state
prefer to; préférer; -; state
like to; aimer; -; state
have to; devoir; -; state
know how to; savoir; -; state
try to; essayer; de
decide to; décider; de; no_progressive
forget to; oublier; de; no_progressive
refuse to; refuser; de; no_progressive
begin to; commencer; à
learn to; apprendre; à
continue to; continuer; à; no_progressive
need to; avoir besoin; de; state
promise to; promettre; de; no_progressive
agree to; accepter; de; no_progressive
"""

# english after "be"; french after "avoir"
_AVOIR_TABLE = """
hungry; faim
thirsty; soif
cold; froid
hot; chaud
sleepy; sommeil
afraid; peur
right; raison
wrong; tort
"""


def _subjects(cell: str) -> tuple[str, ...]:
    """Returns the classes behind "HA" and its like."""
    return tuple(name for part in cell.split() for name in _SUBJECTS.get(part, (part,)))


def _french(cell: str) -> dict:
    """Splits "se souvenir de" into what the sentence needs to know."""
    words = cell.split()
    reflexive = words[0] == "se"
    words = words[1:] if reflexive else words
    preposition = tuple(words[-1:]) if words[-1] in ("de", "à", "dans") else ()
    return {
        "french": " ".join(words[: len(words) - len(preposition)]),
        "preposition": preposition,
        "reflexive": reflexive,
    }


def _flags(cell: str) -> dict:
    """Returns the attributes that the flags of a row stand for."""
    flags = cell.split()
    return {
        "is_state": "state" in flags,
        "no_progressive": "no_progressive" in flags or "state" in flags,
        "generic": "generic" in flags,
        "has_recipient": "recipient" in flags,
        "says_to": "to" in flags,
        "separable": "separable" in flags,
        "with_etre": "être" in flags,
        "invariable": "invariable" in flags,
    }


def _rows(table: str) -> Iterable[list[str]]:
    """Yields the cells of each row, the flags last."""
    for line in table.strip().splitlines():
        yield [*line.split("; "), ""][:5]


def _read_transitive() -> Iterable[Verb]:
    """Yields the verbs with an object."""
    for english, french, subjects, objects, flags in _rows(_TRANSITIVE_TABLE):
        places = tuple(flag.removeprefix("@") for flag in flags.split() if flag.startswith("@"))
        yield Verb(english=english, subjects=_subjects(subjects), objects=tuple(objects.split()), places=places,
                   **_french(french), **_flags(flags))  # fmt: skip


def _read_intransitive() -> Iterable[Verb]:
    """Yields the verbs without an object."""
    for english, french, subjects, places, flags in _rows(_INTRANSITIVE_TABLE):
        kinds = [kind for kind in (*places.split(), *flags.split()) if kind not in _FLAGS]
        yield Verb(
            english=english, subjects=_subjects(subjects), places=tuple(kinds), **_french(french), **_flags(flags)
        )


def _read_infinitive() -> Iterable[Verb]:
    """Yields the verbs that take an infinitive."""
    for line in _INFINITIVE_TABLE.strip().splitlines():
        english, french, link, *flags = line.split("; ")
        yield Verb(english=english, french=french, subjects=("adult", "child"), link=() if link == "-" else (link,),
                   **_flags(" ".join(flags)))  # fmt: skip


TRANSITIVE = tuple(_read_transitive())
INTRANSITIVE = tuple(_read_intransitive())
INFINITIVE_VERBS = tuple(_read_infinitive())
BE = Verb("be", "être", ("adult",), is_state=True, no_progressive=True)
HAVE = next(verb for verb in TRANSITIVE if verb.english == "have")
AVOIR_STATES = tuple(
    Verb(f"be {english}", f"avoir {french}", ("adult", "child"), is_state=True, no_progressive=True)
    for english, french in (line.split("; ") for line in _AVOIR_TABLE.strip().splitlines())
)
EXIST = Verb("be", "avoir", (), is_state=True, no_progressive=True)  # There is: il y a.
AGE = Verb("be", "avoir", ("adult", "child"), is_state=True, no_progressive=True)  # Is ten years old: a dix ans.
REPORTING = tuple(
    Verb(english, french, ("adult", "child"), is_state=True, no_progressive=True)
    for english, french in (
        ("think", "penser"),
        ("know", "savoir"),
        ("say", "dire"),
        ("believe", "croire"),
        ("hope", "espérer"),
    )
)
WEATHER = (
    Verb("rain", "pleuvoir", ()),
    Verb("snow", "neiger", ()),
    *(
        Verb(f"be {english}", f"faire {french}", (), is_state=True, no_progressive=True)
        for english, french in (("cold", "froid"), ("hot", "chaud"), ("dark", "nuit"), ("mild", "doux"))
    ),
)
VERBS = (*TRANSITIVE, *INTRANSITIVE, *INFINITIVE_VERBS, *AVOIR_STATES, BE)
VERB_BY_ENGLISH = MappingProxyType({verb.english: verb for verb in reversed(VERBS)})
