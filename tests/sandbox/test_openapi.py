"""The sandbox against the contract in machine form, driven by Schemathesis with good requests and bad ones."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from mihu_async.sandbox import Sandbox, operations

pytestmark = pytest.mark.slow

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    positive_data_acceptance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
]

schema = schemathesis.openapi.from_path(Path(__file__).parents[1] / "contract" / "openapi.yaml")
schema.config.generation.update(with_security_parameters=False)  # the test sends the token itself


@pytest.fixture(scope="module")
def served():
    """Serve one sandbox for all examples; what they change stays."""
    with Sandbox(numbers=30, trunks=6) as sandbox:
        yield sandbox


@schema.parametrize()
@settings(derandomize=True, deadline=None, max_examples=40)
def test_contract(case, served):
    """Whatever is asked, the contract describes the answer; what it allows is accepted and what it forbids is not."""
    is_good = case.meta.generation.mode is GenerationMode.POSITIVE
    if is_good:
        aim(case, served.inventory)
    authorization = {"Authorization": f"Bearer {served.token}"}
    # The parameters of this listing are inferred, so the sandbox ignores others.
    without = [negative_data_rejection] if case.operation.label == "GET /api/v1/agents" else []
    response = case.call_and_validate(
        base_url=served.base_url, headers=authorization, checks=CHECKS, excluded_checks=without
    )

    assert not is_good or response.status_code in {200, 201, 409}


def aim(case, inventory) -> None:
    """Point a good request at what is there: a number, a trunk that is its own, a free agent."""
    parameters, body = case.query or {}, case.body if isinstance(case.body, dict) else {}
    if "uuid" in (case.path_parameters or {}):
        case.path_parameters["uuid"] = inventory.numbers[0]["phone_number_uuid"]
    if case.operation.path.startswith("/api/v1/agents/"):
        case.path_parameters["uuid"] = free_agent(inventory, "call")
    if "phone_number_uuid" in body:
        body["phone_number_uuid"] = inventory.numbers[0]["phone_number_uuid"]
    if "connection_uuid" in body:
        wanted = {"name": "n", "phone_number": "+12025550123", "gateway": "sip.acme.com"}
        body["connection_uuid"] = operations.create_sip_connection(inventory, wanted)["uuid"]
    if "number" in parameters:
        parameters["number"] = inventory.trunks[0]["number"]
    for address in (parameters, body):
        if case.operation.label.partition(" ")[0] != "POST" and {"phone_number", "channel"} <= set(address):
            address["phone_number"] = inventory.insert_trunk(channel=address["channel"])["number"]
    if "agent_uuid" in body:
        body["agent_uuid"] = free_agent(inventory, body["channel"])


def free_agent(inventory, channel) -> str:
    """Find an agent that serves nothing on a channel; a new one where all do."""
    spare = inventory.insert_trunk(channel=channel)
    inventory.delete(spare["phone_number_uuid"])
    return str(spare["bindings"][channel]["agent_uuid"])
