"""What the SDK sends is what the contract allows, and what its methods take is what the contract names."""

import inspect
from pathlib import Path
from typing import Any

import attrs
import pytest

from mihu_async import (
    Address,
    AvailableNumber,
    Capabilities,
    InboundUpdate,
    MihuClient,
    OutboundUpdate,
    PurchaseRequirement,
    RequirementValue,
    SipCredentials,
    SipUpdate,
)
from mihu_async.resources.agents import Agents
from mihu_async.resources.numbers import Numbers
from mihu_async.resources.sip_connections import SipConnections
from mihu_async.resources.trunks import Trunks
from mihu_async.sandbox import Sandbox

OPERATIONS: dict[str, Any] = {
    "listPhoneNumbers": Numbers.list,
    "buyPhoneNumber": Numbers.buy,
    "updateChannelSettings": Numbers.update,
    "getChannels": Numbers.channels,
    "getChannelsByNumber": Numbers.channels_of,
    "listRates": Numbers.rates,
    "listTrunks": Trunks.list,
    "registerTrunk": Trunks.register,
    "updateTrunk": Trunks.update,
    "deleteTrunk": Trunks.delete,
    "assignTrunk": Trunks.assign,
    "provisionCall": Agents.provision_call,
    "listAgents": Agents.list,
    "assignSms": Agents.assign_sms,
    "assignSipConnection": Agents.assign_sip_connection,
    "createSipConnection": SipConnections.create,
}
ARGUMENTS = {
    "perPage": {"per_page"},
    "uuid": {"phone_number_uuid"},
    "channel_settings": {"voice", "sms", "inbound"},
}
"""What a method calls a parameter whose name there says too little."""
OF_AGENTS = ARGUMENTS | {"uuid": {"agent_uuid"}}
PROVISIONAL = {
    "GET /phone-numbers/search": Numbers.search,
    "GET /phone-numbers/search/requirements": Numbers.requirements,
}
"""Of these the contract knows no more than the path: neither parameters nor answers are documented."""


@pytest.fixture(scope="session")
def contract():
    """Return the module that holds requests against the contract; it takes seconds to import."""
    from tests.contract import specification  # noqa: PLC0415 (the workers that run none of these tests do without)

    return specification


@pytest.fixture(scope="session")
def document(contract) -> Any:
    """Return the contract as plain values."""
    return contract.CONTRACT.spec.read_value()


async def test_everything_that_is_sent_keeps_to_the_contract(contract):
    """Each method, with each of its arguments, makes a request that the contract allows."""
    async with Sandbox(numbers=3, trunks=2) as sandbox:
        agent, other = sandbox.inventory.free_agents("call")[:2]
        async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
            await mihu.numbers.list()
            await mihu.numbers.list(
                page=1,
                per_page=100,
                status="active",
                country_code="US",
                type="local",
                compliance="completed",
                search="+1",
                bound_to_agent_uuid=agent,
                sort="number",
                include_external=False,
            )
            await mihu.numbers.buy(
                number="+390790080041",
                country_code="IT",
                type="local",
                monthly_fee=1.15,
                capabilities=Capabilities(voice=True),
                location="Sassari, Sardegna",
                address=Address(first_name="Ada", country_code="IT"),
                requirements=[RequirementValue(key="proof_of_address", document_id="d")],
            )
            uuid = sandbox.inventory.numbers[0]["phone_number_uuid"]
            await mihu.numbers.update(
                uuid,
                voice=OutboundUpdate(enabled=True, channel_limit=None, whitelisted_destinations=["US", "IT"]),
                sms={"enabled": False, "channel_limit": 0, "whitelisted_destinations": []},
                inbound=InboundUpdate(enabled=True, channel_limit=3),
            )
            await mihu.numbers.channels(uuid)
            await mihu.numbers.channels_of("+390790080041")
            await mihu.numbers.rates(page=1, per_page=200, country_code="IT", prefix="39")
            await mihu.trunks.list(page=1, per_page=1, search="1", channel="whatsapp", agent_uuid=agent)
            await mihu.trunks.register(
                phone_number="+12345678901",
                agent_uuid=agent,
                channel="call",
                name="Front desk",
                direction="both",
                sip=SipCredentials(gateway="sip.acme.com", port=5060, username="u", password="p"),
                additional_settings={"ani_format": "e164"},
            )
            await mihu.trunks.assign(phone_number="+12345678901", channel="call", agent_uuid=other)
            await mihu.trunks.update(
                phone_number="+12345678901",
                channel="call",
                name="Back office",
                direction="inbound",
                sip=SipUpdate(gateway="", port=5061, username="", password="p", secondary_gateway=""),
                additional_settings={},
            )
            await mihu.trunks.delete(phone_number="12345678901", channel="call")
            await mihu.agents.list(page=2, per_page=50)
            await mihu.agents.provision_call(agent, uuid)
            await mihu.agents.assign_sms(agent, uuid)
            created = await mihu.sip_connections.create(
                name="Front desk",
                phone_number="+12025550123",
                gateway="sip.acme.com",
                username="u",
                password="p",
                secondary_gateway="sip2.acme.com",
            )
            await mihu.agents.assign_sip_connection(other, created.uuid, force=True)

        assert 17 == len(sandbox.journal)
        for entry in sandbox.journal:
            contract.validate(entry)


async def test_what_is_made_of_several_calls_keeps_to_the_contract(contract):
    """A purchase that is made ready and a trunk that is ensured send what the contract allows, or is silent about."""
    async with Sandbox(numbers=3, trunks=2) as sandbox:
        one, other = sandbox.inventory.free_agents("call")[:2]
        async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
            purchase = await mihu.numbers.prepare(await mihu.numbers.search("GB", "local").first())
            purchase = purchase.answer("proof_of_address", document_id="d").with_address(Address(locality="London"))
            await purchase.commit()
            trunk: dict[str, Any] = {"phone_number": "+12345678901", "channel": "call"}
            for agent in (one, other, other):
                await mihu.trunks.ensure(**trunk, agent_uuid=agent, name="Front desk", direction="both")

        silent = [entry for entry in sandbox.journal if "/search" in entry.path]
        spoken = [entry for entry in sandbox.journal if entry not in silent]
        assert (2, 6) == (len(silent), len(spoken))
        for entry in spoken:
            contract.validate(entry)


async def test_the_contract_would_have_noticed(contract):
    """A request with a key that is not documented does not pass."""
    async with Sandbox(numbers=0, trunks=0) as sandbox:
        async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
            with pytest.raises(Exception, match="422"):
                await mihu.request("POST", "/phone-numbers", json={"number": "+1234", "colour": "red"})

        with pytest.raises(contract.OpenAPIError):
            contract.validate(sandbox.journal[0])


LOCAL = {"max_monthly_fee", "idempotency_key", "filters"}
"""Arguments that are held on our side and not sent, and the one that takes whatever the contract does not name."""


def test_every_operation_has_its_method(document):
    """An operation that is written into the contract needs a method here."""
    verbs = [verb for path in document["paths"].values() for verb in path.values()]

    assert set(OPERATIONS) == {verb["operationId"] for verb in verbs}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_method_takes_what_the_contract_names(document, operation):
    """Each documented parameter or property is an argument of the same name, and there is no other."""
    found: dict[str, Any] = next(
        verb for path in document["paths"].values() for verb in path.values() if verb["operationId"] == operation
    )
    named = {parameter.get("name") or parameter["$ref"].rpartition("/")[2] for parameter in found.get("parameters", [])}
    if "requestBody" in found:
        schema = found["requestBody"]["content"]["application/json"]["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        named |= set(schema["properties"])
    meant = OF_AGENTS if OPERATIONS[operation].__qualname__.startswith("Agents.") else ARGUMENTS
    arguments = {argument for name in named for argument in meant.get(name, {name})}

    assert arguments == set(inspect.signature(OPERATIONS[operation]).parameters) - {"self"} - LOCAL


@pytest.mark.parametrize("endpoint", PROVISIONAL)
def test_a_provisional_endpoint_is_known_by_its_path_only(document, endpoint):
    """The purchase page names it, the contract says nothing of it, and its method says that it is provisional."""
    page = (Path(__file__).parent / "pages" / "buy-a-phone-number.txt").read_text()
    paths = document["paths"]

    assert endpoint in page
    assert f"/api/v1{endpoint.removeprefix('GET ')}" not in paths
    assert f"``{endpoint}``. **Provisional.**" in str(PROVISIONAL[endpoint].__doc__)


def test_what_a_search_is_read_as_is_what_a_purchase_takes_over(document):
    """The contract's purchase names each field of a result and each way to name a requirement; the rest is extra."""
    purchase = document["components"]["schemas"]["Purchase"]["properties"]
    answered = set(purchase["requirements"]["items"]["properties"]) - {"value", "document_id"}
    shown = {"name", "type", "description"}  # as a number's compliance shows its requirements: inferred

    assert set(purchase) - {"address", "requirements"} == set(attrs.fields_dict(AvailableNumber)) - {"extra"}
    assert answered == set(attrs.fields_dict(PurchaseRequirement)) - {"extra"} - shown


async def test_what_is_sent_to_a_provisional_endpoint():
    """The path is the documented one, and there is no body; the names of the parameters are inferred."""
    async with Sandbox(numbers=0, trunks=0) as sandbox:
        async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
            await mihu.numbers.search("GB", "mobile", locality="London")
            await mihu.numbers.requirements("GB", "mobile")

        sent = [(f"{entry.method} {entry.path.removeprefix('/api/v1')}", entry.query) for entry in sandbox.journal]
        asked = (("country_code", "GB"), ("type", "mobile"))
        assert list(zip(PROVISIONAL, [(*asked, ("locality", "London")), asked], strict=True)) == sent
        assert {b""} == {entry.body for entry in sandbox.journal}
