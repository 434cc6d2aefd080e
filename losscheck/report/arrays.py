"""Numbers and arrays in one line, as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

SHORT = 6  # significant digits that people read; a float32 has up to EXACT
EXACT = 9
FULL_SIZE = 16  # elements: arrays up to here are shown whole, longer ones by their ends
_EXPONENT = re.compile(r"e\+?(-?)0*")  # 1e+30 and 1e-06 are 1e30 and 1e-6
NAMED = 4  # numbers of a long array that differ from all others, and are told with their places
EDGE = 2  # elements shown at either end of a long last axis


def scalar(value: Any, digits: int | None = None) -> str:
    """Write one number: exactly, or to so many significant digits at most."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, str):
        return repr(value)
    # The shortest digits of its dtype, a float16 has few, as float64 writes them: a report that was
    # read back from JSON knows no other type.
    text = str(float(str(value)))
    if digits is not None:
        text = min(text, f"{float(value):.{digits}g}", key=len)
    text = _EXPONENT.sub(r"e\1", text).removesuffix(".0")
    return "0" if text == "-0" else text


def array(value: Any, digits: int | None = None) -> str:
    """Write numbers in the brackets of NumPy, in one line: ``[[1, 0.5]]``.

    Parameters
    ----------
    value
        A number or an array of any shape; None gives ``none``.
    digits
        Significant digits; None for as many as tell the numbers of the dtype apart.
    """
    if value is None:
        return "none"
    numbers = np.asarray(value)
    if numbers.ndim == 0:
        return scalar(numbers[()], digits)
    if not numbers.size:
        return f"[] of shape {shape(numbers.shape)}"
    if numbers.size <= FULL_SIZE:
        return _nested(numbers, digits)
    most, others = exceptions(numbers)
    if len(others) <= NAMED:
        places = [list(map(int, np.unravel_index(i, numbers.shape))) for i in others]
        written = scalar(most, digits)
        told = [(scalar(numbers[*at], digits), at) for at in places]
        but = [f"{number} at {at}" for number, at in told if number != written]
        rest = f" but {', '.join(but)}," if but else ""
        return f"all {written}{rest} of shape {shape(numbers.shape)}"
    return f"{_nested(numbers, digits, EDGE)} of shape {shape(numbers.shape)}"


def exceptions(numbers: Any) -> tuple[Any, Any]:
    """Find the number that an array of at least one holds most often, and where it does not.

    Returns
    -------
    tuple
        The number, and the flat indices of all others. Numbers are one where their bits are: -0 is
        not 0, and a NaN is itself.
    """
    flat = np.ascontiguousarray(numbers).reshape(-1)
    _, first, kind, counts = np.unique(
        flat.view(f"V{flat.itemsize}"), return_index=True, return_inverse=True, return_counts=True
    )
    most = counts.argmax()
    return flat[first[most]], np.flatnonzero(kind.reshape(-1) != most)


def lone(value: Any, digits: int | None = None) -> str:
    """Write an array; of one that holds one number, that number."""
    numbers = np.asarray(value)
    return array(numbers.reshape(()) if numbers.size == 1 else numbers, digits)


def apart(values: Iterable[Any]) -> int | None:
    """Choose the fewest significant digits that keep the numbers of a case apart.

    Near-duplicates are what some cases are about, and a probability just below 1 must not read
    as 1: different numbers stay different from each other and from 0, 1 and -1.

    Parameters
    ----------
    values
        Arrays of any dtype and shape.

    Returns
    -------
    int or None
        At least `SHORT`; None where only the exact numbers are apart.
    """
    arrays = [np.asarray(value) for value in values]
    floats = [float(str(number)) for part in arrays if _floating(part) for number in part.flat]
    numbers = {0.0, 1.0, -1.0, *filter(math.isfinite, floats)}
    for digits in range(SHORT, EXACT):
        if len({float(f"{number:.{digits}g}") for number in numbers}) == len(numbers):
            return digits
    return None


def _floating(numbers: Any) -> bool:
    # bfloat16 is no np.floating, but an extension type of kind "V".
    return numbers.dtype.kind in "fV"


def _nested(numbers: Any, digits: int | None, edge: int | None = None) -> str:
    """Write nested brackets; with `edge`, only so many parts at either end of the last axis."""
    if numbers.ndim == 0:
        return scalar(numbers[()], digits)
    kept = edge if edge is None or numbers.ndim == 1 else 1
    parts = [_nested(part, digits, edge) for part in _ends(numbers, kept)]
    if len(parts) < len(numbers):
        parts.insert(len(parts) // 2, "...")
    return f"[{', '.join(parts)}]"


def _ends(numbers: Any, edge: int | None) -> list[Any]:
    """All parts of an axis, or those at its two ends."""
    if edge is None or len(numbers) <= 2 * edge:
        return list(numbers)
    return [*numbers[:edge], *numbers[-edge:]]


def shape(sizes: Iterable[int]) -> str:
    """Write a shape as Python does: ``(3,)``."""
    return str(tuple(int(size) for size in sizes))
