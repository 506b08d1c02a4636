"""How often the service asked a client for less: what its walks share to slow down together."""

from http import HTTPStatus

from attrs import define, field

from mihu_async.errors import APIError, MihuError

ASKED_FOR_LESS = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@define
class Pressure:
    """A count of the answers 429 and 503."""

    _count: int = field(default=0, init=False)

    def feel(self, error: MihuError) -> None:
        """Count an error, if it is one of those."""
        if isinstance(error, APIError) and error.status in ASKED_FOR_LESS:
            self._count += 1

    def count(self) -> int:
        """How often so far."""
        return self._count
