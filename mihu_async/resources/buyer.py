"""How a number is bought: what is sent, under which key, and how a lost answer is looked up."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import Request, describe
from mihu_async.errors import UsageError
from mihu_async.ledger import Entry, Ledger
from mihu_async.ledger.entry import check_key
from mihu_async.models.enums import NumberType
from mihu_async.models.inputs import Address, RequirementValue
from mihu_async.models.numbers import Capabilities, PhoneNumber
from mihu_async.resources.arguments import (
    all_of,
    check_fee,
    country,
    e164,
    flags,
    instance_of,
    money,
    one_of,
    optional,
    present,
    text,
)
from mihu_async.resources.keyed import FOR_DISPLAY, PATH, KeyedPurchase, purchase_fingerprint
from mihu_async.resources.lookups import Listed, purchase_of

TYPE = one_of(NumberType)


@frozen(kw_only=True)
class Buyer:
    """Buys numbers; ``ledger`` remembers purchases by their keys, and None remembers none."""

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
        """Buy a number as ``numbers.buy`` does; ``fingerprint`` stands for the request where a key names more."""
        check_fee(monthly_fee, max_monthly_fee)
        body: dict[str, Any] = {
            "number": e164("number", number),
            "country_code": country("country_code", country_code),
            "type": TYPE("type", type),
            "monthly_fee": optional(money, "monthly_fee", monthly_fee),
            "capabilities": capabilities
            if isinstance(capabilities, Capabilities)
            else optional(flags, "capabilities", capabilities),
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
        """Describe the purchase of a number, with the look-up that finds it where its answer is lost."""
        number: str = body["number"]
        check = f"Before buying it again, look whether numbers.channels_of({number!r}) knows it."
        lookup = purchase_of(number, self.listed)
        return describe("POST", PATH, PhoneNumber, json=body, check=check, lookup=lookup)

    async def entry(self, key: str | None) -> Entry | None:
        """Return the ledger's entry for a caller's key; None if there is none, or no key."""
        if key is None:
            return None
        return await self.ledger_for("idempotency_key").find(check_key("idempotency_key", key))

    def ledger_for(self, what: str) -> Ledger:
        """Return the client's ledger, or raise UsageError where it has none."""
        if self.ledger is None:
            message = (
                f"{what} needs a ledger, which this client does not have: MihuClient(ledger=SqliteLedger("
                "'purchases.db')), from mihu_async.ledger. Nothing was sent."
            )
            raise UsageError(message, argument="ledger")
        return self.ledger
