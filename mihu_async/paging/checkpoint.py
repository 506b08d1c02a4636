"""Where a walk is, as a short string that another process can go on from. Holds no secret."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from mihu_async._version import __version__
from mihu_async.errors import UsageError
from mihu_async.paging.page import Moment
from mihu_async.paging.proof import Tally

MAJOR = int(__version__.partition(".")[0])
ANCHORS = 8
"""How many of the last items a checkpoint names, so that the walk finds its place though the very last one is gone."""


@frozen(kw_only=True)
class Place:
    """A place in a listing: the page, and the keys of the last items that were taken.

    Without a tally a walk can go on from it, and cannot prove that it is complete.
    """

    page: int
    anchors: tuple[str, ...] = ()
    tally: Tally | None = None


def encode_checkpoint(place: Place, *, listing: str) -> str:
    """Write a place down."""
    values = [MAJOR, _fingerprint(listing), place.page, *_counts(place.tally), *place.anchors]
    return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_checkpoint(text: Any, *, listing: str) -> Place:
    """Read a place, or raise UsageError where it belongs to another workspace, listing, filters or version."""
    major, fingerprint, place = _parse(text)
    if major != MAJOR:
        raise _refused(f"it was made by version {major} of the SDK, and this is version {MAJOR}")
    if fingerprint != _fingerprint(listing):
        raise _refused("it was made by a listing of another workspace or part, or with other filters or page size")
    return place


def _fingerprint(listing: str) -> str:
    return hashlib.sha256(listing.encode()).hexdigest()[:12]


def _counts(tally: Tally | None) -> list[list[Any]]:
    """Return the tally as plain values, in a list that is empty where there is none."""
    if tally is None:
        return []
    since = tally.since and tally.since.earliest.timestamp()
    return [[tally.total, since, tally.passed, tally.there, tally.moved, tally.dated]]


def _parse(text: Any) -> tuple[int, str, Place]:
    try:
        match json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))):
            case [int(major), str(fingerprint), int(page), *rest] if page >= 1:
                tally, anchors = _tally(rest)
                if all(isinstance(anchor, str) for anchor in anchors):
                    return major, fingerprint, Place(page=page, anchors=tuple(anchors), tally=tally)
            case _:
                pass
    except (TypeError, ValueError, OverflowError, OSError):
        pass
    raise _refused("it is not one that checkpoint() gave")


def _tally(values: list[Any]) -> tuple[Tally | None, list[Any]]:
    """Return the tally in front of the anchors, and these; a checkpoint of an earlier release has none."""
    match values:
        case [
            [int(total), float() | int() | None as since, int(passed), int(there), bool(moved), bool(dated)],
            *anchors,
        ]:
            earliest = None if since is None else datetime.fromtimestamp(since, UTC)
            moment = Moment(earliest, earliest) if earliest else None
            tally = Tally(total=total, since=moment, passed=passed, there=there, moved=moved, dated=dated)
            return tally, anchors
        case _:
            return None, values


def _refused(why: str) -> UsageError:
    return UsageError(f"resume cannot be used: {why}.", argument="resume")
