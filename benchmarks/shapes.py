"""The shapes of answers: a page of a listing as each service sends it. Pure values, from the standard library alone.

An item of each shape is filled in as the service documents it, with about as many values as a number of Mihu's.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PER_PAGE = 100
BLANK = "########"
"""The placeholder for the page's number, in eight digits, in an item."""
ACCOUNT = "AC" + "0" * 32
ASSIGNMENT = {
    "phone_number": "+12085550100",
    "channel": "call",
    "agent_uuid": "3c90c3cc-0d44-4b50-8888-000000000001",
}
"""The body of a PUT that moves a trunk to an agent."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The form of a service's pages.

    ``item`` makes an item from the twelve digits that identify it. ``around`` returns the texts before and after the
    items of a page, given its number, the number of pages and the items per page. ``asks`` finds the page's number,
    less ``past``, in a request. ``path`` returns the path that requests a page, and ``read`` the items of an answer and
    whether more follow.
    """

    item: Callable[[str], dict[str, Any]]
    around: Callable[[int, int, int], tuple[str, str]]
    asks: re.Pattern[bytes]
    past: int = 0
    path: Callable[[int], str]
    read: Callable[[Any], tuple[list[Any], bool]]


def leaves(value: Any) -> int:
    """Count the values in JSON that are neither objects nor arrays."""
    match value:
        case dict():
            return sum(map(leaves, value.values()))
        case list():
            return sum(map(leaves, value))
        case _:
            return 1


def _number(key: str) -> dict[str, Any]:
    outbound = {"enabled": True, "channel_limit": 10, "whitelisted_destinations": ["US", "CA"]}
    agent = f"3c90c3cc-0d44-4b50-8888-{key}"
    binding = {"bound": True, "agent_uuid": agent, "agent_name": f"Agent {key[-4:]}"}
    return {
        "phone_number_uuid": f"9bcb8f00-c0c5-4ee1-9b75-{key}",
        "number": f"+12{key}",
        "country_code": "US",
        "location": "Boise, Idaho",
        "type": "local",
        "is_external": False,
        "source": "purchased",
        "status": "active",
        "compliance": {
            "status": "completed",
            "requirements": [{"name": "Address", "type": "textual", "description": "Where the number is used."}],
        },
        "capabilities": dict.fromkeys(("voice", "sms", "mms", "fax", "emergency", "local_calling"), True),
        "channel_settings": {"voice": outbound, "sms": outbound, "inbound": {"enabled": True, "channel_limit": 10}},
        "billing": {"monthly_fee": 1.15, "currency": "EUR"},
        "bindings": {"call": binding, "sms": binding, "whatsapp": binding},
        "purchased_at": "2023-11-07T05:31:56Z",
        "updated_at": "2023-11-07T05:31:56Z",
    }


def _around_numbers(page: int, pages: int, per_page: int) -> tuple[str, str]:
    pagination = {
        "current_page": page,
        "per_page": per_page,
        "total": pages * per_page,
        "last_page": pages,
        "from": (page - 1) * per_page + 1,
        "to": page * per_page,
        "has_more": page < pages,
    }
    return '{"success":true,"data":{"items":', f',"pagination":{json.dumps(pagination)}}}}}'


def _telnyx_number(key: str) -> dict[str, Any]:
    switches = ("deletion_lock", "call_forwarding", "call_recording", "caller_id_name", "cnam_listing", "emergency")
    return {
        "id": f"1293{key}",
        "record_type": "phone_number",
        "phone_number": f"+12{key}",
        "country_iso_alpha2": "US",
        "phone_number_type": "local",
        "status": "active",
        "source_type": "number_order",
        "tags": ["support", "boise"],
        "external_pin": "1234",
        "customer_reference": f"customer-{key}",
        "connection_id": f"1294{key}",
        "connection_name": "Boise, Idaho",
        "billing_group_id": f"86f58db9-0fe3-4adc-9d3f-{key}",
        "emergency_address_id": f"1295{key}",
        "emergency_status": "active",
        "messaging_campaign_id": "CT3K4A5",
        "messaging_profile_id": f"abc85f64-5717-4562-b3fc-{key}",
        "messaging_profile_name": "Support messages",
        "inbound_call_screening": "disabled",
        "hd_voice_enabled": True,
        "t38_fax_gateway_enabled": True,
        "purchased_at": "2023-11-07T05:31:56Z",
        "created_at": "2023-11-07T05:31:56Z",
        "activated_at": "2023-11-07T05:31:56Z",
        "updated_at": "2023-11-07T05:31:56Z",
    } | {f"{switch}_enabled": True for switch in switches}


def _around_telnyx(page: int, pages: int, per_page: int) -> tuple[str, str]:
    meta = {"total_pages": pages, "total_results": pages * per_page, "page_number": page, "page_size": per_page}
    return '{"data":', f',"meta":{json.dumps(meta)}}}'


def _retell_number(key: str) -> dict[str, Any]:
    agent = {"agent_id": f"agent_oBeDLoLOeuAbiuaMFXRtDO{key}", "weight": 0.5, "agent_version": 3}
    hook = "https://example.com/hooks/numbers"
    return {
        "phone_number": f"+12{key}",
        "phone_number_pretty": "+1 (208) 555-0100",
        "phone_number_type": "retell-twilio",
        "nickname": "Boise, Idaho",
        "area_code": 208,
        "fallback_number": "+12085550100",
        "inbound_agents": [agent, agent],
        "outbound_agents": [agent, agent],
        "inbound_sms_agents": [agent, agent],
        "outbound_sms_agents": [agent],
        "inbound_webhook_url": hook,
        "inbound_sms_webhook_url": hook,
        "allowed_inbound_country_list": ["US", "CA"],
        "allowed_outbound_country_list": ["US", "CA"],
        "sip_outbound_trunk_config": {
            "termination_uri": "someuri.pstn.example.com",
            "auth_username": "username",
            "transport": "TCP",
            "codecs": ["PCMU"],
        },
        "last_modification_timestamp": 1703413636133,
    }


def _around_retell(page: int, pages: int, _: int) -> tuple[str, str]:
    return '{"items":', f',"pagination_key":"{page + 1}","has_more":{json.dumps(page < pages)}}}'


def _openai_batch(key: str) -> dict[str, Any]:
    moments = ("created", "in_progress", "expires", "finalizing", "completed", "failed", "expired", "cancelling")
    return {
        "id": f"batch_{key}",
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "model": "gpt-5",
        "errors": {
            "object": "list",
            "data": [{"code": "invalid", "line": 1, "message": "This line is no JSON.", "param": "body"}],
        },
        "input_file_id": f"file-{key}",
        "completion_window": "24h",
        "status": "completed",
        "output_file_id": f"file-out-{key}",
        "error_file_id": f"file-err-{key}",
        "cancelled_at": 1711471533,
        "request_counts": {"total": 100, "completed": 95, "failed": 5},
        "usage": {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 100},
            "output_tokens": 2000,
            "output_tokens_details": {"reasoning_tokens": 300},
            "total_tokens": 3000,
        },
        "metadata": {"customer_id": f"user_{key}", "batch_description": "Nightly eval job", "team": "eval"},
    } | {f"{moment}_at": 1711471533 for moment in moments}


def _around_openai(page: int, pages: int, per_page: int) -> tuple[str, str]:
    last = f"batch_{page:08d}{per_page - 1:04d}"
    return '{"object":"list","data":', f',"last_id":"{last}","has_more":{json.dumps(page < pages)}}}'


def _twilio_number(key: str) -> dict[str, Any]:
    hook = "https://example.com/hooks/numbers"
    hooks = ("sms_url", "sms_fallback_url", "voice_url", "voice_fallback_url", "status_callback")
    methods = ("sms_method", "sms_fallback_method", "voice_method", "voice_fallback_method", "status_callback_method")
    others = ("address", "identity", "sms_application", "trunk", "voice_application", "emergency_address", "bundle")
    sid = f"PN2a0747eba6abf96b7e3c{key}"
    return {
        "sid": sid,
        "account_sid": ACCOUNT,
        "address_requirements": "none",
        "api_version": "2010-04-01",
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": True},
        "date_created": "Thu, 30 Jul 2015 23:19:04 +0000",
        "date_updated": "Thu, 30 Jul 2015 23:19:04 +0000",
        "emergency_status": "Active",
        "emergency_address_status": "registered",
        "friendly_name": "Boise, Idaho",
        "phone_number": f"+12{key}",
        "origin": "twilio",
        "status": "in-use",
        "type": "local",
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers/{sid}.json",
        "voice_receive_mode": "voice",
        "voice_caller_id_lookup": False,
        **dict.fromkeys(hooks, hook),
        **dict.fromkeys(methods, "POST"),
        **{f"{other}_sid": f"XX2a0747eba6abf96b7e3c{key}" for other in others},
    }


def _twilio_path(page: int) -> str:
    return f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json?PageSize={PER_PAGE}&Page={page - 1}"


def _around_twilio(page: int, pages: int, per_page: int) -> tuple[str, str]:
    rest = {
        "first_page_uri": _twilio_path(1),
        "next_page_uri": _twilio_path(page + 1) if page < pages else None,
        "previous_page_uri": _twilio_path(page - 1) if page > 1 else None,
        "page": page - 1,
        "page_size": per_page,
        "start": (page - 1) * per_page,
        "end": page * per_page - 1,
        "uri": _twilio_path(page),
    }
    return '{"incoming_phone_numbers":', f",{json.dumps(rest)[1:]}"


SHAPES = {
    "mihu": Shape(
        item=_number,
        around=_around_numbers,
        asks=re.compile(rb"[?&]page=(\d+)"),
        path=lambda page: f"/api/v1/phone-numbers?per_page={PER_PAGE}&page={page}",
        read=lambda answer: (answer["data"]["items"], answer["data"]["pagination"]["has_more"]),
    ),
    "telnyx": Shape(
        item=_telnyx_number,
        around=_around_telnyx,
        asks=re.compile(rb"page(?:\[|%5B)number(?:\]|%5D)=(\d+)"),
        path=lambda page: f"/phone_numbers?page[size]={PER_PAGE}&page[number]={page}",
        read=lambda answer: (answer["data"], answer["meta"]["page_number"] < answer["meta"]["total_pages"]),
    ),
    "retell": Shape(
        item=_retell_number,
        around=_around_retell,
        asks=re.compile(rb"pagination_key=(\d+)"),
        path=lambda page: f"/v2/list-phone-numbers?limit={PER_PAGE}&pagination_key={page}",
        read=lambda answer: (answer["items"], answer["has_more"]),
    ),
    "openai": Shape(
        item=_openai_batch,
        around=_around_openai,
        asks=re.compile(rb"after=batch_(\d{8})"),
        past=1,
        path=lambda page: f"/batches?limit={PER_PAGE}&after=batch_{page - 1:08d}{PER_PAGE - 1:04d}",
        read=lambda answer: (answer["data"], answer["has_more"]),
    ),
    "twilio": Shape(
        item=_twilio_number,
        around=_around_twilio,
        asks=re.compile(rb"[?&]Page=(\d+)"),
        past=1,
        path=_twilio_path,
        read=lambda answer: (answer["incoming_phone_numbers"], answer["next_page_uri"] is not None),
    ),
}


class Listing:
    """The pages of a shape. None is kept: each is assembled from the same parts when it is requested."""

    def __init__(self, shape: Shape, pages: int, per_page: int = PER_PAGE) -> None:
        self._shape = shape
        self._pages = pages
        self._per_page = per_page
        items = [shape.item(f"{BLANK}{place:04d}") for place in range(per_page)]
        self._parts = json.dumps(items, separators=(",", ":")).encode().split(BLANK.encode())

    def asked(self, request: bytes) -> int:
        """Return the number of the page that a request asks for."""
        found = self._shape.asks.search(request)
        return int(found[1]) + self._shape.past if found else 1

    def body(self, page: int) -> bytes:
        """Return a page."""
        before, behind = self._shape.around(page, self._pages, self._per_page)
        return b"".join((before.encode(), (b"%08d" % page).join(self._parts), behind.encode()))


def assigned() -> bytes:
    """Return the answer to the PUT of :data:`ASSIGNMENT`."""
    free = {"bound": False, "agent_uuid": None, "agent_name": None}
    call = {"bound": True, "agent_uuid": ASSIGNMENT["agent_uuid"], "agent_name": "Ada"}
    number = {
        "phone_number_uuid": "9bcb8f00-c0c5-4ee1-9b75-000000000001",
        "number": ASSIGNMENT["phone_number"],
        "is_external": True,
        "source": "external",
        "channels": {"call": call, "sms": free, "whatsapp": free},
    }
    return json.dumps({"success": True, "message": "The trunk was assigned.", "data": number}).encode()
