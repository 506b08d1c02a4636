import asyncio
import hashlib
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
import trustme

from mihu_async import MihuClient, UsageError, __version__
from mihu_async.doctor import Check, Level, probes
from mihu_async.sandbox import Hang, Reset, Sandbox, Status

TOKEN = "sandbox-token-e7f3a9c"


@pytest.fixture
async def sandbox():
    """Serve a workspace."""
    async with Sandbox(numbers=1, trunks=0, token=TOKEN) as served:
        yield served


def connect(sandbox, **options) -> MihuClient:
    """Make a client of the sandbox."""
    return MihuClient(**{"token": TOKEN, "base_url": sandbox.base_url, **options})


async def levels(mihu: MihuClient, **options) -> dict[Check, Level]:
    """Return what is not as it should be."""
    return {found.check: found.level for found in await mihu.doctor(**options) if found.level is not Level.OK}


async def test_all_is_well_with_a_sandbox(sandbox):
    """One safe call is made, and the parts at work are listed."""
    async with connect(sandbox) as mihu:
        diagnosis = await mihu.doctor()

    assert [Level.OK] * len(Check) == [finding.level for finding in diagnosis]
    assert [("GET", 200)] == [(entry.method, entry.status) for entry in sandbox.journal]
    assert f"mihu-async {__version__}, Python 3." in diagnosis[Check.VERSIONS].message
    assert f"aiohttp {aiohttp.__version__}" in diagnosis[Check.VERSIONS].message


async def test_a_wrong_token_is_found_and_never_shown(sandbox):
    """The service is fine, and the token is not."""
    async with connect(sandbox, token="another-token-1234") as mihu:
        diagnosis = await mihu.doctor()

    assert not diagnosis.ok
    assert Level.PROBLEM is diagnosis[Check.TOKEN].level
    assert Level.OK is diagnosis[Check.SERVICE].level
    assert "another-token" not in f"{diagnosis} {diagnosis!r}"


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_clock_that_is_wrong_is_found(sandbox, hours):
    """The service's Date says so, also on a refusal."""
    away = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    sandbox.faults.add(Status(403, headers={"Date": away}))
    async with connect(sandbox) as mihu:
        found = (await mihu.doctor())[Check.CLOCK]

    assert Level.WARNING is found.level
    assert ("behind" if hours > 0 else "ahead of") in found.message
    assert " 4 h 59 min " in found.message or " 5 h " in found.message


async def test_what_does_not_answer_ends_in_time(sandbox):
    """The deadline is the doctor's own, and nothing is sent twice."""
    sandbox.faults.add(Hang(), times=None)
    async with connect(sandbox) as mihu:
        began = asyncio.get_running_loop().time()
        diagnosis = await mihu.doctor(deadline=0.1)
        took = asyncio.get_running_loop().time() - began

    assert {Check.SERVICE: Level.PROBLEM, Check.TOKEN: Level.UNKNOWN, Check.CLOCK: Level.UNKNOWN} == {
        found.check: found.level for found in diagnosis if found.level is not Level.OK
    }
    assert took < 5
    assert 1 == len(sandbox.journal)


async def test_a_lost_connection_is_a_finding(sandbox):
    """Nothing is raised for it."""
    sandbox.faults.add(Reset(), times=None)
    async with connect(sandbox) as mihu:
        assert Level.PROBLEM is (await mihu.doctor())[Check.SERVICE].level


async def test_a_name_that_nobody_knows_is_a_finding(monkeypatch):
    """The call fails for the same reason, and the advice is about the name."""

    async def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with MihuClient("t", base_url="https://acme.mihu.ai") as mihu:
        diagnosis = await mihu.doctor()

    assert "gaierror: Name or service not known" in diagnosis[Check.NAMES].message
    assert [Level.PROBLEM, Level.UNKNOWN] == [diagnosis[Check.NAMES].level, diagnosis[Check.TLS].level]


async def test_a_resolver_that_hangs_is_a_finding(monkeypatch, sandbox):
    """It has the deadline too."""

    async def hang(*_, **__):
        await asyncio.Event().wait()

    async with connect(sandbox) as mihu:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hang)

        assert "no answer within 0.05 s" in (await mihu.doctor(deadline=0.05))[Check.NAMES].message


async def test_nobody_listens():
    """A refused connection is reported by each probe."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with MihuClient("t", base_url=f"https://127.0.0.1:{taken.getsockname()[1]}") as mihu:
            found = await levels(mihu)

    assert {Check.TLS: Level.PROBLEM, Check.SERVICE: Level.PROBLEM} == {
        check: level for check, level in found.items() if level is Level.PROBLEM
    }


async def test_certificates_are_looked_at_as_the_client_would():
    """Unknown, trusted, unchecked and pinned ones."""
    authority = trustme.CA()
    serving, trusting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    issued = authority.issue_cert("127.0.0.1")
    issued.configure_cert(serving)
    authority.configure_trust(trusting)
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    pin = aiohttp.Fingerprint(hashlib.sha256(der).digest())
    findings = {}
    async with Sandbox(numbers=1, trunks=0, token=TOKEN, ssl=serving) as sandbox:
        for name, trust in {"unknown": None, "trusted": trusting, "unchecked": False, "pinned": pin}.items():
            async with connect(sandbox, ssl=trust) as mihu:
                findings[name] = (await mihu.doctor())[Check.TLS]
        own = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting))
        async with own, connect(sandbox, session=own) as mihu:
            findings["lent session"] = (await mihu.doctor())[Check.TLS]

    assert {
        "unknown": Level.PROBLEM,
        "trusted": Level.OK,
        "unchecked": Level.WARNING,
        "pinned": Level.OK,
        "lent session": Level.OK,
    } == {name: finding.level for name, finding in findings.items()}
    assert "The certificate is not trusted: unable to get local issuer certificate" in findings["unknown"].message
    assert "with a certificate that is valid until" in findings["trusted"].message


async def test_proxies_are_shown_without_their_credentials(sandbox, monkeypatch):
    """The one in use, the one that the environment names and nobody uses, and one that cannot be one."""
    async with MihuClient("t", base_url="https://acme.mihu.ai", proxy="http://user:hunter22@127.0.0.1:1") as mihu:
        used = await mihu.doctor()
    async with connect(sandbox) as mihu:
        monkeypatch.setenv("HTTP_PROXY", "http://user:hunter22@192.0.2.1:3128")
        unused = await mihu.doctor()
        monkeypatch.setenv("HTTP_PROXY", "ftp://192.0.2.1")
        odd = await mihu.doctor()

    assert "Calls go through http://127.0.0.1:1." == used[Check.PROXY].message
    assert Level.UNKNOWN is used[Check.TLS].level
    assert "the environment names http://192.0.2.1:3128." in unused[Check.PROXY].message
    assert (
        "the environment names one that cannot be used (HTTP_PROXY: ftp:// is not supported" in odd[Check.PROXY].message
    )
    assert "hunter22" not in f"{used}{unused}"


async def test_what_holds_the_client_back_is_reported(sandbox):
    """A pause that the service asked for is a finding, and no error."""
    sandbox.faults.add(Status(429, retry_after=50))
    async with connect(sandbox) as mihu:
        await mihu.doctor()
        found = (await mihu.doctor(deadline=0.1))[Check.LIMITS]

    assert Level.WARNING is found.level
    assert "The service asked for a pause" in found.message


@pytest.mark.parametrize("deadline", [0, -1, "1", float("nan"), None])
async def test_a_deadline_is_a_number_of_seconds(sandbox, deadline):
    """Anything else is refused before anything is sent."""
    async with connect(sandbox) as mihu:
        with pytest.raises(UsageError, match="deadline must be a finite number of seconds above 0"):
            await mihu.doctor(deadline=deadline)

    assert not sandbox.journal


def test_a_part_without_metadata_is_unknown():
    """A bundled application may have none."""
    assert "unknown" == probes.versions(["no-such-part"])["no-such-part"]


def test_the_doctor_costs_nothing_until_it_is_asked():
    """It is not imported with the package."""
    script = "import sys, mihu_async; sys.exit(any('doctor' in name for name in sys.modules))"

    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode
