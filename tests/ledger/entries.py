"""An entry, begun and settled."""

from datetime import UTC, datetime

from attrs import evolve

from mihu_async.ledger import Entry

ENTRY = Entry(
    key="order-4711",
    workspace="https://acme.mihu.ai/api/v1",
    number="+390790080041",
    fingerprint="f1",
    began=datetime(2026, 1, 1, 12, tzinfo=UTC),
    ends=datetime(2026, 1, 1, 12, 1, tzinfo=UTC),
)
SETTLED = evolve(ENTRY, state="settled", phone_number_uuid="u-1")
