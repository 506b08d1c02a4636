"""What the provisional endpoints answer: models made from what other pages say of it, not from a documented answer.

So whatever else comes is kept, on ``extra``.
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
"""The part of an answer that a type of requirement takes; every other type takes either."""
ADDRESS = "address"
"""The type of a requirement that the address of the purchase answers too."""


@frozen(kw_only=True)
class Items(Generic[T]):
    """Some items, whatever held them, with ``pagination`` or without; the rest is as in a :class:`Page`."""

    items: tuple[T, ...]
    pagination: Pagination | None = None
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0
    left_out: int = 0
    extra: Mapping[str, Any] = extra()


@frozen(kw_only=True)
class PurchaseRequirement:
    """One thing that must be answered to buy a number of a country and type.

    The purchase page names ``key`` and ``requirement_id``; the rest is inferred to be what a number's compliance shows.
    """

    key: str | None = None
    """The key that an answer names it by."""
    requirement_id: str | None = None
    """The id that an answer may name it by as well."""
    name: str | None = None
    """Its name in words; inferred."""
    type: str | None = None
    """The kind of answer that it takes: ``"textual"``, ``"datetime"``, ``"document"`` or ``"address"``; inferred."""
    description: str | None = None
    """What to give; inferred."""
    extra: Mapping[str, Any] = extra()
    """All else that the service said of it."""

    @property
    def answer_id(self) -> str | None:
        """The id that an answer sends as ``requirement_id``: its own, or what came as ``id``, which is inferred."""
        known = self.extra.get("id")
        is_id = isinstance(known, str | int) and not isinstance(known, bool)
        return self.requirement_id or (str(known) if is_id else None) or None

    @property
    def takes(self) -> tuple[str, ...]:
        """The parts of an answer that its type takes, ``value`` or ``document_id``; both where that is not known.

        That a type takes the one or the other is inferred from the types' names.
        """
        return TAKES.get((self.type or "").lower(), PARTS)

    @property
    def label(self) -> str:
        """Its key, else its id, else its name; empty where it has none of them."""
        return self.key or self.answer_id or self.name or ""


@frozen(kw_only=True)
class PurchaseRequirements:
    """All that a country and a type ask for. It can be iterated, and has a length."""

    items: tuple[PurchaseRequirement, ...]
    """One for each answer that is needed."""
    extra: Mapping[str, Any] = extra()
    """What the service said beside the list: whether an address is needed, if it tells."""
    problems: tuple[Problem, ...] = ()
    """The first of what could not be read: a requirement that is left out may stand among them."""

    def __iter__(self) -> Iterator[PurchaseRequirement]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
