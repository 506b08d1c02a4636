"""From facts to findings: what is as it should be, what is not, and what to do. Pure; knows no network and no clock."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from ipaddress import ip_address

from attrs import frozen

from mihu_async.doctor.facts import Addresses, Call, Facts, Failure, Handshake, Way
from mihu_async.errors import APIError, AuthenticationError, DecodeError, PermissionDeniedError

TOLERANCE = timedelta(seconds=2)
"""The most by which two clocks may differ: purchases are told from older ones to within this."""
SOON = timedelta(days=7)
"""The time before its end from which on a certificate is worth a word."""
NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE)
MIB = 2**20


class Check(StrEnum):
    """The parts of the way, in the order of the findings."""

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
    """As it should."""
    WARNING = "warning"
    """Worth a look."""
    PROBLEM = "problem"
    """Broken."""
    UNKNOWN = "unknown"
    """It could not be told."""


@frozen
class Finding:
    """The result of one check."""

    check: Check
    """The part of the way that was looked at."""
    level: Level
    """The verdict of the check."""
    told: str
    """The finding in words."""
    advice: str = ""
    """Advice; empty where there is nothing to do."""


@frozen
class Diagnosis:
    """All findings, one for each :class:`Check`, in order. As text it is two lines at the most for each."""

    findings: tuple[Finding, ...]
    """One for each check, in order."""

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
            lines.append(f"{finding.level:<7}  {finding.check:<8}  {finding.told}")
            lines += [f"{'':<19}{finding.advice}"] * bool(finding.advice)
        return "\n".join(lines)


def diagnose(facts: Facts) -> Diagnosis:
    """Say what the facts mean."""
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
    """Say whether the name of the service, or of the proxy, is known."""
    way = facts.way
    host = way.proxy_host or way.host
    if isinstance(facts.names, Failure):
        advice = (
            "Check the proxy's name, and this machine's network and DNS."
            if way.proxy_host
            else "Check the spelling of the address, and this machine's network and DNS; where only a proxy knows "
            "names, name it (proxy=, or HTTPS_PROXY with trust_env=True)."
        )
        return Finding(Check.NAMES, Level.PROBLEM, f"{host} cannot be resolved: {facts.names.told}.", advice)
    if facts.names.found == (host,):
        return Finding(Check.NAMES, Level.OK, f"{host} is an address, there is no name to look up.")
    return Finding(Check.NAMES, Level.OK, f"{host} is {', '.join(facts.names.found)}.")


def proxy(way: Way) -> Finding:
    """Say which proxy is used."""
    if way.proxy:
        return Finding(Check.PROXY, Level.OK, f"Calls go through {way.proxy}.")
    if way.unused:
        told = f"No proxy is used, though the environment names {way.unused}."
        advice = "Where calls must go through it, make the client with trust_env=True; else leave it so."
        return Finding(Check.PROXY, Level.WARNING, told, advice)
    return Finding(Check.PROXY, Level.OK, "No proxy is used, and the environment names none for this address.")


def tls(facts: Facts) -> Finding:
    """Say whether the connection is safe."""
    match facts.tls:
        case _ if not facts.way.secure:
            return _plain(facts)
        case Failure() if isinstance(facts.names, Failure):
            return Finding(Check.TLS, Level.UNKNOWN, "There is no address to connect to.")
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
    told = f"{facts.way.address} is plain HTTP: whoever is on the way can read the token."
    return Finding(Check.TLS, Level.WARNING, told, "Use https://.")


def _no_connection(failure: Failure) -> Finding:
    if failure.certificate:
        told = f"The certificate is not trusted: {failure.told}."
        advice = (
            "Where a proxy of your network reads TLS, trust its CA (SSL_CERT_FILE=, or ssl= with a context); check the "
            "address where the name does not match, and this machine's date where it is too old or too new."
        )
    else:
        told = f"There was no TLS connection: {failure.told}."
        advice = "Check that a firewall lets this machine out to that host and port, or name the proxy to use."
    return Finding(Check.TLS, Level.PROBLEM, told, advice)


def _connection(facts: Facts, made: Handshake) -> Finding:
    if not facts.way.checked:
        told = f"{made.version}, and nobody checks whose certificate it is: anyone on the way can read the token."
        return Finding(Check.TLS, Level.WARNING, told, "Make the client without ssl=False.")
    if made.expires is None:
        return Finding(Check.TLS, Level.OK, f"{made.version}.")
    told = f"{made.version}, with a certificate that holds until {made.expires:%Y-%m-%d %H:%M} UTC."
    if made.expires - facts.now < SOON:
        return Finding(Check.TLS, Level.WARNING, told, "It ends soon, and is the service's to renew.")
    return Finding(Check.TLS, Level.OK, told)


def _seen_by_the_call(facts: Facts) -> Finding:
    told = "The certificate is pinned by a fingerprint" if facts.way.pinned else "TLS goes through the proxy"
    if facts.call.error is None or isinstance(facts.call.error, APIError | DecodeError):
        return Finding(Check.TLS, Level.OK, f"{told}, and the service was reached so.")
    return Finding(Check.TLS, Level.UNKNOWN, f"{told}, and the service was not reached.")


def service(facts: Facts) -> Finding:
    """Say whether the service answers as the documentation has it."""
    call, address = facts.call, facts.way.address
    match call.error:
        case None:
            return Finding(Check.SERVICE, Level.OK, f"{address} answered in {call.elapsed:.2f} s.")
        case AuthenticationError() | PermissionDeniedError():
            told = f"{address} answered {call.error.status} in {call.elapsed:.2f} s."
            return Finding(Check.SERVICE, Level.OK, told)
        case DecodeError():
            advice = "This is hardly the address of a workspace: it is https://NAME.mihu.ai."
        case APIError(status=status) if status in NOT_THERE or status < HTTPStatus.BAD_REQUEST:
            advice = "This is hardly the address of a workspace: it is https://NAME.mihu.ai."
        case APIError():
            advice = "The service is at fault, or asks to be left alone: try again later."
        case _:
            advice = "Look at the findings above; where those are fine, try again, with more time."
    return Finding(Check.SERVICE, Level.PROBLEM, str(call.error), advice)


def token(call: Call) -> Finding:
    """Say whether the token is accepted."""
    match call.error:
        case None:
            return Finding(Check.TOKEN, Level.OK, "The service accepts it.")
        case AuthenticationError():
            advice = "Take a token of this very workspace; it may have been revoked. MIHU_API_TOKEN holds it."
            return Finding(Check.TOKEN, Level.PROBLEM, "The service does not accept it (401).", advice)
        case PermissionDeniedError():
            told = "The service knows it, and does not let it list numbers (403)."
            return Finding(Check.TOKEN, Level.PROBLEM, told, "Have the workspace's owner give it the right to.")
        case _:
            return Finding(Check.TOKEN, Level.UNKNOWN, "The service did not say.")


def clock(call: Call) -> Finding:
    """Say whether this machine and the service agree on the time."""
    if call.skew is None:
        return Finding(Check.CLOCK, Level.UNKNOWN, "The service did not tell its time.")
    least, most = call.skew, call.skew + call.blur
    if least <= TOLERANCE and most >= -TOLERANCE:
        return Finding(Check.CLOCK, Level.OK, "This machine and the service agree on the time.")
    apart, which = (least, "behind") if least > timedelta() else (-most, "ahead of")
    told = f"This machine's clock is {_span(apart)} {which} the service's."
    advice = "Set it (NTP): certificates, and pauses that the service asks for by date, are read by it."
    return Finding(Check.CLOCK, Level.WARNING, told, advice)


def limits(facts: Facts) -> Finding:
    """Say what bounds the calls."""
    found = facts.limits
    timeout, retries = found.timeout, found.retries
    told = (
        f"A call may take {timeout.total:g} s ({timeout.connect:g} s to connect, {timeout.read:g} s of silence) and "
        f"{retries.max_attempts} attempt{'s' * (retries.max_attempts != 1)}; {found.concurrency} "
        f"page{'s' * (found.concurrency != 1)} at a time; answers up to {found.max_response_bytes / MIB:g} MiB; "
        f"{'a' if found.limited else 'no'} limiter."
    )
    if found.held:
        told = f"The service asked for a pause: calls are held for {found.held:.3g} s more. {told}"
        return Finding(Check.LIMITS, Level.WARNING, told, "Send less at a time; see docs/limits.md.")
    if not found.affordable:
        told = f"The budget for retries is spent: calls are tried once. {told}"
        return Finding(Check.LIMITS, Level.WARNING, told, "It fills up again as calls succeed.")
    return Finding(Check.LIMITS, Level.OK, told)


def _span(apart: timedelta) -> str:
    """Write a time in its two largest units."""
    minutes, seconds = divmod(round(apart.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join([f"{count} {unit}" for count, unit in units if count][:2])
