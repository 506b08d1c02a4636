"""The value of an argument that was not passed, where None and an empty text have meanings of their own."""

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of :data:`UNSET`: annotate with ``str | None | Unset``, and compare with ``is UNSET``."""

    UNSET = "UNSET"
    """The only member, which :data:`UNSET` names."""

    def __repr__(self) -> str:
        return self.name


UNSET: Final = Unset.UNSET
"""The default of an update's fields: the field is not sent, and the service keeps its value. A process has only one."""
