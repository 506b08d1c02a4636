"""The client: puts the parts together, and owns or borrows the session."""

import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from attrs import evolve
from yarl import URL

from mihu_async.core.address import check_user_agent, find_base_url, find_proxy, find_token
from mihu_async.core.admission import Limiter, check_limiter
from mihu_async.core.fast_path import warm_up
from mihu_async.core.headers import check_headers
from mihu_async.core.journal import LATEST
from mihu_async.core.options import RetryPolicy, Timeout
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.rate_limit import RateLimit
from mihu_async.core.request import RAW, Query, describe
from mihu_async.core.sender import DryRunSender, Sender
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
    """The way to one workspace: numbers, trunks, agents and SIP connections, and ``mihu.request`` for the rest.

    token: the API token; None reads MIHU_API_TOKEN. It never shows in a repr, a log line, an error or a pickle. A
        function, sync or async, is asked for it when a call needs it; what it returns is kept until the service
        answers 401, upon which it is asked once more and the call is sent again, also a purchase: a 401 was not
        carried out. Calls at the same time share one answer of it. It has the call's time (``Timeout.total``); where
        it raises, nothing is sent, and the call is tried again as after a ConnectError.
    subdomain: the workspace's name, for ``https://{subdomain}.mihu.ai``; None reads MIHU_TENANT.
    base_url: the whole address instead, with or without ``/api/v1``; None reads MIHU_BASE_URL. Where both variables are
        set, MIHU_BASE_URL counts; ``subdomain`` or ``base_url`` goes before both.
    session: an aiohttp session to borrow; it is never closed, and on a connection that breaks it may itself send a GET,
        PUT or DELETE a second time, which no journal shows. None makes an own one on first use, one for each event
        loop, so that a client can stand at module level and outlive ``asyncio.run``.
    timeout: the bounds of a call; see :class:`Timeout`.
    retries: how a failed call is tried again; see :class:`RetryPolicy`.
    concurrency: how many pages a walk fetches at a time, unless its pager says otherwise.
    limiter: an async context manager that is entered around each attempt, to hold the rate down: an
        ``aiolimiter.AsyncLimiter``, an ``asyncio.Semaphore``, or one of your own. None sets none.
    hooks: what to tell of calls and walks as they go on; see :class:`Hooks`. Several are told in order.
    dry_run: True sends no write: it raises DryRun, which carries the request that would have been sent. Reads are sent.
    proxy: the address of an HTTP proxy, with or without credentials; None uses none.
    ssl: an SSLContext, an aiohttp Fingerprint, or False to check no certificate; None checks as usual.
    trust_env: read HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY when the client is made, where ``proxy`` is None.
    user_agent: what the ``User-Agent`` header says, instead of the SDK's own.
    headers: names and values of headers to send with every request, and nowhere else; None sends none. They cannot
        replace those that the SDK sets itself, such as ``Authorization``. What stands under a name that says so
        (``X-Api-Key``) is a secret, and is masked like the token.
    max_response_bytes: how large an answer may be, decompressed; 64 MiB unless told otherwise.
    strict: True raises DecodeError for an answer of which anything cannot be read, after one request. False reads the
        rest: what cannot be read is None, or a row that is left out, and a problem (``page.problems``,
        ``pager.report.problems``, ``mihu.last_call.problems``). Look-ups after a lost answer are never strict.
    ledger: where purchases with an ``idempotency_key`` are remembered: ``SqliteLedger("purchases.db")`` or
        ``RedisLedger(…)`` of :mod:`mihu_async.ledger`, or one of your own. It is yours: it is not closed with the
        client, and several clients may share one. None remembers none, and a key is refused then.

    Use it with ``async with``, or call :meth:`aclose`. Several tasks may enter it at a time: the last block of an event
    loop that ends closes its connections there. A closed client may be used again: it makes a new session.
    Raises UsageError for what can never work.
    """

    # On the class stand the classes, so that a mock that is specified by it knows the resources and their methods.
    agents: Agents = cast("Agents", Agents)
    """Its agents: to list them, and to bind one to the calls or text messages of a number."""
    numbers: Numbers = cast("Numbers", Numbers)
    """Its numbers: to list, search, buy and change them."""
    sip_connections: SipConnections = cast("SipConnections", SipConnections)
    """Its SIP connections: to create one for an agent's calls."""
    trunks: Trunks = cast("Trunks", Trunks)
    """Its external trunks: to list, register, change and delete them."""

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
        """Return a client with other options that shares this one's connections; None keeps what this one has.

        ``hooks`` and ``headers`` take the place of this one's; ``()`` and ``{}`` are none. ``token`` is another token,
        or a function that returns one. Closing the new client leaves the connections open: they belong to this one.
        Where a block of this one ends inside a block of the new one, they are closed when that ends too.
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
        """Call any endpoint and give the decoded ``data`` of its answer, as plain JSON values.

        method: DELETE, GET, PATCH, POST or PUT.
        path: such as ``"/phone-numbers/search"``, with or without ``/api/v1``; never a whole address.
        query: names to text, numbers, bools, UUIDs or enum members; a value of None is left out. A list or tuple of
            values sends its name once for each (``{"ids[]": ["a", "b"]}``). A list or tuple of pairs is taken too.
        json: the body; None sends none.
        headers: names and values of headers to send with this call, besides the client's; the call's value stands
            where both have a name. None sends no other.

        It has the retries and the errors of the typed methods. All methods but POST are taken as safe to repeat, so
        don't use PUT, PATCH or DELETE here for an endpoint where twice is not the same as once. A POST is sent once,
        and again only where nothing can have been carried out; where its answer was lost, it raises
        OutcomeUnknownError.
        Gives None where the answer has no body or no data.
        """
        how_to_check = "Look whether it was carried out before sending it again."
        described = describe(method, path, RAW, query=query, json=json, headers=headers, how_to_check=how_to_check)
        del query, json, headers  # a report of an error might print them
        return await self._pipeline.run(described)

    async def doctor(self, *, deadline: float = DEADLINE) -> "Diagnosis":
        """Look at each part of the way to the service, and say what is wrong and what to do about it. Safe to repeat.

        It resolves the name, opens a TLS connection, and makes one call, ``GET /phone-numbers``, once: all at a time.
        What it finds is no error: a :class:`mihu_async.doctor.Diagnosis` says it, with a finding for names, proxy, TLS,
        the service, the token, the clock, versions and limits. ``diagnosis.ok`` says that nothing is broken, and
        ``print(diagnosis)`` shows all of it. It holds no secret.

        deadline: seconds that it may take.

        Raises UsageError where that is no number of seconds, and nothing else.
        """
        from mihu_async.doctor.probes import examine  # noqa: PLC0415 - it is needed once in a client's life, if at all

        return await examine(
            self._transport, self._pipeline, concurrency=self._concurrency, deadline=seconds("deadline", deadline)
        )

    @property
    def last_call(self) -> CallReport | None:
        """What was done for the call that ended last in this task: its attempts, and where its result comes from.

        ``message``, ``request_id`` and ``headers`` are those of its last answer, also of a success.

        None where this task has made no call yet, or made its last one with another client. A walk fetches its pages
        in tasks of their own; ``pager.report`` tells of them.
        """
        identity, journal = LATEST.get() or (None, None)
        return journal.report() if journal and identity == self._pipeline.identity else None

    @property
    def rate_limit(self) -> RateLimit | None:
        """What the service said last, to any call of this client, of how many requests it takes; None before it did.

        It comes from the headers ``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset``. [inferred: none is documented].
        """
        return self._pipeline.throttle.rate_limit

    async def aclose(self) -> None:
        """Close the connections that this client made in the running event loop; a borrowed session stays open.

        It closes them at once, whoever else is inside an ``async with`` of this client: a call that is under way is cut
        off with a TransportError that says so and is not tried again; a write that may have left is looked up first,
        over a connection of its own. A client that ``with_options`` made closes nothing. Safe to repeat.
        """
        if self._owner:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        """Make what the first call needs, so that it does not hold up the loop; nothing is sent."""
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
    """Return a token that stays, or an empty text and the source of one that is asked for."""
    if token is None or isinstance(token, str) or not callable(token):
        return find_token(token, os.environ), None
    return "", TokenSource(token)


def _sender(transport: Transport, *, dry_run: bool) -> Sender:
    return DryRunSender(transport, str(transport.base_url), transport.headers) if dry_run else transport
