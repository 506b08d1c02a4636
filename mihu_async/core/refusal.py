"""The error that a refusal means. Does no I/O.

The service, and the framework beneath it, refuse in several shapes.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import Any, cast

from mihu_async import errors
from mihu_async.core.redaction import Redactor, escape
from mihu_async.core.request import Request
from mihu_async.core.response import REQUEST_ID, SEARCHED, Response
from mihu_async.core.server_clock import parse_date
from mihu_async.value import Value

PURCHASE_LIMIT = "purchase_limit_reached"
FIELDS, LINES, LONGEST = 100, 10, 1_000
"""The most fields of a refusal that are kept, the most lines on each, and the most characters of a text."""

ERRORS_BY_STATUS: Mapping[int, type[errors.APIError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.ValidationError,
    429: errors.RateLimitError,
}


class Refusal(Value, frozen=True, kw_only=True):
    """A refusal in the service's own words, with secrets hidden; None for each part that it left out."""

    code: str | None
    message: str | None
    details: str | None
    field: str | None
    fields: Mapping[str, tuple[str, ...]]
    limited: bool
    limit: int | None
    current: int | None


def refused(
    response: Response, request: Request[Any], document: Any, redact: Redactor, *, now: datetime
) -> errors.APIError:
    """Return the error that a refusal means.

    Args:
        response: The answer.
        request: The request that was refused.
        document: The body as plain values, or None if it is no JSON.
        redact: The redactor of the call's secrets.
        now: Our time of day, which counts if the answer has no ``Date``.
    """
    refusal, request_id = parse_refusal(document, redact), response.headers.get(REQUEST_ID)
    answer: dict[str, Any] = {
        "summary": _summary(refusal, response, request, redact),
        "method": request.method,
        "url": redact.name(response.url),
        "status": response.status,
        "code": refusal.code,
        "message": refusal.message,
        "details": refusal.details,
        "field": refusal.field,
        "request_id": escape(redact(request_id)) if request_id else None,
        "retry_after": _retry_after(response, now),
    }
    kind = _error_class(response.status)
    if refusal.limited:
        return errors.PurchaseLimitError(limit=refusal.limit, current=refusal.current, **answer)
    if kind is errors.ValidationError:
        return errors.ValidationError(fields=refusal.fields, **answer)
    return kind(**answer)


def parse_refusal(document: Any, redact: Redactor) -> Refusal:
    """Read the body of a refusal, in either documented shape or in Laravel's; other members are left out.

    Texts in ``errors`` that name no field become the details.
    """
    body = _object(document)
    error, data, laravel = _object(body.get("error")), _object(body.get("data")), _object(body.get("errors"))

    def text(value: Any, hide: Callable[[str], str] = redact) -> str | None:
        return hide(value[:SEARCHED])[:LONGEST] if isinstance(value, str) and value else None

    code, field = text(error.get("code"), redact.name), text(error.get("field"), redact.name)
    loose = [line for line in _list(body.get("errors"))[:LINES] if isinstance(line, str)]
    message, details = text(body.get("message")), text(error.get("details")) or text("; ".join(loose))
    fields = {
        redact.name(name[:LONGEST]): tuple(redact(str(line)[:LONGEST]) for line in _list(lines)[:LINES])
        for name, lines in islice(laravel.items(), FIELDS)
    }
    if field and not fields:
        fields = {field: tuple(filter(None, (details or message,)))}
    return Refusal(
        code=code or text(data.get("error"), redact.name) or text(body.get("error"), redact.name),
        message=message,
        details=details,
        field=field,
        fields=fields,
        limited=data.get("error") == PURCHASE_LIMIT,
        limit=_integer(data.get("limit")),
        current=_integer(data.get("current")),
    )


def _summary(refusal: Refusal, response: Response, request: Request[Any], redact: Redactor) -> str:
    said = refusal.message or response.excerpt(redact)
    noted = [refusal.details] if refusal.details else []
    noted += [f"{name}: {' '.join(lines)}" for name, lines in refusal.fields.items() if lines != (refusal.details,)]
    if refusal.limit is not None:
        noted.append(f"limit {refusal.limit}, current {refusal.current}")
    code = escape(refusal.code) if refusal.code else _phrase(response)
    return "".join(
        (
            f"{request.method} {redact.name(request.path)} was refused with {response.status} {code}",
            f": '{escape(said)}'" if said else "",
            f" ({escape('; '.join(noted))})" if noted else "",
            f". {_effect(response, request, redact)}",
        )
    ).rstrip()


def _phrase(response: Response) -> str:
    try:
        return HTTPStatus(response.status).phrase
    except ValueError:
        return "(no standard status)"


def _effect(response: Response, request: Request[Any], redact: Redactor) -> str:
    """Return sentences on the target of a redirect, and on whether anything can have changed."""
    redirected = errors.is_redirection(response.status)
    sentences: list[str] = []
    if redirected and response.status != HTTPStatus.NOT_MODIFIED:
        place = f" to '{found}'" if (found := _place(response, redact)) else ""
        sentences.append(
            f"A redirect{place} is not followed, so that the token goes nowhere else; correct the base URL."
        )
    if request.method != "GET":
        unclear = redirected or errors.is_ambiguous(response.status)
        sentences.append("It may have been applied." if unclear else "Nothing was changed.")
    return " ".join(sentences)


def _place(response: Response, redact: Redactor) -> str:
    """Return the target of a redirect, without its credentials, query and fragment, which may be secret."""
    address = response.headers.get("Location", "").partition("?")[0].partition("#")[0]
    return escape(redact.name(re.sub("//[^/]*@", "//", address[:SEARCHED])))


def _error_class(status: int) -> type[errors.APIError]:
    fallback = errors.ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else errors.APIError
    return ERRORS_BY_STATUS.get(status, fallback)


def _retry_after(response: Response, now: datetime) -> float | None:
    """Return the pause that is asked for, in seconds; a date is measured on the service's clock if that is known."""
    theirs = parse_date(response.headers.get("Date", ""))
    return parse_retry_after(response.headers.get("Retry-After"), now=theirs or now)


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the pause in seconds that a ``Retry-After`` header asks for, None if it cannot be read.

    Args:
        value: The header: seconds, or an HTTP date; None where there is none.
        now: The moment from which a date is counted.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        return float(text)
    date = parse_date(text)
    return None if date is None else max(0.0, (date - now).total_seconds())


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _integer(value: Any) -> int | None:
    """Return a number, which PHP may write as text, or None if the value is none."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    return value if type(value) is int else None
