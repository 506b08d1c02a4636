"""The acquisition of a number: search, requirements, purchase, binding; with the next offer if one is sold."""

from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from inspect import isawaitable, iscoroutine
from typing import Any, ClassVar, cast

from attrs import evolve

from mihu_async.errors import (
    APIError,
    BindingError,
    ConflictError,
    MihuError,
    NoOfferError,
    NotFoundError,
    UsageError,
    ValidationError,
)
from mihu_async.ledger import Entry
from mihu_async.models.agents import Agent
from mihu_async.models.enums import NumberType
from mihu_async.models.inputs import Address, RequirementValue
from mihu_async.models.numbers import AvailableNumber, Binding, Bindings, PhoneNumber
from mihu_async.models.provisional import PurchaseRequirements
from mihu_async.resources.purchase import Purchase
from mihu_async.validation import e164, wrong, wrong_type
from mihu_async.value import Value

MOST_OFFERS = 10
"""The most offers that an acquisition tries to buy."""

Choose = Callable[[AvailableNumber], bool]
"""Returns True if an offer may be bought."""


def check_choose(argument: str, value: Any) -> Choose:
    """Check that a choice is a function.

    Args:
        argument: The name of the argument, for the error.
        value: The value to check.

    Raises:
        UsageError: If it is not callable.
    """
    if not callable(value):
        raise wrong(argument, "a function that takes an offer and returns True or False", value)
    return cast("Choose", value)


def check_answers(argument: str, value: Any) -> Mapping[str, str | RequirementValue]:
    """Check that a mapping has an answer, a text or a RequirementValue, under the key of each requirement.

    Args:
        argument: The name of the argument, for the error.
        value: The value to check.

    Raises:
        UsageError: If it is anything else.
    """
    if not isinstance(value, Mapping):
        raise wrong_type(argument, "a mapping", value)
    answers = cast("Mapping[Any, Any]", value)
    for key, answer in answers.items():
        if not isinstance(key, str) or not isinstance(answer, str | RequirementValue):
            message = (
                f"{argument} must map the keys of requirements to text or RequirementValue(…), which {key!r} does not. "
                "Nothing was sent."
            )
            raise UsageError(message, argument=argument)
    return answers


def answered(purchase: Purchase, answers: Mapping[str, str | RequirementValue]) -> Purchase:
    """Return a purchase with the answers that its requirements ask for; other answers are left out.

    Args:
        purchase: The purchase.
        answers: The answers by the keys or ids of requirements.

    Raises:
        UsageError: If a requirement is still unanswered.
    """
    for asked in purchase.requirements:
        given = next((answers[name] for name in (asked.key, asked.answer_id) if name and name in answers), None)
        if isinstance(given, RequirementValue):
            purchase = purchase.answer(asked.label, value=given.value, document_id=given.document_id)
        elif given is not None:
            purchase = purchase.answer(asked.label, **{asked.takes[0]: given})
    if missing := purchase.unanswered:
        names = ", ".join(repr(one.label) + (f" ({one.type})" if one.type else "") for one in missing)
        message = (
            f"{purchase.offer.country_code} requires answers that are missing: {names}. Nothing was bought. Put "
            "them into answers={…}, under these keys; an address= answers requirements of the type 'address'."
        )
        raise UsageError(message, argument="answers")
    return purchase


def was_taken(error: APIError) -> bool:
    """Return True if a refusal means that a number is no longer for sale; its status is not documented."""
    if isinstance(error, ValidationError):
        return error.field == "number" or "number" in error.fields
    return isinstance(error, ConflictError | NotFoundError) or error.status == HTTPStatus.GONE


class Acquisition(Value, frozen=True, kw_only=True):
    """The terms of an acquisition: the source of the offers, the wanted offers, and the way to buy one."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"answers", "address"})

    country_code: str
    type: NumberType
    answers: Mapping[str, str | RequirementValue]
    address: Address | None
    max_monthly_fee: Decimal | float | None
    choose: Choose
    search: Callable[[], AsyncIterable[AvailableNumber]]
    requirements: Callable[[], Awaitable[PurchaseRequirements]]
    buy: Callable[..., Awaitable[PhoneNumber]]

    async def run(self, find: Callable[[], Awaitable[Entry | None]], key: str | None) -> PhoneNumber:
        """Buy the number that an earlier call has begun to buy, or else the first offer that is still for sale.

        Another call with this key may have bought the only offer in the meantime, so the key is looked up again before
        the search counts as fruitless.

        Args:
            find: Returns the ledger's entry of an earlier call; None if there is none.
            key: The idempotency key; None if there is none.

        Raises:
            NoOfferError: If no offer fits, or all that fit were sold.
        """
        begun = await find()
        try:
            return await self._acquire(begun, key)
        except NoOfferError:
            meanwhile = await find()
            if meanwhile in {None, begun}:
                raise
            return await self._acquire(meanwhile, key)

    async def _acquire(self, begun: Entry | None, key: str | None) -> PhoneNumber:
        asked = PurchaseRequirements(items=())
        if begun is None or begun.state == "begun":
            asked = await self.requirements()
        last: APIError | None = None
        if begun is not None:
            try:
                return await self._commit(AvailableNumber(number=begun.number), asked, key)
            except APIError as error:
                if begun.state == "settled" or not was_taken(error):
                    raise
                last = error
        offers = refused = 0
        async for offer in self.search():
            offers += 1
            if not self._fits(offer):
                continue
            try:
                return await self._commit(offer, asked, key)
            except APIError as error:
                if error.may_have_changed or not was_taken(error):  # after a lost answer it may be ours all the same
                    raise
                last = error
                refused += 1
            if refused == MOST_OFFERS:
                break
        raise self._nothing(offers, refused) from last

    async def _commit(self, offer: AvailableNumber, asked: PurchaseRequirements, key: str | None) -> PhoneNumber:
        wanted = evolve(offer, country_code=self.country_code, type=self.type)
        purchase = Purchase(offer=wanted, requirements=asked, address=self.address, buy=self.buy)
        return await answered(purchase, self.answers).commit(idempotency_key=key)

    def _fits(self, offer: AvailableNumber) -> bool:
        """Return True if an offer can be bought, has the country and type, is within the bound, and is chosen."""
        try:
            e164("number", offer.number)
        except UsageError:
            return False
        if offer.country_code not in {None, self.country_code} or offer.type not in {None, self.type}:
            return False
        bound, fee = self.max_monthly_fee, offer.monthly_fee
        if bound is not None and (fee is None or fee > Decimal(str(bound))):
            return False
        chosen: Any = self.choose(offer)
        if isawaitable(chosen):  # which counts as True, whatever it would return
            if iscoroutine(chosen):
                chosen.close()
            message = "choose must return True or False, and is called without await. Nothing was bought."
            raise UsageError(message, argument="choose")
        return bool(chosen)

    def _nothing(self, offers: int, refused: int) -> NoOfferError:
        found = f"None of the {offers} offers fits"
        if not offers:
            found = "The search found nothing"
        elif refused:
            found = f"{refused} offers fitted and were no longer for sale"
        elif self.max_monthly_fee is not None:
            found += f" (max_monthly_fee={self.max_monthly_fee})"
        message = f"{found}, so no {self.type} number of {self.country_code} was bought. Search again later"
        if offers > refused:
            message += ", or with a higher max_monthly_fee= or another choose="
        message += "."
        return NoOfferError(message, offers=offers, refused=refused)


async def bind(
    number: PhoneNumber, agent_uuid: str, provision: Callable[[str, str], Awaitable[Agent]], *, keyed: bool
) -> PhoneNumber:
    """Bind an agent to the calls of a number that was bought, unless the agent answers them already.

    Args:
        number: The number that was bought.
        agent_uuid: The agent.
        provision: Binds an agent to the number of an id.
        keyed: True if the number was bought with an idempotency key.

    Returns:
        The number, with the agent that answers its calls now.

    Raises:
        BindingError: If the binding failed.
    """
    bindings = number.bindings or Bindings()
    if bindings.call and (bindings.call.agent_uuid or "").lower() == agent_uuid.lower():
        return number
    try:
        agent = await provision(agent_uuid, number.phone_number_uuid)
    except MihuError as error:
        message = (
            f"{number.number} was bought ({number.phone_number_uuid}), and its calls are not bound to the agent "
            f"{agent_uuid}: {error} {_cure(error, agent_uuid, number, keyed=keyed)}"
        )
        raise BindingError(message, number=number, agent_uuid=agent_uuid) from error
    bound = Binding(bound=True, agent_uuid=agent.agent_uuid, agent_name=agent.name or None)
    return evolve(number, bindings=evolve(bindings, call=bound))


def _cure(error: MihuError, agent_uuid: str, number: PhoneNumber, *, keyed: bool) -> str:
    """Return what to do about a binding that failed."""
    again = (
        "make the same call again with the same idempotency_key; without a key it would buy another number"
        if keyed
        else "do not make the same call again, which would buy another number"
    )
    if isinstance(error, NotFoundError | ConflictError):
        which = "agents.list() shows the agents" if isinstance(error, NotFoundError) else "the agent or number is taken"
        return f"Choose another agent ({which}): agents.provision_call(…, {number.phone_number_uuid!r}). Or {again}."
    return f"Bind it with agents.provision_call({agent_uuid!r}, {number.phone_number_uuid!r}), or {again}."
