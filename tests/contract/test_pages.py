"""The published reference pages as test data: their requests are what the SDK sends, their answers what it reads."""

import json
import re
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
import pytest
from multidict import CIMultiDict

from mihu_async import Address, NumberChannels, Page, PhoneNumber, RequirementValue, SipCredentials
from mihu_async.core.request import describe
from mihu_async.core.response import Response
from tests.doubles import TOKEN, client, reading

PAGES = Path(__file__).parent / "pages"
EXAMPLE = re.compile(
    r"curl --request (?P<method>\w+) \\\n"
    r"  --url https://\{subdomain\}\.(?P<domain>[\w.]+)(?P<path>/\S+)[ \\\n]+"
    r"(?P<headers>(?:  --header '[^']+'[ \\\n]*)+)"
    r"(?:  --data '\n(?P<body>.*?)\n')?\s*"
    r"(?P<answer>\{.*?\n\})\n",
    re.DOTALL,
)


def example(page: str) -> dict[str, str]:
    """Take the example call and answer from a page."""
    found = EXAMPLE.search((PAGES / f"{page}.txt").read_text())
    assert found is not None
    return found.groupdict()


def given(inputs: dict[str, Any]) -> dict[str, Any]:
    """Turn the parts of a documented body that have input types into those types."""
    kinds = {"address": Address, "sip": SipCredentials}
    arguments = {name: kinds[name](**value) if name in kinds else value for name, value in inputs.items()}
    if "requirements" in inputs:
        arguments["requirements"] = [RequirementValue(**value) for value in inputs["requirements"]]
    return arguments


CALLS = {
    "assign-an-external-trunk": lambda mihu, body: mihu.trunks.assign(**body),
    "buy-a-phone-number": lambda mihu, body: mihu.numbers.buy(**body),
    "list-external-trunks": lambda mihu, body: mihu.trunks.list().pages().__anext__(),
    "list-your-phone-numbers": lambda mihu, body: mihu.numbers.list().pages().__anext__(),
    "register-an-external-trunk": lambda mihu, body: mihu.trunks.register(**body),
}
ANSWERS: dict[str, Any] = {
    "assign-an-external-trunk": NumberChannels,
    "buy-a-phone-number": PhoneNumber,
    "list-external-trunks": Page[PhoneNumber],
    "list-your-phone-numbers": Page[PhoneNumber],
    "register-an-external-trunk": NumberChannels,
}


def test_every_page_is_tested():
    """A page that is added to the folder needs its call and its answer here."""
    assert {path.stem for path in PAGES.iterdir()} == set(CALLS) == set(ANSWERS)


@pytest.mark.parametrize("page", CALLS)
async def test_the_documented_request_is_what_is_sent(page, wire):
    """Verb, address, headers and body are the page's, key for key."""
    documented = example(page)
    body = json.loads(documented["body"]) if documented["body"] else None
    answer = json.loads(documented["answer"])
    if "pagination" in answer["data"]:
        answer["data"]["pagination"]["current_page"] = 1  # the page's own figure is a placeholder
    if "number" in answer["data"] and body:
        answer["data"]["number"] = (
            given(body).get("number") or given(body)["phone_number"]
        )  # the page's is a placeholder
    wire.add(re.compile(r".*"), method=documented["method"], payload=answer)
    base_url = f"https://acme.{documented['domain']}"
    async with client().__class__(TOKEN, base_url=base_url) as mihu:
        await CALLS[page](mihu, given(body or {}))

    ((method, url, sent),) = wire.sent
    assert documented["method"] == method
    assert f"{base_url}{documented['path']}" == str(url.with_query(None))
    assert body == (json.loads(sent["data"]) if sent["data"] else None)
    for name, value in re.findall(r"--header '([^:]+): ([^']+)'", documented["headers"]):
        assert value.replace("<token>", TOKEN) == sent["headers"][name]


def assert_holds(model: Any, documented: Any) -> None:
    """Check that everything that was documented is in the model, and in its type."""
    match documented:
        case dict():
            for name, value in documented.items():
                attribute = "from_" if name == "from" else name
                assert attribute in attrs.fields_dict(type(model))
                assert_holds(getattr(model, attribute), value)
        case list():
            assert len(documented) == len(model)
            for inner, value in zip(model, documented, strict=True):
                assert_holds(inner, value)
        case _ if isinstance(model, datetime):
            assert datetime.fromisoformat(documented) == model
        case _:
            assert documented == (model.value if isinstance(model, Enum) else model)


@pytest.mark.parametrize("page", ANSWERS)
def test_the_documented_answer_is_read_whole(page):
    """Every key of the page's answer has its field, and every value is there."""
    documented = json.loads(example(page)["answer"])
    answer = Response("u", 200, CIMultiDict({"Content-Type": "application/json"}), json.dumps(documented).encode())

    model = reading(answer, describe("GET", "/x", ANSWERS[page]), strict=True).data
    assert_holds(model, documented["data"])
