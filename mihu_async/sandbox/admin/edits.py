"""The request bodies that change the inventory from outside, as data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mihu_async.sandbox import checks
from mihu_async.sandbox.checks import Check
from mihu_async.sandbox.refusals import invalid
from mihu_async.sandbox.rows import CHANNELS, COMPLIANCE_STATUSES, NUMBER_STATUSES, NUMBER_TYPES


def moment(field: str, value: object) -> datetime:
    """Accept a time in ISO 8601 with an offset."""
    try:
        found = datetime.fromisoformat(checks.text(field, value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise invalid(field, "must be a time with an offset, such as 2023-11-07T05:31:56Z")
    return found


FIELDS: Mapping[str, Check] = {
    "number": checks.E164,
    "country_code": checks.COUNTRY_CODE,
    "location": checks.text,
    "type": checks.one_of(*NUMBER_TYPES),
    "status": checks.one_of(*NUMBER_STATUSES),
    "compliance": checks.one_of(*COMPLIANCE_STATUSES),
    "capabilities": checks.flags,
    "monthly_fee": checks.or_null(checks.number),
    "agents": checks.closed(dict.fromkeys(CHANNELS, checks.uuid)),
    "purchased_at": moment,
    "updated_at": moment,
}
"""The fields of a row; `agents` maps a channel to the uuid of its agent."""
POSITION: Mapping[str, Check] = {"at": checks.or_null(checks.whole_number)}
NUMBER = checks.closed({**POSITION, **FIELDS})
TRUNK = checks.closed({**POSITION, "number": checks.E164, "channel": checks.TRUNK_CHANNEL, "agent_uuid": checks.uuid})
CHANGE = checks.closed(FIELDS)


def journal_query(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Read the query for the journal: which entries, and how many of the latest."""
    read = checks.query(
        {"method": checks.FILLED, "path": checks.FILLED, "after": checks.counting(), "limit": checks.counting()}
    )
    return read(pairs)
