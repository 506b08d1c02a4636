"""Finding a number in the inventory, or waiting until it has a status. The judgements are pure."""

from enum import IntEnum
from http import HTTPStatus

from attrs import evolve

from mihu_async.core.clock import Deadline
from mihu_async.core.pipeline import Pipeline
from mihu_async.errors import (
    APIError,
    DryRun,
    MihuError,
    RateLimitError,
    ServerError,
    TransportError,
    UsageError,
    WaitError,
    WaitTimeoutError,
)
from mihu_async.models.enums import NumberStatus
from mihu_async.models.numbers import PhoneNumber
from mihu_async.resources.rows import Listed
from mihu_async.value import Value


class Standing(IntEnum):
    """The rank of a row among all rows of its number; the lowest is preferred."""

    ACTIVE = 0
    UNSETTLED = 1
    INACTIVE = 2
    EXTERNAL = 3


def standing_of(row: PhoneNumber) -> Standing:
    """Return the rank of a row, best first: active, pending or unknown, inactive, external."""
    if row.is_external:
        return Standing.EXTERNAL
    if row.status == NumberStatus.ACTIVE:
        return Standing.ACTIVE
    return Standing.INACTIVE if row.status == NumberStatus.INACTIVE else Standing.UNSETTLED


async def find_row(pipeline: Pipeline, number: str, listed: Listed) -> PhoneNumber | None:
    """Return the preferred row of a number, or None; the walk stops at a purchased row that is not inactive.

    Args:
        pipeline: The pipeline of the client.
        number: The number in E.164 form.
        listed: The inventory.
    """
    filters = {"include_external": True}
    found = await listed.narrowed(pipeline, number, filters=filters)
    rows = found.items if found else ()
    if all(standing_of(row) >= Standing.INACTIVE for row in rows):
        rows += (await listed.proved(pipeline, number, filters=filters, suffices=_is_active)).items
    return min(rows, key=standing_of, default=None)


def _is_active(row: PhoneNumber) -> bool:
    return standing_of(row) == Standing.ACTIVE


def why_never(row: PhoneNumber | None, *, seen: PhoneNumber | None, wanted: NumberStatus) -> str | None:
    """Return the reason why a number will not reach a status by itself; None if it still may.

    Args:
        row: The row in the latest lookup.
        seen: The row in the previous lookup.
        wanted: The status.
    """
    if row is None:
        return "is no longer in the inventory" if seen else None
    if row.is_external and row.status is None:
        return "is an external number, which has no status"
    if row.status == NumberStatus.INACTIVE != wanted and seen and seen.status != NumberStatus.INACTIVE:
        return "has become inactive"
    return None


def is_final(error: MihuError) -> bool:
    """Return True if the same lookup would fail again: the caller's fault, or a failure that waiting does not cure."""
    if isinstance(error, APIError):
        return not isinstance(error, RateLimitError | ServerError) and error.status != HTTPStatus.REQUEST_TIMEOUT
    if isinstance(error, TransportError):
        return error.is_permanent
    return isinstance(error, UsageError | DryRun)


class Wait(Value, frozen=True, kw_only=True):
    """One wait for a number's status, as ``numbers.wait`` describes it; times are in seconds."""

    pipeline: Pipeline
    listed: Listed
    number: str
    status: NumberStatus
    timeout: float
    interval: float

    async def run(self) -> PhoneNumber:
        """Look, sleep and look again until the number has the status, will not reach it, or the time is up.

        Raises:
            WaitError: If the number will not reach the status.
            WaitTimeoutError: If the time is up.
        """
        clock = self.pipeline.clock
        deadline = clock.monotonic() + self.timeout
        outer = Deadline(deadline + self.pipeline.timeout.total, clock.pulse())
        pipeline = evolve(self.pipeline, outer=outer)
        seen: PhoneNumber | None = None
        failure: MihuError | None = None
        looks = 0
        while True:
            looks += 1
            pause = self.interval
            try:
                row = await find_row(pipeline, self.number, self.listed)
            except MihuError as error:
                if is_final(error):
                    raise
                failure = error
                pause = max(pause, getattr(error, "retry_after", None) or 0.0)
            else:
                if row and row.status == self.status:
                    return row
                why = why_never(row, seen=seen, wanted=self.status)
                seen = row or seen
                if why:
                    raise self._given_up(why, seen)
            left = deadline - clock.monotonic()
            if left <= 0:
                raise self._timed_out(seen, looks, failure) from failure
            await clock.sleep(min(pause, left))

    def _given_up(self, why: str, seen: PhoneNumber | None) -> WaitError:
        message = (
            f"{self.number} {why}, so it will not become {self.status}; its last known status is "
            f"{_shown(seen)}. Nothing was changed. Ask Mihu why, or look at the number with numbers.find()."
        )
        return WaitError(message, number=self.number, status=self.status, last_status=seen.status if seen else None)

    def _timed_out(self, seen: PhoneNumber | None, looks: int, failure: MihuError | None) -> WaitTimeoutError:
        was = f"its last known status is {_shown(seen)}" if seen else "it was not seen in the inventory"
        message = (
            f"{self.number} was not {self.status} within {self.timeout:g} s: {was}, after {looks} lookups. Nothing "
            "was changed, and it may still become so: wait for it again, with a longer timeout."
        )
        if failure:
            message += f" The latest lookup that failed: {failure}"
        last_status = seen.status if seen else None
        return WaitTimeoutError(message, number=self.number, status=self.status, last_status=last_status)


def _shown(row: PhoneNumber | None) -> str:
    return f"{str(row.status)!r}" if row and row.status else "not known"
