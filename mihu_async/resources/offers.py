"""The numbers for sale: the search for them, and the requirements of their countries.

The paths are documented; the parameters and the answers are not, or only in part.
"""

from operator import attrgetter
from typing import Any, Literal

from mihu_async.core.pipeline import Pipeline
from mihu_async.models.enums import NumberType
from mihu_async.models.numbers import AvailableNumber
from mihu_async.models.provisional import Items, PurchaseRequirement, PurchaseRequirements
from mihu_async.paging.pager import Pager
from mihu_async.resources.provisional import ProvisionalEndpoint, warn_provisional
from mihu_async.validation import country, one_of, optional

PATH = "/phone-numbers/search"
TYPE = one_of(NumberType)


def what_is_asked(requirement: PurchaseRequirement) -> str:
    """Return the key of a requirement: its id or its key, or all of its fields if it has neither."""
    return requirement.answer_id or requirement.key or repr(requirement)


SEARCH = ProvisionalEndpoint(PATH, Items[AvailableNumber], attrgetter("number"))
REQUIREMENTS = ProvisionalEndpoint(f"{PATH}/requirements", Items[PurchaseRequirement], what_is_asked)


class Offers:
    """The part of ``mihu.numbers`` that shows the numbers for sale, and what their buyer must provide."""

    def __init__(self, pipeline: Pipeline, concurrency: int) -> None:
        self._pipeline = pipeline
        self._concurrency = concurrency

    def search(
        self,
        country_code: str,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str | None = None,  # noqa: A002 - the API's own name
        *,
        page: int = 1,
        **filters: Any,
    ) -> Pager[AvailableNumber]:
        """Search for numbers to buy: ``GET /phone-numbers/search``. **Provisional.** Safe to repeat.

        It is documented that this path exists, and that a result carries the fields of a purchase: ``number``,
        ``country_code``, ``type``, ``monthly_fee``, ``capabilities``, ``location``. The parameters, their names and the
        shape of the answer are not documented. So the SDK reads a bare list as well as ``items`` with or without
        ``pagination``, and keeps the unknown fields of a number on its ``.extra``. The first call in a process issues a
        ProvisionalWarning.

        Nothing is sent until the pager is used: ``async for`` walks every number, ``await`` returns the first page, and
        ``await ….first()`` the first number, or None. An answer without pagination counts as the only page. Walking
        raises the errors of its calls.

        Args:
            country_code: ISO 3166-1 alpha-2, such as ``"IT"``. The name under which it is sent is inferred.
            type: A member of the enum, or its string. The name under which it is sent is inferred.
            page: The page to begin with, counted from 1; the first is requested without a number.
            filters: Any other parameters, sent as they are: text, numbers, bools, UUIDs, enum members; None is not
                sent.

        Raises:
            UsageError: At once, if an argument is invalid.
        """
        warn_provisional()
        query = _asked_for(country_code, optional(TYPE, "type", type)) | filters
        return SEARCH.pager(self._pipeline, self._concurrency, query, page=page)

    async def requirements(
        self,
        country_code: str,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str,  # noqa: A002 - the API's own name
        **filters: Any,
    ) -> PurchaseRequirements:
        """List purchase requirements: ``GET /phone-numbers/search/requirements``. **Provisional.** Safe to repeat.

        It is documented that this path exists, that requirements depend on country and type, and that each has a
        ``key`` or ``requirement_id``. The parameters, their names and the shape of the answer are not documented. So
        the SDK reads a bare list as well as ``items`` with or without ``pagination``, keeps unknown fields on
        ``.extra``, and lists unreadable ones on ``.problems``. The first call in a process issues a ProvisionalWarning.
        The purchase page says that these requirements show whether an address is needed, but not how; that a
        requirement of the type ``address`` does so is inferred.

        Args:
            country_code: ISO 3166-1 alpha-2, such as ``"IT"``. The name under which it is sent is inferred.
            type: A member of the enum, or its string. The name under which it is sent is inferred.
            filters: Any other parameters, sent as they are: text, numbers, bools, UUIDs, enum members; None is not
                sent.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            APIError: If the service refuses one of the calls; there is one for each page.
        """
        warn_provisional()
        query = _asked_for(country_code, TYPE("type", type)) | filters
        received: list[Items[PurchaseRequirement]] = []
        pager = REQUIREMENTS.pager(self._pipeline, self._concurrency, query, tell=received.append)
        return PurchaseRequirements(
            items=tuple(await pager.collect()),
            extra={name: value for found in received for name, value in found.extra.items()},
            problems=tuple(dict.fromkeys(problem for found in received for problem in found.problems)),
        )


def _asked_for(country_code: str, kind: NumberType | None) -> dict[str, Any]:
    return {"country_code": country("country_code", country_code), "type": kind}
