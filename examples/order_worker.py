"""A worker for a queue that hands each job out at least once: a folder of orders, each a file.

``python examples/order_worker.py orders``, with MIHU_API_TOKEN and MIHU_TENANT set. ``orders/4711.json`` holds
``{"country_code": "IT", "type": "local", "max_monthly_fee": 5, "agent_uuid": "…"}``; whoever writes it has agreed to
what it may cost. The number is written to ``orders/4711.done``, and only then is the order removed. A worker that is
killed in between finds the order again: its name is the idempotency key, kept in the file that LEDGER names
(``purchases.db``), so that the same number comes out and nothing is bought twice. An order that will never succeed is
renamed to ``4711.refused``, with the reason in the log.

It exits with 0 where no order is left, and with 1 where some are to be tried again: run it every few minutes.
"""

import asyncio
import json
import logging
import os
import sys
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from mihu_async import (
    APIError,
    BadRequestError,
    ConflictError,
    MihuClient,
    MihuError,
    NotFoundError,
    PhoneNumber,
    UsageError,
    ValidationError,
)
from mihu_async.ledger import SqliteLedger

logger = logging.getLogger(__name__)

ITS_OWN = (BadRequestError, ConflictError, NotFoundError, UsageError, ValidationError)
"""Errors that the same order would meet again. A revoked token and a full workspace are mended elsewhere, and what is
not for sale now may be later, or was bought by another worker for the same order."""


class OrderError(ValueError):
    """An order that cannot be read, or sets no bound to what it costs."""


def read_order(file: Path) -> dict[str, Any]:
    """Read an order as the arguments of ``numbers.acquire``."""
    try:
        order = json.loads(file.read_text(), parse_float=Decimal)
        wanted = {name: order[name] for name in ("country_code", "type", "max_monthly_fee")}
    except (ValueError, KeyError, TypeError) as error:
        raise OrderError(f"{type(error).__name__}: {error}") from None
    if wanted["max_monthly_fee"] is None:
        raise OrderError("max_monthly_fee must be a number")
    return {**wanted, "agent_uuid": order.get("agent_uuid")}


async def handle(mihu: MihuClient, file: Path) -> bool:
    """Carry an order out, and return True if it need not be tried again."""
    try:
        number = await mihu.numbers.acquire(**read_order(file), idempotency_key=f"order-{file.stem}")
    except FileNotFoundError:
        return True  # another worker was faster
    except (MihuError, OrderError) as error:
        logger.warning("Order %s: %s", file.stem, reason(error))
        return put_aside(file) if is_final(error) else False
    return finish(file, number)


def finish(file: Path, number: PhoneNumber) -> bool:
    """Write the number down, and remove the order once that is on the disk; a reader finds all of it or nothing."""
    part = file.with_suffix(".part")
    with part.open("w") as written:
        json.dump({"number": number.number, "phone_number_uuid": number.phone_number_uuid}, written)
        written.flush()
        os.fsync(written.fileno())
    part.replace(file.with_suffix(".done"))
    file.unlink(missing_ok=True)
    return True


def put_aside(file: Path) -> bool:
    """Rename an order that is not to be tried again."""
    with suppress(FileNotFoundError):  # another worker was faster
        file.rename(file.with_suffix(".refused"))
    return True


def reason(error: Exception) -> str:
    """Say why an order failed, and whether something may have been bought."""
    told = (isinstance(error, APIError) and error.reason) or str(error)
    bought = isinstance(error, MihuError) and error.may_have_changed
    return f"{told} A number may have been bought: the next run finds out." if bought else told


def is_final(error: MihuError | OrderError) -> bool:
    """Return True if the fault is the order's own, and nothing can have been bought for it."""
    return isinstance(error, OrderError) or (isinstance(error, ITS_OWN) and not error.may_have_changed)


def waiting(folder: Path) -> list[Path]:
    """Return the orders that are there."""
    return sorted(folder.glob("*.json"))


async def main(folder: Path) -> int:
    """Carry out the orders that are there, one after the other."""
    path = os.environ.get("LEDGER", "purchases.db")
    async with SqliteLedger(path) as ledger, MihuClient(ledger=ledger) as mihu:
        handled = [await handle(mihu, file) for file in waiting(folder)]
    return 0 if all(handled) else 1


if __name__ == "__main__":
    logging.basicConfig()
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
