"""What two losses give in one case, sorted, and what is said of it: whose number is to blame."""

from __future__ import annotations

import enum

import attrs
import numpy as np

from losscheck.comparison import Right
from losscheck.evidence.precision.disagreement import NEGLIGIBLE
from losscheck.evidence.precision.lost_digits import NOTABLE, UNKNOWN
from losscheck.model import Array, Kind
from losscheck.numerics.ulps import LARGEST, PRECISION

ULPS = 8  # of the larger number: what sums taken in another order differ by
LARGER = 4.0  # times the other's error: of two losses that both lose digits one is worse


class Sort(enum.IntEnum):
    """How the numbers of a case relate."""

    SAME = 0
    UNSETTLED = enum.auto()  # they differ, and were not looked at more closely
    TIE = enum.auto()  # two slopes that a corner has, or what rounding takes for one
    OTHER = enum.auto()  # they differ in exact arithmetic, too
    POINT_OLD = enum.auto()  # the old gradient is wrong at a single point
    POINT_NEW = enum.auto()
    DIGITS_OLD = enum.auto()  # the same function, and the old loss has lost its digits
    DIGITS_NEW = enum.auto()
    MENDED = enum.auto()  # the old number is not finite, and the new one is right
    DEFINED = enum.auto()  # nothing finite is right there, and the new number is finite
    UNMENDED = enum.auto()  # the old number is not finite, and the new one is wrong
    BROKEN = enum.auto()  # the new number is not finite, and the old one is


@attrs.frozen(kw_only=True, eq=False)
class Numbers:
    """Value or gradient of N cases, by both losses."""

    # (N, n) float64.
    old: Array
    new: Array
    scale: float
    dtype: str  # in which they were computed

    @property
    def step(self) -> float:
        """The rounding of the dtype, relative."""
        return float(2.0 ** -PRECISION[self.dtype])

    @property
    def half(self) -> float:
        """Half of the digits of the dtype, relative: who is further off has lost some."""
        return float(np.sqrt(self.step))

    @property
    def old_alone(self) -> Array:
        """(N,) bool: some number of the old loss is finite where that of the new one is not."""
        return np.asarray((np.isfinite(self.old) & ~np.isfinite(self.new)).any(axis=1))

    @property
    def new_alone(self) -> Array:
        """(N,) bool: some number of the new loss is finite where that of the old one is not."""
        return np.asarray((~np.isfinite(self.old) & np.isfinite(self.new)).any(axis=1))

    @property
    def apart(self) -> Array:
        """(N,) bool: finite numbers that differ by more than a few roundings."""
        room = ULPS * 2 * self.step * size(self.old, self.new)
        return distance(self.old, self.new) > np.fmax(room, NEGLIGIBLE * self.scale)


def distance(one: Array, other: Array) -> Array:
    """(N,) how far apart the numbers that are finite in both are, in the max norm."""
    both = np.isfinite(one) & np.isfinite(other)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.where(both, np.abs(one - other), 0.0).max(axis=1, initial=0.0))


def size(one: Array, other: Array) -> Array:
    """(N,) the size of the largest number that is finite in both."""
    both = np.isfinite(one) & np.isfinite(other)
    largest = np.fmax(np.abs(one), np.abs(other))
    return np.asarray(np.where(both, largest, 0.0).max(axis=1, initial=0.0))


def by_error(numbers: Numbers, truth: Array, explained: Array) -> Array:
    """Sort cases in which the exact numbers of both losses are the same.

    Parameters
    ----------
    truth
        (N, n) these numbers.
    explained
        (N,) the error that the rounding of the inputs explains.

    Returns
    -------
    Array
        (N,) Sort.
    """
    room = np.fmax(numbers.half * size(truth, truth), NEGLIGIBLE * numbers.scale)
    room = np.fmax(room, explained)
    off_old, off_new = distance(numbers.old, truth), distance(numbers.new, truth)
    none = size(truth, truth) <= UNKNOWN * np.fmax(off_old, off_new)  # 0 has no digits to lose
    room = np.where(none, np.fmax(room, NOTABLE * numbers.scale), room)
    lost_old, lost_new = off_old > room, off_new > room
    both = lost_old & lost_new
    result = np.full(len(truth), Sort.SAME)
    result[lost_old & ~lost_new | both & (off_old > LARGER * off_new)] = Sort.DIGITS_OLD
    result[lost_new & ~lost_old | both & (off_new > LARGER * off_old)] = Sort.DIGITS_NEW
    # What is better and still has lost its digits repairs nothing, and is no worse either.
    result[both & (result == Sort.DIGITS_OLD)] = Sort.SAME
    return result


def beside_nonfinite(numbers: Numbers, truth: Array, explained: Array) -> Array:
    """Sort cases in which the old loss alone is not finite, by the truth where there is one."""
    known = np.asarray(np.isfinite(truth).all(axis=1))
    fits = np.where(known[:, None], np.abs(truth), 0.0).max(axis=1) <= LARGEST[numbers.dtype]
    room = np.fmax(numbers.half * size(truth, truth), NEGLIGIBLE * numbers.scale)
    right = fits & (distance(numbers.new, truth) <= np.fmax(room, explained))
    result = np.full(len(truth), Sort.DEFINED)
    result[known] = np.where(right[known], Sort.MENDED, Sort.UNMENDED)
    return result


def of_values(
    sort: Sort, right: Right, old: Array, new: Array, off: float, kind: Kind | None
) -> str:
    """Say how two values differ.

    Parameters
    ----------
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
        case _:
            return _of_either(sort, right, old, new, off, kind)


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
        case _:
            return _of_either(sort, right, old, new, off, kind)


def _of_either(
    sort: Sort, right: Right, old: Array, new: Array, off: float, kind: Kind | None
) -> str:
    if sort in (Sort.DIGITS_OLD, Sort.DIGITS_NEW):
        wrong, other = ("OLD", "NEW") if sort is Sort.DIGITS_OLD else ("NEW", "OLD")
        return f"{wrong} has lost its digits and is off by {off:.2g}; {other} is right."
    if sort is not Sort.BROKEN:
        return _nonfinite(sort, old, kind, off)
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
