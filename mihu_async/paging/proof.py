"""The proof that a walk is complete: three certificates, each a pure function of the evidence of a pass.

An item *was there* when a pass began if its dates are older; in a later pass also if it was yielded before that pass
and no date of it may be younger. If as many such items were yielded as ``total`` counted, none is missing, whichever
pass yielded them.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, TypeVar

from mihu_async.paging.page import Moment
from mihu_async.value import State

T = TypeVar("T")

Proof = Literal["counted", "still", "confirmed"]
Dates = Callable[[T], tuple[datetime | None, datetime | None]]
"""Returns the times at which an item was created and last changed."""


class Evidence(State, eq=True, kw_only=True):
    """The evidence of pass ``nth``: of the ``total`` items ``since`` it began, ``there`` were found; ``shown`` in all.

    The pass is ``quiet`` if all its answers named one total, it showed nothing new, and no date is certainly younger
    than it. The other fields describe its whole walk: ``old`` of the ``first`` items that were there when it began were
    yielded, in whichever pass. ``moved`` is True if an answer contradicted another one, ``dated`` if any item has a
    date, ``part`` if only a part of a listing is read, ``resumed`` if the walk continues another one, ``forgetful`` if
    it remembers only one page, and ``forgot`` if such a walk may have counted an item twice.
    ``left_out`` is the number of rows that could not be read at all.
    """

    nth: int = 0
    total: int | None = None
    since: Moment | None = None
    there: int = 0
    shown: int = 0
    quiet: bool = True
    first: int | None = None
    old: int = 0
    moved: bool = False
    dated: bool = False
    part: bool = False
    resumed: bool = False
    forgetful: bool = False
    forgot: bool = False
    left_out: int = 0


def counted(evidence: Evidence) -> bool:
    """Return True if the walk yielded as many items that were there at its beginning as the first answer counted.

    Without dates, nothing shows that the other items came later, so a service that does not count, and reports 0 items,
    proves nothing.
    """
    return not evidence.part and evidence.old == evidence.first and (evidence.dated or evidence.old == evidence.shown)


def still(evidence: Evidence) -> bool:
    """Return True if no answer showed a change, and no date could show otherwise; for a part, if all dates are old."""
    silent = not evidence.dated or (evidence.part and evidence.there == evidence.shown)
    return silent and not evidence.moved and evidence.shown == evidence.total


def confirmed(evidence: Evidence) -> bool:
    """Return True if a later pass showed every item that was there when it began, by count, or nothing new at all."""
    if evidence.nth == 1 or evidence.part or evidence.resumed:
        return False
    return evidence.total in {evidence.there, evidence.shown if evidence.quiet else None}


CERTIFICATES: dict[Proof, Callable[[Evidence], bool]] = {"confirmed": confirmed, "counted": counted, "still": still}
"""The certificates, in the order in which they are tried."""


def certificate(evidence: Evidence) -> Proof | None:
    """Return the name of the certificate that holds, or None."""
    if evidence.left_out or evidence.total is None or evidence.forgot:
        return None
    return next((name for name, holds in CERTIFICATES.items() if holds(evidence)), None)


def shortfall(evidence: Evidence) -> str:
    """Return the reason why no certificate holds."""
    if evidence.left_out:
        return f"{evidence.left_out} rows of its answers could not be read at all"
    if evidence.total is None:
        return "the service, or the checkpoint that it continues, does not say how many items there were"
    if evidence.forgot:
        return "it remembers only one page (on_drift='ignore'), so an item may have come twice in place of another one"
    if evidence.part:
        return f"a part cannot be counted, and it did not stand still ({evidence.shown} of {evidence.total} items)"
    known = f"{evidence.there} of the {evidence.total} items that were there when pass {evidence.nth} began"
    cure = "; a walk that continues from a checkpoint cannot read the items before it again" if evidence.resumed else ""
    return f"{known} are known to have been yielded{cure}"


def came_since(dates: Iterable[datetime | None], moment: datetime, now: datetime | None) -> bool:
    """Return True if a date of an item shows that it came after a time.

    Args:
        dates: The dates of the item.
        moment: The time.
        now: The time now; a date after it shows nothing. None if it is not known.
    """
    return any(date and date >= moment and (now is None or date <= now) for date in dates)


def older(items: Iterable[T], dates: Dates[T], since: Moment) -> int:
    """Return the number of items that their dates prove to have been in the listing at a time.

    An item that enters a listing counts as changed.
    """
    earliest = since.earliest
    return sum(
        changed is not None and changed < earliest and (bought is None or bought < earliest)
        for bought, changed in map(dates, items)
    )
