"""The position of a walk as a short string, from which another process can continue. It holds no secret."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from mihu_async.errors import UsageError
from mihu_async.paging.page import Moment
from mihu_async.paging.proof import Evidence
from mihu_async.value import Value, field

FORMAT = 2
"""The version of the format of a checkpoint; a checkpoint of another version is refused."""
ANCHORS = 8
"""The number of items that a checkpoint names, so that the walk finds its position even if the very last one is gone.
"""


class Place(Value, frozen=True, kw_only=True):
    """A position: the page, the keys of the last items that were yielded, and the counts that a certificate needs."""

    page: int
    anchors: tuple[str, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)


def encode_checkpoint(place: Place, *, listing: str) -> str:
    """Return a position as text.

    Args:
        place: The position.
        listing: The name of the listing, of which the text holds a digest.
    """
    evidence = place.evidence
    since = evidence.since and evidence.since.earliest.timestamp()
    counts = (evidence.total, since, evidence.shown, evidence.there, evidence.moved, evidence.dated)
    values = (FORMAT, _fingerprint(listing), place.page, counts, *place.anchors)
    return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_checkpoint(text: Any, *, listing: str) -> Place:
    """Return the position that a checkpoint names.

    Args:
        text: The checkpoint.
        listing: The name of the listing that is to be resumed.

    Raises:
        UsageError: If the checkpoint belongs to another workspace, listing, filters or version, or is not a checkpoint.
    """
    why = "it is not a result of checkpoint()"
    with suppress(TypeError, ValueError, OverflowError, OSError):
        match json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))):
            case [int(form), *_] if form != FORMAT:
                why = "it was made by a version of the SDK that writes checkpoints in another format"
            case [
                _,
                str(made_by),
                int(page),
                [int() | None as total, float() | int() | None as at, int(shown), int(there), bool(moved), bool(dated)],
                *anchors,
            ] if page >= 1 and all(isinstance(anchor, str) for anchor in anchors):
                since = None if at is None else Moment(*[datetime.fromtimestamp(at, UTC)] * 2)
                evidence = Evidence(total=total, since=since, shown=shown, there=there, moved=moved, dated=dated)
                if made_by == _fingerprint(listing):
                    return Place(page=page, anchors=tuple(anchors), evidence=evidence)
                why = "it belongs to another workspace, part or first page, or to other filters or another page size"
            case _:
                pass
    raise UsageError(f"resume cannot be used: {why}.", argument="resume")


def _fingerprint(listing: str) -> str:
    return hashlib.sha256(listing.encode()).hexdigest()[:12]
