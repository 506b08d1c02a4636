"""Which requests a fault or a look into the journal is about."""

from fnmatch import fnmatchcase
from typing import Protocol

import attrs

API_PREFIX = "/api/v1"


def documented_path(path: str) -> str:
    """Take the prefix off a path: `/api/v1/phone-numbers` is documented as `/phone-numbers` too."""
    return path.removeprefix(API_PREFIX)


class Addressed(Protocol):
    """What has a method and a path."""

    @property
    def method(self) -> str:
        """The verb, in capitals."""
        ...

    @property
    def path(self) -> str:
        """The decoded path."""
        ...


@attrs.frozen(kw_only=True)
class Selector:
    """A method and a path, each `None` for any.

    The path may come with or without `/api/v1` and may be a glob. A `*` also covers slashes, so `/phone-numbers*` is
    every endpoint.
    """

    method: str | None = None
    path: str | None = None

    def matches(self, request: Addressed) -> bool:
        """Tell whether a request has this method and path."""
        return self._has_method(request.method) and self._has_path(request.path)

    def _has_method(self, method: str) -> bool:
        return self.method is None or self.method.upper() == method.upper()

    def _has_path(self, path: str) -> bool:
        return self.path is None or fnmatchcase(documented_path(path), documented_path(self.path))
