"""How numbers and cases are put into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from losscheck.model import Array, Inputs

_SHOWN = 8  # elements; larger arrays are described by their shape, a sentence cannot hold them
_DIGITS = 6  # significant decimal digits: about what a float32 holds


def number(value: Any) -> str:
    """Write one number: at most six digits, NaN and Inf as such, integers without a point."""
    scalar = float(value)
    if np.isnan(scalar):
        return "NaN"
    if np.isinf(scalar):
        return "Inf" if scalar > 0 else "-Inf"
    return f"{scalar:.{_DIGITS}g}".replace("e+", "e").replace("e0", "e").replace("e-0", "e-")


def exactly(value: float) -> str:
    """Write a number as Python would, so that 0.99999999 does not become 1."""
    return repr(float(value)).replace("e-0", "e-")


def array(value: Any) -> str:
    """Write a number or a small array; a large one by its shape."""
    numbers = np.asarray(value)
    if not np.issubdtype(numbers.dtype, np.number) and numbers.dtype != np.bool_:
        return str(value)
    if numbers.size == 1:
        return number(numbers.reshape(-1)[0])
    if numbers.size > _SHOWN:
        return f"an array of shape {shape(numbers.shape)}"
    return _nested(numbers)


def beside(values: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Write several numbers or arrays of one shape, and where in them what is written stands.

    Of large arrays that is the element in which they differ most; of others all are written, and
    nothing says where.
    """
    arrays = [np.asarray(value) for value in values.values()]
    shapes = {each.shape for each in arrays}
    if len(shapes) != 1 or arrays[0].size <= _SHOWN:
        return {name: array(value) for name, value in values.items()}, ""
    numbers = np.stack([each.astype(float).ravel() for each in arrays])
    finite = np.isfinite(numbers)
    with np.errstate(invalid="ignore"):
        gap = np.where(finite.all(axis=0), np.ptp(numbers, axis=0), 0.0)
    gap[finite.any(axis=0) & ~finite.all(axis=0)] = np.inf
    index = int(np.argmax(gap))
    place = ", ".join(str(int(i)) for i in np.unravel_index(index, arrays[0].shape))
    return dict(zip(values, map(number, numbers[:, index]), strict=True)), f" at [{place}]"


def _nested(numbers: Array) -> str:
    if numbers.ndim == 0:
        return number(numbers)
    return f"[{', '.join(_nested(part) for part in numbers)}]"


def case(inputs: Inputs) -> str:
    """Write a case as "y_true = 1, y_pred = 0"; "" where it is too large for a sentence."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    if not arrays or any(value.size > _SHOWN for value in arrays.values()):
        return ""
    return ", ".join(f"{name} = {array(value)}" for name, value in arrays.items())


def at(inputs: Inputs) -> str:
    """Write " at y_true = 1, y_pred = 0"; "" where the case is too large for a sentence."""
    words = case(inputs)
    return f" at {words}" if words else ""


def shape(value: Any) -> str:
    """Write a shape as Python does; text stays as it is.

    Examples
    --------
    >>> shape([2, None]), shape((3,)), shape("(B,)")
    ('(2, None)', '(3,)', '(B,)')
    """
    if isinstance(value, str):
        return value
    return str(tuple(None if size is None else int(size) for size in value))


def listed(words: Iterable[str], last: str = "or") -> str:
    """Join words as "a, b or c"."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def sentence(text: Any) -> str:
    """Take the first line of a message, at most 160 characters of it, without its period.

    What TensorFlow adds on its own nodes and operations says nothing to who wrote the loss.
    """
    first = str(text).strip().partition("\n")[0]
    first = re.sub(r"\.? for '\{\{node [^}]*\}\} = [^']*'", "", first)
    first = first.partition(" and with computed input tensors")[0]
    first = first.partition(" and with input tensors computed")[0]
    first = re.sub(r"\{\{\w+ [^}]*\}\} ?|\s*\[Op:\w+\].*$", "", first).strip().rstrip(".")
    return first if len(first) <= 160 else f"{first[:157]}..."


def worst_pair(got: Any, want: Any) -> tuple[str, str]:
    """Pick the coordinate in which two gradients differ most."""
    if got is None or want is None:
        return "", ""
    a, b = np.ravel(np.asarray(got, dtype=float)), np.ravel(np.asarray(want, dtype=float))
    if a.shape != b.shape or a.size == 0:
        return array(got), array(want)
    gap = np.abs(a - b)
    index = int(np.argmax(np.where(np.isnan(gap), -1.0, gap)))
    return number(a[index]), number(b[index])
