"""A client that only plans its writes: it reads, and shows what it would write."""

import json
import shlex
from typing import Any

import pytest

from mihu_async import DryRun, MihuClient, SipCredentials, UsageError
from mihu_async.sandbox import Sandbox

PURCHASE: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}


@pytest.fixture
async def sandbox():
    """A small workspace."""
    async with Sandbox(numbers=3, trunks=2) as served:
        yield served


def planner(sandbox) -> MihuClient:
    """Make a client that writes nothing."""
    return MihuClient(sandbox.token, base_url=sandbox.base_url, dry_run=True)


async def test_a_write_is_shown_and_not_sent(sandbox):
    """Reads go through; the error holds the request as it would have left."""
    async with planner(sandbox) as mihu:
        assert 3 == len(await mihu.numbers.list().collect())
        with pytest.raises(DryRun, match=r"phone-numbers was not sent: .* Nothing was changed\.$") as caught:
            await mihu.numbers.buy(**PURCHASE)

    assert ["GET"] == [entry.method for entry in sandbox.journal]
    assert ("POST", f"{sandbox.base_url}/api/v1/phone-numbers") == (caught.value.method, caught.value.url)
    assert PURCHASE == caught.value.json
    assert () == caught.value.attempts


async def test_the_curl_line_is_the_request(sandbox):
    """With the token put in, a shell makes the very purchase."""
    async with planner(sandbox) as mihu:
        with pytest.raises(DryRun) as caught:
            await mihu.numbers.buy(**PURCHASE)
    assert sandbox.token not in caught.value.curl
    words = shlex.split(caught.value.curl.replace("***", sandbox.token))

    assert ["curl", "--request", "POST", f"{sandbox.base_url}/api/v1/phone-numbers"] == words[:4]
    assert ["--header", f"Authorization: Bearer {sandbox.token}"] == words[4:6]
    assert ["--header", "Content-Type: application/json"] == words[6:8]
    assert "--data" == words[8]
    assert PURCHASE == json.loads(words[9])


async def test_headers_of_a_callers_own_are_in_the_curl_line(sandbox):
    """Those of the client and of the call, without their secrets."""
    async with planner(sandbox) as mihu:
        own = mihu.with_options(headers={"X-Tenant": "acme", "X-Api-Key": "hush-hush"})
        with pytest.raises(DryRun) as caught:
            await own.request("POST", "/x", json={"a": "hush-hush"}, headers={"x-tenant": "other"})

    words = shlex.split(caught.value.curl)
    assert ["--header", "X-Api-Key: ***", "--header", "x-tenant: other"] == words[6:10]
    assert "hush-hush" not in caught.value.curl.replace(json.dumps(caught.value.json, separators=(",", ":")), "")


async def test_credentials_are_hidden(sandbox):
    """Short ones too, which a search through the text would leave."""
    sip = SipCredentials(gateway="sip.acme.com", username="u", password="pw")
    async with planner(sandbox) as mihu:
        with pytest.raises(DryRun) as caught:
            await mihu.trunks.register(phone_number="+12345678901", agent_uuid="a", channel="call", sip=sip)

    assert {"gateway": "sip.acme.com", "username": "***", "password": "***"} == caught.value.json["sip"]
    assert "pw" not in f"{caught.value.curl} {vars(caught.value)}"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST", "DELETE"])
async def test_every_verb_that_writes_is_held_back(sandbox, method):
    """Also of endpoints without a method; a request without a body has none in the command line."""
    async with planner(sandbox) as mihu:
        with pytest.raises(DryRun) as caught:
            await mihu.request(method, "/x", query={"a": "b c", "token": "hush-hush"})

    assert caught.value.json is None
    assert f"{sandbox.base_url}/api/v1/x?a=b%20c&token=***" == caught.value.url
    assert "--data" not in caught.value.curl
    assert 0 == len(sandbox.journal)


async def test_a_dry_run_is_an_option_for_some_calls(sandbox):
    """The same connections, with and without writes."""
    async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        dry = mihu.with_options(dry_run=True)
        with pytest.raises(DryRun):
            await dry.with_options(concurrency=2).numbers.buy(**PURCHASE)
        await dry.with_options(dry_run=False).numbers.buy(**PURCHASE)

    assert 4 == len(sandbox.inventory.numbers)
    with pytest.raises(UsageError, match="dry_run"):
        MihuClient("t", subdomain="acme", dry_run="yes")  # type: ignore[arg-type]  # the point of the test
