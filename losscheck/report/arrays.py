"""Numbers and arrays in one line, as NumPy writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

FULL_SIZE = 16  # elements: arrays up to here are shown whole, longer ones by their ends
EDGE = 2  # elements shown at either end of a long last axis


def scalar(value: Any, digits: int | None = None) -> str:
    """Write one number: exactly, or to so many significant digits."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, str):
        return repr(value)
    text = str(value) if digits is None else f"{float(value):.{digits}g}"
    # A float says that it is one: 1 reads as 1.0, but 1e+30, nan and inf stay.
    return text if re.search(r"[.ena]", text) else f"{text}.0"


def array(value: Any, digits: int | None = None) -> str:
    """Write numbers as NumPy does, in one line: ``[[1., 0.]]``.

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
    if numbers.size <= FULL_SIZE:
        return _nested(numbers, digits)
    if len({str(number) for number in numbers.flat}) == 1:
        return f"all {scalar(numbers.flat[0], digits)} of shape {shape(numbers.shape)}"
    return f"{_nested(numbers, digits, EDGE)} of shape {shape(numbers.shape)}"


def _nested(numbers: Any, digits: int | None, edge: int | None = None) -> str:
    """Write nested brackets; with `edge`, only so many parts at either end of the last axis."""
    if numbers.ndim == 0:
        return re.sub(r"\.0$", ".", scalar(numbers[()], digits))
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
