"""Which element of an op's inputs went wrong first."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from losscheck.model import Array

Score = Callable[[list[Array]], Array]


def _smallest(inputs: list[Array]) -> Array:
    return inputs[0]


def _largest(inputs: list[Array]) -> Array:
    return -inputs[0]


def _farthest(inputs: list[Array]) -> Array:
    return -np.abs(inputs[0])


def _last_nearest_zero(inputs: list[Array]) -> Array:
    return np.abs(inputs[-1])


def _both_nearest_zero(inputs: list[Array]) -> Array:
    return np.asarray(np.sum(np.abs(_stacked(inputs)), axis=0))


def _product_unknown(inputs: list[Array]) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.isfinite(np.prod(_stacked(inputs), axis=0)), dtype=float)


def _stacked(inputs: list[Array]) -> Array:
    """Operands side by side, in float64: a sum of float16 numbers may overflow."""
    return np.stack([np.asarray(part, np.float64) for part in inputs])


# The element with the lowest score is the one that a sentence names.
_SCORES: dict[str, Score] = {
    **dict.fromkeys(
        ("Log", "Sqrt", "Rsqrt", "Pow", "Log1p", "Acosh", "Lgamma", "Digamma"), _smallest
    ),
    **dict.fromkeys(("Exp", "Expm1"), _largest),
    **dict.fromkeys(("RealDiv", "Div", "DivNoNan", "Inv", "Reciprocal"), _last_nearest_zero),
    "Angle": _last_nearest_zero,
    **dict.fromkeys(("Xlogy", "Xdivy", "Xlog1py"), _last_nearest_zero),
    "Atan2": _both_nearest_zero,
    "Mul": _product_unknown,
}


def worst(
    op: str, inputs: tuple[Array, ...], outcome: Array | None = None
) -> tuple[float | None, float | None]:
    """Pick the values of the first two inputs at the element that went wrong first.

    Parameters
    ----------
    op : str
        TensorFlow op type, such as "Log".
    inputs : tuple of Array
        The op's inputs in one case, of any shapes that broadcast; may be empty.
    outcome : Array, optional
        What came out; of its elements those that are not finite went wrong, where it has one for
        each of the inputs'.

    Returns
    -------
    tuple of float or None
        None where there is no such input or it holds no number.
    """
    numbers = [np.asarray(x, dtype=np.float64) for x in inputs[:2] if _numeric(x)]
    if not numbers or any(x.size == 0 for x in numbers):
        return None, None
    try:
        same = [np.ravel(x) for x in np.broadcast_arrays(*numbers)]
    except ValueError:
        same = [np.ravel(numbers[0])]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        score = _SCORES.get(op, _farthest)(same)
    score = np.where(np.isnan(score), -np.inf, score)
    if outcome is not None and np.size(outcome) == len(score):
        bad = ~np.isfinite(np.asarray(outcome, np.float64).ravel())
        score = np.where(bad | ~bad.any(), score, np.inf)
    index = int(np.argmin(score))
    values = [float(x[index]) for x in same]
    return values[0], values[1] if len(values) > 1 else None


def _numeric(value: Any) -> bool:
    dtype = np.asarray(value).dtype
    return bool(np.issubdtype(dtype, np.number)) or dtype.name == "bfloat16"
