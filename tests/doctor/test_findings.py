from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from mihu_async import RetryPolicy, Timeout, errors
from mihu_async.doctor import Check, Diagnosis, Finding, Level
from mihu_async.doctor.facts import Addresses, Call, Facts, Failure, Handshake, Limits, Way
from mihu_async.doctor.findings import diagnose

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHERE: dict[str, Any] = {"method": "GET", "url": "https://acme.mihu.ai/api/v1/phone-numbers"}
WELL = Facts(
    way=Way(address="https://acme.mihu.ai", host="acme.mihu.ai", secure=True),
    names=Addresses(("192.0.2.7", "2001:db8::7")),
    tls=Handshake("TLSv1.3", NOW + timedelta(days=60)),
    call=Call(elapsed=0.25, skew=timedelta(), blur=timedelta(seconds=1)),
    now=NOW,
    versions={"mihu-async": "1.0", "Python": "3.11"},
    limits=Limits(
        timeout=Timeout(),
        retries=RetryPolicy(),
        concurrency=4,
        limited=False,
        max_response_bytes=2**20,
        affordable=True,
        held=0,
    ),
)


def facts(**changes) -> Facts:
    """Change what all is well in; a change of ``way``, ``call`` or ``limits`` is of some of its fields."""
    parts = {
        name: evolve(getattr(WELL, name), **change) if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    return evolve(WELL, **parts)


def refusal(status: int, kind: type[errors.APIError] = errors.APIError) -> errors.APIError:
    """Make a refusal as the service would."""
    return kind("refused", status=status, **WHERE)


UNREACHED = {"error": errors.ConnectError("No way.", **WHERE), "skew": None}
UNREADABLE = errors.DecodeError("HTML", status=200, content_type="text/html", excerpt="<html>", **WHERE)
PLAIN = {"address": "http://acme.example", "secure": False}
PROXIED = {"proxy": "http://127.0.0.1:3128", "proxy_host": "127.0.0.1"}

CASES = {
    "an address needs no lookup": (
        facts(way={"host": "192.0.2.7"}, names=Addresses(("192.0.2.7",))),
        Check.NAMES,
        Level.OK,
        "no name to resolve",
    ),
    "a name is known": (WELL, Check.NAMES, Level.OK, "acme.mihu.ai resolves to 192.0.2.7, 2001:db8::7"),
    "a name is not known": (
        facts(names=Failure("not known")),
        Check.NAMES,
        Level.PROBLEM,
        "acme.mihu.ai cannot be resolved: not known. | Check the spelling of the address",
    ),
    "the proxy's name is not known": (
        facts(names=Failure("not known"), way={"proxy": "http://proxy.example", "proxy_host": "proxy.example"}),
        Check.NAMES,
        Level.PROBLEM,
        "proxy.example cannot be resolved: not known. | Check the proxy's name",
    ),
    "no proxy": (WELL, Check.PROXY, Level.OK, "No proxy is used, and"),
    "a proxy": (facts(way=PROXIED), Check.PROXY, Level.OK, "through http://127.0.0.1:3128"),
    "a proxy that is not used": (
        facts(way={"unused": "http://192.0.2.1"}),
        Check.PROXY,
        Level.WARNING,
        "the environment names http://192.0.2.1. | If calls must go through it, make the client with trust_env=True",
    ),
    "plain HTTP": (facts(way=PLAIN, tls=None), Check.TLS, Level.WARNING, "can read the token. | Use https://"),
    "plain HTTP on this machine": (
        facts(way=PLAIN, tls=None, names=Addresses(("127.0.0.1", "::1%lo"))),
        Check.TLS,
        Level.OK,
        "does not leave this machine",
    ),
    "TLS": (WELL, Check.TLS, Level.OK, "TLSv1.3, with a certificate that is valid until 2026-03-02"),
    "TLS without a date": (facts(tls=Handshake("TLSv1.3")), Check.TLS, Level.OK, "TLSv1.3."),
    "a certificate that ends soon": (
        facts(tls=Handshake("TLSv1.3", NOW + timedelta(days=6))),
        Check.TLS,
        Level.WARNING,
        "2026-01-07 00:00 UTC. | It expires soon",
    ),
    "TLS that nobody checks": (
        facts(way={"checked": False}, tls=Handshake("TLSv1.3")),
        Check.TLS,
        Level.WARNING,
        "anyone on the network path can read the token. | Make the client without ssl=False",
    ),
    "TLS where the name is not known": (
        facts(names=Failure("not known"), tls=Failure("not known")),
        Check.TLS,
        Level.UNKNOWN,
        "no address to connect to",
    ),
    "no TLS": (
        facts(tls=Failure("refused")),
        Check.TLS,
        Level.PROBLEM,
        "No TLS connection could be made: refused. | Check that the firewall",
    ),
    "a certificate of others": (
        facts(tls=Failure("self-signed", certificate=True)),
        Check.TLS,
        Level.PROBLEM,
        "The certificate is not trusted: self-signed. | If a proxy of your network inspects TLS",
    ),
    "TLS through a proxy": (
        facts(way=PROXIED, tls=None),
        Check.TLS,
        Level.OK,
        "TLS goes through the proxy, and the service was reached",
    ),
    "TLS through a proxy that does not answer": (
        facts(way=PROXIED, tls=None, call=UNREACHED),
        Check.TLS,
        Level.UNKNOWN,
        "TLS goes through the proxy, and the service was not reached",
    ),
    "a fingerprint that fits": (
        facts(way={"pinned": True}, tls=None, call={"error": refusal(500)}),
        Check.TLS,
        Level.OK,
        "pinned by a fingerprint, and the service was reached",
    ),
    "an answer": (WELL, Check.SERVICE, Level.OK, "https://acme.mihu.ai answered in 0.25 s."),
    "no answer": (facts(call=UNREACHED), Check.SERVICE, Level.PROBLEM, "No way. | Look at the findings above"),
    "an answer that cannot be read": (
        facts(call={"error": UNREADABLE}),
        Check.SERVICE,
        Level.PROBLEM,
        "HTML | This is probably not the address of a workspace",
    ),
    "an address where nothing is": (
        facts(call={"error": refusal(404)}),
        Check.SERVICE,
        Level.PROBLEM,
        "refused | This is probably not the address of a workspace",
    ),
    "an address that points elsewhere": (
        facts(call={"error": refusal(301)}),
        Check.SERVICE,
        Level.PROBLEM,
        "refused | This is probably not the address of a workspace",
    ),
    "a service that fails": (
        facts(call={"error": refusal(503)}),
        Check.SERVICE,
        Level.PROBLEM,
        "refused | The service failed",
    ),
    "a service that refuses the token": (
        facts(call={"error": refusal(401, errors.AuthenticationError)}),
        Check.SERVICE,
        Level.OK,
        "https://acme.mihu.ai answered 401 in 0.25 s.",
    ),
    "a token": (WELL, Check.TOKEN, Level.OK, "accepts it"),
    "a wrong token": (
        facts(call={"error": refusal(401, errors.AuthenticationError)}),
        Check.TOKEN,
        Level.PROBLEM,
        "rejected it (401). | Use a token of this workspace",
    ),
    "a token without the right": (
        facts(call={"error": refusal(403, errors.PermissionDeniedError)}),
        Check.TOKEN,
        Level.PROBLEM,
        "(403). | Ask the workspace's owner",
    ),
    "a token that was not looked at": (facts(call=UNREACHED), Check.TOKEN, Level.UNKNOWN, "not known whether"),
    "no clock": (facts(call=UNREACHED), Check.CLOCK, Level.UNKNOWN, "did not report its time"),
    "clocks that agree": (WELL, Check.CLOCK, Level.OK, "agree on the time"),
    "a clock that may agree": (facts(call={"skew": timedelta(seconds=-2.9)}), Check.CLOCK, Level.OK, "agree"),
    "a clock behind": (
        facts(call={"skew": timedelta(seconds=3)}),
        Check.CLOCK,
        Level.WARNING,
        "is 3 s behind the service's. | Synchronize it (NTP)",
    ),
    "a clock ahead": (
        facts(call={"skew": timedelta(seconds=-3601)}),
        Check.CLOCK,
        Level.WARNING,
        "is 1 h ahead of the service's.",
    ),
    "a clock far behind": (
        facts(call={"skew": timedelta(days=2, hours=3, minutes=4)}),
        Check.CLOCK,
        Level.WARNING,
        "is 2 d 3 h behind",
    ),
    "versions": (WELL, Check.VERSIONS, Level.OK, "mihu-async 1.0, Python 3.11"),
    "limits": (
        WELL,
        Check.LIMITS,
        Level.OK,
        "60 s (10 s to connect, 30 s of silence) and 4 attempts; 4 pages at a time; answers up to 1 MiB; no limiter.",
    ),
    "the least limits": (
        facts(limits={"retries": RetryPolicy(max_attempts=1), "concurrency": 1, "limited": True}),
        Check.LIMITS,
        Level.OK,
        "and 1 attempt; 1 page at a time; answers up to 1 MiB; a limiter.",
    ),
    "a pause": (
        facts(limits={"held": 7.25}),
        Check.LIMITS,
        Level.WARNING,
        "calls wait for another 7.25 s. A call may take 60 s",
    ),
    "no budget": (
        facts(limits={"affordable": False}),
        Check.LIMITS,
        Level.WARNING,
        "The retry budget is used up: each call is tried once.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_finding_follows_from_the_facts(case):
    """It says what is, how bad that is, and what to do, and nothing where there is nothing to do."""
    given, check, level, message = CASES[case]
    finding = diagnose(given)[check]

    assert (check, level) == (finding.check, finding.level)
    assert message in f"{finding.message} | {finding.advice}"
    assert (level in {Level.WARNING, Level.PROBLEM}) == bool(finding.advice)


def test_a_diagnosis_has_every_check_in_order():
    """It can be iterated, and says whether anything is broken."""
    diagnosis = diagnose(WELL)

    assert list(Check) == [finding.check for finding in diagnosis]
    assert diagnosis.ok
    assert diagnose(facts(call=UNREACHED)).ok is False
    assert diagnose(facts(way={"unused": "http://192.0.2.1"})).ok


def test_a_diagnosis_reads_as_text():
    """Two lines at the most for each finding."""
    diagnosis = Diagnosis(
        (
            Finding(Check.NAMES, Level.OK, "It is."),
            Finding(Check.TOKEN, Level.PROBLEM, "It is not.", "Mend it."),
        )
    )

    assert str(diagnosis) == ("ok       names     It is.\nproblem  token     It is not.\n                   Mend it.")
