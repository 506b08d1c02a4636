"""Why a request is refused, as the envelope of a failure says it.

Documented are the statuses, `MISSING_AUTH_TOKEN`, `INVALID_AUTH_TOKEN` and the body of a purchase over the limit. All
other codes are inferred: the sandbox has to write something, and code under test should not depend on it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import attrs

NO_HEADERS: Mapping[str, str] = {}


@attrs.define(eq=False, kw_only=True)
class RefusedError(Exception):
    """The service says no; raised by checks and rules, rendered in one place.

    `data` is set for the second documented shape of a failure, which has no `error` block. `is_undocumented` says that
    the request asks for what no page knows, such as a field, which a strict sandbox tells.
    """

    status: int
    code: str
    message: str
    details: str = ""
    field: str | None = None
    data: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = NO_HEADERS
    is_undocumented: bool = False

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.details or self.message}"


def invalid(field: str, details: str) -> RefusedError:
    """Describe a value that breaks the documented schema (422; the code is inferred); no field is the whole body."""
    return RefusedError(
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code="VALIDATION_ERROR",
        message="The given data was invalid.",
        details=f"{field or 'the body'} {details}",
        field=field or None,
    )


def undocumented(field: str, kind: str) -> RefusedError:
    """Describe a parameter or a field of a request that no page documents."""
    return attrs.evolve(invalid(field, f"is not a documented {kind}"), is_undocumented=True)


def conflict(details: str) -> RefusedError:
    """Describe a request that the current state forbids (409; the code is inferred)."""
    return RefusedError(
        status=HTTPStatus.CONFLICT, code="CONFLICT", message="The request was refused.", details=details
    )


def phone_in_use(details: str) -> RefusedError:
    """Describe a number that another agent uses (409; the word is documented, its place and the status are not)."""
    return attrs.evolve(conflict(details), code="phone_in_use")


def not_found(details: str) -> RefusedError:
    """Describe a thing that does not exist (404; the code is inferred)."""
    return RefusedError(status=HTTPStatus.NOT_FOUND, code="NOT_FOUND", message="Not found.", details=details)


def purchase_limit_reached(*, limit: int, current: int) -> RefusedError:
    """Describe a purchase over the workspace's cap, in its own documented shape (403)."""
    return RefusedError(
        status=HTTPStatus.FORBIDDEN,
        code="purchase_limit_reached",
        message="The purchase limit of this workspace is reached.",
        data={"error": "purchase_limit_reached", "limit": limit, "current": current},
    )
