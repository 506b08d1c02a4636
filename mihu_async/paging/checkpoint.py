"""Where a walk is, as a short string that another process can go on from. Holds no secret."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, cast

from attrs import frozen

from mihu_async._version import __version__
from mihu_async.errors import UsageError

MAJOR = int(__version__.partition(".")[0])
ANCHORS = 8
"""How many of the last items a checkpoint names, so that the walk finds its place though the very last one is gone."""


@frozen(kw_only=True)
class Place:
    """A place in a listing: the page, and the keys of the last items that were taken."""

    page: int
    anchors: tuple[str, ...] = ()


def encode_checkpoint(place: Place, *, listing: str) -> str:
    """Write a place down."""
    values = [MAJOR, _fingerprint(listing), place.page, *place.anchors]
    return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_checkpoint(text: Any, *, listing: str) -> Place:
    """Read a place, or raise UsageError where it belongs to another workspace, listing, filters or version."""
    major, fingerprint, page, anchors = _parse(text)
    if major != MAJOR:
        raise _refused(f"it was made by version {major} of the SDK, and this is version {MAJOR}")
    if fingerprint != _fingerprint(listing):
        raise _refused("it was made by a listing of another workspace or part, or with other filters or page size")
    return Place(page=page, anchors=anchors)


def _fingerprint(listing: str) -> str:
    return hashlib.sha256(listing.encode()).hexdigest()[:12]


def _parse(text: Any) -> tuple[int, str, int, tuple[str, ...]]:
    try:
        match json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))):
            case [int(major), str(fingerprint), int(page), *anchors] if page >= 1 and all(
                isinstance(anchor, str) for anchor in anchors
            ):
                return major, fingerprint, page, tuple(cast("list[str]", anchors))
            case _:
                pass
    except (TypeError, ValueError):
        pass
    raise _refused("it is not one that checkpoint() gave")


def _refused(why: str) -> UsageError:
    return UsageError(f"resume cannot be used: {why}.", argument="resume")
