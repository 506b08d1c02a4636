"""A purchase that is made ready: what is asked, what is answered, and what is sent in the end."""

import json
import re
from decimal import Decimal
from typing import Any

import attrs
import pytest
from attrs.exceptions import FrozenInstanceError

from mihu_async import (
    Address,
    AvailableNumber,
    Capabilities,
    NumberType,
    OutcomeUnknownError,
    ProvisionalWarning,
    Purchase,
    PurchaseRequirement,
    PurchaseRequirements,
    RequirementValue,
    UsageError,
)
from mihu_async.resources.provisional import warn_provisional
from mihu_async.sandbox import Reset, Status
from tests.doubles import client

OFFER = AvailableNumber(
    number="+390790080041",
    country_code="IT",
    type=NumberType.LOCAL,
    monthly_fee=Decimal("1.10"),
    location="Sassari, Sardegna",
)
PROOF = PurchaseRequirement(key="proof_of_address", requirement_id="r-1")
NAME = PurchaseRequirement(requirement_id="r-2", name="Business name")


async def never(**_: Any) -> Any:
    """Stand for a purchase that must not be made."""
    raise AssertionError


def purchase(*asked: PurchaseRequirement, offer: AvailableNumber = OFFER, buy: Any = never) -> Purchase:
    """Make a purchase that asks for something."""
    return Purchase(offer=offer, requirements=PurchaseRequirements(items=asked), buy=buy)


def test_what_is_missing_is_what_was_not_answered():
    """It is named by its key, or by its id where it has no key, in the service's order."""
    begun = purchase(PROOF, NAME)
    further = begun.answer("r-2", value="Acme")

    assert ("proof_of_address", "r-2") == begun.missing
    assert ("proof_of_address",) == further.missing
    assert () == further.answer("proof_of_address", document_id="d").missing
    assert () == purchase().missing


def test_an_answer_names_its_requirement_in_full():
    """By key and id, as far as the service gave them, whichever the caller used."""
    begun = purchase(PROOF, NAME)
    expected = RequirementValue(key="proof_of_address", requirement_id="r-1", document_id="d")

    assert (expected,) == begun.answer("proof_of_address", document_id="d").answers
    assert (expected,) == begun.answer("r-1", document_id="d").answers
    assert (RequirementValue(requirement_id="r-2", value="Acme"),) == begun.answer("r-2", value="Acme").answers


def test_a_later_answer_replaces_the_earlier_one():
    """There is one answer to each requirement."""
    answered = (
        purchase(PROOF, NAME).answer("r-2", value="Acme").answer("r-1", value="v").answer("r-2", value="Acme Ltd")
    )

    assert ["v", "Acme Ltd"] == [answer.value for answer in answered.answers]


def test_a_purchase_never_changes():
    """A step gives another purchase, and the one before is as it was."""
    begun = purchase(PROOF)
    begun.answer("r-1", value="v")
    begun.with_address(Address(locality="Sassari"))

    assert purchase(PROOF) == begun
    assert (("proof_of_address",), None) == (begun.missing, begun.address)
    with pytest.raises(FrozenInstanceError):
        begun.address = Address()  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("key", ["proof", "", None, "Business name"])
def test_what_is_not_asked_cannot_be_answered(key):
    """The error says what is."""
    with pytest.raises(UsageError, match=r"one of the requirements \('proof_of_address', 'r-2'\), not ") as caught:
        purchase(PROOF, NAME).answer(key, value="v")

    assert "key" == caught.value.argument
    with pytest.raises(UsageError, match=r"\(none\), not 'a'"):
        purchase().answer("a", value="v")


@pytest.mark.parametrize(
    "given",
    [{}, {"value": "v", "document_id": "d"}, {"value": ""}, {"document_id": " "}, {"value": None}, {"value": 5}],
    ids=str,
)
def test_an_answer_is_one_text_or_one_document(given):
    """Neither, both, and nothing but blanks are refused."""
    with pytest.raises(UsageError, match="Nothing was sent") as caught:
        purchase(PROOF).answer("r-1", **given)

    assert "value" == caught.value.argument


TEXT = PurchaseRequirement(key="business_name", type="textual")
BIRTH = PurchaseRequirement(key="date_of_birth", type="datetime")
BILL = PurchaseRequirement(key="bill", type="Document")
SEAT = PurchaseRequirement(key="registered_address", type="address")
ACTION = PurchaseRequirement(key="visit", type="action")


@pytest.mark.parametrize(
    ("asked", "given", "message"),
    [
        (TEXT, {"document_id": "d"}, "'business_name' is of the type 'textual': it takes value, not document_id."),
        (BIRTH, {"document_id": "d"}, "'date_of_birth' is of the type 'datetime': it takes value, not document_id."),
        (BILL, {"value": "v"}, "'bill' is of the type 'Document': it takes document_id, not value."),
    ],
)
def test_an_answer_of_the_wrong_kind_is_refused(asked, given, message):
    """The error says what the requirement's type takes."""
    with pytest.raises(UsageError, match=re.escape(f"{message} Nothing was sent.")) as caught:
        purchase(asked).answer(asked.key, **given)

    assert list(given) == [caught.value.argument]


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        (TEXT, ["value"]),
        (BIRTH, ["value"]),
        (BILL, ["document_id"]),
        (SEAT, ["value", "document_id"]),
        (ACTION, ["value", "document_id"]),
        (PROOF, ["value", "document_id"]),
    ],
)
def test_a_requirement_takes_what_its_type_takes(asked, parts):
    """A type that is not known, and an address, take a text or a document."""
    assert [[]] * len(parts) == [list(purchase(asked).answer(asked.key, **{part: "x"}).missing) for part in parts]
    assert tuple(parts) == asked.takes


def test_what_is_not_answered_is_reported_with_its_type():
    """So a caller can answer each in the right way."""
    begun = purchase(TEXT, SEAT, PROOF)

    assert (TEXT, SEAT, PROOF) == begun.unanswered
    assert (SEAT, PROOF) == begun.answer("business_name", value="Acme").unanswered


def test_an_address_answers_what_asks_for_one():
    """One that says nothing does not."""
    begun = purchase(TEXT, SEAT)

    assert ("business_name",) == begun.with_address(Address(locality="Sassari")).missing
    assert ("business_name", "registered_address") == begun.with_address(Address()).missing


@pytest.mark.parametrize(("known", "sent"), [("r-9", "r-9"), (9, "9")])
def test_a_requirement_that_came_with_an_id_is_answered_by_it(known, sent):
    """It is sent as the requirement_id."""
    asked = PurchaseRequirement(name="Business name", type="textual", extra={"id": known})
    answered = purchase(asked).answer(sent, value="Acme")

    assert (sent, sent, (sent,)) == (asked.answer_id, asked.label, purchase(asked).missing)
    assert ((RequirementValue(requirement_id=sent, value="Acme"),), ()) == (answered.answers, answered.missing)


@pytest.mark.parametrize("known", [True, None, "", ["r"], {"a": 1}])
def test_an_id_that_is_none_is_not_taken_for_one(known):
    """Its own id goes before it."""
    assert (None, "Name") == (
        PurchaseRequirement(name="Name", extra={"id": known}).answer_id,
        PurchaseRequirement(name="Name", extra={"id": known}).label,
    )
    assert "r-1" == PurchaseRequirement(requirement_id="r-1", extra={"id": "r-9"}).answer_id


def test_an_address_is_an_address():
    """Anything else is refused."""
    with pytest.raises(UsageError, match=r"^address must be Address\(…\), not dict"):
        purchase().with_address({"locality": "Sassari"})  # type: ignore[arg-type]  # that is the point


async def test_nothing_is_bought_while_something_is_missing():
    """It is said what, and nothing is sent."""
    with pytest.raises(
        UsageError, match=r"Not answered yet: 'proof_of_address', 'r-2'\. .*Nothing was sent\."
    ) as caught:
        await purchase(PROOF, NAME).commit()

    assert "requirements" == caught.value.argument
    with pytest.raises(UsageError, match=r"Not answered yet: 'business_name' \(textual\), 'r-2'\."):
        await purchase(TEXT, NAME).commit()


async def test_what_came_without_a_key_and_an_id_cannot_be_answered():
    """No error proposes to answer it, and what can be done instead is said."""
    unnamed = purchase(PurchaseRequirement(name="Business name"))
    with pytest.raises(UsageError, match=r"\(none\), not 'Business name'"):
        unnamed.answer("Business name", value="Acme Ltd")
    with pytest.raises(UsageError, match=r"'Business name'\. .*ask Mihu for its key, .*Nothing was sent\.$") as caught:
        await unnamed.commit()

    assert "requirements" == caught.value.argument


async def test_all_that_was_answered_is_sent(wire):
    """What the offer says goes along, with flags that are not known, and what is None does not."""
    wire.post(
        re.compile(".*"),
        payload={"success": True, "data": {"phone_number_uuid": "u", "number": "+390790080041", "is_external": False}},
        repeat=True,
    )
    async with client() as mihu:
        ready = purchase(PROOF, buy=mihu.numbers.buy).answer("r-1", document_id="d")
        await ready.with_address(Address(locality="Sassari")).commit(max_monthly_fee=Decimal("1.10"))
        await purchase(offer=attrs.evolve(OFFER, monthly_fee=None, location=None), buy=mihu.numbers.buy).commit()

    first, second = (json.loads(sent["data"]) for _, _, sent in wire.sent)
    must = {"number": "+390790080041", "country_code": "IT", "type": "local"}
    assert first == must | {
        "monthly_fee": 1.10,
        "location": "Sassari, Sardegna",
        "address": {"locality": "Sassari"},
        "requirements": [{"key": "proof_of_address", "requirement_id": "r-1", "document_id": "d"}],
    }
    assert must == second


@pytest.mark.parametrize(
    ("known", "unknown", "sent"),
    [
        (None, {}, None),
        (None, {"a2p": True}, None),
        (Capabilities(voice=True), {}, {"voice": True}),
        (
            Capabilities(voice=True, sms=False),
            {"a2p": True, "region": "EU"},
            {"voice": True, "sms": False, "a2p": True},
        ),
    ],
)
async def test_flags_are_sent_as_the_search_gave_them(known, unknown, sent):
    """Those that the model does not know too, as far as they are flags."""
    given: dict[str, Any] = {}

    async def buy(**arguments: Any) -> Any:
        given.update(arguments)

    offer = attrs.evolve(OFFER, capabilities=known, extra={"capabilities": unknown})
    await purchase(offer=offer, buy=buy).commit()
    flags = given["capabilities"]

    assert sent == (
        {name: flag for name, flag in attrs.asdict(flags).items() if flag is not None}
        if isinstance(flags, Capabilities)
        else flags
    )


@pytest.mark.parametrize(("fee", "most"), [(Decimal("1.10"), 1), (None, 5)])
async def test_a_fee_above_the_bound_is_not_paid(wire, fee, most):
    """Nor is one that is not known."""
    async with client() as mihu:
        offer = attrs.evolve(OFFER, monthly_fee=fee)
        with pytest.raises(UsageError, match="Nothing was sent") as caught:
            await purchase(offer=offer, buy=mihu.numbers.buy).commit(max_monthly_fee=most)

    assert "monthly_fee" == caught.value.argument
    assert fee == purchase(offer=offer).monthly_fee
    assert [] == wire.sent


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        (None, "the search found nothing"),
        ("+390790080041", r"^offer must be AvailableNumber\(…\), not str"),
        (attrs.evolve(OFFER, country_code=None), r"offer\.country_code is None"),
        (attrs.evolve(OFFER, type=None), r"offer\.type is None"),
    ],
)
async def test_what_is_no_offer_cannot_be_prepared(wire, offer, why):
    """The error says what to do, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=why) as caught:
            await mihu.numbers.prepare(offer)

    assert "offer" == caught.value.argument
    assert [] == wire.sent


async def test_to_prepare_is_provisional(wire):
    """It warns where it is called."""
    wire.get(re.compile(".*"), payload={"success": True, "data": []})
    warn_provisional.cache_clear()
    async with client() as mihu:
        with pytest.warns(ProvisionalWarning) as caught:
            await mihu.numbers.prepare(OFFER)

    assert [__file__] == [warning.filename for warning in caught]


async def test_from_a_search_to_a_number_that_is_complete(mihu, sandbox):
    """With all answers the regulator has nothing left to ask, and the number is no longer for sale."""
    ready = await mihu.numbers.prepare(await mihu.numbers.search("GB", "mobile").first())
    asked = ready.missing
    ready = ready.answer("proof_of_address", document_id="any").answer("business_name", value="Acme")
    bought = await ready.commit(max_monthly_fee=20)

    assert {"proof_of_address", "business_name"} == set(asked)
    assert "completed" == bought.compliance.status
    assert ready.monthly_fee == bought.billing.monthly_fee
    assert ready.offer.capabilities == bought.capabilities
    assert bought.number not in {offer.number async for offer in mihu.numbers.search("GB")}


@pytest.mark.parametrize("fault", [Status(500), Reset(after=True), Status(502, after=True)], ids=repr)
async def test_a_purchase_whose_answer_is_lost_is_made_once(mihu, sandbox, fault):
    """It is as safe as the purchase that it makes, and can be checked where it is in doubt."""
    ready = await mihu.numbers.prepare(await mihu.numbers.search("US").first())
    sandbox.faults.add(fault, method="POST")
    bought = await ready.commit()

    assert bought.phone_number_uuid == sandbox.inventory.numbers[-1]["phone_number_uuid"]
    assert 4 == len(sandbox.inventory.numbers)


async def test_a_purchase_that_is_in_doubt_is_checked(mihu, sandbox):
    """The error is that of the purchase."""
    ready = await mihu.numbers.prepare(await mihu.numbers.search("US").first())
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Status(500), method="GET", times=4)
    with pytest.raises(OutcomeUnknownError) as caught:
        await ready.commit()

    assert ready.offer.number == (await caught.value.check()).number
