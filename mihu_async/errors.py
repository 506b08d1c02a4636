"""Every error of the SDK, grouped by who is at fault. This module knows nothing of the rest of the package.

MihuError                      the base; ``.attempts``: each attempt and how it ended; ``.may_have_changed``
├── UsageError(ValueError)     the caller: no write was sent
├── DryRun                     the caller asked for it: no write was sent; ``.curl`` shows the request
├── CheckpointInUseError       the caller: another job holds the checkpoint file
├── LedgerError                the ledger of purchases cannot be used: nothing was sent
├── TransportError             the network: no usable answer
│   ├── ConnectError           never connected: nothing was sent
│   │   └── ConnectTimeoutError    never connected in time; also a RequestTimeoutError
│   ├── RequestTimeoutError(TimeoutError)
│   └── ConnectionLostError
├── OutcomeUnknownError        a write that may have been applied; ``await error.check()`` looks again
├── DecodeError                the service answered, and the answer cannot be read
├── WaitError                  the number will not reach the status that the wait is for
│   └── WaitTimeoutError(TimeoutError)    the number did not reach it in time
├── NoOfferError               no number for sale could be bought
├── BindingError               a number was bought, and its agent could not be bound to it
├── PaginationError            the pages contradict themselves
│   └── DriftError             the listing changed during a walk with on_drift="raise"
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
"""The statuses by which a server or a gateway reports that it stopped waiting."""
UNSUPPORTED = frozenset({501, 505})
"""The server errors that are refusals: of the verb, or of the version of HTTP."""


def is_ambiguous(status: int) -> bool:
    """Return True if a status does not show whether the request was processed; gateways return such statuses too.

    A status below 200 is no answer to a request: the real one was lost with the protocol that it announces.
    """
    if status < HTTPStatus.OK or status in GAVE_UP:
        return True
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in UNSUPPORTED


def is_redirection(status: int) -> bool:
    """Return True for a redirect, which is not followed: a service can process a write and redirect to its result."""
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


@frozen
class Attempt:
    """One attempt of a call: when it was sent, and how it ended."""

    number: int
    """The attempt's number, counted from 1."""
    started_at: datetime
    """The time at which it began; aware, in UTC."""
    elapsed: float
    """Its duration in seconds."""
    status: int | None
    """The HTTP status; None if no answer came."""
    outcome: str
    """The class and cause of the failure, or ``"ok"``."""
    wait: float | None = None
    """The pause in seconds before the next attempt or lookup; None after the last one."""
    lost: bool = False
    """True if this was a write that may have been applied although no answer confirmed it."""
    looked_up: str | None = None
    """The finding of the lookup that followed; None if there was none."""


class MihuError(Exception):
    """The base class of every error that the SDK raises. Errors can be pickled and copied, and hold no secret."""

    attempts: tuple[Attempt, ...] = ()
    """The attempts of the call, in order, including those that never connected.

    The tuple is empty where no call failed: UsageError, DryRun, WaitError, WaitTimeoutError, CheckpointInUseError,
    PaginationError, DriftError, and the errors that ``check()`` raises.
    """
    stopped: str = ""
    """The reason why the call was not tried again; empty if another attempt was not considered."""
    checkpoint: str | None = None
    """The position of the walk that this error ended, for ``.with_options(resume=…)``; None for errors outside a walk.
    """

    @property
    def may_have_changed(self) -> bool:
        """True if the call can have changed something on the service; False if it certainly has not.

        It is True if the answer to an attempt of a write was lost, whatever happened after that attempt.
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
            text += f"a later lookup found that {seen}." if seen else "it may have been applied."
        return text

    def after(self, attempts: tuple[Attempt, ...], stopped: str) -> Self:
        """Attach the call's journal to the error, and return the error so that it can be raised.

        Args:
            attempts: The attempts of the call, in order.
            stopped: The reason why the call was not tried again; empty if there was none.
        """
        self.attempts, self.stopped = attempts, stopped
        return self


def _restore(kind: type[MihuError], args: tuple[Any, ...], state: dict[str, Any]) -> MihuError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(MihuError, ValueError):
    """An argument, an option or the environment is invalid. No write was sent."""

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument
        """The name of the argument to correct; None if no single argument is wrong."""


class DryRun(MihuError):  # noqa: N818 - nothing went wrong
    """A client with ``dry_run=True`` was asked to write. The write was not sent, and nothing has changed.

    The error holds the request as it would have been sent; secrets in it are redacted.
    """

    def __init__(self, message: str, *, method: str, url: str, json: Any, curl: str) -> None:
        super().__init__(message)
        self.method = method
        """The verb of the request."""
        self.url = url
        """The full URL of the request."""
        self.json = json
        """The body of the request; None if it has none."""
        self.curl = curl
        """The request as a ``curl`` command line."""


class CheckpointInUseError(MihuError):
    """Another job holds the checkpoint file. Nothing was read, written or sent."""

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.path = path
        """The path of the checkpoint file."""


class LedgerError(MihuError):
    """The ledger behind a purchase with an ``idempotency_key`` cannot be read or written. Nothing was sent.

    ``__cause__`` is the error of the ledger's store.
    """


class _CallError(MihuError):
    """An error of one call."""

    def __init__(self, message: str, *, method: str, url: str) -> None:
        super().__init__(message)
        self.method = method
        """The verb of the call."""
        self.url = url
        """The full URL of the call."""


class TransportError(_CallError):
    """The network returned no usable answer."""

    is_permanent: bool = False
    """True if every later attempt would fail in the same way, so none was made; the message names the remedy.

    Examples are a certificate that is not trusted, a proxy that refuses, and a client that was closed while the call
    was under way.
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
    """The answer did not arrive in time. The request may have been processed."""


class ConnectTimeoutError(ConnectError, RequestTimeoutError):
    """No connection was made in time, so nothing was sent and nothing has changed."""


class ConnectionLostError(TransportError):
    """The connection broke before the full answer was read. The request may have been processed."""


class OutcomeUnknownError(_CallError):
    """A write was sent and its answer was lost, so it may or may not have been applied.

    The SDK does not blindly send it again. Its lookups were inconclusive, or the time was up. ``await error.check()``
    looks again later; ``__cause__`` is the last failure or refusal.
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
        """The shortest way to check by hand, in words."""
        self._look = look

    @property
    def _is_open(self) -> bool:
        return True

    async def check(self) -> Any:
        """Look up now whether the write was applied. Only safe reads are sent; the write is not sent again.

        The lookup has the time of one call (``Timeout.total``).

        Returns:
            The result that the call would have returned, if the write was applied. None if the lookup finds nothing
            now; the service may still apply the write late, so wait before you treat None as final.

        Raises:
            ConflictError: If the lookup finds something that this call did not make.
            OutcomeUnknownError: If the lookup failed or was inconclusive again.
            UsageError: If the call cannot be looked up: it was made with ``mihu.request``, or the error was pickled or
                copied.
        """
        if self._look is None:
            raise UsageError(
                f"This error is detached from its client, so it cannot look anything up. {self.how_to_check}"
            )
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
        """The answer's HTTP status; None if its head could not be read."""
        self.content_type = content_type
        """The content type that the answer declares."""
        self.excerpt = excerpt
        """The beginning of the body, with secrets redacted."""
        self.paths = paths
        """The first unreadable places (``$.data.items[3].billing.monthly_fee``); empty if the body was not JSON."""
        self.transient = transient
        """True if the body was not JSON, which another attempt may cure.

        False for JSON of a wrong shape, for an answer that violates HTTP, and for an answer larger than
        ``max_response_bytes``: another attempt would receive the same answer, so none is made.
        """

    @property
    def _is_open(self) -> bool:
        return self.method != "GET"


class WaitError(MihuError):
    """The number is gone or inactive, so it will not reach the status by itself.

    Waiting only reads, so nothing was changed.
    """

    def __init__(self, message: str, *, number: str, status: str, last_status: str | None) -> None:
        super().__init__(message)
        self.number = number
        """The number, in E.164 form."""
        self.status = status
        """The status that was waited for."""
        self.last_status = last_status
        """The last status that was seen; None if the number was not seen, or the service sent no status."""


class WaitTimeoutError(WaitError, TimeoutError):
    """The number did not reach the status in time. It may still do so: wait again.

    ``__cause__`` is the error of the latest lookup that failed, or None if none failed.
    """


class NoOfferError(MihuError):
    """No offer fits the request, or every offer that fits was sold to somebody else first. Nothing was bought."""

    def __init__(self, message: str, *, offers: int, refused: int) -> None:
        super().__init__(message)
        self.offers = offers
        """The number of offers that the search returned."""
        self.refused = refused
        """The number of offers that fitted and were refused because they are no longer for sale."""


class BindingError(MihuError):
    """A number was bought, and binding its agent failed; ``__cause__`` is the error of the binding.

    The number is :attr:`number`. Bind it with ``agents.provision_call(agent_uuid, error.number.phone_number_uuid)``, or
    make the same call again with the same ``idempotency_key``, which does not buy another number.
    """

    def __init__(self, message: str, *, number: Any, agent_uuid: str) -> None:
        super().__init__(message)
        self.number = number
        """The number that was bought, a :class:`PhoneNumber`."""
        self.agent_uuid = agent_uuid
        """The uuid of the agent that was to answer the number's calls."""

    @property
    def _is_open(self) -> bool:
        return True


class PaginationError(MihuError):
    """The service's pages contradict themselves, so the walk stops rather than miss items or never end."""

    def __init__(self, message: str, *, requested: int, received: int) -> None:
        super().__init__(message)
        self.requested = requested
        """The number of the requested page."""
        self.received = received
        """The ``current_page`` of the answer."""


class DriftError(PaginationError):
    """The listing changed during a walk with ``on_drift="raise"``. Items from here on may be missing or repeated."""


class APIError(_CallError):
    """The service refused the call. A field that the service did not send is None."""

    advice: ClassVar[str] = ""
    """The remedy that the message ends with."""

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
        """The service's code for the error."""
        self.message = message
        """The service's message."""
        self.details = details
        """The service's further details."""
        self.field = field
        """The field of the request that the refusal is about."""
        self.request_id = request_id
        """The answer's ``X-Request-Id`` header, which is not documented."""
        self.retry_after = retry_after
        """The pause in seconds that the service asked for."""

    @property
    def reason(self) -> str | None:
        """The service's own reason for the refusal: ``details``, else ``message``, else ``code``; or None."""
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
    """403: the token's workspace is not permitted to do this."""


class PurchaseLimitError(PermissionDeniedError):
    """403: the workspace already holds as many numbers as it may. The figures are the service's, or None."""

    advice = "Release a number, or ask Mihu for a higher limit."

    def __init__(self, summary: str, *, limit: int | None, current: int | None, **answer: Any) -> None:
        super().__init__(summary, **answer)
        self.limit = limit
        """The number of phone numbers that the workspace may hold."""
        self.current = current
        """The number of phone numbers that the workspace holds."""


class NotFoundError(APIError):
    """404: the workspace has no object with that name or id."""


class ConflictError(APIError):
    """409: the request contradicts the current state."""


class ValidationError(APIError):
    """422: the service refused a value."""

    def __init__(self, summary: str, *, fields: Mapping[str, tuple[str, ...]], **answer: Any) -> None:
        super().__init__(summary, **answer)
        self.fields: dict[str, tuple[str, ...]] = dict(fields)
        """The service's messages for each field, by the field's name."""


class RateLimitError(APIError):
    """429: too many requests, and the service asks for a longer pause than the call may make."""

    advice = "Send fewer requests at a time, or send them later."


class ServerError(APIError):
    """5xx: the service failed."""
