"""Every error of the SDK, told apart by whose fault it was. Knows nothing of the rest of the package.

MihuError                      the base; ``.attempts``: what was tried, and why it ended; ``.may_have_changed``
├── UsageError(ValueError)     the caller: nothing was sent
├── DryRun                     the caller asked for it: nothing was sent; ``.curl`` shows what would have been
├── CheckpointInUseError       the caller: another job holds the checkpoint file
├── LedgerError                the ledger of purchases cannot be used: nothing was sent
├── TransportError             the network: no usable answer
│   ├── ConnectError           never connected: nothing was sent
│   │   └── ConnectTimeoutError    … in the time given; a RequestTimeoutError too
│   ├── RequestTimeoutError(TimeoutError)
│   └── ConnectionLostError
├── OutcomeUnknownError        a write that may have been applied; ``await error.check()`` looks again
├── DecodeError                the service spoke and we cannot read it
├── WaitError                  a number will not come to the status that was waited for
│   └── WaitTimeoutError(TimeoutError)    … did not come to it in the time given
├── NoOfferError               nothing for sale could be acquired
├── BindingError               a number was acquired, and its agent could not be bound to it
├── PaginationError            pages that contradict themselves
│   └── DriftError             the listing moved, and on_drift="raise" asked to be told
└── APIError                   the service refused
    ├── BadRequestError 400 · AuthenticationError 401 · NotFoundError 404 · ConflictError 409
    ├── PermissionDeniedError 403
    │   └── PurchaseLimitError
    ├── ValidationError 422
    ├── RateLimitError 429
    └── ServerError 5xx
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Self

from attrs import frozen

GAVE_UP = frozenset({408, 499})
"""Statuses by which a server or a gateway says that it waited no longer."""
UNSUPPORTED = frozenset({501, 505})
"""The server errors that are refusals: of the verb, of the version of HTTP."""


def is_ambiguous(status: int) -> bool:
    """Return True if a status does not tell whether the request was carried out; gateways have errors of their own."""
    return status in GAVE_UP or (status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in UNSUPPORTED)


def is_redirection(status: int) -> bool:
    """Return True for a redirect, which is not followed: a service can carry a write out and point to its result."""
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


@frozen
class Attempt:
    """One try of a call: what was sent when, and why it ended."""

    number: int
    """Counted from 1."""
    started_at: datetime
    """When it began; aware, in UTC."""
    elapsed: float
    """How long it took, in seconds."""
    status: int | None
    """The HTTP status; None where no answer came."""
    outcome: str
    """The class and cause of the failure, or ``"ok"``."""
    wait: float | None = None
    """The pause in seconds before the next attempt or look-up; None after the last one."""
    lost: bool = False
    """Whether it was a write that may have been carried out though no answer says so."""
    looked_up: str | None = None
    """What a look-up showed then."""


class MihuError(Exception):
    """The base of every error that the SDK raises. Errors can be pickled and copied, and hold no secret."""

    attempts: tuple[Attempt, ...] = ()
    """One for each try of the call, in order, also of those that never connected.

    Empty where no call failed: UsageError, DryRun, WaitError, WaitTimeoutError, CheckpointInUseError, PaginationError,
    DriftError, and what ``check()`` raises.
    """
    stopped: str = ""
    """Why the call was not tried again; empty where trying again was never an option."""
    checkpoint: str | None = None
    """Where a walk was when this ended it, for ``.with_options(resume=…)``; None elsewhere."""

    @property
    def may_have_changed(self) -> bool:
        """True if the call can have changed something on the service; False where it certainly has not.

        It is True where the answer to an attempt of a write was lost, whatever came after it.
        """
        return self._is_open or any(attempt.lost for attempt in self.attempts)

    @property
    def _is_open(self) -> bool:
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, dict(self.__dict__))

    def __str__(self) -> str:
        text = super().__str__()
        if len(self.attempts) > 1:
            text += f" Tried {len(self.attempts)} times."
        if self.stopped:
            text += f" Not tried again: {self.stopped}."
        if any(attempt.lost for attempt in self.attempts[:-1]):
            seen = next((attempt.looked_up for attempt in reversed(self.attempts) if attempt.looked_up), None)
            text += " An earlier attempt's answer was lost: "
            text += f"looked up since, {seen}." if seen else "it may have been carried out."
        return text

    def after(self, attempts: tuple[Attempt, ...], stopped: str) -> Self:
        """Put the call's journal on the error, and give the error back for raising."""
        self.attempts, self.stopped = attempts, stopped
        return self


def _restore(kind: type[MihuError], args: tuple[Any, ...], state: dict[str, Any]) -> MihuError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(MihuError, ValueError):
    """A call that can never be accepted, found before anything was sent."""

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument
        """Which argument is to be corrected; None where it is none of them."""


class DryRun(MihuError):  # noqa: N818 - nothing went wrong
    """A write that a client with ``dry_run=True`` was asked for. Nothing was sent and nothing has changed.

    It holds the request as it would have been sent, but for secrets, which are masked.
    """

    def __init__(self, message: str, *, method: str, url: str, json: Any, curl: str) -> None:
        super().__init__(message)
        self.method = method
        """The verb of the request."""
        self.url = url
        """Its whole address."""
        self.json = json
        """Its body; None where it has none."""
        self.curl = curl
        """The same as a command line."""


class CheckpointInUseError(MihuError):
    """Another job holds the checkpoint file. Nothing was read, written or sent."""

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path
        """Which file it is."""


class LedgerError(MihuError):
    """The ledger that a purchase with an ``idempotency_key`` rests on cannot be read or written. Nothing was sent.

    ``__cause__`` is what its store said.
    """


class _CallError(MihuError):
    """An error of one call."""

    def __init__(self, message: str, *, method: str, url: str) -> None:
        super().__init__(message)
        self.method = method
        """The verb of the call."""
        self.url = url
        """Its whole address."""


class TransportError(_CallError):
    """The network gave no usable answer."""

    is_permanent: bool = False
    """True if every later attempt would fail so, and none was made: the message says what to do.

    A certificate that is not trusted, a proxy that refuses, a client that was closed while the call was under way.
    """

    @property
    def _is_open(self) -> bool:
        return self.method != "GET"


class ConnectError(TransportError):
    """No connection was made, so nothing was sent and nothing has changed."""

    @property
    def _is_open(self) -> bool:
        return False


class RequestTimeoutError(TransportError, TimeoutError):
    """The answer did not come in the time given. The request may have been carried out."""


class ConnectTimeoutError(ConnectError, RequestTimeoutError):
    """No connection was made in the time given, so nothing was sent and nothing has changed."""


class ConnectionLostError(TransportError):
    """The connection broke before the whole answer was read. The request may have been carried out."""


class OutcomeUnknownError(_CallError):
    """A write was sent and its answer was lost, so it may or may not have been applied.

    It is never sent again blindly: it was looked up, and that did not tell, or time was up. ``await error.check()``
    looks again, later; ``__cause__`` is the failure or the refusal that came last.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str,
        url: str,
        how_to_check: str,
        look: Callable[[], Awaitable[Any]] | None = None,
    ) -> None:
        super().__init__(message, method=method, url=url)
        self.how_to_check = how_to_check
        """The shortest way to look by hand, in words."""
        self._look = look

    @property
    def _is_open(self) -> bool:
        return True

    async def check(self) -> Any:
        """Look up now whether the write was applied, with safe reads; nothing is sent again.

        Gives what the call would have given where it was applied. Gives None where nothing is there now: the service
        may still apply it late, so wait before you take that for an answer. It has the call's time (``Timeout.total``).

        Raises ConflictError where what stands there is not this call's, OutcomeUnknownError where it still cannot be
        told or the look-up failed, and UsageError for a call that cannot be looked up: one made with ``mihu.request``,
        or whose error was pickled or copied.
        """
        if self._look is None:
            raise UsageError(f"This error came without its client, so it cannot look up anything. {self.how_to_check}")
        return await self._look()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, {**self.__dict__, "_look": None})


class DecodeError(_CallError):
    """The service answered, and the answer cannot be read."""

    def __init__(
        self,
        message: str,
        *,
        method: str,
        url: str,
        status: int | None,
        content_type: str,
        excerpt: str,
        paths: tuple[str, ...] = (),
        transient: bool = False,
    ) -> None:
        super().__init__(message, method=method, url=url)
        self.status = status
        """The answer's HTTP status; None where its head could not be read."""
        self.content_type = content_type
        """What the answer says that it is."""
        self.excerpt = excerpt
        """The beginning of its body, with secrets masked."""
        self.paths = paths
        """The first places that were wrong (``$.data.items[3].billing.monthly_fee``); empty where it was no JSON."""
        self.transient = transient
        """True where the bytes were no JSON, which another attempt may mend.

        False for JSON of a wrong shape, an answer that HTTP forbids, and one that is larger than
        ``max_response_bytes``: they come the same again, so they are not asked for again.
        """

    @property
    def _is_open(self) -> bool:
        return self.method != "GET"


class WaitError(MihuError):
    """A number that was waited for is gone or inactive, so it will not come to the status by itself.

    The wait only read: nothing was changed.
    """

    def __init__(self, message: str, *, number: str, status: str, last_status: str | None) -> None:
        super().__init__(message)
        self.number = number
        """The number that was waited for, in E.164 form."""
        self.status = status
        """The status that was waited for."""
        self.last_status = last_status
        """The status that was seen last; None where the number was not seen, or the service did not say."""


class WaitTimeoutError(WaitError, TimeoutError):
    """A number did not come to a status in the time given. It may still do so: wait for it again.

    ``__cause__`` is the error of the latest look that failed, or None where none did.
    """


class NoOfferError(MihuError):
    """No number for sale fits what was asked for, or others were faster each time. Nothing was bought."""

    def __init__(self, message: str, *, offers: int, refused: int) -> None:
        super().__init__(message)
        self.offers = offers
        """How many offers the search gave."""
        self.refused = refused
        """How many of them fitted and were refused, because they are no longer for sale."""


class BindingError(MihuError):
    """A number was bought, and binding its agent failed: ``__cause__`` says why.

    The number is :attr:`number`. Bind it with ``agents.provision_call(agent_uuid, error.number.phone_number_uuid)``, or
    make the same call again with the same ``idempotency_key``, which buys nothing more.
    """

    def __init__(self, message: str, *, number: Any, agent_uuid: str) -> None:
        super().__init__(message)
        self.number = number
        """The number that was bought, a :class:`PhoneNumber`."""
        self.agent_uuid = agent_uuid
        """The agent that was to answer its calls."""

    @property
    def _is_open(self) -> bool:
        return True


class PaginationError(MihuError):
    """The service's pages contradict themselves, so the walk stops instead of missing items or never ending."""

    def __init__(self, message: str, *, requested: int, received: int) -> None:
        super().__init__(message)
        self.requested = requested
        """The page that was asked for."""
        self.received = received
        """The ``current_page`` of the answer."""


class DriftError(PaginationError):
    """The listing moved while it was walked with ``on_drift="raise"``.

    Items may be missing or come twice from here on.
    """


class APIError(_CallError):
    """The service refused the call. What it did not say is None."""

    advice: ClassVar[str] = ""
    """What to do about it, as the message says at its end."""

    def __init__(
        self,
        summary: str,
        *,
        method: str,
        url: str,
        status: int,
        code: str | None = None,
        message: str | None = None,
        details: str | None = None,
        field: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{summary} {self.advice}".rstrip(), method=method, url=url)
        self.status = status
        """The HTTP status."""
        self.code = code
        """The service's name for what is wrong."""
        self.message = message
        """What it says of it."""
        self.details = details
        """What it says besides."""
        self.field = field
        """What in the request it is about."""
        self.request_id = request_id
        """The answer's ``X-Request-Id``, which is not documented."""
        self.retry_after = retry_after
        """The pause in seconds that the service asked for."""

    @property
    def reason(self) -> str | None:
        """The service's own words for why it refused: ``details``, else ``message``, else ``code``; or None."""
        return self.details or self.message or self.code

    @property
    def _is_open(self) -> bool:
        return self.method != "GET" and (is_ambiguous(self.status) or is_redirection(self.status))


class BadRequestError(APIError):
    """400: the request was malformed."""


class AuthenticationError(APIError):
    """401: the token is missing, wrong or revoked."""

    advice = "Check the token (MIHU_API_TOKEN) and that it belongs to the workspace of this base URL."


class PermissionDeniedError(APIError):
    """403: the token's workspace may not do this."""


class PurchaseLimitError(PermissionDeniedError):
    """403: the workspace holds as many numbers as it may. The figures are the service's, or None."""

    advice = "Release a number, or ask Mihu for a higher limit."

    def __init__(self, summary: str, *, limit: int | None, current: int | None, **answer: Any) -> None:
        super().__init__(summary, **answer)
        self.limit = limit
        """How many it may hold."""
        self.current = current
        """How many it holds."""


class NotFoundError(APIError):
    """404: what was named does not exist in this workspace."""


class ConflictError(APIError):
    """409: what was asked contradicts what is there."""


class ValidationError(APIError):
    """422: a value was refused."""

    def __init__(self, summary: str, *, fields: Mapping[str, tuple[str, ...]], **answer: Any) -> None:
        super().__init__(summary, **answer)
        self.fields: dict[str, tuple[str, ...]] = dict(fields)
        """What the service said of each field, by its name."""


class RateLimitError(APIError):
    """429: too many requests, and a longer pause than the call may wait for."""

    advice = "Send less at a time, or later."


class ServerError(APIError):
    """5xx: the service failed."""
