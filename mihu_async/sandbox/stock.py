"""The numbers for sale, and the regulators' requirements: made up, and determined by the seed.

The pages state what a search result carries and how a requirement is identified; the numbers, their cost and the
requirements themselves are made up. A document is an id that is not checked. Of the types of requirements, `textual` is
documented; the others, and the part of an answer that each takes, are inferred.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from uuid import NAMESPACE_URL, uuid5

import attrs

from mihu_async.sandbox.ranges import fictional_numbers
from mihu_async.sandbox.rows import Offer, Requirement
from mihu_async.sandbox.seeding import FEES, random_stream, some_capabilities

STOCK = 300
EXAMPLE = Offer(
    number="+390790080041",
    country_code="IT",
    type="local",
    location="Sassari, Sardegna",
    monthly_fee=FEES[0],
    capabilities={"voice": True, "sms": False},
)
"""The number of the purchase page's example: Italy has no range for films and books."""


PARTS = ("value", "document_id")
"""The parts that an answer may have."""
TAKES: Mapping[str, tuple[str, ...]] = {
    "textual": ("value",),
    "datetime": ("value",),
    "document": ("document_id",),
    "address": PARTS,
}
"""The parts of an answer that a requirement takes, by its type."""


@attrs.frozen(kw_only=True)
class Asked:
    """A requirement, identified by its key or its id, which a number shows until it is met."""

    key: str
    requirement_id: str
    shown: Requirement

    @property
    def takes(self) -> tuple[str, ...]:
        """The parts of an answer that it takes."""
        return TAKES[self.shown.type]

    def is_named_by(self, answer: Mapping[str, str]) -> bool:
        """Return True if an answer refers to this requirement."""
        return answer.get("key") == self.key or answer.get("requirement_id") == self.requirement_id

    def wrong_part(self, answer: Mapping[str, str]) -> str | None:
        """Return the part of an answer that this requirement does not take, or None."""
        if any(part in answer for part in self.takes):
            return None
        return next((part for part in PARTS if part in answer), None)

    def is_met_by(self, answers: Iterable[Mapping[str, str]], address: Mapping[str, str] | None = None) -> bool:
        """Return True if an answer refers to it and is not empty, or the address of the purchase meets it."""
        if self.shown.type == "address" and address:
            return True
        return any(self.is_named_by(answer) and any(answer.get(part) for part in self.takes) for answer in answers)


def _asked(key: str, name: str, kind: str, description: str) -> Asked:
    shown = Requirement(name=name, type=kind, description=description)
    return Asked(key=key, requirement_id=str(uuid5(NAMESPACE_URL, f"sandbox:{key}")), shown=shown)


ADDRESS = _asked("proof_of_address", "Proof of address", "document", "A bill of the last three months.")
IDENTITY = _asked("identity_document", "Identity document", "document", "A passport or an identity card.")
BUSINESS = _asked("business_name", "Business name", "textual", "As registered.")
BIRTH = _asked("date_of_birth", "Date of birth", "datetime", "That of the buyer.")
SEAT = _asked("registered_address", "Registered address", "address", "In the country of the number.")
REQUIREMENTS: Mapping[tuple[str, str], tuple[Asked, ...]] = {
    ("GB", "local"): (ADDRESS,),
    ("GB", "mobile"): (ADDRESS, BUSINESS),
    ("GB", "national"): (BUSINESS,),
    ("FR", "local"): (ADDRESS, IDENTITY),
    ("FR", "mobile"): (ADDRESS, IDENTITY, BIRTH),
    ("DE", "local"): (ADDRESS, BUSINESS, SEAT),
}
"""The requirements by country and type; a pair that is missing has none."""


def make_stock(seed: int) -> Iterator[Offer]:
    """Make up the numbers for sale: the example of the page, then numbers of the fictional ranges."""
    random = random_stream(seed, "stock")
    yield EXAMPLE
    for found in islice(fictional_numbers(random), STOCK):
        yield Offer(
            number=found.number,
            country_code=found.country_code,
            type=found.type,
            location=found.location,
            monthly_fee=random.choice(FEES),
            capabilities=some_capabilities(random, found),
        )


def asked_for(country_code: str, kind: str) -> tuple[Asked, ...]:
    """Return the requirements of a purchase, by country and type."""
    return REQUIREMENTS.get((country_code, kind), ())


def unmet(
    country_code: str, kind: str, answers: Iterable[Mapping[str, str]], *, address: Mapping[str, str] | None = None
) -> tuple[Requirement, ...]:
    """Return the requirements that some answers and an address leave open, as a number shows them."""
    given = list(answers)
    return tuple(asked.shown for asked in asked_for(country_code, kind) if not asked.is_met_by(given, address))
