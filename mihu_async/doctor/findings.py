"""Turns facts into findings with a verdict and advice. Pure: has no network and no clock."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from ipaddress import ip_address

from attrs import frozen

from mihu_async.doctor.facts import Addresses, Call, Facts, Failure, Handshake, Way
from mihu_async.errors import APIError, AuthenticationError, ConnectError, DecodeError, PermissionDeniedError

TOLERANCE = timedelta(seconds=2)
"""The largest clock difference at which a purchase can still be distinguished from an older one."""
SOON = timedelta(days=7)
"""The remaining lifetime of a certificate below which there is a warning."""
NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE)
MIB = 2**20
REFUSALS = ("Connect call failed", "refused")
"""The words by which event loops report a connection that was not accepted."""
REFUSED_CONNECTION = "Nothing accepted the connection: is the address right, and is the service running?"
"""The advice for a connection that was not accepted."""


class Check(StrEnum):
    """The checks, in the order of the findings."""

    NAMES = "names"
    PROXY = "proxy"
    TLS = "tls"
    SERVICE = "service"
    TOKEN = "token"  # noqa: S105 - the word
    CLOCK = "clock"
    VERSIONS = "versions"
    LIMITS = "limits"


class Level(StrEnum):
    """The verdict of a check."""

    OK = "ok"
    """The part works."""
    WARNING = "warning"
    """The part works, but deserves a look."""
    PROBLEM = "problem"
    """The part is broken."""
    UNKNOWN = "unknown"
    """The state of the part could not be determined."""


@frozen
class Finding:
    """The result of one check."""

    check: Check
    """The part of the connection that was checked."""
    level: Level
    """The verdict of the check."""
    message: str
    """The finding as text."""
    advice: str = ""
    """The advice; empty if there is nothing to do."""


@frozen
class Diagnosis:
    """All findings, one for each :class:`Check`, in order. As text, each takes at most two lines."""

    findings: tuple[Finding, ...]
    """The findings, one for each check, in order."""

    @property
    def ok(self) -> bool:
        """True if nothing is broken; warnings and unknown findings do not count."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, check: Check | str) -> Finding:
        return next(finding for finding in self.findings if finding.check == check)

    def __str__(self) -> str:
        lines: list[str] = []
        for finding in self.findings:
            lines.append(f"{finding.level:<7}  {finding.check:<8}  {finding.message}")
            lines += [f"{'':<19}{finding.advice}"] * bool(finding.advice)
        return "\n".join(lines)


def diagnose(facts: Facts) -> Diagnosis:
    """Return the finding of each check."""
    return Diagnosis(
        (
            names(facts),
            proxy(facts.way),
            tls(facts),
            service(facts),
            token(facts.call),
            clock(facts.call),
            Finding(Check.VERSIONS, Level.OK, ", ".join(f"{name} {found}" for name, found in facts.versions.items())),
            limits(facts),
        )
    )


def names(facts: Facts) -> Finding:
    """Judge whether the name of the service, or of the proxy, resolves."""
    way = facts.way
    host = way.proxy_host or way.host
    if isinstance(facts.names, Failure):
        advice = (
            "Check the proxy's name and this machine's network and DNS."
            if way.proxy_host
            else "Check the spelling of the address and this machine's network and DNS; if only a proxy can resolve "
            "names, set it (proxy=, or HTTPS_PROXY with trust_env=True)."
        )
        return Finding(Check.NAMES, Level.PROBLEM, f"{host} cannot be resolved: {facts.names.reason}.", advice)
    if facts.names.found == (host,):
        return Finding(Check.NAMES, Level.OK, f"{host} is an IP address; there is no name to resolve.")
    return Finding(Check.NAMES, Level.OK, f"{host} resolves to {', '.join(facts.names.found)}.")


def proxy(way: Way) -> Finding:
    """Report the proxy in use."""
    if way.proxy:
        return Finding(Check.PROXY, Level.OK, f"Calls go through {way.proxy}.")
    if way.unused:
        message = f"No proxy is used, though the environment names {way.unused}."
        advice = "If calls must go through it, make the client with trust_env=True; otherwise nothing is wrong."
        return Finding(Check.PROXY, Level.WARNING, message, advice)
    return Finding(Check.PROXY, Level.OK, "No proxy is used, and the environment names none for this address.")


def tls(facts: Facts) -> Finding:
    """Judge whether the TLS connection is safe."""
    match facts.tls:
        case _ if not facts.way.secure:
            return _plain(facts)
        case Failure() if isinstance(facts.names, Failure):
            return Finding(Check.TLS, Level.UNKNOWN, "The name did not resolve, so there is no address to connect to.")
        case Failure():
            return _no_connection(facts.tls)
        case Handshake():
            return _connection(facts, facts.tls)
        case _:
            return _seen_by_the_call(facts)


def _plain(facts: Facts) -> Finding:
    found = facts.names
    if isinstance(found, Addresses) and all(ip_address(one.partition("%")[0]).is_loopback for one in found.found):
        return Finding(Check.TLS, Level.OK, "Plain HTTP, which does not leave this machine.")
    message = f"{facts.way.address} is plain HTTP: anyone on the network path can read the token."
    return Finding(Check.TLS, Level.WARNING, message, "Use https://.")


def _no_connection(failure: Failure) -> Finding:
    if failure.certificate:
        message = f"The certificate is not trusted: {failure.reason}."
        advice = (
            "If a proxy of your network inspects TLS, trust its CA (SSL_CERT_FILE=, or ssl= with a context). Check the "
            "address if the name does not match, and this machine's date if it has expired or is not valid yet."
        )
    else:
        message = f"No TLS connection could be made: {failure.reason}."
        advice = "Check that the firewall allows connections to that host and port, or set the proxy to use."
    return Finding(Check.TLS, Level.PROBLEM, message, advice)


def _connection(facts: Facts, made: Handshake) -> Finding:
    if not facts.way.checked:
        message = f"{made.version}, but the certificate is not checked: anyone on the network path can read the token."
        return Finding(Check.TLS, Level.WARNING, message, "Make the client without ssl=False.")
    if made.expires is None:
        return Finding(Check.TLS, Level.OK, f"{made.version}.")
    message = f"{made.version}, with a certificate that is valid until {made.expires:%Y-%m-%d %H:%M} UTC."
    if made.expires - facts.now < SOON:
        return Finding(Check.TLS, Level.WARNING, message, "It expires soon, and only the service can renew it.")
    return Finding(Check.TLS, Level.OK, message)


def _seen_by_the_call(facts: Facts) -> Finding:
    message = "The certificate is pinned by a fingerprint" if facts.way.pinned else "TLS goes through the proxy"
    if facts.call.error is None or isinstance(facts.call.error, APIError | DecodeError):
        return Finding(Check.TLS, Level.OK, f"{message}, and the service was reached.")
    return Finding(Check.TLS, Level.UNKNOWN, f"{message}, and the service was not reached.")


def service(facts: Facts) -> Finding:
    """Judge whether the service answers as documented."""
    call, address = facts.call, facts.way.address
    match call.error:
        case None:
            return Finding(Check.SERVICE, Level.OK, f"{address} answered in {call.elapsed:.2f} s.")
        case AuthenticationError() | PermissionDeniedError():
            message = f"{address} answered {call.error.status} in {call.elapsed:.2f} s."
            return Finding(Check.SERVICE, Level.OK, message)
        case DecodeError():
            advice = "This is probably not the address of a workspace, which is https://NAME.mihu.ai."
        case APIError(status=status) if status in NOT_THERE or status < HTTPStatus.BAD_REQUEST:
            advice = "This is probably not the address of a workspace, which is https://NAME.mihu.ai."
        case APIError():
            advice = "The service failed, or asked for a pause: try again later."
        case error if is_refused(error):
            advice = REFUSED_CONNECTION
        case _:
            advice = "Look at the findings above; if those are fine, try again with a longer deadline."
    return Finding(Check.SERVICE, Level.PROBLEM, str(call.error), advice)


def is_refused(error: BaseException) -> bool:
    """Return True if nothing accepted the connection, judging by the text, because no error keeps the network's own."""
    return isinstance(error, ConnectError) and any(sign in str(error) for sign in REFUSALS)


def token(call: Call) -> Finding:
    """Judge whether the token is accepted."""
    match call.error:
        case None:
            return Finding(Check.TOKEN, Level.OK, "The service accepts it.")
        case AuthenticationError():
            advice = "Use a token of this workspace that has not been revoked, in MIHU_API_TOKEN."
            return Finding(Check.TOKEN, Level.PROBLEM, "The service rejected it (401).", advice)
        case PermissionDeniedError():
            message = "The service accepts it, but it may not list numbers (403)."
            return Finding(Check.TOKEN, Level.PROBLEM, message, "Ask the workspace's owner for permission.")
        case _:
            return Finding(Check.TOKEN, Level.UNKNOWN, "It is not known whether the service accepts it.")


def clock(call: Call) -> Finding:
    """Judge whether the clocks of this machine and the service agree."""
    if call.skew is None:
        return Finding(Check.CLOCK, Level.UNKNOWN, "The service did not report its time.")
    least, most = call.skew, call.skew + call.blur
    if least <= TOLERANCE and most >= -TOLERANCE:
        return Finding(Check.CLOCK, Level.OK, "This machine and the service agree on the time.")
    apart, which = (least, "behind") if least > timedelta() else (-most, "ahead of")
    message = f"This machine's clock is {_span(apart)} {which} the service's."
    advice = "Synchronize it (NTP): certificates, and pauses with a date, are checked against it."
    return Finding(Check.CLOCK, Level.WARNING, message, advice)


def limits(facts: Facts) -> Finding:
    """Report the limits on calls."""
    found = facts.limits
    timeout, retries = found.timeout, found.retries
    message = (
        f"A call may take {timeout.total:g} s ({timeout.connect:g} s to connect, {timeout.read:g} s of silence) and "
        f"{retries.max_attempts} attempt{'s' * (retries.max_attempts != 1)}; {found.concurrency} "
        f"page{'s' * (found.concurrency != 1)} at a time; answers up to {found.max_response_bytes / MIB:g} MiB; "
        f"{'a' if found.limited else 'no'} limiter."
    )
    if found.held:
        message = f"The service asked for a pause: calls wait for another {found.held:.3g} s. {message}"
        return Finding(Check.LIMITS, Level.WARNING, message, "Send fewer requests at a time; see docs/limits.md.")
    if not found.affordable:
        message = f"The retry budget is used up: each call is tried once. {message}"
        return Finding(Check.LIMITS, Level.WARNING, message, "It refills as calls succeed.")
    return Finding(Check.LIMITS, Level.OK, message)


def _span(apart: timedelta) -> str:
    """Format a duration in its two largest units."""
    minutes, seconds = divmod(round(apart.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join([f"{count} {unit}" for count, unit in units if count][:2])
