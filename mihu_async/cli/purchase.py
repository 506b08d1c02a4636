"""What comes before a purchase: its price and requirements are looked up, and it is shown what it will cost."""

import sys
from decimal import Decimal
from pathlib import Path

import attrs
from attrs import evolve, frozen

from mihu_async import (
    Address,
    AvailableNumber,
    MihuClient,
    NumberType,
    Purchase,
    PurchaseRequirements,
    RequirementValue,
)
from mihu_async.cli.columns import text
from mihu_async.cli.errors import Exit, StopError, one_line
from mihu_async.cli.files import read_object
from mihu_async.resources.arguments import present


@frozen(kw_only=True)
class Wanted:
    """A number as the command line asks for it."""

    number: str
    country_code: str
    type: NumberType
    monthly_fee: Decimal | None
    location: str | None
    address_file: Path | None
    answers: tuple[str, ...]
    documents: tuple[str, ...]

    def offer(self) -> AvailableNumber:
        """Take the command line's word for it."""
        return AvailableNumber(number=self.number, country_code=self.country_code, type=self.type)

    def said(self, offer: AvailableNumber) -> AvailableNumber:
        """Put in what the command line says of it, where the offer does not: a price that was found stays."""
        said = present({"monthly_fee": self.monthly_fee, "location": self.location})
        return evolve(offer, **{name: value for name, value in said.items() if getattr(offer, name) is None})

    def checked(self, offer: AvailableNumber) -> AvailableNumber:
        """Put in what it is where the search does not say, and refuse an offer that the search says is another."""
        for name in ("country_code", "type"):
            found, asked = getattr(offer, name), getattr(self, name)
            if found is not None and found != asked:
                told = f"The search says that {self.number} has the {name} {found}, not {asked}. Nothing was sent."
                raise StopError(Exit.USAGE, told, "--no-search buys it as it is described on the command line.")
        return evolve(offer, country_code=self.country_code, type=self.type)

    def address(self) -> Address | None:
        """Read the buyer's address."""
        if self.address_file is None:
            return None
        try:
            return Address(**read_object(self.address_file))
        except TypeError:
            names = ", ".join(attrs.fields_dict(Address))
            raise StopError(Exit.USAGE, f"{self.address_file} must hold nothing but {names}.") from None

    def values(self) -> tuple[tuple[str, dict[str, str]], ...]:
        """Give each answer: the key of what it answers, and what it says."""
        texts = ((key, {"value": said}) for key, said in map(_pair, self.answers))
        ids = ((key, {"document_id": said}) for key, said in map(_pair, self.documents))
        return *texts, *ids


def _pair(given: str) -> tuple[str, str]:
    key, parted, said = given.partition("=")
    if not (key and parted):
        raise StopError(Exit.USAGE, f"An answer is KEY=TEXT, and a document KEY=ID, not {given!r}.")
    return key, said


async def prepare(mihu: MihuClient, wanted: Wanted, *, search: bool) -> Purchase:
    """Make the purchase ready: with what a search and the requirements say, or without."""
    address, values = wanted.address(), wanted.values()
    if search:
        purchase = await mihu.numbers.prepare(wanted.said(await find(mihu, wanted)))
        for key, said in values:
            purchase = purchase.answer(key, **said)
        if missing := ", ".join(purchase.missing):
            raise StopError(
                Exit.USAGE,
                f"Not answered yet: {missing}. Nothing was sent.",
                "--answer KEY=TEXT and --document KEY=ID answer; numbers requirements shows what is asked.",
            )
    else:
        answers = tuple(RequirementValue(key=key, **said) for key, said in values)
        asked = PurchaseRequirements(items=())
        purchase = Purchase(
            offer=wanted.said(wanted.offer()), requirements=asked, answers=answers, buy=mihu.numbers.buy
        )
    return purchase.with_address(address) if address else purchase


async def find(mihu: MihuClient, wanted: Wanted) -> AvailableNumber:
    """Find the number among those for sale."""
    async for offer in mihu.numbers.search(wanted.country_code, wanted.type):
        if offer.number == wanted.number:
            return wanted.checked(offer)
    raise StopError(
        Exit.REFUSED,
        f"{wanted.number} is not among the {wanted.type} numbers for sale in {wanted.country_code}. Nothing was sent.",
        "numbers search shows those that are; --no-search buys it as it is described on the command line.",
    )


def announce(offer: AvailableNumber) -> None:
    """Say on standard error what is bought, and what it costs."""
    known = (offer.number, offer.type, offer.country_code, offer.location)
    currency = offer.extra.get("currency")
    fee = "It is not known what it costs."
    if offer.monthly_fee is not None:
        fee = f"It costs {offer.monthly_fee}{f' {currency}' if isinstance(currency, str) else ''} a month."
    for line in (", ".join(filter(None, map(text, known))), fee):
        print(one_line(line), file=sys.stderr)
