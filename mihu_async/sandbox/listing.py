"""How a listing is asked for, filtered, ordered and cut into pages.

Documented are the parameters and the shape of the pagination. Inferred are: `created_at` is the oldest first, which
here is the order of the rows; `number` and `monthly_fee` go up, ties in the order of the rows, a missing fee last;
external rows come after the purchased ones; rates stand by country. A parameter that is not documented or comes twice
is refused, as the fields of a body are, though the real service may pass it over: a misspelt filter would list
everything.
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
    """One endpoint's parameters besides the page's: how each is checked, and which rows each keeps.

    `search` and the trunks' `search` are inferred names; the pages lost them.
    """

    parameters: Mapping[str, Check]
    filters: Mapping[str, Callable[[R, str], bool]]
    per_page: int = PER_PAGE
    most: int = MAX_PER_PAGE
    query: Callable[[Mapping[str, Check]], Query] = checks.query

    def read(self, query: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Check a query and return its known parameters, page and per_page with their defaults."""
        paging: Mapping[str, Check] = {"page": checks.counting(), "per_page": checks.counting(maximum=self.most)}
        read = self.query({**paging, **self.parameters})
        return {"page": 1, "per_page": self.per_page} | read(query)

    def keep(self, rows: Sequence[R], wanted: Mapping[str, Any]) -> Sequence[R]:
        """Return the rows that pass every filter, in their order."""
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
"""How a search is asked is not documented: these two names are inferred, and any other parameter is passed over."""
AGENTS: Listing[Agent] = Listing(parameters={}, filters={}, query=checks.open_query)
"""No page says which filters there are, so any other parameter is passed over; that it comes in pages is inferred."""


def ordered(rows: Sequence[Row], sort: str | None) -> Sequence[Row]:
    """Put rows in the order that `sort` names; `created_at` and `None` leave them as they are."""
    order = ORDERS.get(sort or "")
    return sorted(rows, key=order) if order else rows


def cut(rows: Sequence[R], *, page: int, per_page: int) -> tuple[Sequence[R], dict[str, Any]]:
    """Return one page's rows and the pagination block; a page past the end is empty and no fault."""
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
