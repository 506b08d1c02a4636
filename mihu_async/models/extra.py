"""The fields of an answer beyond its model, for models of answers that are not documented."""

from typing import Any, NoReturn

import attrs


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise TypeError("The answer of a service cannot be changed; make a dict of it first.")


class Extra(dict[str, Any]):
    """The fields of an answer that the model does not define, as plain JSON values. It cannot be changed.

    It is a dict, so that ``attrs.asdict`` and ``json.dumps`` can handle it.
    """

    __setitem__: Any = _refuse
    __delitem__: Any = _refuse
    __ior__: Any = _refuse
    clear: Any = _refuse
    pop: Any = _refuse
    popitem: Any = _refuse
    setdefault: Any = _refuse
    update: Any = _refuse

    def __reduce__(self) -> tuple[type["Extra"], tuple[dict[str, Any]]]:
        return Extra, (dict(self),)


EXTRA = "extra"
"""The name of the field in every model that has it."""


def extra() -> Any:
    """Return the attrs field: empty by default, and not part of the hash, because JSON values have none."""
    return attrs.field(factory=Extra, converter=Extra, hash=False)


def keeps_extra(kind: type[Any]) -> bool:
    """Return True if a model has the field."""
    return attrs.has(kind) and EXTRA in attrs.fields_dict(kind)
