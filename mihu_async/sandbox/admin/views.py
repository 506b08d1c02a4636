"""The state of a sandbox, as values for JSON. Tokens and passwords are replaced by `***`."""

import re
from collections.abc import Mapping
from typing import Any

import attrs

from mihu_async.sandbox import rendering
from mihu_async.sandbox.answers import Answer
from mihu_async.sandbox.exchange import Fault
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.rendering import Json
from mihu_async.sandbox.script import Line

HIDDEN = "***"
SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "x-api-key"}
SECRET_FIELDS = re.compile(r'("(?:password|username)"\s*:\s*)"(?:[^"\\]|\\.)*"')


def entry(found: JournalEntry) -> Json:
    """Return the summary of a request, without headers, body and answer."""
    return {
        "serial": found.serial,
        "arrived_at": found.arrived_at and found.arrived_at.isoformat(timespec="milliseconds"),
        "method": found.method,
        "path": readable(found.path),
        "query": readable(found.raw_query),
        "status": found.status,
        "fault": found.fault,
        "seconds": found.seconds,
    }


def exchange(found: JournalEntry) -> Json:
    """Return a complete request with its answer, which is None if none was sent or it is no longer kept."""
    return {
        **entry(found),
        "headers": headers(found.headers),
        "body": text(found.body),
        "answer": found.answer and answer(found.answer),
    }


def answer(found: Answer) -> Json:
    """Return an answer as it was sent, with the number of bytes sent if it was truncated."""
    return {
        "status": found.status,
        "headers": headers(found.headers),
        "body": text(found.body),
        "cut": found.cut,
    }


def headers(found: Mapping[str, str]) -> list[list[str]]:
    """Return names and values in order; of an Authorization, only the scheme."""
    return [[readable(name), _shown(name, readable(value))] for name, value in found.items()]


def text(body: bytes) -> str:
    """Return any body as text, without the passwords and usernames of JSON."""
    return SECRET_FIELDS.sub(rf'\1"{HIDDEN}"', body.decode(errors="replace"))


def readable(value: str) -> str:
    """Return text that can be encoded: an invalid UTF-8 byte of the wire is a lone surrogate here."""
    return value.encode(errors="backslashreplace").decode()


def line(found: Line) -> Json:
    """Return a fault of the script, and how often it is still to be played."""
    return {
        "fault": type(found.fault).__name__,
        "description": readable(description(found.fault)),
        "method": found.selector.method,
        "path": found.selector.path,
        "times": found.times,
        "skip": max(0, found.skip),
        "after_write": found.is_asleep,
    }


def description(fault: Fault) -> str:
    """Return a fault as Python code, with the fields that differ from their defaults."""
    kind: type[Any] = type(fault)
    if not attrs.has(kind):
        return repr(fault)
    named = ((field, getattr(fault, field.name)) for field in attrs.fields(kind))
    given = (f"{field.name}={value!r}" for field, value in named if value != _default(field))
    return f"{kind.__name__}({', '.join(given)})"


def _default(field: "attrs.Attribute[Any]") -> object:
    default: Any = field.default
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]  # Factory is typed as a function


def inventory(found: Inventory) -> Json:
    """Return all rows, as in the listings without filters, and the agents with their numbers."""
    numbers, trunks = found.numbers, found.trunks
    served: dict[str, list[Json]] = {}
    for row in (*numbers, *trunks):
        for channel, binding in row["bindings"].items():
            if binding["bound"]:
                served.setdefault(binding["agent_uuid"], []).append({"channel": channel, "number": row["number"]})
    return {
        "numbers": numbers,
        "trunks": trunks,
        "agents": [{**rendering.agent(one), "serves": served.get(one.uuid, [])} for one in found.agents],
        "sip_connections": found.sip_connections,
        "purchase_limit": found.purchase_limit,
        "next_activation": found.next_activation(),
    }


def _shown(name: str, value: str) -> str:
    if name.lower() not in SECRET_HEADERS:
        return value
    scheme, has_more, _ = value.partition(" ")
    return f"{scheme} {HIDDEN}" if has_more and name.lower().endswith("authorization") else HIDDEN


def scripts(known: Mapping[str, Any]) -> list[Json]:
    """Return the scripts that can be played by name."""
    return [{"name": name, "meaning": script.meaning} for name, script in known.items()]
