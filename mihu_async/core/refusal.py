"""From a refusal to its error, in each shape in which the service, or the framework beneath it, refuses."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import Any, cast

from attrs import frozen

from mihu_async import errors
from mihu_async.core.mask import Mask, printable
from mihu_async.core.request import Request
from mihu_async.core.response import SEARCHED, Response
from mihu_async.core.retry import parse_date, parse_retry_after

PURCHASE_LIMIT = "purchase_limit_reached"
FIELDS, LINES, LONGEST = 100, 10, 1_000
"""How many fields of a refusal are kept, how many lines about each of them, and how much of a text."""

ERRORS_BY_STATUS: Mapping[int, type[errors.APIError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.ValidationError,
    429: errors.RateLimitError,
}


@frozen(kw_only=True)
class Refusal:
    """What the service said, in its own words, with secrets masked; None where it said nothing."""

    code: str | None
    message: str | None
    details: str | None
    field: str | None
    fields: Mapping[str, tuple[str, ...]]
    limited: bool
    limit: int | None
    current: int | None


def refused(response: Response, request: Request[Any], document: Any, mask: Mask, *, now: datetime) -> errors.APIError:
    """Make the error of a refusal; ``document`` is its body, or None where that is no JSON."""
    refusal = parse_refusal(document, mask)
    answer: dict[str, Any] = {
        "summary": _summary(refusal, response, request, mask),
        "method": request.method,
        "url": mask.name(response.url),
        "status": response.status,
        "code": refusal.code,
        "message": refusal.message,
        "details": refusal.details,
        "field": refusal.field,
        "request_id": printable(mask(response.request_id)) if response.request_id else None,
        "retry_after": _retry_after(response, now),
    }
    kind = _error_class(response.status)
    if refusal.limited:
        return errors.PurchaseLimitError(limit=refusal.limit, current=refusal.current, **answer)
    if kind is errors.ValidationError:
        return errors.ValidationError(fields=refusal.fields, **answer)
    return kind(**answer)


def parse_refusal(document: Any, mask: Mask) -> Refusal:
    """Read both documented shapes and Laravel's; whatever is not as documented is left out.

    ``errors`` that are texts without fields are the details.
    """
    body = _object(document)
    error, data, laravel = _object(body.get("error")), _object(body.get("data")), _object(body.get("errors"))

    def text(value: Any, hide: Callable[[str], str] = mask) -> str | None:
        return hide(value[:SEARCHED])[:LONGEST] if isinstance(value, str) and value else None

    code, field = text(error.get("code"), mask.name), text(error.get("field"), mask.name)
    loose = [line for line in _list(body.get("errors"))[:LINES] if isinstance(line, str)]
    message, details = text(body.get("message")), text(error.get("details")) or text("; ".join(loose))
    fields = {
        mask.name(name[:LONGEST]): tuple(mask(str(line)[:LONGEST]) for line in _list(lines)[:LINES])
        for name, lines in islice(laravel.items(), FIELDS)
    }
    if field and not fields:
        fields = {field: tuple(filter(None, (details or message,)))}
    return Refusal(
        code=code or text(data.get("error"), mask.name) or text(body.get("error"), mask.name),
        message=message,
        details=details,
        field=field,
        fields=fields,
        limited=data.get("error") == PURCHASE_LIMIT,
        limit=_whole(data.get("limit")),
        current=_whole(data.get("current")),
    )


def _summary(refusal: Refusal, response: Response, request: Request[Any], mask: Mask) -> str:
    said = refusal.message or response.excerpt(mask)
    noted = [refusal.details] if refusal.details else []
    noted += [f"{name}: {' '.join(lines)}" for name, lines in refusal.fields.items() if lines != (refusal.details,)]
    if refusal.limit is not None:
        noted.append(f"limit {refusal.limit}, current {refusal.current}")
    code = printable(refusal.code) if refusal.code else _phrase(response)
    return "".join(
        (
            f"{request.method} {mask.name(request.path)} was refused with {response.status} {code}",
            f": '{printable(said)}'" if said else "",
            f" ({printable('; '.join(noted))})" if noted else "",
            f". {_effect(response, request, mask)}",
        )
    ).rstrip()


def _phrase(response: Response) -> str:
    try:
        return HTTPStatus(response.status).phrase
    except ValueError:
        return "(no standard status)"


def _effect(response: Response, request: Request[Any], mask: Mask) -> str:
    """Say where a redirect points, and whether anything can have changed."""
    redirected = errors.is_redirection(response.status)
    told: list[str] = []
    if redirected and response.status != HTTPStatus.NOT_MODIFIED:
        place = f" to '{found}'" if (found := _place(response, mask)) else ""
        told.append(f"A redirect{place} is not followed, so that the token goes nowhere else; correct the base URL.")
    if request.method != "GET":
        unclear = redirected or errors.is_ambiguous(response.status)
        told.append("It may have been carried out." if unclear else "Nothing was changed by it.")
    return " ".join(told)


def _place(response: Response, mask: Mask) -> str:
    """Return where a redirect points, without what may open it: credentials, query and fragment."""
    address = response.headers.get("Location", "").partition("?")[0].partition("#")[0]
    return printable(mask.name(re.sub("//[^/]*@", "//", address[:SEARCHED])))


def _error_class(status: int) -> type[errors.APIError]:
    fallback = errors.ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else errors.APIError
    return ERRORS_BY_STATUS.get(status, fallback)


def _retry_after(response: Response, now: datetime) -> float | None:
    """Read the pause that is asked for; a date is measured on the service's own clock where it gives one."""
    theirs = parse_date(response.headers.get("Date", ""))
    return parse_retry_after(response.headers.get("Retry-After"), now=theirs or now)


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _whole(value: Any) -> int | None:
    """Read a number, which PHP may write as text; None where it is none."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    return value if type(value) is int else None
