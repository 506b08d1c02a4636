"""The client of a workspace: its options, its resources, and the session that it owns or borrows."""

import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from attrs import evolve
from yarl import URL

from mihu_async.core.address import check_user_agent, find_base_url, find_proxy, find_token
from mihu_async.core.admission import Limiter, check_limiter
from mihu_async.core.dry_run import DryRunSender
from mihu_async.core.fast_path import warm_up
from mihu_async.core.headers import check_headers
from mihu_async.core.journal import LATEST
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.rate_limit import RateLimit
from mihu_async.core.request import RAW, Query, describe
from mihu_async.core.retry import RetryPolicy
from mihu_async.core.sender import Sender
from mihu_async.core.timeout import Timeout
from mihu_async.core.token import Token, TokenSource
from mihu_async.core.transport import USER_AGENT, Session, Transport, Trust, check_trust
from mihu_async.frames import conceals_arguments
from mihu_async.hooks import Hooks, check_hooks
from mihu_async.ledger import Ledger
from mihu_async.ledger.entry import check_ledger
from mihu_async.models.channels import NumberChannels
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.paging.pager import check_concurrency
from mihu_async.reports import CallReport
from mihu_async.resources.agents import Agents
from mihu_async.resources.arguments import flag, instance_of, optional, present, seconds, whole
from mihu_async.resources.numbers import Numbers
from mihu_async.resources.sip_connections import SipConnections
from mihu_async.resources.trunks import Trunks

if TYPE_CHECKING:
    from mihu_async.doctor import Diagnosis

CONCURRENCY = 4
DEADLINE = 15.0
MAX_RESPONSE_BYTES = 64 * 2**20


class MihuClient:
    """The client of one workspace: numbers, trunks, agents, SIP connections, and ``request`` for everything else.

    Use it with ``async with``, or call :meth:`aclose`. Several tasks may enter it at a time; the last block that ends
    in an event loop closes the connections of that loop. A closed client may be used again: it opens a new session.

    Args:
        token: The API token; None reads MIHU_API_TOKEN. It never shows in a repr, a log line, an error or a pickle. A
            function, sync or async, is called when a call first needs the token, and its result is kept until the
            service answers 401. It is then called once more and the request is sent again, even a purchase, because a
            request refused with 401 was not carried out. Concurrent calls share one result. The function runs within
            the call's ``Timeout.total``; if it raises, nothing is sent, and the call is retried as after a
            ConnectError.
        subdomain: The workspace's name, for ``https://{subdomain}.mihu.ai``; None reads MIHU_TENANT.
        base_url: The full address instead, with or without ``/api/v1``; None reads MIHU_BASE_URL, which takes
            precedence over MIHU_TENANT. Both arguments take precedence over both variables.
        session: An aiohttp session to borrow. It is never closed, and it may itself resend a GET, PUT or DELETE on a
            broken connection, which no journal shows. None creates a session for each event loop on first use, so that
            a client can live at module level and outlast ``asyncio.run``.
        timeout: The time limits of a call.
        retries: The policy by which failed calls are tried again.
        concurrency: The number of pages that a walk fetches at a time, unless its pager sets another one.
        limiter: An async context manager that is entered around each attempt to limit the rate, such as an
            ``aiolimiter.AsyncLimiter`` or an ``asyncio.Semaphore``. None sets no limit.
        hooks: The :class:`Hooks`, one or several in order, that are notified of calls and walks.
        dry_run: If True, reads are sent, but a write raises DryRun, which carries the request that it would have sent.
        proxy: The address of an HTTP proxy, with or without credentials; None uses none.
        ssl: An SSLContext, an aiohttp Fingerprint, or False to skip certificate checks; None checks as usual.
        trust_env: If True and ``proxy`` is None, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are read once, when
            the client is created.
        user_agent: The ``User-Agent`` header; None sends the SDK's own.
        max_response_bytes: The largest decompressed response to accept, in bytes; 64 MiB by default.
        strict: If True, a response that cannot be read in full raises DecodeError after one request. If False, an
            unreadable value is None, an unreadable row is left out, and each is reported as a problem
            (``page.problems``, ``pager.report.problems``, ``mihu.last_call.problems``). Look-ups after a lost answer
            are never strict.
        headers: Headers to send with every request to the service, by name; None sends none. They cannot replace those
            that the SDK sets, such as ``Authorization``. A value whose name marks it as secret (``X-Api-Key``) is
            redacted like the token.
        ledger: The record of purchases with an ``idempotency_key``: ``SqliteLedger("purchases.db")`` or
            ``RedisLedger(…)`` of :mod:`mihu_async.ledger`, or your own. Several clients may share it, and none closes
            it. Without one (None), an ``idempotency_key`` is refused.

    Raises:
        UsageError: An option can never work.
    """

    # The class attributes are the resources' classes, so that a mock with this class as its spec knows their methods.
    agents: Agents = cast("Agents", Agents)
    """The workspace's agents: list them, and bind one to the calls or text messages of a number."""
    numbers: Numbers = cast("Numbers", Numbers)
    """The workspace's numbers: list, search, buy and change them."""
    sip_connections: SipConnections = cast("SipConnections", SipConnections)
    """The workspace's SIP connections: create one for an agent's calls."""
    trunks: Trunks = cast("Trunks", Trunks)
    """The workspace's external trunks: list, register, change and delete them."""

    @conceals_arguments
    def __init__(
        self,
        token: Token | None = None,
        *,
        subdomain: str | None = None,
        base_url: str | URL | None = None,
        session: Session | None = None,
        timeout: Timeout = Timeout(),
        retries: RetryPolicy = RetryPolicy(),
        concurrency: int = CONCURRENCY,
        limiter: Limiter | None = None,
        hooks: Hooks | Iterable[Hooks] = (),
        dry_run: bool = False,
        proxy: str | URL | None = None,
        ssl: Trust | None = None,
        trust_env: bool = False,
        user_agent: str | None = None,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        strict: bool = False,
        headers: Mapping[str, str] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        static, tokens = _token(token)
        address = find_base_url(subdomain, base_url, os.environ)
        self._transport = Transport(
            base_url=address,
            token=static,
            headers=() if headers is None else check_headers("headers", headers),
            user_agent=USER_AGENT if user_agent is None else check_user_agent(user_agent),
            session=optional(instance_of(Session), "session", session),
            proxy=find_proxy(proxy, address, trust_env=trust_env),
            ssl=True if ssl is None else check_trust(ssl),
            max_response_bytes=whole("max_response_bytes", max_response_bytes),
        )
        self._owner = True
        self._ledger = optional(check_ledger, "ledger", ledger)
        self._use(
            Pipeline(
                sender=_sender(self._transport, dry_run=flag("dry_run", dry_run)),
                secrets=self._transport.secrets,
                timeout=instance_of(Timeout)("timeout", timeout),
                retries=instance_of(RetryPolicy)("retries", retries),
                limiter=optional(check_limiter, "limiter", limiter),
                hooks=check_hooks("hooks", hooks),
                base_url=str(address),
                strict=flag("strict", strict),
                tokens=tokens,
            ),
            check_concurrency(concurrency),
        )

    def _use(self, pipeline: Pipeline, concurrency: int) -> None:
        self._pipeline = pipeline
        self._concurrency = concurrency
        self.agents = Agents(pipeline, concurrency)
        self.numbers = Numbers(pipeline, concurrency, self._ledger)
        self.sip_connections = SipConnections(pipeline)
        self.trunks = Trunks(pipeline, concurrency)

    @conceals_arguments
    def with_options(
        self,
        *,
        timeout: Timeout | None = None,
        retries: RetryPolicy | None = None,
        concurrency: int | None = None,
        limiter: Limiter | None = None,
        hooks: Hooks | Iterable[Hooks] | None = None,
        dry_run: bool | None = None,
        strict: bool | None = None,
        token: Token | None = None,
        headers: Mapping[str, str] | None = None,
        ledger: Ledger | None = None,
    ) -> Self:
        """Return a client with other options that shares the connections of this one.

        Closing the new client leaves the connections open, because they belong to this one. If a block of this client
        ends inside a block of the new one, the connections are closed when the outer block ends.

        Args:
            timeout: The time limits of a call; None keeps those of this client, as it does for every other option.
            retries: The policy by which failed calls are tried again.
            concurrency: The number of pages that a walk fetches at a time.
            limiter: An async context manager that is entered around each attempt.
            hooks: The hooks that replace those of this client; ``()`` removes them.
            dry_run: If True, a write raises DryRun instead of being sent.
            strict: If True, a response that cannot be read in full raises DecodeError.
            token: Another token, or a function that returns one.
            headers: The headers that replace those of this client; ``{}`` removes them.
            ledger: The record of purchases with an ``idempotency_key``.

        Raises:
            UsageError: An option can never work.
        """
        transport, tokens = self._transport, self._pipeline.tokens
        if token is not None:
            static, tokens = _token(token)
            transport = transport.using(token=static)
        if headers is not None:
            transport = transport.using(headers=check_headers("headers", headers))
        changes = present(
            {
                "timeout": optional(instance_of(Timeout), "timeout", timeout),
                "retries": optional(instance_of(RetryPolicy), "retries", retries),
                "limiter": optional(check_limiter, "limiter", limiter),
                "hooks": optional(check_hooks, "hooks", hooks),
                "strict": optional(flag, "strict", strict),
            }
        )
        if transport is not self._transport or dry_run is not None:
            dry = isinstance(self._pipeline.sender, DryRunSender) if dry_run is None else flag("dry_run", dry_run)
            changes["sender"] = _sender(transport, dry_run=dry)
        client = object.__new__(type(self))
        client.__dict__.update(self.__dict__)
        client._owner = False
        client._transport = transport
        client._ledger = self._ledger if ledger is None else check_ledger("ledger", ledger)
        client._use(
            evolve(self._pipeline, secrets=transport.secrets, tokens=tokens, **changes),
            self._concurrency if concurrency is None else check_concurrency(concurrency),
        )
        return client

    @conceals_arguments
    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call any endpoint, and return the decoded ``data`` of its answer as plain JSON values.

        The call has the retries and the errors of the typed methods. Every method except POST is treated as safe to
        repeat, so do not use PUT, PATCH or DELETE here for an endpoint that must not be called twice. A POST is sent
        again only if the service cannot have carried it out.

        Args:
            method: DELETE, GET, PATCH, POST or PUT.
            path: A path such as ``"/phone-numbers/search"``, with or without ``/api/v1``; never a full address.
            query: Names mapped to text, numbers, bools, UUIDs or enum members, or a list or tuple of such pairs. None
                as a value omits the name. A list or tuple of values repeats the name for each (``{"ids[]": ["a",
                "b"]}``).
            json: The body; None sends none.
            headers: Headers to send with this call in addition to the client's; they take precedence over the client's
                headers of the same name. None adds none.

        Returns:
            The ``data``, or None if the answer has no body or no data.

        Raises:
            UsageError: Before anything is sent, if an argument can never be accepted.
            OutcomeUnknownError: The answer to a POST was lost, so it may have been carried out.
        """
        check = "Look whether it was carried out before sending it again."
        described = describe(method, path, RAW, query=query, json=json, headers=headers, check=check)
        del query, json, headers  # a report of an error might print them
        return await self._pipeline.run(described)

    async def doctor(self, *, deadline: float = DEADLINE) -> "Diagnosis":
        """Check each part of the connection to the service, and return findings with advice. Safe to repeat.

        The checks resolve the name, open a TLS connection and send ``GET /phone-numbers`` once, all concurrently. A
        finding is never raised as an error. The :class:`mihu_async.doctor.Diagnosis` has one for names, proxy, TLS, the
        service, the token, the clock, versions and limits; ``diagnosis.ok`` is True if nothing is broken, and
        ``print(diagnosis)`` shows all of it. It contains no secret.

        Args:
            deadline: The time limit of all checks, in seconds.

        Raises:
            UsageError: The deadline is not a positive number of seconds.
        """
        from mihu_async.doctor.probes import examine  # noqa: PLC0415 - it is needed once in a client's life, if at all

        return await examine(
            self._transport, self._pipeline, concurrency=self._concurrency, deadline=seconds("deadline", deadline)
        )

    @property
    def last_call(self) -> CallReport | None:
        """The report of the call that ended last in this task: its attempts, and the source of its result.

        ``message``, ``request_id`` and ``headers`` come from the last answer, including that of a success.

        None if this task has made no call yet, or made its last one with another client. A walk fetches its pages in
        tasks of its own, which ``pager.report`` covers.
        """
        owner, journal = LATEST.get() or (None, None)
        return journal.report() if journal and owner is self._pipeline.throttle else None

    @property
    def rate_limit(self) -> RateLimit | None:
        """The request limit that the service last reported to any call of this client; None until it reports one.

        It is read from the headers ``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset`` [inferred: none is documented].
        """
        return self._pipeline.throttle.rate_limit

    async def aclose(self) -> None:
        """Close the connections that this client opened in the running event loop; a borrowed session stays open.

        They are closed at once, even if other tasks are inside an ``async with`` of this client. A call in progress
        fails with a TransportError that names the reason, and is not retried; a write that may have been sent is looked
        up first, over a connection of its own. A client from ``with_options`` closes nothing. Safe to repeat.
        """
        if self._owner:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        """Prepare the decoders and the session, so that the first call does not block the loop; nothing is sent."""
        warm_up(Page[PhoneNumber], PhoneNumber, NumberChannels)
        await self._transport.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._transport.leave(owner=self._owner)

    def __repr__(self) -> str:
        transport: Transport | None = self.__dict__.get("_transport")  # None where __init__ raised
        address = "<not initialized>" if transport is None else f"base_url={str(transport.base_url)!r}"
        return f"{type(self).__name__}({address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A MihuClient cannot be pickled or copied: it holds a token and connections.")


def _token(token: Token | None) -> tuple[str, TokenSource | None]:
    """Return a fixed token, or an empty text and the source that supplies one."""
    if token is None or isinstance(token, str) or not callable(token):
        return find_token(token, os.environ), None
    return "", TokenSource(token)


def _sender(transport: Transport, *, dry_run: bool) -> Sender:
    return DryRunSender(transport, str(transport.base_url), transport.headers) if dry_run else transport
