"""An answer as a value, and the documented envelope around its data."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import attrs

from mihu_async.sandbox.refusals import RefusedError
from mihu_async.sandbox.wire import decode, encode

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}


@attrs.frozen(kw_only=True)
class Answer:
    """An answer, and how to send it. Its Content-Length always covers the complete body, even if only part is sent."""

    status: int = attrs.field(default=HTTPStatus.OK, converter=int)
    """The HTTP status."""
    body: bytes = attrs.field(default=b"", repr=False)
    """The body as bytes."""
    headers: Mapping[str, str] = JSON_HEADERS
    """The headers, by name."""
    cut: int | None = None
    """The number of bytes of the body to send before closing the connection; None sends all of them."""
    chunks: int = 1
    """The number of pieces in which the body is sent."""
    pause: float = 0.0
    """The seconds to wait before each piece."""

    @property
    def is_plain(self) -> bool:
        """True if the answer is sent in full and at once."""
        return self.cut is None and self.chunks == 1 and not self.pause

    @property
    def json(self) -> Any:
        """The decoded body; reading it raises `ValueError` if the body is not JSON."""
        return decode(self.body)

    def pieces(self) -> Iterator[bytes]:
        """Split the bytes to send into `chunks` non-empty pieces of similar size."""
        body = self.body[: self.cut]
        size = max(1, -(-len(body) // self.chunks))
        return (body[start : start + size] for start in range(0, len(body), size))


def json_answer(content: object, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer with JSON content."""
    return Answer(status=status, body=encode(content), headers={**JSON_HEADERS, **(headers or {})})


def success(data: object, *, status: int = HTTPStatus.OK, message: str | None = None) -> Answer:
    """Return data in the envelope of a success; only some endpoints have a message."""
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
    """Return a refusal in one of the two documented shapes of a failure."""
    content: dict[str, object] = {"success": False, "message": error.message}
    if error.data is None:
        content["error"] = {"code": error.code, "details": error.details, "field": error.field}
    else:
        content["data"] = error.data
    return json_answer(content, status=error.status, headers=error.headers)
