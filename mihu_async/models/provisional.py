"""What the provisional endpoints answer: models made from what other pages say of it, not from a documented answer.

So whatever else comes is kept, on ``extra``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from attrs import frozen

from mihu_async.models.extra import extra
from mihu_async.models.pages import Pagination

T = TypeVar("T")


@frozen(kw_only=True)
class Items(Generic[T]):
    """Some items: a bare list, or an object that holds ``items``, with ``pagination`` or without."""

    items: tuple[T, ...]
    pagination: Pagination | None = None
    extra: Mapping[str, Any] = extra()


@frozen(kw_only=True)
class PurchaseRequirement:
    """One thing that must be answered to buy a number of a country and type.

    It is known by ``key`` or ``requirement_id``, which the purchase page names; ``name``, ``type`` and ``description``
    are inferred to be those that a number's compliance shows. ``extra`` holds all else that the service said of it.
    """

    key: str | None = None
    requirement_id: str | None = None
    name: str | None = None
    type: str | None = None
    description: str | None = None
    extra: Mapping[str, Any] = extra()

    @property
    def label(self) -> str:
        """What to call it: its key, else its id, else its name; empty where it has none of them."""
        return self.key or self.requirement_id or self.name or ""


@frozen(kw_only=True)
class PurchaseRequirements:
    """All that a country and a type ask for. It can be iterated, and has a length.

    ``extra`` holds what the service said beside the list: if it tells there whether an address is needed, that is where
    to look.
    """

    items: tuple[PurchaseRequirement, ...]
    extra: Mapping[str, Any] = extra()

    def __iter__(self) -> Iterator[PurchaseRequirement]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@frozen(kw_only=True)
class ProvisionedCall:
    """An agent that was bound to the calls of a number. The answer is documented in part only.

    ``agent_uuid`` and ``phone_number_uuid`` are what was asked for, unless the answer names others; ``extra`` holds all
    else that it said, and is empty where the answer was lost and the binding was looked up.
    """

    agent_uuid: str | None = None
    phone_number_uuid: str | None = None
    extra: Mapping[str, Any] = extra()
