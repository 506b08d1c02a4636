"""The reasons for refusing a request, for the envelope of a failure.

The statuses, `MISSING_AUTH_TOKEN`, `INVALID_AUTH_TOKEN` and the body of a purchase beyond the limit are documented. All
other codes are inferred: the sandbox must send one, and code under test should not depend on it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import attrs

NO_HEADERS: Mapping[str, str] = {}


@attrs.define(eq=False, kw_only=True)
class RefusedError(Exception):
    """A refusal by the service; checks and rules raise it, and one place renders it.

    `data` is set for the second documented shape of a failure, which has no `error` block. `is_undocumented` is True if
    the request asks for something that no page documents, such as a field, which a strict sandbox reports.
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
    """Return the refusal of a value that violates the documented schema (422; the code is inferred).

    No field means the entire body.
    """
    return RefusedError(
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code="VALIDATION_ERROR",
        message="The given data was invalid.",
        details=f"{field or 'the body'} {details}",
        field=field or None,
    )


def undocumented(field: str, kind: str) -> RefusedError:
    """Return the refusal of a parameter or a field that no page documents."""
    return attrs.evolve(invalid(field, f"is not a documented {kind}"), is_undocumented=True)


def conflict(details: str) -> RefusedError:
    """Return the refusal of a request that the current state forbids (409; the code is inferred)."""
    return RefusedError(
        status=HTTPStatus.CONFLICT, code="CONFLICT", message="The request was refused.", details=details
    )


def phone_in_use(details: str) -> RefusedError:
    """Return the refusal of a number that another agent uses (409).

    The word is documented, its place and the status are not.
    """
    return attrs.evolve(conflict(details), code="phone_in_use")


def not_found(details: str) -> RefusedError:
    """Return the refusal of a missing thing (404; the code is inferred)."""
    return RefusedError(status=HTTPStatus.NOT_FOUND, code="NOT_FOUND", message="Not found.", details=details)


def purchase_limit_reached(*, limit: int, current: int) -> RefusedError:
    """Return the refusal of a purchase beyond the workspace's limit, in its own documented shape (403)."""
    return RefusedError(
        status=HTTPStatus.FORBIDDEN,
        code="purchase_limit_reached",
        message="The purchase limit of this workspace is reached.",
        data={"error": "purchase_limit_reached", "limit": limit, "current": current},
    )
