"""A worker for a queue that delivers each job at least once: here, a folder with a file for each order.

Run ``python examples/order_worker.py orders`` with MIHU_API_TOKEN and MIHU_TENANT set. ``orders/4711.json`` holds
``{"country_code": "IT", "type": "local", "max_monthly_fee": 5, "agent_uuid": "…"}``; whoever writes it accepts that
fee. The worker writes the number to ``orders/4711.done`` and only then removes the order. If it is killed in between,
it finds the order again. The order's name is the idempotency key, kept in the file that LEDGER names
(``purchases.db``), so the second run gets the same number and buys nothing. An order that can never succeed is renamed
to ``4711.refused``, and the log has the reason.

Exit codes: 0 if no order is left; 1 if some orders must be tried again. Run it every few minutes.
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
"""Errors that the same order would always raise. Others may pass: a revoked token or a full workspace can be fixed, and
a number that is not for sale now may be for sale later, or another worker bought it for the same order."""


class OrderError(ValueError):
    """An order that cannot be read, or has no limit on its fee."""


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
    """Fulfil an order, and return True if it need not be tried again."""
    try:
        number = await mihu.numbers.acquire(**read_order(file), idempotency_key=f"order-{file.stem}")
    except FileNotFoundError:
        return True  # another worker was faster
    except (MihuError, OrderError) as error:
        logger.warning("Order %s: %s", file.stem, reason(error))
        return put_aside(file) if is_final(error) else False
    return finish(file, number)


def finish(file: Path, number: PhoneNumber) -> bool:
    """Write the number atomically, sync it to the disk, and then remove the order."""
    part = file.with_suffix(".part")
    with part.open("w") as written:
        json.dump({"number": number.number, "phone_number_uuid": number.phone_number_uuid}, written)
        written.flush()
        os.fsync(written.fileno())
    part.replace(file.with_suffix(".done"))
    file.unlink(missing_ok=True)
    return True


def put_aside(file: Path) -> bool:
    """Rename an order that must not be tried again."""
    with suppress(FileNotFoundError):  # another worker was faster
        file.rename(file.with_suffix(".refused"))
    return True


def reason(error: Exception) -> str:
    """Say why an order failed, and whether something may have been bought."""
    text = (isinstance(error, APIError) and error.reason) or str(error)
    bought = isinstance(error, MihuError) and error.may_have_changed
    return f"{text} A number may have been bought; the next run will find out." if bought else text


def is_final(error: MihuError | OrderError) -> bool:
    """Return True if the order itself is at fault and nothing can have been bought for it."""
    return isinstance(error, OrderError) or (isinstance(error, ITS_OWN) and not error.may_have_changed)


def waiting(folder: Path) -> list[Path]:
    """Return the pending orders."""
    return sorted(folder.glob("*.json"))


async def main(folder: Path) -> int:
    """Fulfil the pending orders, one after the other."""
    path = os.environ.get("LEDGER", "purchases.db")
    async with SqliteLedger(path) as ledger, MihuClient(ledger=ledger) as mihu:
        handled = [await handle(mihu, file) for file in waiting(folder)]
    return 0 if all(handled) else 1


if __name__ == "__main__":
    logging.basicConfig()
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
