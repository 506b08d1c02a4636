"""The purchase of a number: the request, its idempotency key, and the lookup after a lost answer."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import Request, describe, json_object
from mihu_async.errors import UsageError
from mihu_async.ledger import Entry, Ledger
from mihu_async.ledger.entry import check_key
from mihu_async.models.enums import NumberType
from mihu_async.models.inputs import Address, RequirementValue
from mihu_async.models.numbers import Capabilities, PhoneNumber
from mihu_async.resources.keyed import FOR_DISPLAY, PATH, KeyedPurchase, purchase_fingerprint
from mihu_async.resources.lease import within
from mihu_async.resources.lookups import purchase_of
from mihu_async.resources.rows import Listed
from mihu_async.validation import (
    all_of,
    country,
    e164,
    flag,
    instance_of,
    money,
    one_of,
    optional,
    present,
    text,
)
from mihu_async.value import Value

TYPE = one_of(NumberType)


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


def _flags(argument: str, value: Any) -> dict[str, bool]:
    return {name: flag(f"{argument}[{name!r}]", inner) for name, inner in json_object(argument, value).items()}


class Buyer(Value, frozen=True, kw_only=True):
    """A buyer of numbers; its ``ledger`` remembers purchases by their keys, and None remembers none."""

    pipeline: Pipeline
    ledger: Ledger | None
    listed: Listed

    async def buy(
        self,
        *,
        number: str,
        country_code: str,
        type: str,  # noqa: A002 - the API's own name
        monthly_fee: Decimal | float | None,
        capabilities: Capabilities | Mapping[str, bool] | None,
        location: str | None,
        address: Address | None,
        requirements: Iterable[RequirementValue] | None,
        max_monthly_fee: Decimal | float | None,
        idempotency_key: str | None,
        fingerprint: str | None = None,
    ) -> PhoneNumber:
        """Buy a number, as ``numbers.buy`` describes.

        Args:
            number: As in ``numbers.buy``.
            country_code: As in ``numbers.buy``.
            type: As in ``numbers.buy``.
            monthly_fee: As in ``numbers.buy``.
            capabilities: As in ``numbers.buy``.
            location: As in ``numbers.buy``.
            address: As in ``numbers.buy``.
            requirements: As in ``numbers.buy``.
            max_monthly_fee: As in ``numbers.buy``.
            idempotency_key: As in ``numbers.buy``.
            fingerprint: A digest that stands for the request, if the key names more than one purchase; None takes the
                digest of the request.
        """
        check_fee(monthly_fee, max_monthly_fee)
        body: dict[str, Any] = {
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
        request = self.describe(present(body))
        if idempotency_key is None:
            return await self.pipeline.run(request)

        def describe_for(other: str) -> Request[PhoneNumber]:
            if other == body["number"]:
                return request
            kept = {name: value for name, value in body.items() if name not in FOR_DISPLAY}
            return self.describe(present(kept | {"number": other}))

        key, ledger = check_key("idempotency_key", idempotency_key), self.ledger_for("idempotency_key")
        return await KeyedPurchase(
            pipeline=self.pipeline,
            ledger=ledger,
            listed=self.listed,
            key=key,
            describe=describe_for,
            fingerprint=fingerprint or purchase_fingerprint(request),
        ).buy(body["number"])

    def describe(self, body: Mapping[str, Any]) -> Request[PhoneNumber]:
        """Return the request that buys a number, with the lookup that finds the number if the answer is lost.

        Args:
            body: The body of the request.
        """
        number: str = body["number"]
        how_to_check = f"Before you buy it again, check that numbers.channels_of({number!r}) does not find it."
        lookup = purchase_of(number, self.listed)
        return describe("POST", PATH, PhoneNumber, json=body, how_to_check=how_to_check, lookup=lookup)

    async def entry(self, key: str | None) -> Entry | None:
        """Return the ledger's entry under a key, or None.

        Args:
            key: The idempotency key that the caller passed; None if there is none.

        Raises:
            UsageError: If the key is invalid, or the client has no ledger.
            LedgerError: If the ledger cannot be read within the time of a call.
        """
        if key is None:
            return None
        step = self.ledger_for("idempotency_key").find(check_key("idempotency_key", key))
        return await within(self.pipeline.timeout.total, step)

    def ledger_for(self, feature: str) -> Ledger:
        """Return the client's ledger.

        Args:
            feature: The feature that needs it, for the error.

        Raises:
            UsageError: If the client has none.
        """
        if self.ledger is None:
            message = (
                f"{feature} needs a ledger, which this client does not have: MihuClient(ledger=SqliteLedger("
                "'purchases.db')), from mihu_async.ledger. Nothing was sent."
            )
            raise UsageError(message, argument="ledger")
        return self.ledger
