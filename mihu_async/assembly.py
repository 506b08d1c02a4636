"""Assembles the transport and the pipeline of a client from its options, and validates each of them. Sends nothing."""

import os
from collections.abc import Iterable, Mapping

from attrs import evolve
from yarl import URL

from mihu_async.core.address import check_user_agent, find_base_url, find_proxy, find_token
from mihu_async.core.admission import Limiter, check_limiter
from mihu_async.core.headers import check_headers
from mihu_async.core.options import RetryPolicy, Timeout
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.sender import DryRunSender, Sender
from mihu_async.core.token import Token, TokenSource
from mihu_async.core.transport import USER_AGENT, Session, Sessions, Transport, Trust, check_trust
from mihu_async.hooks import Hooks, check_hooks
from mihu_async.models.channels import NumberChannels
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.validation import flag, instance_of, optional, positive_int, present

ANSWERS = (Page[PhoneNumber], PhoneNumber, NumberChannels)
"""The answers whose decoders are prepared before the first call."""
MAX_RESPONSE_BYTES = 64 * 2**20


def assemble(
    *,
    token: Token | None,
    subdomain: str | None,
    base_url: str | URL | None,
    session: Session | None,
    timeout: Timeout,
    retries: RetryPolicy,
    limiter: Limiter | None,
    hooks: Hooks | Iterable[Hooks],
    dry_run: bool,
    proxy: str | URL | None,
    ssl: Trust | None,
    trust_env: bool,
    user_agent: str | None,
    max_response_bytes: int,
    strict: bool,
    headers: Mapping[str, str] | None,
) -> tuple[Transport, Pipeline]:
    """Return the parts of a client with these options, which are those of :class:`mihu_async.MihuClient`.

    Raises:
        UsageError: If an option is invalid.
    """
    static, tokens = _token(token)
    address = find_base_url(subdomain, base_url, os.environ)
    transport = Transport(
        base_url=address,
        token=static,
        headers=() if headers is None else check_headers("headers", headers),
        user_agent=USER_AGENT if user_agent is None else check_user_agent(user_agent),
        sessions=Sessions(optional(instance_of(Session), "session", session)),
        proxy=find_proxy(proxy, address, trust_env=trust_env),
        ssl=True if ssl is None else check_trust(ssl),
        max_response_bytes=positive_int("max_response_bytes", max_response_bytes),
    )
    return transport, Pipeline(
        sender=_sender(transport, dry_run=flag("dry_run", dry_run)),
        secrets=transport.secrets,
        timeout=instance_of(Timeout)("timeout", timeout),
        retries=instance_of(RetryPolicy)("retries", retries),
        limiter=optional(check_limiter, "limiter", limiter),
        hooks=check_hooks("hooks", hooks),
        base_url=str(address),
        strict=flag("strict", strict),
        tokens=tokens,
    )


def reassemble(
    transport: Transport,
    pipeline: Pipeline,
    *,
    timeout: Timeout | None,
    retries: RetryPolicy | None,
    limiter: Limiter | None,
    hooks: Hooks | Iterable[Hooks] | None,
    dry_run: bool | None,
    strict: bool | None,
    token: Token | None,
    headers: Mapping[str, str] | None,
) -> tuple[Transport, Pipeline]:
    """Return parts with other options that share the connections of these; None keeps an option.

    Raises:
        UsageError: If an option is invalid.
    """
    changed, tokens = transport, pipeline.tokens
    if token is not None:
        static, tokens = _token(token)
        changed = evolve(changed, token=static)
    if headers is not None:
        changed = evolve(changed, headers=check_headers("headers", headers))
    changes = present(
        {
            "timeout": optional(instance_of(Timeout), "timeout", timeout),
            "retries": optional(instance_of(RetryPolicy), "retries", retries),
            "limiter": optional(check_limiter, "limiter", limiter),
            "hooks": optional(check_hooks, "hooks", hooks),
            "strict": optional(flag, "strict", strict),
        }
    )
    if changed is not transport or dry_run is not None:
        dry = isinstance(pipeline.sender, DryRunSender) if dry_run is None else flag("dry_run", dry_run)
        changes["sender"] = _sender(changed, dry_run=dry)
    return changed, evolve(pipeline, secrets=changed.secrets, tokens=tokens, **changes)


def _token(token: Token | None) -> tuple[str, TokenSource | None]:
    """Return a fixed token, or an empty text and the source that supplies one."""
    if token is None or isinstance(token, str) or not callable(token):
        return find_token(token, os.environ), None
    return "", TokenSource(token)


def _sender(transport: Transport, *, dry_run: bool) -> Sender:
    return DryRunSender(transport, str(transport.base_url), transport.headers) if dry_run else transport
