"""An answer as a value, and the documented envelope around what it says."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import attrs

from mihu_async.sandbox.refusals import RefusedError
from mihu_async.sandbox.wire import decode, encode

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}


@attrs.frozen(kw_only=True)
class Answer:
    """What is sent, and how. The Content-Length promises the whole body, also where it is cut."""

    status: int = attrs.field(default=HTTPStatus.OK, converter=int)
    """The HTTP status."""
    body: bytes = attrs.field(default=b"", repr=False)
    """What it says."""
    headers: Mapping[str, str] = JSON_HEADERS
    """The head's, by name."""
    cut: int | None = None
    """How many bytes of the body leave before the connection is closed under it; None is all of them."""
    chunks: int = 1
    """In how many pieces the body leaves."""
    pause: float = 0.0
    """Seconds before each piece."""

    @property
    def is_plain(self) -> bool:
        """Whether it leaves whole and at once."""
        return self.cut is None and self.chunks == 1 and not self.pause

    @property
    def json(self) -> Any:
        """The decoded body; `ValueError` when it is no JSON."""
        return decode(self.body)

    def pieces(self) -> Iterator[bytes]:
        """Cut what leaves into `chunks` pieces of about one size, none of them empty."""
        body = self.body[: self.cut]
        size = max(1, -(-len(body) // self.chunks))
        return (body[start : start + size] for start in range(0, len(body), size))


def json_answer(content: object, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Answer:
    """Encode content as the JSON of an answer."""
    return Answer(status=status, body=encode(content), headers={**JSON_HEADERS, **(headers or {})})


def success(data: object, *, status: int = HTTPStatus.OK, message: str | None = None) -> Answer:
    """Wrap data in the envelope of a success; only some endpoints have a message."""
    content = (
        {"success": True, "data": data}
        if message is None
        else {
            "success": True,
            "message": message,
            "data": data,
        }
    )
    return json_answer(content, status=status)


def failure(error: RefusedError) -> Answer:
    """Wrap a refusal in one of the two documented shapes of a failure."""
    content: dict[str, object] = {"success": False, "message": error.message}
    if error.data is None:
        content["error"] = {"code": error.code, "details": error.details, "field": error.field}
    else:
        content["data"] = error.data
    return json_answer(content, status=error.status, headers=error.headers)
