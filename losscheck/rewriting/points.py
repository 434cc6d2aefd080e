"""The points at which expressions are judged: as many as there is time for, out of all given."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from losscheck.model import Array
from losscheck.rewriting.arithmetic import Single, aligned
from losscheck.rewriting.bits import bits
from losscheck.rewriting.evaluation import Values
from losscheck.rewriting.expressions import Expression, names_of
from losscheck.rewriting.functions import REDUCTIONS

POINTS = 256
NUMBERS = 512  # elements in all points, where these have several
LOOKED_AT = 200_000  # elements of which float32 and float64 are compared to choose among them


def points(original: Expression, leaves: Mapping[str, Array]) -> dict[str, Array]:
    """Choose points; where there are too many, half of them where float32 loses most.

    Without a reduction every element is a point of its own.

    Parameters
    ----------
    original
        The expression.
    leaves
        (N, *shape) for each leaf. `ValueError` where the shapes do not fit the expression.
    """
    count = min(len(values) for values in leaves.values())
    size = max(int(np.prod(np.shape(values)[1:])) for values in leaves.values())
    arrays = {text: np.asarray(values)[:count] for text, values in leaves.items()}
    arrays = _rows(arrays, evenly(count, max(LOOKED_AT // max(size, 1), 1)))
    if not any(name in REDUCTIONS for name in names_of(original)):
        spread = np.broadcast_arrays(*aligned(list(arrays.values())))
        arrays = {text: each.reshape(-1) for text, each in zip(arrays, spread, strict=True)}
    count = len(next(iter(arrays.values())))
    size = max(values[:1].size for values in arrays.values())
    kept = min(POINTS, max(NUMBERS // max(size, 1), 8))
    if count <= kept:
        return arrays
    return _rows(arrays, worst_and_others(_lost(original, arrays), kept))


def worst_and_others(lost: Array, count: int) -> Array:
    """The indices of the worst points, and of as many others, evenly, in order."""
    order = np.argsort(-lost, kind="stable")
    worst, others = order[: count // 2], np.sort(order[count // 2 :])
    return np.sort(np.concatenate([worst, others[evenly(len(others), count - count // 2)]]))


def evenly(count: int, most: int) -> Array:
    """At most so many indices below `count`, evenly spread."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).astype(int))


def _rows(arrays: Mapping[str, Array], rows: Array) -> dict[str, Array]:
    return {text: values[rows] for text, values in arrays.items()}


def _lost(original: Expression, arrays: Mapping[str, Array]) -> Array:
    """Bits in which float32 differs from float64, in value or derivative; few digits will do."""
    single, double = (Values(arrays, Single(kind)) for kind in (np.float32, np.float64))
    pairs = [(single.of(original), double.of(original))]
    slopes = double.gradient(original)
    pairs += [(each, slopes[text]) for text, each in single.gradient(original).items()]
    lost = np.zeros(len(next(iter(arrays.values()))))
    for given, truth in pairs:
        each = bits(given, np.where(np.isfinite(truth), truth, np.nan))
        broken = ~np.isfinite(np.broadcast_to(given, each.shape))
        lost += np.where(broken, 32.0, each).reshape(len(lost), -1).max(axis=1, initial=0.0)
    return lost
