"""The steps before a purchase: look up its price and requirements, and announce its cost."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeGuard

import attrs
from attrs import evolve, frozen
from cyclopts import Parameter

from mihu_async import (
    Address,
    AvailableNumber,
    MihuClient,
    MihuError,
    NumberStatus,
    NumberType,
    PhoneNumber,
    Purchase,
    PurchaseRequirements,
    RequirementValue,
)
from mihu_async.cli.columns import text
from mihu_async.cli.errors import Exit, StopError, one_line
from mihu_async.cli.files import read_object
from mihu_async.cli.parameters import FLAG
from mihu_async.cli.settings import opened
from mihu_async.ledger import Entry
from mihu_async.validation import present


class NotForSaleError(StopError):
    """A number that the search does not list."""


@Parameter(name="*")
@frozen(kw_only=True)
class Answers:
    """The answers of the command line to the requirements of a country and type."""

    answer: Annotated[tuple[str, ...], FLAG] = ()
    """The answer to a requirement, as KEY=TEXT; may be repeated."""
    document: Annotated[tuple[str, ...], FLAG] = ()
    """The id of a document that a requirement asks for, as KEY=ID; may be repeated."""
    address_file: Path | None = None
    """A file with the buyer's address as a JSON object, if one is required."""

    def address(self) -> Address | None:
        """Read the buyer's address."""
        if self.address_file is None:
            return None
        try:
            return Address(**read_object(self.address_file))
        except TypeError:
            names = ", ".join(attrs.fields_dict(Address))
            raise StopError(Exit.USAGE, f"{self.address_file} must contain only {names}.") from None

    def values(self) -> tuple[RequirementValue, ...]:
        """Return each answer with the key of its requirement."""
        texts = (RequirementValue(key=key, value=said) for key, said in map(_pair, self.answer))
        ids = (RequirementValue(key=key, document_id=said) for key, said in map(_pair, self.document))
        return *texts, *ids


NO_ANSWERS = Answers()


def _pair(given: str) -> tuple[str, str]:
    key, parted, said = given.partition("=")
    if not (key and parted):
        raise StopError(Exit.USAGE, f"An answer must be KEY=TEXT, and a document KEY=ID, not {given!r}.")
    return key, said


@frozen(kw_only=True)
class Wanted:
    """A number as the command line describes it."""

    number: str
    country_code: str
    type: NumberType
    monthly_fee: Decimal | None
    location: str | None
    answers: Answers

    def offer(self) -> AvailableNumber:
        """Return an offer from the description of the command line alone."""
        return AvailableNumber(number=self.number, country_code=self.country_code, type=self.type)

    def said(self, offer: AvailableNumber) -> AvailableNumber:
        """Fill in an offer from the command line; a price that the search found is kept."""
        said = present({"monthly_fee": self.monthly_fee, "location": self.location})
        return evolve(offer, **{name: value for name, value in said.items() if getattr(offer, name) is None})

    def checked(self, offer: AvailableNumber) -> AvailableNumber:
        """Fill in what the search does not show, and refuse an offer of another country or type."""
        for name in ("country_code", "type"):
            found, asked = getattr(offer, name), getattr(self, name)
            if found is not None and found != asked:
                message = (
                    f"According to the search, {self.number} has the {name} {found}, not {asked}. Nothing was sent."
                )
                raise StopError(Exit.USAGE, message, "--no-search buys it as described on the command line.")
        return evolve(offer, country_code=self.country_code, type=self.type)


async def prepare(mihu: MihuClient, wanted: Wanted, begun: Entry | None, *, search: bool) -> Purchase:
    """Return the purchase, with or without the results of a search and the requirements.

    If an earlier run began the purchase under its key, the workspace may own the number by now, so it need not be for
    sale.
    """
    address, values = wanted.answers.address(), wanted.answers.values()
    if search:
        offer = await (find(mihu, wanted) if begun is None else find_again(mihu, wanted, begun))
        purchase = await mihu.numbers.prepare(wanted.said(offer))
        for said in values:
            purchase = purchase.answer(said.key or "", value=said.value, document_id=said.document_id)
    else:
        asked = PurchaseRequirements(items=())
        offer = wanted.said(wanted.offer())
        purchase = Purchase(offer=offer, requirements=asked, answers=values, buy=mihu.numbers.buy)
    if address:
        purchase = purchase.with_address(address)
    if missing := ", ".join(purchase.missing):
        raise StopError(
            Exit.USAGE,
            f"Unanswered requirements: {missing}. Nothing was sent.",
            "Answer them with --answer KEY=TEXT or --document KEY=ID; numbers requirements describes them.",
        )
    return purchase


async def find(mihu: MihuClient, wanted: Wanted) -> AvailableNumber:
    """Find the number among those for sale."""
    async for offer in mihu.numbers.search(wanted.country_code, wanted.type):
        if offer.number == wanted.number:
            return wanted.checked(offer)
    raise NotForSaleError(
        Exit.REFUSED,
        f"{wanted.number} is not among the {wanted.type} numbers for sale in {wanted.country_code}. Nothing was sent.",
        "numbers search lists those; --no-search buys it as described on the command line.",
    )


async def held(mihu: MihuClient, number: str) -> PhoneNumber | None:
    """Return the number's row if the workspace already has it; None if it does not, or if that cannot be read."""
    try:
        row = await mihu.numbers.find(number)
    except MihuError:
        return None
    return row if row and row.is_external is False and row.status != NumberStatus.INACTIVE else None


async def entry_of(key: str | None, ledger: Path | None) -> Entry | None:
    """Return the entry of an earlier run under a key; a key and a ledger need each other."""
    if (key is None) != (ledger is None):
        given, needed = (
            ("--ledger FILE", "--idempotency-key") if key is None else ("--idempotency-key", "--ledger FILE")
        )
        raise StopError(Exit.USAGE, f"{given} needs {needed}. Nothing was sent.")
    async with opened(ledger) as known:
        return await known.find(key) if known and key else None


def is_settled(begun: Entry | None) -> TypeGuard[Entry]:
    """Return True if an earlier run has bought the number of the key, so that nothing is left to buy."""
    return begun is not None and begun.state == "settled"


async def find_again(mihu: MihuClient, wanted: Wanted, begun: Entry) -> AvailableNumber:
    """Find a number that an earlier run began to buy; if it is not for sale, use the command line's description."""
    if is_settled(begun):
        return wanted.offer()
    try:
        return await find(mihu, wanted)
    except NotForSaleError:
        return wanted.offer()


def price(offer: AvailableNumber) -> str:
    """Describe the cost of a number in its currency, as far as the search shows it."""
    if offer.monthly_fee is None:
        return "Its cost is unknown."
    currency = offer.extra.get("currency")
    if isinstance(currency, str):
        return f"It costs {offer.monthly_fee} {currency} a month."
    return f"It costs {offer.monthly_fee} a month; the search does not show the currency."


def announce(offer: AvailableNumber, workspace: str) -> None:
    """Write to standard error which number is bought, for which workspace, and at what cost."""
    known = (offer.number, offer.type, offer.country_code, offer.location)
    say(
        ", ".join(filter(None, map(text, known))),
        f"It is bought for the workspace {workspace}; no agent answers it until agents provision-call assigns one.",
        price(offer),
    )


def say(*lines: str) -> None:
    """Write lines to standard error, for the person who is asked."""
    for line in lines:
        print(one_line(line), file=sys.stderr)
