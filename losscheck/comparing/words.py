"""What is said of a difference: one sentence of what was measured."""

from __future__ import annotations

import numpy as np

from losscheck.comparing.sorts import Sort
from losscheck.comparison import Right
from losscheck.model import Array, Kind


def of_values(
    sort: Sort, right: Right, old: Array, new: Array, off: float, kind: Kind | None
) -> str:
    """Say how two values differ.

    Parameters
    ----------
    old, new
        What the losses give.
    off
        The error of the one that lost its digits; of a new value beside one that is not finite, 0
        where it is right.
    kind
        What the truth is where the old value is not finite; None where that is not known.
    """
    match sort:
        case Sort.OTHER if right is Right.EACH:
            return "They are different functions here: each is right for its own formula."
        case Sort.OTHER:
            return "They differ here, and which of them is right could not be told."
        case Sort.DIGITS_OLD | Sort.DIGITS_NEW:
            return _digits(sort, off)
        case Sort.BROKEN:
            return _broken(new, right)
        case _:
            return _nonfinite(sort, old, kind, off)


def of_gradients(
    sort: Sort, right: Right, old: Array, new: Array, off: float, kind: Kind | None
) -> str:
    """Say how two gradients differ, where the values are the same; as `of_values`."""
    match sort:
        case Sort.TIE:
            return (
                "At this corner of the loss they take different slopes, both of which lie between "
                "those around it."
            )
        case Sort.POINT_OLD | Sort.POINT_NEW:
            wrong, other = ("OLD", "NEW") if sort is Sort.POINT_OLD else ("NEW", "OLD")
            return (
                f"{wrong}'s gradient is wrong at this point alone: it is not between those around "
                f"it, as {other}'s is."
            )
        case Sort.OTHER if right in (Right.OLD, Right.NEW):
            good, bad = ("OLD", "NEW") if right is Right.OLD else ("NEW", "OLD")
            return (
                f"The value is the same; {good}'s gradient is its derivative, by differences, and "
                f"{bad}'s is not."
            )
        case Sort.OTHER if right is Right.NEITHER:
            return "The value is the same; by differences, neither gradient is its derivative."
        case Sort.OTHER:
            return "The value is the same; which gradient is right could not be told."
        case Sort.DIGITS_OLD | Sort.DIGITS_NEW:
            return _digits(sort, off)
        case Sort.BROKEN:
            return _broken(new, right)
        case _:
            return _nonfinite(sort, old, kind, off)


def _digits(sort: Sort, off: float) -> str:
    wrong, right = ("OLD", "NEW") if sort is Sort.DIGITS_OLD else ("NEW", "OLD")
    return f"{wrong} has lost its digits and is off by {off:.2g}; {right} is right."


def _broken(new: Array, right: Right) -> str:
    if right is Right.OLD:
        return f"NEW gives {_odd(new)}; OLD is right."
    return f"NEW gives {_odd(new)} where OLD gives a finite number."


def _nonfinite(sort: Sort, old: Array, kind: Kind | None, off: float) -> str:
    given = _odd(old)
    if sort is Sort.MENDED and off:
        return f"OLD gives {given}; NEW is off by {off:.2g}, which the inputs' rounding explains."
    if sort is Sort.MENDED:
        return f"OLD gives {given}; NEW is right."
    if sort is Sort.DEFINED and kind is Kind.UNDEFINED:
        return f"OLD gives {given} where no finite number is right; NEW gives a finite one."
    if sort is Sort.DEFINED:
        return f"OLD gives {given}; NEW is finite, and what is right could not be told."
    if kind is Kind.UNDEFINED or kind is None:
        return f"OLD gives {given}; NEW gives a number far from those that it gives next to it."
    if kind is Kind.INHERENT:
        return f"What is right is too large for the dtype: OLD gives {given}, NEW another number."
    return f"OLD gives {given}, and what NEW gives is wrong, too."


def _odd(numbers: Array) -> str:
    """Name what is not finite among some numbers."""
    flat = np.asarray(numbers, np.float64).ravel()
    if np.isnan(flat).any():
        return "NaN"
    return "-Inf" if (flat == -np.inf).any() else "Inf"
