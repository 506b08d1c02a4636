"""A purchase that is made ready step by step: an offer, what is asked of its buyer, and the answers to that.

It is a value: each step gives another one, and only :meth:`Purchase.commit` sends something.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from attrs import asdict, evolve, field, frozen

from mihu_async.errors import UsageError
from mihu_async.models.inputs import Address, RequirementValue
from mihu_async.models.numbers import AvailableNumber, Capabilities, PhoneNumber
from mihu_async.models.provisional import ADDRESS, PurchaseRequirement, PurchaseRequirements
from mihu_async.resources.arguments import instance_of, present, text

Buy = Callable[..., Awaitable[PhoneNumber]]
"""Buys a number, as ``numbers.buy`` does."""


@frozen(kw_only=True)
class Purchase:
    """A number for sale on its way to be bought: what ``numbers.prepare`` gives. **Provisional**, as that is.

    It never changes: :meth:`answer` and :meth:`with_address` give a purchase that holds more, which is to be kept.
    """

    offer: AvailableNumber
    """The number for sale."""
    requirements: PurchaseRequirements
    """What its country and type ask for; what came beside them is on ``requirements.extra``."""
    answers: tuple[RequirementValue, ...] = ()
    """What was answered so far."""
    address: Address | None = field(default=None, repr=False)
    """The buyer's address, or None. It answers each requirement of the type ``address``, which is inferred.

    Where none of that type is asked, it cannot be told whether one is needed, so it never counts as missing.
    """
    _buy: Buy = field(alias="buy", repr=False, eq=False)

    @property
    def monthly_fee(self) -> Decimal | None:
        """What the search says that the number costs a month; None where it does not say."""
        return self.offer.monthly_fee

    @property
    def unanswered(self) -> tuple[PurchaseRequirement, ...]:
        """The requirements that are not answered yet, in the service's order; the type of each says what it takes."""
        return tuple(asked for asked in self.requirements if not self._is_answered(asked))

    @property
    def missing(self) -> tuple[str, ...]:
        """The labels of :attr:`unanswered`: the keys of the requirements, or the ids of those that have no key."""
        return tuple(asked.label for asked in self.unanswered)

    def answer(self, key: str, *, value: str | None = None, document_id: str | None = None) -> "Purchase":
        """Give this purchase with a requirement answered; an earlier answer to it is replaced.

        What a requirement takes goes by its type, which is inferred: ``textual`` and ``datetime`` a text, ``document``
        a document's id, and every other one either, ``address`` too, which :meth:`with_address` answers as well. A
        requirement that came with an ``id`` and no ``requirement_id`` is answered under that id, which is inferred too.

        key: the requirement's key, as :attr:`missing` names it, or its id.
        value: the answer as text.
        document_id: or the id of a document that was uploaded.

        Raises UsageError where nothing of that name is asked, where there is not one answer, a text or a document's id
        that is not blank, and where the requirement takes the other one.
        """
        asked = next((one for one in self.requirements if key and key in {one.key, one.answer_id}), None)
        if asked is None:
            known = (one.key or one.answer_id for one in self.requirements)
            asks = ", ".join(repr(label) for label in known if label) or "nothing"
            message = f"key must name what is asked for, which is {asks}, not {key!r}. Nothing was sent."
            raise UsageError(message, argument="key")
        given = present({"value": value, "document_id": document_id})
        if len(given) != 1 or not all(text(name, one).strip() for name, one in given.items()):
            message = f"{asked.label!r} takes one answer that is not blank: value or document_id. Nothing was sent."
            raise UsageError(message, argument="value")
        if not given.keys() <= set(asked.takes):
            (wrong,), (right,) = given, asked.takes
            message = f"{asked.label!r} is of the type {asked.type!r}: it takes {right}, not {wrong}. Nothing was sent."
            raise UsageError(message, argument=wrong)
        answered = RequirementValue(key=asked.key, requirement_id=asked.answer_id, **given)
        others = tuple(one for one in self.answers if not _answers(one, asked))
        return evolve(self, answers=(*others, answered))

    def with_address(self, address: Address) -> "Purchase":
        """Give this purchase with the buyer's address, where the country and type need one.

        It answers every requirement of the type ``address``, which is inferred: it is sent as ``address``, as the
        purchase page names it, and no entry of ``requirements`` goes along for them.
        """
        return evolve(self, address=instance_of(Address)("address", address))

    def _is_answered(self, asked: PurchaseRequirement) -> bool:
        if (asked.type or "").lower() == ADDRESS and self.address not in {None, Address()}:
            return True
        return any(_answers(one, asked) for one in self.answers)

    async def commit(
        self, *, max_monthly_fee: Decimal | float | None = None, idempotency_key: str | None = None
    ) -> PhoneNumber:
        """Buy the number, with all that was answered: ``numbers.buy``. This spends money, and is never made twice.

        What the offer says of fee, capabilities and location goes along, as the purchase page asks for. The first
        active number of a workspace is free, whatever its fee. A number that was bought can be pending:
        ``numbers.wait`` tells when it is active.

        max_monthly_fee: the most that it may cost a month, in the currency of the offer; None sets no bound.
        idempotency_key: the name of this purchase, as ``numbers.buy`` takes it. It names this number: a job that may
            find another offer when it is run again needs ``numbers.acquire``.

        Raises UsageError before anything is sent, while something is :attr:`missing`, or where the fee is above the
        bound or not known; and what ``numbers.buy`` raises.
        """
        if missing := self.unanswered:
            names = ", ".join(repr(one.label) + (f" ({one.type})" if one.type else "") for one in missing)
            message = (
                f"Not answered yet: {names}. purchase.answer(key, …) gives a purchase that holds the answer: keep that "
                "one."
            )
            if not all(asked.key or asked.answer_id for asked in missing):
                message += (
                    " What came without a key and an id cannot be answered by one: ask Mihu for it, and give it to "
                    "numbers.buy(requirements=…)."
                )
            raise UsageError(f"{message} Nothing was sent.", argument="requirements")
        offer = self.offer
        return await self._buy(
            number=offer.number,
            country_code=offer.country_code,
            type=offer.type,
            monthly_fee=offer.monthly_fee,
            capabilities=_capabilities(offer),
            location=offer.location,
            address=self.address,
            requirements=self.answers or None,
            max_monthly_fee=max_monthly_fee,
            idempotency_key=idempotency_key,
        )


def check_offer(offer: Any) -> AvailableNumber:
    """Check that there is an offer, and that it says of what country and type it is."""
    if offer is None:
        raise UsageError("There is no offer: the search found nothing. Nothing was sent.", argument="offer")
    found = instance_of(AvailableNumber)("offer", offer)
    for name in ("country_code", "type"):
        if getattr(found, name) is None:
            message = (
                f"offer.{name} is None: the search did not say. Put it in with attrs.evolve(offer, {name}=…). "
                "Nothing was sent."
            )
            raise UsageError(message, argument="offer")
    return found


def _answers(given: RequirementValue, asked: PurchaseRequirement) -> bool:
    return (given.key, given.requirement_id) == (asked.key, asked.answer_id)


def _capabilities(offer: AvailableNumber) -> Capabilities | dict[str, bool] | None:
    """Give the flags as the search gave them, also those that the model does not know."""
    known = offer.capabilities
    unknown: Any = offer.extra.get("capabilities")
    if known is None or not unknown:
        return known
    flags = asdict(known) | unknown
    return {name: flag for name, flag in flags.items() if isinstance(flag, bool)}
