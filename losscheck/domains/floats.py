"""The float types that losses run in, casting into them, and numbers at which formulas break."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np

from losscheck.model import Array, UsageError

# Each number with the fault that it meets, in float32 unless said otherwise.
_SIZES = (
    1e-30,  # its square is 0
    1e-18,  # its square is near the smallest normal number
    1e-8,  # 1 - x rounds to 1; lost as an epsilon in half types
    1e-7,  # Keras' epsilon, about half an ulp of 1
    1e-4,
    1e-3,
    0.5,
    1.0,
    2.0,
    10.0,
    20.0,  # sigmoid(x) rounds to 1
    88.0,  # exp(x) is still finite
    89.0,  # exp(x) overflows
    100.0,
    104.0,  # exp(-x) is 0, subnormals included
    700.0,  # exp(x) is still finite in float64
    1e3,  # exp(x) overflows in float64
    1e4,
    1e9,
    1e18,  # its square is still finite
    1e19,
    1e20,  # its square overflows
    1e30,
)
_BELOW_ONE = (1e-8, 2.0**-24, 1e-7, 1e-4, 1e-3)  # x with 1 - x a saturated probability


@attrs.frozen
class FloatFormat:
    """What a float type can hold; all numbers are exact in float64."""

    name: str
    # The NumPy dtype that holds its numbers; NumPy has no bfloat16, whose numbers are float32
    # numbers with 16 zero bits at the end.
    storage: str
    eps: float  # the distance from 1 to the next number
    tiny: float
    subnormal: float  # the smallest number above 0
    largest: float
    # Where the working range ends in this type at the latest: in float16 at 1e3, as design.md sets
    # it, for the square of anything above 255 overflows there.
    reach: float = np.inf
    step: int = 1  # by how much the bits of the storage move from one number to the next


FORMATS = {
    "float16": FloatFormat("float16", "float16", 2.0**-10, 2.0**-14, 2.0**-24, 65504.0, 1e3),
    "bfloat16": FloatFormat(
        "bfloat16", "float32", 2.0**-7, 2.0**-126, 2.0**-133, 2.0**128 - 2.0**120, step=1 << 16
    ),
    "float32": FloatFormat(
        "float32", "float32", 2.0**-23, 2.0**-126, 2.0**-149, 2.0**128 - 2.0**104
    ),
    "float64": FloatFormat(
        "float64",
        "float64",
        2.0**-52,
        2.0**-1022,
        float(np.finfo(np.float64).smallest_subnormal),
        float(np.finfo(np.float64).max),
    ),
}


def float_format(dtype: str) -> FloatFormat:
    """Look a float type up by its name.

    Raises
    ------
    UsageError
        Where the name is none of `FORMATS`.
    """
    try:
        return FORMATS[dtype]
    except KeyError:
        raise UsageError(
            f"{dtype!r} is not a float type that losses run in. Expected one of "
            f"{', '.join(FORMATS)}. Name one of these."
        ) from None


def cast(values: Array, dtype: str) -> Array:
    """Round to the numbers of a float type, to the nearest; too large a number becomes infinite.

    Parameters
    ----------
    values
        Any shape, any real dtype.

    Returns
    -------
    Array
        The same shape in the storage dtype of the format (bfloat16 is held in float32).
    """
    fmt = float_format(dtype)
    with np.errstate(over="ignore", under="ignore"):
        stored = np.asarray(values).astype(fmt.storage, copy=False)
    if fmt.name != "bfloat16":
        return stored
    bits = stored.view(np.uint32)
    # Half of the dropped part, less one where the kept part is even: ties go to even.
    half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    rounded: Array = ((bits + half) & np.uint32(0xFFFF0000)).view(np.float32)
    return np.where(np.isnan(stored), stored, rounded)


def native(array: Array, dtype: str) -> Array:
    """Give an array the dtype itself, as TensorFlow takes it."""
    if dtype == "bfloat16":
        import ml_dtypes

        return array.astype(ml_dtypes.bfloat16)
    return array.astype(dtype)


def between(values: Array, ends: tuple[float, float], dtype: str) -> Array:
    """Tell whether numbers lie between two ends, each rounded outwards to the dtype.

    Parameters
    ----------
    values
        Any shape, float64.

    Returns
    -------
    Array
        The same shape, bool: what lay between the ends before it was cast still does.
    """
    rounded = cast(np.array(ends), dtype).astype(np.float64)
    inside: Array = values >= min(ends[0], rounded[0])
    inside &= values <= max(ends[1], rounded[1])
    return inside


def step_magnitude(values: Array, steps: int, dtype: str) -> Array:
    """Move every number by whole ulps away from zero (or towards it, for negative `steps`).

    Parameters
    ----------
    values
        Any shape; cast to `dtype` first.
    steps
        Ulps; a number that would cross zero stops there.

    Returns
    -------
    Array
        The same shape in the storage dtype; infinite beyond the largest number.
    """
    fmt = float_format(dtype)
    stored = np.ascontiguousarray(cast(values, dtype))
    width = stored.dtype.itemsize
    bits = stored.view(f"u{width}")
    unsigned: Any = bits.dtype.type
    sign = bits & unsigned(1 << (8 * width - 1))
    size = bits ^ sign
    move = unsigned(abs(steps) * fmt.step)
    moved = size + move if steps >= 0 else size - np.minimum(size, move)
    result: Array = (moved | sign).view(stored.dtype)
    return result


def evenly_by_bits(low: float, high: float, count: int, dtype: str) -> tuple[Array, int]:
    """Give numbers of float32 or float64 between two ends, equally many numbers apart.

    Parameters
    ----------
    count
        How many, at most; those that a half type holds, too, and subnormals are left out.

    Returns
    -------
    tuple of Array and int
        (k,) in the dtype, ascending, and the step, an odd number.
    """
    stored = np.array([low, high], dtype)
    integer: Any = {4: np.int32, 8: np.int64}[stored.dtype.itemsize]
    most = np.iinfo(integer).max
    # In the order of the numbers themselves: below 0 the bits count down from the sign.
    first, last = (b if b >= 0 else -(b & most) for b in stored.view(integer).tolist())
    step = max(1, (last - first) // count) | 1
    order = np.arange(first, last, step, dtype=np.int64)
    bits = np.abs(order) | np.where(order < 0, np.int64(np.iinfo(integer).min), 0)
    # float16 has the longer mantissa of the half types: 10 bits.
    kept = (bits & ((1 << (np.finfo(dtype).nmant - 10)) - 1)) != 0
    numbers: Array = bits[kept].astype(integer).view(dtype)
    return numbers[np.abs(numbers) >= np.finfo(dtype).tiny], step


def next_number(value: float, towards: float, dtype: str) -> float:
    """Give the neighbour of a number of a float type, on the side of another number."""
    if value == 0.0:
        return math.copysign(float_format(dtype).subnormal, towards)
    steps = 1 if (towards > value) == (value > 0.0) else -1
    return float(step_magnitude(np.array([value]), steps, dtype)[0])


def landmarks(dtype: str) -> Array:
    """All landmark numbers of a float type, of both signs.

    Parameters
    ----------
    dtype
        A key of `floats.FORMATS`.

    Returns
    -------
    Array
        (k,) float64: both zeros, subnormals, the smallest normal number, the neighbours of 1, the
        arguments at which exp, squares and 1 - x saturate, and the largest number.
    """
    fmt = float_format(dtype)
    sizes = [0.0, fmt.subnormal, fmt.tiny, fmt.eps, fmt.largest, *_SIZES]
    sizes += [1.0 - x for x in (*_BELOW_ONE, fmt.eps, fmt.eps / 2)]
    sizes += [1.0 + fmt.eps]
    positive = np.unique([size for size in sizes if size <= fmt.largest])
    return np.concatenate([-positive[::-1], positive])
