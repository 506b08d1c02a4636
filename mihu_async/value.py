"""The base classes of the internal objects that calls create. The public classes use attrs.

A ``msgspec.Struct`` is created in an eighth of the time of an attrs class, and the class itself in a thirtieth.
"""

from typing import ClassVar

import msgspec
from msgspec import field
from msgspec.structs import replace

__all__ = ["State", "Value", "field", "replace"]


class Value(msgspec.Struct, frozen=True):
    """A value that cannot be changed. It equals every value of its class with the same fields."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset()
    """The fields that ``repr`` leaves out, because they are large or hold secrets."""

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name not in self.HIDDEN)
        return f"{type(self).__name__}({', '.join(shown)})"


class State(msgspec.Struct, eq=False):
    """An object that changes, and equals only itself. Its ``repr`` shows no field, because some hold secrets."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
