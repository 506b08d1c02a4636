"""The mark of what was not given, where None and an empty text have meanings of their own."""

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of :data:`UNSET`: annotate with ``str | None | Unset``, and compare with ``is UNSET``."""

    UNSET = "UNSET"
    """The only one, which :data:`UNSET` names."""

    def __repr__(self) -> str:
        return self.name


UNSET: Final = Unset.UNSET
"""What an update is not told: it is not sent, and the service leaves it as it is. There is one, in every process."""
