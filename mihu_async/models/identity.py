"""The mark of the field by which a row is known: without it, a row of an answer is nothing that could be used."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import Attribute  # noqa: TC002 - docs resolve it

IDENTITY: Final[Mapping[str, bool]] = {"mihu_async.identity": True}
"""The metadata of that field."""


def is_identity(field: "Attribute[Any]") -> bool:
    """Return True if rows of the field's model are known by it."""
    return IDENTITY.items() <= field.metadata.items()
