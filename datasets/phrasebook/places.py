"""Where something happens: prepositions, the nouns they go with, cities and countries."""

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CITIES", "COUNTRIES", "PLACE_KINDS", "PREPOSITIONS", "Country", "PlaceKind"]


@dataclass(frozen=True)
class PlaceKind:
    """A kind of place that verbs ask for.

    Attributes:
        name: The kind, as in the table of verbs.
        choices: (preposition, classes of nouns) to draw from.
    """

    name: str
    choices: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Country:
    """A country; its French article tells its gender and number."""

    english: str
    french: tuple[str, ...]

    @property
    def location(self) -> tuple[str, ...]:
        """Words for "in" and "to" it: en France, en Iran, au Japon, aux États-Unis."""
        article, name = self.french[0], self.french[-1]
        return ("aux", name) if article == "les" else ("au", name) if article == "le" else ("en", name)

    @property
    def origin(self) -> tuple[str, ...]:
        """Words for "from" it: de France, d'Italie, du Japon, des États-Unis."""
        article, name = self.french[0], self.french[-1]
        return ("des", name) if article == "les" else ("du", name) if article == "le" else ("de", name)


# english; french
_PREPOSITIONS = """
in; dans
on; sur
under; sous
behind; derrière
in front of; devant
near; près de
next to; à côté de
far from; loin de
at; à
to; à
from; de
with; avec
without; sans
for; pour
over; par-dessus
above; au-dessus de
across from; en face de
around; autour de
"""

# kind: preposition = classes of nouns | ...
_PLACE_KINDS = """
here: in = room area garden | across from = building | behind = building | near = crossed building | on = beach bridge
in_room: in = room | in = hotel restaurant school
on: on = furniture seat floorcover
under: under = table bed big_plant
near: far from = building river door | near = window door building river big_plant | next to = furniture door oven
behind: behind = big_plant door sofa cupboard
at: at = meeting_place
at_school: at = school university library
at_restaurant: at = restaurant hotel
to: to = meeting_place park beach
from: from = meeting_place beach park
water: in = lake river sea
over: over = wall bench
fly_over: above = river lake sea city village forest field
sky_place: in = sky
garden: in = garden field park | near = house castle school
in_building: in = house apartment castle village
street: in = street | in front of = building
room: in = room
area: in = area | around = lake
bathroom: in = bathroom
bed: in = bed | on = sofa bench
forest: in = forest garden
market: at = market bakery
in_kitchen: in = kitchen
on_furniture: on = table desk shelf chair bench bed | in = container storage
"""

_CITIES = (
    "Paris Paris, London Londres, Rome Rome, Berlin Berlin, Madrid Madrid, Lyon Lyon, Tokyo Tokyo, Geneva Genève, "
)
_CITIES += "Brussels Bruxelles, Venice Venise, Athens Athènes"

_COUNTRIES = """
France; la France
Italy; la Italie
Spain; la Espagne
Germany; la Allemagne
England; la Angleterre
Japan; le Japon
Canada; le Canada
Portugal; le Portugal
Mexico; le Mexique
Brazil; le Brésil
China; la Chine
the United States; les États-Unis
"""


def _read_kind(line: str) -> PlaceKind:
    """Parses a row of the table of kinds."""
    name, choices = line.split(": ")
    pairs = (choice.split(" = ") for choice in choices.split(" | "))
    return PlaceKind(name, tuple((preposition, tuple(classes.split())) for preposition, classes in pairs))


PREPOSITIONS = MappingProxyType(
    {
        english: tuple(french.split())
        for english, french in (row.split("; ") for row in _PREPOSITIONS.strip().splitlines())
    }
)
"""English preposition -> French words."""
PLACE_KINDS = MappingProxyType({kind.name: kind for kind in map(_read_kind, _PLACE_KINDS.strip().splitlines())})
CITIES = MappingProxyType(dict(pair.split() for pair in _CITIES.split(", ")))
"""English name -> French name."""
COUNTRIES = tuple(
    Country(english, tuple(french.split()))
    for english, french in (row.split("; ") for row in _COUNTRIES.strip().splitlines())
)
