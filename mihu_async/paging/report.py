"""What a walk can say of itself. Pure values."""

from attrs import frozen


@frozen(kw_only=True)
class WalkReport:
    """How far a walk is, and whether it can be trusted.

    ``expected`` is the last ``total`` that the service gave, None before the first page; ``yielded`` counts the items
    that the caller got; ``duplicates`` those that came again and were dropped; ``pages`` the answers. ``drifted``
    says that the listing was seen to move. ``complete`` is None during the walk, then True where nothing that was
    seen contradicts it (with ``on_drift="verify"``: where a whole pass matched), else False, with a WARNING in the log.
    """

    expected: int | None = None
    yielded: int = 0
    duplicates: int = 0
    pages: int = 0
    drifted: bool = False
    complete: bool | None = None
