"""A response as a value: what came back, before anyone reads meaning into it. Does no I/O."""

from collections.abc import Mapping
from http import HTTPStatus

from attrs import field, frozen

from mihu_async.core.mask import SHOWN, Mask

SUCCESS = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SEARCHED = 65_536  # bytes of a body that are searched for secrets before the excerpt is cut: far more than is quoted


@frozen
class Response:
    """One answer. ``headers`` ignore case; ``complete`` is False where the body was cut at the client's bound.

    ``encoding`` names the coding that the body still has, because it was not asked for; empty where it has none.
    """

    url: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    complete: bool = True
    encoding: str = ""
    body_took: float = 0.0
    """Seconds from the end of its head to the end of its body."""

    @property
    def ok(self) -> bool:
        """Whether the status says that the call succeeded."""
        return self.status in SUCCESS

    @property
    def document(self) -> bytes:
        """The body without the byte order mark that a PHP file may begin with: JSON allows to pass over it."""
        return self.body.removeprefix(BYTE_ORDER_MARK)

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in small letters, or an empty string."""
        return self.media_type.lower()

    @property
    def media_type(self) -> str:
        """The media type without its parameters, as it was written: a mask must see it so."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    @property
    def is_json(self) -> bool:
        """Whether the service says that the body is JSON."""
        kind = self.content_type
        return kind == "application/json" or kind.endswith("+json")

    @property
    def is_cached(self) -> bool:
        """True if a cache gave the answer: it says of what age it is."""
        return self.headers.get("Age", "0").strip() != "0"

    @property
    def request_id(self) -> str | None:
        """The service's id of the call. [inferred: no such header is documented]."""
        return self.headers.get("X-Request-Id")

    def excerpt(self, mask: Mask) -> str:
        """Give the beginning of the body for an error, with secrets masked."""
        return mask(self.body[:SEARCHED].decode("utf-8", "replace"))[:SHOWN]
