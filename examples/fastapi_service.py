"""A FastAPI service: one client for all requests, made when the service starts and closed when it stops.

``uvicorn --app-dir examples fastapi_service:app``, with MIHU_API_TOKEN and MIHU_TENANT set.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from math import ceil
from typing import Annotated, Any, TypedDict

from attrs import asdict
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from mihu_async import (
    ConflictError,
    MihuClient,
    MihuError,
    NotFoundError,
    OutcomeUnknownError,
    PurchaseLimitError,
    RateLimitError,
    UsageError,
)

logger = logging.getLogger(__name__)


class State(TypedDict):
    """What all requests share."""

    mihu: MihuClient


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[State]:
    """Make the client before the first request, and close it after the last one was answered."""
    async with MihuClient() as mihu:
        yield {"mihu": mihu}


async def client(request: Request) -> MihuClient:
    """Give a request the client."""
    mihu: MihuClient = request.state.mihu
    return mihu


app = FastAPI(lifespan=lifespan)
Mihu = Annotated[MihuClient, Depends(client)]


class Order(BaseModel):
    """A number to buy."""

    number: str
    country_code: str
    type: str


@app.get("/numbers")
async def numbers(mihu: Mihu, country_code: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Give the workspace's numbers."""
    return [asdict(number) for number in await mihu.numbers.list(country_code=country_code).collect(limit=limit)]


@app.post("/numbers", status_code=201)
async def buy(mihu: Mihu, order: Order) -> dict[str, Any]:
    """Buy a number."""
    bought = await mihu.numbers.buy(number=order.number, country_code=order.country_code, type=order.type)
    return asdict(bought)


@app.exception_handler(MihuError)
async def refuse(request: Request, error: MihuError) -> JSONResponse:
    """Answer whatever went wrong on the way to Mihu, by whose fault it was. No error holds a secret."""
    headers: dict[str, str] = {}
    match error:
        case UsageError():
            status, detail = 422, str(error)
        case NotFoundError():
            status, detail = 404, error.reason or str(error)
        case ConflictError() | PurchaseLimitError():
            status, detail = 409, error.reason or str(error)  # a look-up that finds it has no reason
        case RateLimitError():
            status, detail = 503, "Mihu is busy."
            headers["Retry-After"] = str(ceil(error.retry_after or 1))
        case OutcomeUnknownError():  # it may have been bought, so whoever asked must not simply ask again
            status, detail = 504, f"It is not known whether this was done. {error.how_to_check}"
        case _:
            status, detail = 502, "Mihu gave no usable answer."
    logger.warning("%s %s failed: %s", request.method, request.url.path, error)
    return JSONResponse({"detail": detail}, status, headers)
