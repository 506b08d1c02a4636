"""Where a walk is, as a short string that another process can go on from. Holds no secret."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from mihu_async.errors import UsageError
from mihu_async.paging.page import Moment
from mihu_async.paging.proof import Evidence

FORMAT = 2
"""The form in which a place is written down; a checkpoint in another form is refused."""
ANCHORS = 8
"""How many of the last items a checkpoint names, so that the walk finds its place though the very last one is gone."""


@frozen(kw_only=True)
class Place:
    """A place: the page, the keys of the last items that were taken, and what counting has to know, if it is known."""

    page: int
    anchors: tuple[str, ...] = ()
    evidence: Evidence = field(factory=Evidence)


def encode_checkpoint(place: Place, *, listing: str) -> str:
    """Write a place down."""
    told = place.evidence
    since = told.since and told.since.earliest.timestamp()
    counts = (told.total, since, told.shown, told.there, told.moved, told.dated)
    values = (FORMAT, _fingerprint(listing), place.page, counts, *place.anchors)
    return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_checkpoint(text: Any, *, listing: str) -> Place:
    """Read a place, or raise UsageError where it belongs to another workspace, listing, filters or version."""
    why = "it is not one that checkpoint() gave"
    with suppress(TypeError, ValueError, OverflowError, OSError):
        match json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))):
            case [int(form), *_] if form != FORMAT:
                why = "it was made by a version of the SDK that writes checkpoints in another form"
            case [
                _,
                str(made_by),
                int(page),
                [int() | None as total, float() | int() | None as at, int(shown), int(there), bool(moved), bool(dated)],
                *anchors,
            ] if page >= 1 and all(isinstance(anchor, str) for anchor in anchors):
                since = None if at is None else Moment(*[datetime.fromtimestamp(at, UTC)] * 2)
                told = Evidence(total=total, since=since, shown=shown, there=there, moved=moved, dated=dated)
                if made_by == _fingerprint(listing):
                    return Place(page=page, anchors=tuple(anchors), evidence=told)
                why = "it was made by a listing of another workspace or part, or with other filters or page size"
            case _:
                pass
    raise UsageError(f"resume cannot be used: {why}.", argument="resume")


def _fingerprint(listing: str) -> str:
    return hashlib.sha256(listing.encode()).hexdigest()[:12]
