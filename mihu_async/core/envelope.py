"""From a response to data or an error: the envelope ``{"success": …, "data": …}``. Does no I/O."""

from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from attrs import field, frozen

from mihu_async.core import converter
from mihu_async.core.lane import read_directly
from mihu_async.core.mask import Mask, printable
from mihu_async.core.refusal import refused
from mihu_async.core.request import NOTHING, RAW, Request
from mihu_async.core.response import Response
from mihu_async.errors import DecodeError

T = TypeVar("T")

SHOWN = 10  # how many wrong paths a message spells out; all are in DecodeError.paths


@frozen
class Reading(Generic[T]):
    """A successful answer as it was read: its data, and what it says in words, as it came, or None."""

    data: T
    message: str | None = field(default=None, repr=False)


def read(response: Response, request: Request[T], mask: Mask, *, now: datetime) -> Reading[T]:
    """Read a successful answer, or raise what went wrong. ``now`` is our time of day."""
    if not response.ok:
        raise refused(response, request, _document_of(response), mask, now=now)
    if unfit := _unfit(response):
        raise _unreadable(response, request, mask, unfit)
    raw, nothing = request.answer is RAW, request.answer is NOTHING
    typed = not (raw or nothing)
    if not (typed or response.body):
        return Reading(cast("T", None))
    if not response.is_json:
        raise _unreadable(response, request, mask, "it is not JSON", transient=True)
    if typed and (direct := read_directly(response.body, request.answer)) is not None:
        return Reading(*direct)
    try:
        document = converter.parse(response.body, exact=typed)
        envelope = _envelope(document)
        if envelope.get("success") is False:
            raise refused(response, request, envelope, mask, now=now)
        data = _data(envelope, optional=nothing or (raw and "success" in envelope))
        said = envelope.get("message")
        message = said if isinstance(said, str) else None
        if nothing:
            return Reading(cast("T", None), message)
        read_as = converter.structure(data, request.answer, path="$.data") if typed else cast("T", data)
        return Reading(read_as, message)
    except converter.ParseError as error:
        raise _unreadable(response, request, mask, str(error), transient=True) from None
    except converter.ShapeError as error:
        raise _unreadable(response, request, mask, "its shape is not the documented one", error.problems) from None


def _unfit(response: Response) -> str:
    """Say why an answer cannot be read, whatever it holds; an empty text where it may be."""
    if not response.complete:
        return "it is larger than max_response_bytes"
    if response.encoding and response.body:
        return f"its Content-Encoding {response.encoding!r} was not asked for, which HTTP forbids"
    return ""


def _document_of(response: Response) -> Any:
    """Read what body a refusal has; None where it is no JSON, as with a gateway's page."""
    try:
        return converter.parse(response.body)
    except converter.ParseError:
        return None


def _envelope(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise converter.ShapeError((("$", "must be an object with success and data"),))
    return cast("dict[str, Any]", document)


def _data(envelope: dict[str, Any], *, optional: bool) -> Any:
    if envelope.get("success", True) is not True:
        raise converter.ShapeError((("$.success", "must be true or false"),))
    if "data" not in envelope and not optional:
        raise converter.ShapeError((("$.data", "is missing"),))
    return envelope.get("data")


def _unreadable(
    response: Response,
    request: Request[Any],
    mask: Mask,
    why: str,
    problems: tuple[tuple[str, str], ...] = (),
    *,
    transient: bool = False,
) -> DecodeError:
    kind = printable(mask(response.content_type)) or "no content type"
    excerpt = response.excerpt(mask)
    shown = [f"{path} {what}" for path, what in problems[:SHOWN]]
    if len(problems) > SHOWN:
        shown.append(f"and {len(problems) - SHOWN} more")
    return DecodeError(
        f"{request.method} {mask.name(request.path)} answered {response.status} with {kind} that cannot be read: "
        f"{mask('; '.join((why, *shown)))}. It begins with '{printable(excerpt)}'.",
        method=request.method,
        url=mask.name(response.url),
        status=response.status,
        content_type=kind,
        excerpt=excerpt,
        paths=tuple(path for path, _ in problems),
        transient=transient,
    )
