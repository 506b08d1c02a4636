"""What is for sale in the sandbox, and what regulators ask of who buys it: made up, the same for the same seed.

The pages say what a search result carries and how a requirement is known; which numbers there are, what they cost and
what is asked where is made up. Documents are ids that nobody looks into. Of the types of requirements `textual` is
documented; the others, and which part of an answer each takes, are inferred.
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
"""What an answer may hold."""
TAKES: Mapping[str, tuple[str, ...]] = {
    "textual": ("value",),
    "datetime": ("value",),
    "document": ("document_id",),
    "address": PARTS,
}
"""What of it a requirement takes, by its type."""


@attrs.frozen(kw_only=True)
class Asked:
    """A requirement as it is asked: known by its key or its id, and shown on a number as long as it is not met."""

    key: str
    requirement_id: str
    shown: Requirement

    @property
    def takes(self) -> tuple[str, ...]:
        """The parts of an answer that it takes."""
        return TAKES[self.shown.type]

    def is_named_by(self, answer: Mapping[str, str]) -> bool:
        """Tell whether an answer is to this one."""
        return answer.get("key") == self.key or answer.get("requirement_id") == self.requirement_id

    def wrong_part(self, answer: Mapping[str, str]) -> str | None:
        """Name what an answer holds in place of what this one takes."""
        if any(part in answer for part in self.takes):
            return None
        return next((part for part in PARTS if part in answer), None)

    def is_met_by(self, answers: Iterable[Mapping[str, str]], address: Mapping[str, str] | None = None) -> bool:
        """Tell whether one of some answers names it and says something, or the address of the purchase does."""
        if self.shown.type == "address" and address:
            return True
        return any(self.is_named_by(answer) and any(answer.get(part) for part in self.takes) for answer in answers)


def _asked(key: str, name: str, kind: str, description: str) -> Asked:
    shown = Requirement(name=name, type=kind, description=description)
    return Asked(key=key, requirement_id=str(uuid5(NAMESPACE_URL, f"sandbox:{key}")), shown=shown)


ADDRESS = _asked("proof_of_address", "Proof of address", "document", "A bill of the last three months.")
IDENTITY = _asked("identity_document", "Identity document", "document", "A passport or an identity card.")
BUSINESS = _asked("business_name", "Business name", "textual", "As it is registered.")
BIRTH = _asked("date_of_birth", "Date of birth", "datetime", "Of the person who buys.")
SEAT = _asked("registered_address", "Registered address", "address", "In the country of the number.")
REQUIREMENTS: Mapping[tuple[str, str], tuple[Asked, ...]] = {
    ("GB", "local"): (ADDRESS,),
    ("GB", "mobile"): (ADDRESS, BUSINESS),
    ("GB", "national"): (BUSINESS,),
    ("FR", "local"): (ADDRESS, IDENTITY),
    ("FR", "mobile"): (ADDRESS, IDENTITY, BIRTH),
    ("DE", "local"): (ADDRESS, BUSINESS, SEAT),
}
"""What is asked by country and type, nothing where a pair is not here."""


def make_stock(seed: int) -> Iterator[Offer]:
    """Make up what is for sale: the example of the page, then numbers of the fictional ranges."""
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
    """Tell what a purchase in a country must answer, by the type of the number."""
    return REQUIREMENTS.get((country_code, kind), ())


def unmet(
    country_code: str, kind: str, answers: Iterable[Mapping[str, str]], *, address: Mapping[str, str] | None = None
) -> tuple[Requirement, ...]:
    """Tell what of it some answers and an address leave open, as a number shows it."""
    given = list(answers)
    return tuple(asked.shown for asked in asked_for(country_code, kind) if not asked.is_met_by(given, address))
