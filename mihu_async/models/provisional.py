"""The answers of the provisional endpoints: models inferred from other pages, not from a documented answer.

Every field that a model does not define is therefore kept on ``extra``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from attrs import frozen

from mihu_async.models.extra import extra
from mihu_async.models.pages import Pagination
from mihu_async.reports import Problem

T = TypeVar("T")

PARTS = ("value", "document_id")
"""The parts of an answer: a text, or the id of a document."""
TAKES = {"textual": ("value",), "datetime": ("value",), "document": ("document_id",)}
"""The part of an answer that each type of requirement takes; every other type takes either."""
ADDRESS = "address"
"""The type of a requirement that the address of the purchase answers too."""


@frozen(kw_only=True)
class Items(Generic[T]):
    """The items of an answer, in whatever shape, with or without ``pagination``; otherwise like a :class:`Page`."""

    items: tuple[T, ...]
    pagination: Pagination | None = None
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    left_out: int = 0
    extra: Mapping[str, Any] = extra()


@frozen(kw_only=True)
class PurchaseRequirement:
    """One requirement that must be answered to buy a number of a country and type.

    The purchase page names ``key`` and ``requirement_id``; the other fields are inferred from a number's compliance.
    """

    key: str | None = None
    """The key by which an answer names it."""
    requirement_id: str | None = None
    """The id by which an answer may name it instead."""
    name: str | None = None
    """The name in words; inferred."""
    type: str | None = None
    """The kind of answer that it takes: ``"textual"``, ``"datetime"``, ``"document"`` or ``"address"``; inferred."""
    description: str | None = None
    """The text that describes the answer; inferred."""
    extra: Mapping[str, Any] = extra()
    """All other fields that the service sent."""

    @property
    def answer_id(self) -> str | None:
        """The id that an answer sends as ``requirement_id``: its own, or else its ``id``, which is inferred."""
        known = self.extra.get("id")
        is_id = isinstance(known, str | int) and not isinstance(known, bool)
        return self.requirement_id or (str(known) if is_id else None) or None

    @property
    def takes(self) -> tuple[str, ...]:
        """The parts of an answer that its type takes: ``value``, ``document_id``, or both if that is not known.

        That a type takes only one of them is inferred from the type's name.
        """
        return TAKES.get((self.type or "").lower(), PARTS)

    @property
    def label(self) -> str:
        """The key, else the id, else the name; empty if the service sent none of them."""
        return self.key or self.answer_id or self.name or ""


@frozen(kw_only=True)
class PurchaseRequirements:
    """All requirements of a country and a type. It can be iterated, and has a length."""

    items: tuple[PurchaseRequirement, ...]
    """The requirements, one for each answer that is needed."""
    extra: Mapping[str, Any] = extra()
    """The fields that the service sent beside the list, such as whether an address is needed."""
    problems: tuple[Problem, ...] = ()
    """The first parts of the answer that could not be read; a requirement that is left out may be among them."""

    def __iter__(self) -> Iterator[PurchaseRequirement]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
