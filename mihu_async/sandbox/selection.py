"""Selects requests by method and path, for faults and the journal."""

from fnmatch import fnmatchcase
from typing import Protocol

import attrs

API_PREFIX = "/api/v1"


def documented_path(path: str) -> str:
    """Remove the prefix of a path: `/api/v1/phone-numbers` is documented as `/phone-numbers` too."""
    return path.removeprefix(API_PREFIX)


class Addressed(Protocol):
    """A value with a method and a path."""

    @property
    def method(self) -> str:
        """The HTTP method, in capitals."""
        ...

    @property
    def path(self) -> str:
        """The decoded path."""
        ...


@attrs.frozen(kw_only=True)
class Selector:
    """A method and a path, each `None` for any.

    The path may have the prefix `/api/v1` and may be a glob, in which `*` also matches slashes: `/phone-numbers*` is
    every endpoint.
    """

    method: str | None = None
    path: str | None = None

    def matches(self, request: Addressed) -> bool:
        """Return True if a request has this method and path."""
        return self._has_method(request.method) and self._has_path(request.path)

    def _has_method(self, method: str) -> bool:
        return self.method is None or self.method.upper() == method.upper()

    def _has_path(self, path: str) -> bool:
        return self.path is None or fnmatchcase(documented_path(path), documented_path(self.path))
