"""Telephone numbers that belong to nobody.

Regulators reserve these ranges for films and books: Ofcom, ARCEP and the Bundesnetzagentur entire blocks, the North
American plan 555-0100 to 555-0199 in each area code. A number that leaks from a test reaches nobody.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

AREAS = {
    "US": {
        "205": "Birmingham, Alabama",
        "208": "Boise, Idaho",
        "212": "New York, New York",
        "213": "Los Angeles, California",
        "303": "Denver, Colorado",
        "305": "Miami, Florida",
        "312": "Chicago, Illinois",
        "404": "Atlanta, Georgia",
        "415": "San Francisco, California",
        "503": "Portland, Oregon",
        "512": "Austin, Texas",
        "617": "Boston, Massachusetts",
        "702": "Las Vegas, Nevada",
        "713": "Houston, Texas",
        "808": "Honolulu, Hawaii",
    },
    "CA": {
        "204": "Winnipeg, Manitoba",
        "403": "Calgary, Alberta",
        "416": "Toronto, Ontario",
        "514": "Montreal, Quebec",
        "604": "Vancouver, British Columbia",
        "902": "Halifax, Nova Scotia",
    },
}


class FictionalNumber(NamedTuple):
    """A number, and its fields in a listing."""

    number: str
    country_code: str
    type: str
    location: str


class NumberRange(NamedTuple):
    """A block of numbers: its prefix, and the number of digits after it."""

    country_code: str
    type: str
    location: str
    prefix: str
    digits: int

    def walk(self, random: Random) -> Iterator[FictionalNumber]:
        """Yield every number of the block once, from a random start and not in order."""
        size = 10**self.digits
        start = random.randrange(size)
        for index in range(size):
            tail = (start + index * _STRIDE) % size
            yield FictionalNumber(f"{self.prefix}{tail:0{self.digits}d}", self.country_code, self.type, self.location)


_STRIDE = 37  # coprime to powers of ten, so that it visits every number of a block

_RANGES = (
    *(
        NumberRange(country_code, "local", location, f"+1{area}55501", 2)
        for country_code, areas in AREAS.items()
        for area, location in areas.items()
    ),
    NumberRange("GB", "local", "London, England", "+442079460", 3),
    NumberRange("GB", "local", "United Kingdom", "+441632960", 3),
    NumberRange("GB", "mobile", "United Kingdom", "+447700900", 3),
    NumberRange("GB", "national", "United Kingdom", "+443069990", 3),
    NumberRange("GB", "toll_free", "United Kingdom", "+448081570", 3),
    NumberRange("FR", "local", "Paris, Île-de-France", "+3319900", 4),
    NumberRange("FR", "local", "Rennes, Bretagne", "+3326191", 4),
    NumberRange("FR", "local", "Strasbourg, Grand Est", "+3335301", 4),
    NumberRange("FR", "local", "Marseille, Provence", "+3346571", 4),
    NumberRange("FR", "local", "Bordeaux, Nouvelle-Aquitaine", "+3353649", 4),
    NumberRange("FR", "mobile", "France", "+3363998", 4),
    NumberRange("DE", "local", "Berlin", "+493023125", 3),
    NumberRange("DE", "local", "Frankfurt am Main, Hessen", "+496990009", 3),
    NumberRange("DE", "local", "Hamburg", "+494066969", 3),
    NumberRange("DE", "local", "Köln, Nordrhein-Westfalen", "+492214710", 3),
)

CAPACITY = sum(10**block.digits for block in _RANGES)
"""The total of fictional numbers."""


def fictional_numbers(random: Random) -> Iterator[FictionalNumber]:
    """Yield every fictional number once; until some run out, each pair of country and type is equally frequent."""
    kinds: list[list[Iterator[FictionalNumber]]] = _kinds(random)
    while kinds:
        walks = random.choice(kinds)
        walk = random.choice(walks)
        if found := next(walk, None):
            yield found
        else:
            walks.remove(walk)
            kinds = [kind for kind in kinds if kind]


def _kinds(random: Random) -> list[list[Iterator[FictionalNumber]]]:
    """Start a walk through each block, and group the walks by country and type."""
    kinds: dict[tuple[str, str], list[Iterator[FictionalNumber]]] = {}
    for block in _RANGES:
        kinds.setdefault((block.country_code, block.type), []).append(block.walk(random))
    return list(kinds.values())
