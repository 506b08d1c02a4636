"""The client of a workspace: its options, its resources, and the session that it owns or borrows."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from yarl import URL

from mihu_async.assembly import ANSWERS, MAX_RESPONSE_BYTES, assemble, reassemble
from mihu_async.core.admission import Limiter
from mihu_async.core.journal import LATEST
from mihu_async.core.options import RetryPolicy, Timeout
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.rate_limit import RateLimit
from mihu_async.core.request import RAW, Query, describe, encode_method
from mihu_async.core.response import warm_up
from mihu_async.core.token import Token
from mihu_async.core.transport import Session, Transport, Trust
from mihu_async.frames import conceals_arguments
from mihu_async.hooks import Hooks
from mihu_async.ledger import Ledger
from mihu_async.ledger.entry import check_ledger
from mihu_async.reports import CallReport
from mihu_async.resources.agents import Agents
from mihu_async.resources.numbers import Numbers
from mihu_async.resources.sip_connections import SipConnections
from mihu_async.resources.trunks import Trunks
from mihu_async.validation import optional, positive_int, seconds, text

if TYPE_CHECKING:
    from mihu_async.doctor import Diagnosis

CONCURRENCY = 4
DEADLINE = 15.0


class MihuClient:
    """The client of one workspace: numbers, trunks, agents, SIP connections, and ``request`` for everything else.

    Use it with ``async with``, or call :meth:`aclose`. Several tasks may enter it at a time; the last block that ends
    in an event loop closes the connections of that loop. A closed client may be used again: it opens a new session.

    Args:
        token: The API token; None reads MIHU_API_TOKEN. It never shows in a repr, a log line, an error or a pickle. A
            function, sync or async, is called when a call first needs a token. Concurrent calls share its result, which
            is kept until the service answers 401; it is then called once more and the request is sent again, even a
            purchase, because a request refused with 401 was not applied. The function runs within the call's
            ``Timeout.total``; if it raises, nothing is sent, and the call is retried as after a ConnectError.
        subdomain: The workspace's name, for ``https://{subdomain}.mihu.ai``; None reads MIHU_TENANT.
        base_url: The full address instead, with or without ``/api/v1``; None reads MIHU_BASE_URL, which takes
            precedence over MIHU_TENANT. Both arguments take precedence over both variables.
        session: An aiohttp session to borrow. It is never closed, and may itself resend a GET, PUT or DELETE on a
            broken connection, which no journal shows. None creates one per event loop, so that a client can live at
            module level.
        timeout: The time limits of a call.
        retries: The policy for retrying failed calls.
        concurrency: The number of pages that a walk fetches at a time, unless its pager sets another one.
        limiter: An async context manager that is entered around each attempt to limit the rate, such as an
            ``aiolimiter.AsyncLimiter`` or an ``asyncio.Semaphore``. None sets no limit.
        hooks: The :class:`Hooks`, one or several in order, that are notified of calls and walks.
        dry_run: If True, reads are sent, but a write raises DryRun, which carries the request that it would have sent.
        proxy: The address of an HTTP proxy, with or without credentials; None uses none.
        ssl: An SSLContext, an aiohttp Fingerprint, or False to skip certificate checks; None checks as usual.
        trust_env: If True and ``proxy`` is None, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are read once, now.
        user_agent: The ``User-Agent`` header; None sends the SDK's own.
        max_response_bytes: The largest decompressed response to accept, in bytes; 64 MiB by default.
        strict: If True, a response that cannot be read in full raises DecodeError after one request. If False,
            unreadable values are None, unreadable rows are left out, and each is a problem (``page.problems``,
            ``pager.report.problems``, ``mihu.last_call.problems``). Lookups after a lost answer are never strict.
        headers: Headers to send with every request to the service, and to nothing else; None sends none. They cannot
            replace those that the SDK sets, such as ``Authorization``. A value whose name marks it as secret
            (``X-Api-Key``) is redacted like the token.
        ledger: The record of purchases with an ``idempotency_key``: ``SqliteLedger("purchases.db")`` or
            ``RedisLedger(…)`` of :mod:`mihu_async.ledger`, or your own. Clients may share it, and none closes it. None
            refuses such a key.

    Raises:
        UsageError: If an option is invalid.
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
        self._transport, pipeline = assemble(
            token=token,
            subdomain=subdomain,
            base_url=base_url,
            session=session,
            timeout=timeout,
            retries=retries,
            limiter=limiter,
            hooks=hooks,
            dry_run=dry_run,
            proxy=proxy,
            ssl=ssl,
            trust_env=trust_env,
            user_agent=user_agent,
            max_response_bytes=max_response_bytes,
            strict=strict,
            headers=headers,
        )
        self._owner = True
        self._ledger = optional(check_ledger, "ledger", ledger)
        self._use(pipeline, positive_int("concurrency", concurrency))

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
            retries: The policy for retrying failed calls.
            concurrency: The number of pages that a walk fetches at a time.
            limiter: An async context manager that is entered around each attempt.
            hooks: The hooks that replace those of this client; ``()`` removes them.
            dry_run: If True, a write raises DryRun instead of being sent.
            strict: If True, a response that cannot be read in full raises DecodeError.
            token: Another token, or a function that returns one.
            headers: The headers that replace those of this client; ``{}`` removes them.
            ledger: The record of purchases with an ``idempotency_key``.

        Raises:
            UsageError: If an option is invalid.
        """
        client = object.__new__(type(self))
        client.__dict__.update(self.__dict__)
        client._owner = False
        client._transport, pipeline = reassemble(
            self._transport,
            self._pipeline,
            timeout=timeout,
            retries=retries,
            limiter=limiter,
            hooks=hooks,
            dry_run=dry_run,
            strict=strict,
            token=token,
            headers=headers,
        )
        client._ledger = self._ledger if ledger is None else check_ledger("ledger", ledger)
        client._use(pipeline, optional(positive_int, "concurrency", concurrency) or self._concurrency)
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
        """Call any endpoint, and return the ``data`` of its answer as plain JSON values, or None if it has none.

        It retries, and raises errors, as the typed methods do. Every method except POST is treated as safe to repeat,
        so do not use PUT, PATCH or DELETE here for an endpoint that is not idempotent. A POST is sent again only if the
        service cannot have applied it.

        Args:
            method: DELETE, GET, PATCH, POST or PUT.
            path: A path such as ``"/phone-numbers/search"``, with or without ``/api/v1``; never a full address.
            query: Names mapped to text, numbers, bools, UUIDs or enum members, or a list or tuple of such pairs. None
                as a value omits the name. A list or tuple of values repeats the name for each (``{"ids[]": ["a",
                "b"]}``).
            json: The body; None sends none.
            headers: Headers to send besides the client's, over which they take precedence; None adds none.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            OutcomeUnknownError: The answer to a POST was lost, so it may have been applied.
        """
        how_to_check = "Check whether it was applied before you send it again."
        verb, where = encode_method(method), text("path", path)
        described = describe(verb, where, RAW, query=query, json=json, headers=headers, how_to_check=how_to_check)
        del query, json, headers  # a report of an error might print them
        return await self._pipeline.run(described)

    async def doctor(self, *, deadline: float = DEADLINE) -> "Diagnosis":
        """Check each part of the connection to the service, and return findings with advice. Safe to repeat.

        The checks resolve the name, open a TLS connection and send ``GET /phone-numbers`` once, all concurrently. A
        finding is never raised: the :class:`mihu_async.doctor.Diagnosis` holds one for names, proxy, TLS, the service,
        the token, the clock, versions and limits, and no secret. ``diagnosis.ok`` is True if nothing is broken;
        ``print(diagnosis)`` shows all.

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
        """The report of the call that ended last in this task: its attempts, its last answer, the source of its result.

        None if this task has made no call yet, or made its last one with another client. A walk fetches its pages in
        tasks of its own, which ``pager.report`` covers.
        """
        identity, journal = LATEST.get() or (None, None)
        return journal.report() if journal and identity == self._pipeline.identity else None

    @property
    def rate_limit(self) -> RateLimit | None:
        """The request limit that the service last reported to any call of this client; None until it reports one.

        It is read from the headers ``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset`` [inferred: none is documented].
        """
        return self._pipeline.throttle.rate_limit

    async def aclose(self) -> None:
        """Close the connections that this client opened in the running event loop; a borrowed session stays open.

        They are closed at once, even if other tasks use this client. A call in progress fails with a TransportError
        that names the reason, and is not retried; a write that may have been sent is looked up first, over a connection
        of its own. A client from ``with_options`` closes nothing. Safe to repeat.
        """
        if self._owner:
            await self._transport.sessions.close()

    async def __aenter__(self) -> Self:
        """Prepare the decoders and the session, so that the first call does not block the loop; nothing is sent."""
        warm_up(*ANSWERS)
        await self._transport.sessions.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._transport.sessions.leave(owner=self._owner)

    def __repr__(self) -> str:
        transport: Transport | None = self.__dict__.get("_transport")  # None where __init__ raised
        address = "<not initialized>" if transport is None else f"base_url={str(transport.base_url)!r}"
        return f"{type(self).__name__}({address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A MihuClient cannot be pickled or copied: it holds a token and connections.")
