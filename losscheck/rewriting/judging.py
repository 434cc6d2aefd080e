"""Truth, as exact numbers, expressions judged by it, and the points at which they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp

from losscheck.model import Array
from losscheck.rewriting.arithmetic import (
    ALL,
    Exact,
    Single,
    aligned,
    bits,
    largest,
    median,
    rounded,
)
from losscheck.rewriting.evaluation import Values
from losscheck.rewriting.expressions import Expression, leaves_of, names_of
from losscheck.rewriting.functions import REDUCTIONS

PRECISIONS = (160, 320, 640, 1280)  # bits; a truth is one that the next precision repeats
AGREED = 2.0**-40  # relative
POINTS = 256
NUMBERS = 512  # elements in all points, where these have several
LOOKED_AT = 200_000  # elements of which float32 and float64 are compared to choose among them


@dataclass(frozen=True, eq=False)
class Truth:
    """What an expression and its derivative are, exactly."""

    # (N, *shape) float64, rounded; NaN where the expression has no value or it was not settled.
    value: Array
    slopes: Mapping[str, Array]  # the same of the derivative, by the text of each leaf
    exact: Values  # exact values of any other expression over the same leaves

    def condition(self, leaves: Mapping[str, Array]) -> Array:
        """(N,) ulps by which the value moves when every leaf moves by one."""
        size = (
            np.abs(np.nan_to_num(self.value)).reshape(len(self.value), -1).max(axis=1, initial=0.0)
        )
        total = np.zeros(len(size))
        with np.errstate(all="ignore"):
            for text, slope in self.slopes.items():
                moved = np.abs(leaves[text] * np.nan_to_num(slope)).reshape(len(size), -1)
                total += moved.max(axis=1, initial=0.0)
            return np.asarray(np.where(size > 0, total / size, 0.0))


class Judge:
    """Judges expressions by what one of them is exactly.

    Parameters
    ----------
    original
        The expression that says what is true.
    leaves
        (N, *shape) float32 numbers of each leaf, by its text.
    by
        The leaves by which derivatives are taken; all where none is named.
    truth
        What is true, where that is known.
    """

    def __init__(
        self,
        original: Expression,
        leaves: Mapping[str, Array],
        by: frozenset[str] = frozenset(),
        truth: Truth | None = None,
    ) -> None:
        self.leaves = leaves
        self.by = by
        self._original = original
        self._leaves = leaves_of(original)
        self._mixes = any(name in REDUCTIONS for name in names_of(original))
        self.single = Values(leaves, Single())
        self.truth = truth or _truth(original, leaves)

    def at(self, rows: Array) -> Judge:
        """The same at some of the points."""
        leaves = {text: values[rows] for text, values in self.leaves.items()}
        slopes = {text: slope[rows] for text, slope in self.truth.slopes.items()}
        exact = Values(leaves, self.truth.exact.arithmetic)
        truth = Truth(self.truth.value[rows], slopes, exact)
        return Judge(self._original, leaves, self.by, truth)

    def value_bits(self, candidate: Expression) -> Array:
        """Bits lost in the value at each point; all, where a candidate's shapes do not fit."""
        value = self._value(candidate)
        return np.full(len(self.truth.value), ALL) if value is None else self.value_lost(value)

    def _value(self, candidate: Expression) -> Array | None:
        if leaves_of(candidate) != self._leaves:
            return None  # what is left out might have given the value its shape
        try:
            return self.single.of(candidate)
        except ValueError:
            return None

    def value_lost(self, given: Array) -> Array:
        """Bits lost in given values at each point: in the worst element; 0 without a truth.

        Of elements that a reduction mixes the largest one says how much each may be off.
        """
        truth = self.truth.value
        if given.shape != truth.shape:
            return np.full(len(truth), ALL)
        lost = bits(given, truth, largest(truth) if self._mixes else 0.0)
        return np.asarray(lost.reshape(len(lost), -1).max(axis=1, initial=0.0))

    def slope_bits(self, candidate: Expression) -> Array:
        """Bits lost in the derivative at each point."""
        value = self._value(candidate)
        if value is None or value.shape != self.truth.value.shape:
            return np.full(len(self.truth.value), ALL)
        return self.slope_lost(self.single.gradient(candidate, self.by))

    def slope_lost(self, given: Mapping[str, Array]) -> Array:
        """Bits lost in given derivatives at each point, in that part which is worst.

        What is small beside the ordinary size of a derivative, its median, or beside the other
        parts of a gradient is not lost.
        """
        worst = np.zeros(len(self.truth.value))
        for text, slope in self.truth.slopes.items():
            if self.by and text not in self.by:
                continue
            single = given.get(text, np.zeros(slope.shape, np.float32))
            scale = np.maximum(median(slope), largest(slope))
            lost = bits(single, slope, scale).reshape(len(worst), -1)
            worst = np.maximum(worst, lost.max(axis=1, initial=0.0))
        return worst


def _truth(original: Expression, leaves: Mapping[str, Array]) -> Truth:
    """Raise the precision until the next one gives the same."""
    before: dict[str, Array] | None = None
    for precision in PRECISIONS:
        exact = Values(leaves, Exact(precision))
        slopes = exact.gradient(original)
        now = {"": exact.of(original), **{text: slopes[text] for text in sorted(slopes)}}
        if before is None:
            before = now
            continue
        agreed = {text: _agreed(before[text], numbers) for text, numbers in now.items()}
        if all(np.all(same) for same in agreed.values()):
            break
        before = now
    settled = {
        text: np.where(agreed[text], rounded(numbers), np.nan) for text, numbers in now.items()
    }
    value = settled.pop("")
    return Truth(value, settled, exact)


def _agreed(one: Array, other: Array) -> Array:
    """Whether two precisions give the same; NaN is the same as NaN."""

    def same(a: Any, b: Any) -> bool:
        if a == b or (a != a and b != b):
            return True
        return bool(abs(a - b) <= AGREED * abs(b)) if mp.isfinite(a) and mp.isfinite(b) else False

    return np.asarray(np.frompyfunc(same, 2, 1)(one, other), bool)


def points(original: Expression, leaves: Mapping[str, Array]) -> dict[str, Array]:
    """Choose points; where there are too many, half of them where float32 loses most.

    Without a reduction every element is a point of its own.

    Parameters
    ----------
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
