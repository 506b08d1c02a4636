"""A purchase that is prepared step by step: an offer, the requirements of its buyer, and the answers to them.

It is a value: each step returns a new one, and only :meth:`Purchase.commit` sends anything.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from attrs import asdict, evolve, field, frozen

from mihu_async.errors import UsageError
from mihu_async.models.inputs import Address, RequirementValue
from mihu_async.models.numbers import AvailableNumber, Capabilities, PhoneNumber
from mihu_async.models.provisional import ADDRESS, PurchaseRequirement, PurchaseRequirements
from mihu_async.validation import instance_of, present, text

Buy = Callable[..., Awaitable[PhoneNumber]]
"""Buys a number, as ``numbers.buy`` does."""


@frozen(kw_only=True)
class Purchase:
    """A number for sale on its way to be bought: the result of ``numbers.prepare``. **Provisional**, like that method.

    A purchase never changes: :meth:`answer` and :meth:`with_address` return a new one, which you must keep.
    """

    offer: AvailableNumber
    """The number for sale."""
    requirements: PurchaseRequirements
    """The requirements of its country and type; the other fields of the answer are on ``requirements.extra``."""
    answers: tuple[RequirementValue, ...] = ()
    """The answers so far."""
    address: Address | None = field(default=None, repr=False)
    """The buyer's address, or None. It answers each requirement of the type ``address``, which is inferred.

    If there is no requirement of that type, the SDK cannot know if an address is needed, so it never counts as missing.
    """
    _buy: Buy = field(alias="buy", repr=False, eq=False)

    @property
    def monthly_fee(self) -> Decimal | None:
        """The cost per month according to the search; None if the search does not state it."""
        return self.offer.monthly_fee

    @property
    def unanswered(self) -> tuple[PurchaseRequirement, ...]:
        """The requirements that are not answered yet, in the service's order; each has the type of its answer."""
        return tuple(asked for asked in self.requirements if not self._is_answered(asked))

    @property
    def missing(self) -> tuple[str, ...]:
        """The labels of :attr:`unanswered`: the keys of the requirements, or the ids of those that have no key."""
        return tuple(asked.label for asked in self.unanswered)

    def answer(self, key: str, *, value: str | None = None, document_id: str | None = None) -> "Purchase":
        """Return this purchase with a requirement answered; an earlier answer to it is replaced.

        The type of a requirement decides which answer it takes, which is inferred: ``textual`` and ``datetime`` take a
        text, ``document`` takes a document's id, and every other type takes either, including ``address``, which
        :meth:`with_address` answers as well. A requirement that came with an ``id`` and no ``requirement_id`` is
        answered under that id, which is inferred too.

        Args:
            key: The requirement's key, as :attr:`missing` names it, or its id.
            value: The answer as text.
            document_id: The id of an uploaded document, instead of a text.

        Raises:
            UsageError: If there is no requirement of that name, if there is not exactly one answer that is not blank,
                or if the requirement takes the other kind of answer.
        """
        asked = next((one for one in self.requirements if key and key in {one.key, one.answer_id}), None)
        if asked is None:
            known = (one.key or one.answer_id for one in self.requirements)
            asks = ", ".join(repr(label) for label in known if label) or "none"
            message = f"key must name one of the requirements ({asks}), not {key!r}. Nothing was sent."
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
        """Return this purchase with the buyer's address, which some countries and types need.

        It answers every requirement of the type ``address``, which is inferred. It is sent as ``address``, as the
        purchase page names it, without entries in ``requirements``.

        Args:
            address: The buyer's address.

        Raises:
            UsageError: If it is not an ``Address``.
        """
        return evolve(self, address=instance_of(Address)("address", address))

    def _is_answered(self, asked: PurchaseRequirement) -> bool:
        if (asked.type or "").lower() == ADDRESS and self.address not in {None, Address()}:
            return True
        return any(_answers(one, asked) for one in self.answers)

    async def commit(
        self, *, max_monthly_fee: Decimal | float | None = None, idempotency_key: str | None = None
    ) -> PhoneNumber:
        """Buy the number, with all answers: ``numbers.buy``. This spends money, and the purchase is never made twice.

        The fee, capabilities and location of the offer are sent along, as the purchase page asks for. The first active
        number of a workspace is free, whatever its fee. A number that was bought can be pending: ``numbers.wait`` waits
        until it is active.

        Args:
            max_monthly_fee: The most that the number may cost per month, in the currency of the offer; None sets no
                bound.
            idempotency_key: The name of this purchase, as ``numbers.buy`` takes it. It names this number: a job that
                may find another offer when it is run again needs ``numbers.acquire``.

        Returns:
            The number that was bought.

        Raises:
            UsageError: Before anything is sent, while an answer is :attr:`missing`, or if the fee is above the bound or
                not known.
            APIError: If the service refuses; ``numbers.buy`` lists the other errors.
        """
        if missing := self.unanswered:
            names = ", ".join(repr(one.label) + (f" ({one.type})" if one.type else "") for one in missing)
            message = (
                f"Not answered yet: {names}. purchase.answer(key, …) returns a new purchase with the answer: use "
                "that one."
            )
            if not all(asked.key or asked.answer_id for asked in missing):
                message += (
                    " A requirement that came without a key and an id cannot be answered here: ask Mihu for its key, "
                    "and pass it to numbers.buy(requirements=…)."
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
    """Check that there is an offer, and that its country and type are known.

    Args:
        offer: The value to check.

    Raises:
        UsageError: If they are not.
    """
    if offer is None:
        raise UsageError("There is no offer: the search found nothing. Nothing was sent.", argument="offer")
    found = instance_of(AvailableNumber)("offer", offer)
    for name in ("country_code", "type"):
        if getattr(found, name) is None:
            message = (
                f"offer.{name} is None: the search did not name it. Set it with attrs.evolve(offer, {name}=…). "
                "Nothing was sent."
            )
            raise UsageError(message, argument="offer")
    return found


def _answers(given: RequirementValue, asked: PurchaseRequirement) -> bool:
    return (given.key, given.requirement_id) == (asked.key, asked.answer_id)


def _capabilities(offer: AvailableNumber) -> Capabilities | dict[str, bool] | None:
    """Return the flags as the search returned them, including flags that the model does not know."""
    known = offer.capabilities
    unknown: Any = offer.extra.get("capabilities")
    if known is None or not unknown:
        return known
    flags = asdict(known) | unknown
    return {name: flag for name, flag in flags.items() if isinstance(flag, bool)}
