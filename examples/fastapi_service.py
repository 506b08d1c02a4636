"""A FastAPI service that shares one client among all requests, from its start to its end.

Run ``uvicorn --app-dir examples fastapi_service:app`` with MIHU_API_TOKEN and MIHU_TENANT set. The service buys no
number that costs more than MAX_MONTHLY_FEE (default 5). An order needs the header ``Idempotency-Key``. If a caller
repeats an order with the same key, for example after a timeout, nothing more is bought, even if the service was killed
in between. The keys are kept in the file that LEDGER names (``purchases.db``), which all workers of a machine share.
"""

import logging
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from math import ceil
from typing import Annotated, Any, TypedDict

from attrs import asdict
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from mihu_async import (
    APIError,
    ConflictError,
    LedgerError,
    MihuClient,
    MihuError,
    NotFoundError,
    OutcomeUnknownError,
    PurchaseLimitError,
    RateLimitError,
    UsageError,
)
from mihu_async.ledger import SqliteLedger

logger = logging.getLogger(__name__)

MOST = Decimal(os.environ.get("MAX_MONTHLY_FEE", "5"))


class State(TypedDict):
    """The state that all requests share."""

    mihu: MihuClient


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[State]:
    """Create the client before the first request, and close it after the last response."""
    async with SqliteLedger(os.environ.get("LEDGER", "purchases.db")) as ledger, MihuClient(ledger=ledger) as mihu:
        yield {"mihu": mihu}


async def client(request: Request) -> MihuClient:
    """Return the client for a request."""
    mihu: MihuClient = request.state.mihu
    return mihu


app = FastAPI(lifespan=lifespan)
Mihu = Annotated[MihuClient, Depends(client)]


class Order(BaseModel):
    """A number to buy, as ``/offers`` returned it."""

    number: str
    country_code: str
    type: str
    monthly_fee: Decimal


@app.get("/numbers")
async def numbers(mihu: Mihu, country_code: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Return the workspace's numbers."""
    return [asdict(number) for number in await mihu.numbers.list(country_code=country_code).collect(limit=limit)]


@app.get("/offers")
async def offers(mihu: Mihu, country_code: str, type: str, limit: int = 10) -> list[Order]:  # noqa: A002 - the API's own name
    """Return numbers for sale with their fees, so that callers see the price before they order."""
    found: list[Order] = []
    async for offer in mihu.numbers.search(country_code, type):
        if offer.monthly_fee is not None and offer.monthly_fee <= MOST:
            found.append(
                Order(number=offer.number, country_code=country_code, type=type, monthly_fee=offer.monthly_fee)
            )
        if len(found) == limit:
            break
    return found


@app.post("/numbers", status_code=201)
async def buy(mihu: Mihu, order: Order, idempotency_key: Annotated[str, Header()]) -> dict[str, Any]:
    """Buy a number, once for each key. If there are several users, prefix the key with the user's id."""
    bought = await mihu.numbers.buy(
        number=order.number,
        country_code=order.country_code,
        type=order.type,
        monthly_fee=order.monthly_fee,
        max_monthly_fee=MOST,
        idempotency_key=f"http-{idempotency_key}",
    )
    return asdict(bought)


@app.exception_handler(MihuError)
async def refuse(request: Request, error: MihuError) -> JSONResponse:
    """Turn an error of the SDK into a response, according to whose fault it was. No error holds a secret."""
    logger.warning("%s %s failed: %s", request.method, request.url.path, error)
    headers: dict[str, str] = {}
    match error:
        case UsageError():
            status, detail = 422, str(error)
        case NotFoundError():
            status, detail = 404, error.reason or str(error)
        case ConflictError() | PurchaseLimitError():
            status, detail = 409, error.reason or str(error)  # a conflict found by a lookup has no reason
        case RateLimitError():
            status, detail = 503, f"Mihu is busy. {effect(error)}"
            headers["Retry-After"] = str(ceil(error.retry_after or 1))
        case LedgerError():
            status, detail = 503, "The purchase ledger is unavailable. Nothing was bought."
        case OutcomeUnknownError():  # repeating the order with the same key looks it up first
            status, detail = 504, f"The outcome is unknown. {error.how_to_check}"
        case APIError():
            status, detail = 502, f"Mihu refused: {error.reason or error} {effect(error)}"
        case _:
            status, detail = 502, f"Mihu gave no usable answer. {effect(error)}"
    return JSONResponse({"detail": detail}, status, headers)


def effect(error: MihuError) -> str:
    """Say whether anything may have changed."""
    return "It may have been applied." if error.may_have_changed else "Nothing was changed."
