"""The mark of the field that identifies a row: without that field, a row of an answer is of no use."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import Attribute  # noqa: TC002 - docs resolve it

IDENTITY: Final[Mapping[str, bool]] = {"mihu_async.identity": True}
"""The metadata of that field."""


def is_identity(field: "Attribute[Any]") -> bool:
    """Return True if the field identifies a row of its model."""
    return IDENTITY.items() <= field.metadata.items()
