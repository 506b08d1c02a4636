"""The purchase of a number: the request, its idempotency key, and the lookup after a lost answer."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Literal
from uuid import UUID

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import Request, describe, json_object
from mihu_async.errors import UsageError
from mihu_async.ledger import Entry, Ledger
from mihu_async.ledger.entry import check_key
from mihu_async.models.enums import NumberType
from mihu_async.models.inputs import Address, RequirementValue
from mihu_async.models.numbers import AvailableNumber, Capabilities, PhoneNumber
from mihu_async.resources.acquire import Acquisition, bind, check_answers, check_choose
from mihu_async.resources.agents import Agents
from mihu_async.resources.keyed import (
    FOR_DISPLAY,
    PATH,
    KeyedPurchase,
    acquisition_fingerprint,
    purchase_fingerprint,
)
from mihu_async.resources.lease import within
from mihu_async.resources.lookups import contradiction_of, purchase_of
from mihu_async.resources.offers import TYPE, Offers
from mihu_async.resources.provisional import warn_provisional
from mihu_async.resources.purchase import Purchase, check_offer
from mihu_async.resources.recovery import Recovered, recover
from mihu_async.resources.rows import Listed
from mihu_async.validation import (
    all_of,
    country,
    e164,
    flag,
    identifier,
    instance_of,
    money,
    optional,
    present,
    text,
)


class Buying(Offers):
    """The part of ``mihu.numbers`` that spends money."""

    def __init__(self, pipeline: Pipeline, concurrency: int, listed: Listed, ledger: Ledger | None) -> None:
        super().__init__(pipeline, concurrency)
        self._listed = listed
        self._ledger = ledger

    async def prepare(self, offer: AvailableNumber | None) -> Purchase:
        """Prepare a purchase: request the requirements of the offer's country and type. Safe to repeat.

        **Provisional**, because it calls ``numbers.requirements``. Nothing is bought: ``await purchase.commit()`` does
        that.

        Args:
            offer: A number as a search returned it. None, which ``first()`` returns if the search found nothing, is
                refused.

        Raises:
            UsageError: Before anything is sent, if there is no offer, or its country or type is not known.
            APIError: If the service refuses; ``numbers.requirements`` lists the other errors.
        """
        warn_provisional()
        found = check_offer(offer)
        asked = await self.requirements(found.country_code or "", found.type or "")
        return Purchase(offer=found, requirements=asked, buy=self.buy)

    async def buy(
        self,
        *,
        number: str,
        country_code: str,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str,  # noqa: A002 - the API's own name
        monthly_fee: Decimal | float | None = None,
        capabilities: Capabilities | Mapping[str, bool] | None = None,
        location: str | None = None,
        address: Address | None = None,
        requirements: Iterable[RequirementValue] | None = None,
        max_monthly_fee: Decimal | float | None = None,
        idempotency_key: str | None = None,
    ) -> PhoneNumber:
        """Buy a number: ``POST /phone-numbers``. This spends money, and the purchase is never made twice.

        The first active number of a workspace is free, whatever its fee. A number that was bought can be pending:
        ``numbers.wait`` waits until it is active.

        The purchase is sent again if it cannot have been applied: when no connection was made, or on 429. If the answer
        was lost, the SDK first looks the number up in the inventory, and all of its rows count:

        - A row that was bought during this call, on the service's clock, belongs to this call and is returned.
        - If all rows are clearly older, ConflictError is raised.
        - If there is no row, the purchase is sent again, because the service refuses a number that it already holds. If
          the service refuses that request, with whatever status, the SDK looks for the number five times, within 7.5
          seconds unless the RetryPolicy says otherwise.

        ``mihu.last_call.found`` is True if the result comes from a lookup. A redirect, and a success about another
        number, count as lost answers too. Calls of this client for one number wait for each other.

        Args:
            number: The number in E.164 form, exactly as the search returned it.
            country_code: ISO 3166-1 alpha-2.
            type: A member of the enum, or its string.
            monthly_fee: Carried over from the search result, and stored by the service for display only; not sent if
                None.
            capabilities: Carried over from the search result; if None, the service does not know the number's channels
                until it is purchased.
            location: Carried over from the search result, such as ``"Sassari, Sardegna"``; if None, the service takes
                the country code.
            address: The address, if the country and type need one; each of its fields is optional, and its country
                defaults to ``country_code`` on the service.
            requirements: An answer to each requirement of the country and type.
            max_monthly_fee: The most that the number may cost per month, in the currency of ``monthly_fee``, which is
                required then. None sets no bound. It is not sent: the service's own figure decides the charge.
            idempotency_key: The name of this purchase, such as ``"order-4711"``, for a client with a ledger. Before the
                purchase is sent, the key, the number and a digest of the request are written to the ledger. The same
                call with the same key, in this process or another one, then returns the number that the first call
                bought. If that purchase is settled, the number is read as it is now and nothing is bought; if its
                process died, the number is looked up first, as after a lost answer; and if it is under way, this call
                waits for it, within ``Timeout.total``. A refusal that certainly changed nothing frees the key. None
                remembers nothing.

        Returns:
            The number that was bought.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid; with a key, also if the client has no ledger
                or another request has used the key.
            PurchaseLimitError: If the workspace already holds as many numbers as it may.
            ConflictError: If a lookup after a lost answer shows that the number was bought before.
            APIError: If the service refuses. The status for a number that is already held is not documented.
            OutcomeUnknownError: If the answer was lost and the lookups were inconclusive; ``await error.check()``
                looks again, and ``error.__cause__`` is the last refusal.
            LedgerError: With a key, before anything is sent, if the ledger cannot be used.
            ConnectTimeoutError: With a key, if another call held the key for the whole time of this call.
            NotFoundError: With a key, if the number that the key bought is no longer in the inventory.
        """
        check_fee(monthly_fee, max_monthly_fee)
        body = purchase_body(
            number=number,
            country_code=country_code,
            type=type,
            monthly_fee=monthly_fee,
            capabilities=capabilities,
            location=location,
            address=address,
            requirements=requirements,
        )
        return await self._buy(body, idempotency_key)

    async def acquire(
        self,
        country_code: str,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str,  # noqa: A002 - the API's own name
        *,
        max_monthly_fee: Decimal | float | None = None,
        agent_uuid: str | UUID | None = None,
        answers: Mapping[str, str | RequirementValue] | None = None,
        address: Address | None = None,
        choose: Callable[[AvailableNumber], bool] | None = None,
        idempotency_key: str | None = None,
    ) -> PhoneNumber:
        """Find a number for sale, buy it, and let an agent answer its calls. **Provisional**, like ``numbers.search``.

        It calls ``numbers.requirements``, ``numbers.search``, :meth:`buy` and ``agents.provision_call``. If an offer is
        refused because it is no longer for sale, the next one is tried, ten at most. This spends money: without a key,
        each call that succeeds buys one number.

        Args:
            country_code: ISO 3166-1 alpha-2, such as ``"IT"``.
            type: A member of the enum, or its string.
            max_monthly_fee: The most that an offer may cost per month, in its currency; offers of unknown cost are then
                passed over. None sets no bound.
            agent_uuid: The agent that is to answer the number's calls. None binds none.
            answers: The answers to the requirements of the country and type, by their keys: a text, which is the
                document's id if a document is required, or a ``RequirementValue``. An answer without a requirement is
                not sent.
            address: The buyer's address, if the country and type need one.
            choose: A function, not an async one, that receives each offer that fits, in the search's order, and returns
                True to buy it. None accepts every offer.
            idempotency_key: The name of this acquisition, as :meth:`buy` takes it, whichever number it buys. The same
                call again returns the same number and binds the agent if it is not bound yet. ``agent_uuid`` and
                ``choose`` may differ then; the other arguments may not.

        Returns:
            The number that was bought.

        Raises:
            UsageError: Before anything is bought, if an argument is invalid or a requirement is not answered; the
                message names all that are missing.
            NoOfferError: If no offer fits, or all that fit are no longer for sale.
            BindingError: If the number is bought and binding it failed.
            APIError: If the service refuses; :meth:`buy` lists the other errors.
        """
        warn_provisional()
        place, kind = country("country_code", country_code), TYPE("type", type)
        agent = optional(identifier, "agent_uuid", agent_uuid)
        given = check_answers("answers", answers or {})
        owner_address = optional(instance_of(Address), "address", address)
        bound = optional(money, "max_monthly_fee", max_monthly_fee)
        request = {"country_code": place, "type": kind, "fee": bound, "answers": given, "address": owner_address}
        fingerprint = acquisition_fingerprint(request)

        async def buy(*, idempotency_key: str | None, max_monthly_fee: Any, **offer: Any) -> PhoneNumber:
            check_fee(offer["monthly_fee"], max_monthly_fee)
            return await self._buy(purchase_body(**offer), idempotency_key, fingerprint)

        acquisition = Acquisition(
            country_code=place,
            type=kind,
            answers=given,
            address=owner_address,
            max_monthly_fee=bound,
            choose=optional(check_choose, "choose", choose) or (lambda _: True),
            search=lambda: self.search(place, kind),
            requirements=lambda: self.requirements(place, kind),
            buy=buy,
        )
        number = await acquisition.run(partial(self._entry, idempotency_key), idempotency_key)
        if agent is None:
            return number
        provision = Agents(self._pipeline, self._concurrency).provision_call
        return await bind(number, agent, provision, keyed=idempotency_key is not None)

    async def recover(self) -> AsyncGenerator[Recovered]:
        """Settle the purchases that dead processes left under their keys. Safe to repeat.

        It reads the ledger's ``begun`` entries of this workspace that no live process holds. Each is looked up, as
        after a lost answer: ``GET /phone-numbers``. No purchase is sent. If the purchase bought the number, its key is
        settled. If the number belongs to somebody else, or is still not there one ``Timeout.total`` after the call must
        have ended, the key is freed. If the lookup is inconclusive, or a process holds the key, the entry stays as it
        is. Run it when a worker starts, or regularly; several at a time share the work safely.

        Yields:
            The outcome of each entry, in the order of the keys.

        Raises:
            UsageError: If the client has no ledger.
            LedgerError: If the ledger cannot be used.
        """
        ledger = self._ledger_for("numbers.recover()")
        async for recovered in recover(
            self._pipeline, ledger, lambda number: describe_purchase({"number": number}, self._listed)
        ):
            yield recovered

    async def _buy(self, body: Mapping[str, Any], key: str | None, fingerprint: str | None = None) -> PhoneNumber:
        """Buy a number, once under a key.

        Args:
            body: The body of the purchase.
            key: The idempotency key; None for none.
            fingerprint: A digest that stands for the request, if the key names more than one purchase; None takes the
                digest of the request.
        """
        request = describe_purchase(body, self._listed)
        if key is None:
            return await self._pipeline.run(request)

        def describe_for(other: str) -> Request[PhoneNumber]:
            if other == body["number"]:
                return request
            kept = {name: value for name, value in body.items() if name not in FOR_DISPLAY}
            return describe_purchase(kept | {"number": other}, self._listed)

        return await KeyedPurchase(
            pipeline=self._pipeline,
            ledger=self._ledger_for("idempotency_key"),
            listed=self._listed,
            key=check_key("idempotency_key", key),
            describe=describe_for,
            fingerprint=fingerprint or purchase_fingerprint(request),
        ).buy(body["number"])

    async def _entry(self, key: str | None) -> Entry | None:
        """Return the ledger's entry under a key, or None.

        Args:
            key: The idempotency key that the caller passed; None if there is none.

        Raises:
            UsageError: If the key is invalid, or the client has no ledger.
            LedgerError: If the ledger cannot be read within the time of a call.
        """
        if key is None:
            return None
        step = self._ledger_for("idempotency_key").find(check_key("idempotency_key", key))
        return await within(self._pipeline.timeout.total, step)

    def _ledger_for(self, feature: str) -> Ledger:
        """Return the client's ledger.

        Args:
            feature: The feature that needs it, for the error.

        Raises:
            UsageError: If the client has none.
        """
        if self._ledger is None:
            message = (
                f"{feature} needs a ledger, which this client does not have: MihuClient(ledger=SqliteLedger("
                "'purchases.db')), from mihu_async.ledger. Nothing was sent."
            )
            raise UsageError(message, argument="ledger")
        return self._ledger


def check_fee(monthly_fee: Any, most: Any) -> None:
    """Check that a number's monthly fee is known and not above the bound, if a bound is set.

    Args:
        monthly_fee: The fee, as the search returned it.
        most: The bound; None sets none.

    Raises:
        UsageError: If it is unknown or above the bound.
    """
    if most is None:
        return
    bound = money("max_monthly_fee", most)
    if monthly_fee is None:
        message = "max_monthly_fee needs monthly_fee, as the search returned it, to compare with. Nothing was sent."
        raise UsageError(message, argument="monthly_fee")
    if Decimal(str(money("monthly_fee", monthly_fee))) > Decimal(str(bound)):
        message = f"monthly_fee is {monthly_fee}, above max_monthly_fee={bound}. Nothing was sent."
        raise UsageError(message, argument="monthly_fee")


def purchase_body(
    *,
    number: str,
    country_code: str,
    type: str,  # noqa: A002 - the API's own name
    monthly_fee: Decimal | float | None,
    capabilities: Capabilities | Mapping[str, bool] | None,
    location: str | None,
    address: Address | None,
    requirements: Iterable[RequirementValue] | None,
) -> dict[str, Any]:
    """Return the body of a purchase, without the values that are None. The arguments are those of ``numbers.buy``.

    Raises:
        UsageError: If an argument is invalid.
    """
    return present(
        {
            "number": e164("number", number),
            "country_code": country("country_code", country_code),
            "type": TYPE("type", type),
            "monthly_fee": optional(money, "monthly_fee", monthly_fee),
            "capabilities": capabilities
            if isinstance(capabilities, Capabilities)
            else optional(_flags, "capabilities", capabilities),
            "location": optional(text, "location", location),
            "address": optional(instance_of(Address), "address", address),
            "requirements": None
            if requirements is None
            else all_of(instance_of(RequirementValue), "requirements", requirements),
        }
    )


def _flags(argument: str, value: Any) -> dict[str, bool]:
    return {name: flag(f"{argument}[{name!r}]", inner) for name, inner in json_object(argument, value).items()}


def describe_purchase(body: Mapping[str, Any], listed: Listed) -> Request[PhoneNumber]:
    """Return the request that buys a number, with the lookup that finds the number if the answer is lost.

    Args:
        body: The body of the request.
        listed: The inventory.
    """
    number: str = body["number"]
    how_to_check = f"Before you buy it again, check that numbers.channels_of({number!r}) does not find it."
    return describe(
        "POST",
        PATH,
        PhoneNumber,
        json=body,
        how_to_check=how_to_check,
        lookup=purchase_of(number, listed),
        contradiction=contradiction_of(number),
    )
