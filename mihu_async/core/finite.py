"""Finite numbers: those that can be sent or paid, and those that can be waited for."""

import math
from decimal import Decimal
from typing import Any, TypeGuard


def is_finite(value: Any) -> TypeGuard[int | float | Decimal]:
    """Return True for a number that is no boolean, and neither infinite, NaN nor beyond the range of a float."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    try:
        return math.isfinite(value)
    except (OverflowError, ValueError):  # an integer beyond all floats, a signalling NaN
        return False


def is_real(value: Any) -> TypeGuard[int | float]:
    """Return True for a finite number that can be added to seconds, so for no Decimal."""
    return is_finite(value) and not isinstance(value, Decimal)
