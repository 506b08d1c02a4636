"""Which numbers can be sent or paid, and which can be waited for."""

import math
from decimal import Decimal
from typing import Any, TypeGuard


def is_finite(value: Any) -> TypeGuard[int | float | Decimal]:
    """Whether a value is a number, no boolean, and neither infinite, NaN nor beyond what a float holds."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    try:
        return math.isfinite(value)
    except (OverflowError, ValueError):  # an integer beyond all floats, a signalling NaN
        return False


def is_real(value: Any) -> TypeGuard[int | float]:
    """Whether it is one that can be reckoned with as with seconds: no Decimal, which does not mix with floats."""
    return is_finite(value) and not isinstance(value, Decimal)
