"""Responses read as data or as an error: the envelope ``{"success": …, "data": …}``. Does no I/O."""

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from mihu_async.core import codec
from mihu_async.core.problems import Problems, UnreadableError
from mihu_async.core.redaction import Redactor, escape
from mihu_async.core.refusal import refused
from mihu_async.core.request import NOTHING, RAW, Request
from mihu_async.core.response import Reading, Response
from mihu_async.errors import DecodeError
from mihu_async.reports import Problem

T = TypeVar("T")

SHOWN = 10
"""The number of wrong paths that a message spells out; more are in ``DecodeError.paths``."""
LARGEST_REFUSAL = 2**20
"""A refusal of more bytes is quoted without being read."""
WRONG_SHAPE = "its shape is not the documented one"
NULL = codec.Part(b"null")
MEMBERS = ("success", "message", "data")
"""The members of an envelope that are read."""
CROWDED = "it holds too many objects and values for one answer"


def read_closely(
    response: Response, request: Request[T], redact: Redactor, *, now: datetime, strict: bool
) -> Generator[None, None, Reading[T]]:
    """Read any answer, in slices.

    Args:
        response: The answer.
        request: The request that it answers.
        redact: The redactor of the call's secrets.
        now: Our time of day, which counts if a refusal has no ``Date``.
        strict: True if a problem in the answer is an error.

    Yields:
        Nothing, after each slice, so that other tasks can run.

    Returns:
        The answer as it was read.

    Raises:
        APIError: If the service refused the request.
        DecodeError: If the answer cannot be read.
    """
    if not response.ok:
        raise refused(response, request, _document_of(response), redact, now=now)
    if response.complete and not response.body and (request.returns is RAW or request.returns is NOTHING):
        return Reading(cast("T", None))
    yield from _check_body(response, request, redact)
    problems = Problems()
    try:
        envelope = _members(response.document, problems)
        if envelope is None:
            raise UnreadableError("must be an object with success and data")  # noqa: TRY301 - one way out for a wrong shape
        yield
        success = codec.sample(envelope.get("success", NULL))
        if success is False:
            raise refused(response, request, _document_of(response), redact, now=now)
        if success is not None and success is not True:
            raise UnreadableError("must be true or false", ".success")  # noqa: TRY301 - same reason
        reading = yield from _read_envelope(envelope, request.returns, problems)
    except codec.ParseError as error:
        raise _unreadable(response, request, redact, str(error), transient=not error.well_formed) from None
    except UnreadableError as odd:
        problem = Problem("".join(problems.path) + odd.suffix, odd.reason)
        raise _unreadable(response, request, redact, WRONG_SHAPE, (*problems.listed, problem)) from None
    if strict and problems.count:
        raise _unreadable(response, request, redact, WRONG_SHAPE, problems.listed, count=problems.count)
    return cast("Reading[T]", reading)


def _members(document: bytes, problems: Problems) -> Mapping[str, codec.Part] | None:
    try:
        return codec.known_members(document, MEMBERS)
    except codec.ParseError:
        mended = codec.replace_lone_surrogates(document)
        if mended == document:
            raise
        problems.note("holds half a character (a lone surrogate), which is read as U+FFFD")
        return codec.known_members(mended, MEMBERS)


def _check_body(response: Response, request: Request[Any], redact: Redactor) -> Generator[None, None, None]:
    if response.unfit:
        raise _unreadable(response, request, redact, response.unfit)
    if not response.is_json:
        raise _unreadable(response, request, redact, "it is not JSON", transient=True)
    if (yield from codec.look_for_crowds(response.body)):
        raise _unreadable(response, request, redact, CROWDED)
    yield


def _read_envelope(
    envelope: Mapping[str, codec.Part], answer: Any, problems: Problems
) -> Generator[None, None, Reading[Any]]:
    message: str | None = None
    try:
        message = codec.text(envelope.get("message", NULL))
    except codec.ParseError:
        problems.note("must be text", ".message")
    data = envelope.get("data")
    if data is None and not (answer is NOTHING or (answer is RAW and "success" in envelope)):
        raise UnreadableError("is missing", ".data")
    if answer is NOTHING or data is None:
        return Reading(None, message, tuple(problems.listed))
    if answer is RAW:
        return Reading(codec.parse(data), message, tuple(problems.listed))
    from mihu_async.core.reading import read_data  # noqa: PLC0415 - cattrs is loaded with the first answer that needs it

    problems.path.append(".data")
    found = yield from read_data(data, answer, problems)
    return Reading(found, message, tuple(problems.listed))


def _document_of(response: Response) -> Any:
    """Return the body of a refusal, or None if it is too large or no JSON, as the page of a gateway."""
    if len(response.body) > LARGEST_REFUSAL or codec.is_crowded(response.body):
        return None
    try:
        return codec.parse(codec.replace_lone_surrogates(response.document))
    except codec.ParseError:
        return None


def contradicted(response: Response, request: Request[Any], redact: Redactor, why: str) -> DecodeError:
    """Return the error of an answer that is about another thing than the requested one, or from elsewhere.

    Args:
        response: The answer.
        request: The request that it answers.
        redact: The redactor of the call's secrets.
        why: The contradiction.
    """
    answer = f"{request.method} {redact.name(request.path)} was answered {response.status}, but {escape(redact(why))}."
    return DecodeError(
        answer if request.method == "GET" else f"{answer} It may have been applied.",
        method=request.method,
        url=redact.name(response.url),
        status=response.status,
        content_type=escape(redact(response.media_type).lower()),
        excerpt=response.excerpt(redact),
    )


def _unreadable(
    response: Response,
    request: Request[Any],
    redact: Redactor,
    why: str,
    problems: Sequence[Problem] = (),
    *,
    count: int = 0,
    transient: bool = False,
) -> DecodeError:
    kind = escape(redact(response.media_type).lower()) or "no content type"
    excerpt = response.excerpt(redact)
    shown = [str(problem) for problem in problems[:SHOWN]]
    if (more := max(count, len(problems)) - SHOWN) > 0:
        shown.append(f"and {more} more")
    return DecodeError(
        f"{request.method} {redact.name(request.path)} answered {response.status} with {kind} that cannot be read: "
        f"{redact('; '.join((why, *shown)))}. It begins with '{escape(excerpt)}'.",
        method=request.method,
        url=redact.name(response.url),
        status=response.status,
        content_type=kind,
        excerpt=excerpt,
        paths=tuple(problem.path for problem in problems),
        transient=transient,
    )
