"""Where a signed quantity changes sign, to the last bit; by how much numbers lead each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np

from losscheck.model import Array
from losscheck.numerics.rungs import Evaluate

HALVINGS: Final = 64
"""Bits of a float64: halving the count of numbers in a bracket ends after as many evaluations."""

_SIGN: Final = np.int64(np.iinfo(np.int64).min)


@attrs.frozen(eq=False)
class Crossing:
    """Sign changes in K brackets."""

    # (K,) float64, adjacent numbers: at `before` the quantity has the sign that it has at the
    # bracket's low end, at `after` it does not (it is zero, NaN or of the other sign). NaN where no
    # crossing was found.
    before: Array
    after: Array
    zero: Array  # (K,) bool, whether the quantity is exactly zero at `after`
    # (K,) bool, False where the quantity has no sign at the low end or the same at both ends.
    found: Array


def cross(evaluate: Evaluate, case: Array, coordinate: Array, low: Array, high: Array) -> Crossing:
    """Bisect brackets down to adjacent numbers.

    Parameters
    ----------
    evaluate
        evaluate(case (M,) int64, coordinate (M,) int64, value (M,) float64) -> (M,) float64, the
        signed quantity, say the difference of the two sides of a comparison; called with M = K,
        at most 67 times.
    case, coordinate
        (K,) int64, handed through.
    low, high
        (K,) float64, finite, the ends of the brackets, in either order.

    Returns
    -------
    Crossing

    Notes
    -----
    What is halved is the count of float64 numbers in the bracket, not its width: their bits, read
    as integers, are in the order of the numbers, so 64 halvings reach the last bit at any scale.

    Examples
    --------
    >>> one = np.zeros(1, dtype=np.int64)
    >>> found = cross(lambda case, coordinate, x: x * x - 2, one, one, one + 1.0, one + 2.0)
    >>> float(found.before[0]), float(found.after[0])
    (1.414213562373095, 1.4142135623730951)
    """
    case, coordinate = np.asarray(case), np.asarray(coordinate)
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    start = np.sign(evaluate(case, coordinate, low))
    found = np.isin(start, (-1.0, 1.0)) & (np.sign(evaluate(case, coordinate, high)) != start)
    near, far = _order(low), _order(high)
    for _ in range(HALVINGS):
        # The mean of two integers without the overflow of their sum.
        middle = (near & far) + ((near ^ far) >> 1)
        open_ = (middle != near) & (middle != far)
        if not open_.any():
            break
        same = np.sign(evaluate(case, coordinate, _number(middle))) == start
        near, far = np.where(open_ & same, middle, near), np.where(open_ & ~same, middle, far)
    before = np.where(found, _number(near), np.nan)
    after = np.where(found, _number(far), np.nan)
    zero = found & (evaluate(case, coordinate, _number(far)) == 0)
    return Crossing(before, after, zero, found)


def _order(x: Array) -> Array:
    """Bits of float64 numbers as int64 in the order of the numbers; both zeros are 0."""
    bits = (x + 0.0).view(np.int64)
    return np.where(bits < 0, _SIGN - bits, bits)


def _number(order: Array) -> Array:
    """Undo `_order`."""
    return np.where(order < 0, _SIGN - order, order).view(np.float64)


def lead(values: Array, axes: Sequence[int]) -> Array:
    """Subtract from every number the largest other one along some axes.

    Parameters
    ----------
    values
        (M, ...) float64.
    axes
        Of one of the M, from 0 or from the end.

    Returns
    -------
    Array
        (M, Q) float64, positive for the one that is the maximum; Q = 0 where there are no others.

    Examples
    --------
    >>> lead(np.array([[1.0, 4.0, 2.0]]), [0])
    array([[-3.,  2., -2.]])
    """
    rank = values.ndim - 1
    last = np.moveaxis(values, [axis % rank + 1 for axis in axes], range(-len(axes), 0))
    rows = last.reshape(*last.shape[: last.ndim - len(axes)], -1)
    if rows.shape[-1] < 2:
        return np.zeros((len(values), 0))
    return margins(rows, 1)


def margins(values: Array, count: int) -> Array:
    """Subtract from every number the r-th largest of the others on the last axis, r = 1..count.

    Parameters
    ----------
    values
        (M, ..., n) float64.
    count
        Ranks that matter, as the k of a top-k.

    Returns
    -------
    Array
        (M, Q) float64: the sign says whether a number is among the r largest.

    Examples
    --------
    >>> margins(np.array([[1.0, 4.0, 2.0]]), 2)
    array([[-3.,  2., -2., -1.,  3.,  1.]])
    """
    falling = -np.sort(-values, axis=-1)
    found = []
    for rank in range(1, min(count, values.shape[-1] - 1) + 1):
        inside, outside = falling[..., rank - 1 : rank], falling[..., rank : rank + 1]
        with np.errstate(invalid="ignore"):
            gap = values - np.where(values >= inside, outside, inside)
        found.append(gap.reshape(len(values), -1))
    return np.concatenate(found or [np.zeros((len(values), 0))], axis=1)
