"""Reads the query of a listing, and filters, orders and paginates rows.

The parameters and the shape of the pagination are documented. The following is inferred: `created_at` is oldest first,
which is the order of the rows here; `number` and `monthly_fee` ascend, ties in the order of the rows, a missing fee
last; external rows follow purchased ones; rates are ordered by country. A parameter that is undocumented or repeated is
refused, as the fields of a body are, though the real service may ignore it: a misspelt filter would list everything.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import attrs

from mihu_async.sandbox import checks
from mihu_async.sandbox.checks import Check, Query
from mihu_async.sandbox.rows import COMPLIANCE_STATUSES, NUMBER_STATUSES, NUMBER_TYPES, Agent, Offer, Rate, Row

PER_PAGE = 25
MAX_PER_PAGE = 100
RATES_PER_PAGE = 50
MAX_RATES_PER_PAGE = 200

R = TypeVar("R")


def _found_in_number(row: Row, wanted: str) -> bool:
    return wanted in row.number


def _found_anywhere(row: Row, wanted: str) -> bool:
    return wanted in row.number or wanted.lower() in (row.country_code or "").lower()


def _on_channel(row: Row, wanted: str) -> bool:
    return wanted in row.agents


def _begins_with(rate: Rate, wanted: str) -> bool:
    return rate.destination_prefix.startswith(wanted)


def _equals(name: str) -> Callable[[Any, str], bool]:
    return lambda row, wanted: getattr(row, name) == wanted


def _number_of(row: Row) -> str:
    return row.number


def _fee_of(row: Row) -> tuple[bool, float]:
    return (row.monthly_fee is None, row.monthly_fee or 0)


@attrs.frozen
class Listing(Generic[R]):
    """The parameters of an endpoint besides those of the page: the check of each, and the rows it keeps.

    `search` and the trunks' `search` are inferred names, which the pages do not show.
    """

    parameters: Mapping[str, Check]
    filters: Mapping[str, Callable[[R, str], bool]]
    per_page: int = PER_PAGE
    most: int = MAX_PER_PAGE
    query: Callable[[Mapping[str, Check]], Query] = checks.query

    def read(self, query: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Check a query, and return its known parameters, with the defaults of page and per_page."""
        paging: Mapping[str, Check] = {"page": checks.counting(), "per_page": checks.counting(maximum=self.most)}
        read = self.query({**paging, **self.parameters})
        return {"page": 1, "per_page": self.per_page} | read(query)

    def keep(self, rows: Sequence[R], wanted: Mapping[str, Any]) -> Sequence[R]:
        """Return the rows that pass every filter, in order."""
        for name, passes in self.filters.items():
            if name in wanted:
                rows = [row for row in rows if passes(row, wanted[name])]
        return rows


ORDERS: Mapping[str, Callable[[Row], Any]] = {"number": _number_of, "monthly_fee": _fee_of}
NUMBERS: Listing[Row] = Listing(
    parameters={
        "status": checks.one_of(*NUMBER_STATUSES),
        "country_code": checks.text,
        "type": checks.one_of(*NUMBER_TYPES),
        "compliance": checks.one_of(*COMPLIANCE_STATUSES),
        "search": checks.text,
        "bound_to_agent_uuid": checks.uuid,
        "sort": checks.one_of("created_at", "monthly_fee", "number"),
        "include_external": checks.one_of("0", "1", "true", "false"),
    },
    filters={
        "status": _equals("status"),
        "country_code": _equals("country_code"),
        "type": _equals("type"),
        "compliance": _equals("compliance"),
        "search": _found_anywhere,
        "bound_to_agent_uuid": Row.serves,
    },
)
TRUNKS: Listing[Row] = Listing(
    parameters={
        "search": checks.text,
        "channel": checks.TRUNK_CHANNEL,
        "agent_uuid": checks.uuid,
    },
    filters={"search": _found_in_number, "channel": _on_channel, "agent_uuid": Row.serves},
)

RATES: Listing[Rate] = Listing(
    parameters={"country_code": checks.text, "prefix": checks.text},
    filters={"country_code": _equals("country_code"), "prefix": _begins_with},
    per_page=RATES_PER_PAGE,
    most=MAX_RATES_PER_PAGE,
)
OFFERS: Listing[Offer] = Listing(
    parameters={"country_code": checks.COUNTRY_CODE, "type": checks.one_of(*NUMBER_TYPES)},
    filters={"country_code": _equals("country_code"), "type": _equals("type")},
    query=partial(checks.open_query, required=("country_code",)),
)
"""The parameters of a search are undocumented: these two names are inferred, and any other is ignored."""
AGENTS: Listing[Agent] = Listing(parameters={}, filters={}, query=checks.open_query)
"""The filters of agents are undocumented, so any other parameter is ignored; the pagination is inferred."""


def ordered(rows: Sequence[Row], sort: str | None) -> Sequence[Row]:
    """Return rows in the order of `sort`; `created_at` and `None` leave it unchanged."""
    order = ORDERS.get(sort or "")
    return sorted(rows, key=order) if order else rows


def cut(rows: Sequence[R], *, page: int, per_page: int) -> tuple[Sequence[R], dict[str, Any]]:
    """Return a page's rows and the pagination block; a page after the end is empty, and not an error."""
    before = (page - 1) * per_page
    found = rows[before : before + per_page]
    last_page = max(1, -(-len(rows) // per_page))
    return found, {
        "current_page": page,
        "per_page": per_page,
        "total": len(rows),
        "last_page": last_page,
        "from": before + 1 if found else None,
        "to": before + len(found) if found else None,
        "has_more": page < last_page,
    }
