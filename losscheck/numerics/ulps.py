"""Units in the last place, and how far a loss moves when its inputs move by one.

All values are float64, whatever dtype they are numbers of, and the dtypes are told by their names:
NumPy has no bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from losscheck.model import Array

Evaluate: TypeAlias = Callable[[Array, Array, Array], Array]
"""evaluate(case (M,) int64, coordinate (M,) int64, value (M,) float64) -> (M, ...) float64: value
or gradient of base case `case` with its flat coordinate `coordinate` replaced by `value`."""

PRECISION: Final = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
"""Bits of the significand, the hidden one included (IEEE 754-2019, table 3.5; bfloat16: float32
with its last 16 bits cut off)."""

LEAST_EXPONENT: Final = {"float16": -14, "bfloat16": -126, "float32": -126, "float64": -1022}
"""Exponent of the smallest normal number; below it the spacing stays the same."""

LARGEST: Final = {
    name: float((2 - 2.0 ** (1 - PRECISION[name])) * 2.0 ** (1 - LEAST_EXPONENT[name]))
    for name in PRECISION
}
"""The largest finite number."""

LEAST: Final = {name: 2.0 ** (LEAST_EXPONENT[name] + PRECISION[name]) for name in PRECISION}
"""The smallest normal number over its rounding: kernels flush subnormals to 0, and what is smaller
than this is made of numbers whose last digits are subnormal."""

EXPLAINED: Final = 16.0
"""Factor on the summed changes that conditioning explains: without it cosine losses alarm 99 times
in 4,000 cases, at 4 eight times, at 16 never (design.md, Facts measured)."""


def ulp(x: Array, dtype: str = "float32") -> Array:
    """Spacing of the numbers of a dtype at x, away from zero.

    Parameters
    ----------
    x
        Any shape, float64.
    dtype
        "float16", "bfloat16", "float32" or "float64".

    Returns
    -------
    Array
        float64 of the shape of `x`; NaN where `x` is not finite.

    Examples
    --------
    >>> ulp(np.array([1.0, 0.0]), "float32").tolist() == [2.0**-23, 2.0**-149]
    True
    """
    x = np.asarray(x, dtype=np.float64)
    _, exponent = np.frexp(np.where(np.isfinite(x), x, 1.0))
    exponent = np.where(x == 0, LEAST_EXPONENT[dtype], exponent - 1)
    spacing = np.ldexp(1.0, np.fmax(exponent, LEAST_EXPONENT[dtype]) - (PRECISION[dtype] - 1))
    return np.asarray(np.where(np.isfinite(x), spacing, np.nan))


def moved(
    x: Array,
    dtype: str = "float32",
    lower: Array | float = -np.inf,
    upper: Array | float = np.inf,
) -> Array:
    """Move every number by one ulp of a dtype: away from zero, or inwards at the domain's edge.

    Parameters
    ----------
    x
        Any shape, float64, numbers of `dtype`.
    dtype
        As for `ulp`.
    lower, upper
        float64, broadcast against `x`: the domain, which the moved number does not leave.

    Returns
    -------
    Array
        float64 of the shape of `x`.

    Examples
    --------
    >>> moved(np.array([0.5, 1.0]), "float32", 0.0, 1.0).tolist() == [0.5 + 2.0**-24, 1 - 2.0**-23]
    True
    """
    x = np.asarray(x, dtype=np.float64)
    step = np.where(x < 0, -1.0, 1.0) * ulp(x, dtype)
    with np.errstate(over="ignore"):
        outwards, inwards = x + step, x - step
    largest = LARGEST[dtype]
    outside = (outwards > np.fmin(upper, largest)) | (outwards < np.fmax(lower, -largest))
    return np.asarray(np.where(outside, inwards, outwards))


def conditioning(
    evaluate: Evaluate,
    x: Array,
    dtype: str = "float32",
    lower: Array | float = -np.inf,
    upper: Array | float = np.inf,
) -> Array:
    """Measure how much error the inputs' own rounding explains.

    Parameters
    ----------
    evaluate
        The program in float64; called once with M = C·(N + 1).
    x
        (C, N) float64, the flat inputs of C cases, numbers of `dtype`.
    dtype, lower, upper
        As for `moved`; the edges broadcast against (C, N).

    Returns
    -------
    Array
        (C,) float64: 16 times the sum over coordinates of the change, in the max norm over what
        `evaluate` returns for a case, when that coordinate alone moves by one ulp. Infinite where
        the value, or a moved one, is not finite.

    Notes
    -----
    Coordinates move one at a time: moved together at random signs, pairs that cancel in
    1e9 - 1e9 + 1 are missed (design.md, Truth).

    Examples
    --------
    >>> x = np.array([[3.0, 1.0]])
    >>> def difference(case, coordinate, value):
    ...     rows = x[case].copy()
    ...     rows[np.arange(len(case)), coordinate] = value
    ...     return rows[:, 0] - rows[:, 1]
    >>> conditioning(difference, x).tolist() == [16 * (2.0**-22 + 2.0**-23)]
    True
    """
    x = np.asarray(x, dtype=np.float64)
    cases, count = x.shape
    values = np.concatenate([x[:, :1], moved(x, dtype, lower, upper)], axis=1)
    case = np.repeat(np.arange(cases), count + 1)
    coordinate = np.tile(np.concatenate([[0], np.arange(count)]), cases)
    result = np.asarray(evaluate(case, coordinate, values.ravel()), dtype=np.float64)
    result = result.reshape(cases, count + 1, -1)
    with np.errstate(invalid="ignore", over="ignore"):
        change = np.abs(result[:, 1:] - result[:, :1]).max(axis=-1)
        total = EXPLAINED * change.sum(axis=1)
    return np.where(np.isfinite(total), total, np.inf)
