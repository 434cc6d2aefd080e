"""How many bits of a float32 result are wrong, beside exact numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp

from losscheck.model import Array
from losscheck.rewriting.arithmetic import Exact, Single
from losscheck.rewriting.evaluation import Values
from losscheck.rewriting.expressions import Expression, names_of
from losscheck.rewriting.functions import REDUCTIONS

ALL = 32.0  # bits that are lost where a finite number came out as NaN or Inf
PRECISIONS = (160, 320, 640, 1280)  # bits; a truth is one that the next precision repeats
AGREED = 2.0**-40  # relative
LARGEST = float(np.finfo(np.float32).max)
SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Error:
    """Bits lost over all points: log2 of 1 + the error in ulps."""

    mean: float
    maximum: float

    def __str__(self) -> str:
        return f"{self.mean:.1f} (at most {self.maximum:.1f})"


NONE = Error(0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Truth:
    """What an expression and its derivative are, exactly.

    Parameters
    ----------
    value
        (N, *shape) float64, rounded; NaN where the expression has no value or it was not settled.
    slopes
        The same of the derivative, by the text of each leaf.
    exact
        Exact values of any other expression over the same leaves.
    """

    value: Array
    slopes: Mapping[str, Array]
    exact: Values

    def condition(self, leaves: Mapping[str, Array]) -> Array:
        """(N,) ulps by which the value moves when every leaf moves by one."""
        size = (
            np.abs(np.nan_to_num(self.value)).reshape(len(self.value), -1).max(axis=1, initial=0.0)
        )
        total = np.zeros(len(size))
        for text, slope in self.slopes.items():
            moved = np.abs(leaves[text] * np.nan_to_num(slope)).reshape(len(size), -1)
            total += moved.max(axis=1, initial=0.0)
        with np.errstate(all="ignore"):
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
        """Bits lost in the value at each point."""
        return self.value_lost(self.single.of(candidate))

    def value_lost(self, given: Array) -> Array:
        """Bits lost in given values at each point: in the worst element; 0 without a truth.

        Of elements that a reduction mixes the largest one says how much each may be off.
        """
        truth = self.truth.value
        if given.shape != truth.shape:
            return np.full(len(truth), ALL)
        lost = bits(given, truth, _largest(truth) if self._mixes else 0.0)
        return np.asarray(lost.reshape(len(lost), -1).max(axis=1, initial=0.0))

    def slope_bits(self, candidate: Expression) -> Array:
        """Bits lost in the derivative at each point."""
        if self.single.of(candidate).shape != self.truth.value.shape:
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
            scale = np.maximum(_median(slope), _largest(slope))
            lost = bits(single, slope, scale).reshape(len(worst), -1)
            worst = np.maximum(worst, lost.max(axis=1, initial=0.0))
        return worst


def bits(given: Array, truth: Array, scale: Array | float = 0.0) -> Array:
    """Bits lost, element by element.

    Parameters
    ----------
    given
        float32 results.
    truth
        float64, the true numbers to more digits than float32 has; NaN where there is none.
    scale
        What is smaller than that may be off by as much as that may be.

    Returns
    -------
    Array
        float64: log2 of 1 + the error in ulps of the truth, 0 to `ALL`; 0 without a truth.
    """
    given, truth = np.broadcast_arrays(np.asarray(given, np.float64), truth)
    with np.errstate(all="ignore"):
        size = np.abs(truth)
        ulp = np.spacing(np.clip(size, scale, LARGEST).astype(np.float32)).astype(np.float64)
        # TensorFlow flushes what is smaller to 0.
        ulp = np.where(np.maximum(size, scale) < SMALLEST, SMALLEST, ulp)
        lost = np.log2(1.0 + np.abs(given - truth) / ulp)
    beyond = (size > LARGEST) & np.isinf(given) & (np.sign(given) == np.sign(truth))
    lost = np.where(beyond, 0.0, np.where(np.isfinite(given), np.minimum(lost, ALL), ALL))
    return np.asarray(np.where(np.isnan(truth), 0.0, lost))


def _largest(numbers: Array) -> Array:
    """The largest size of a number in each case, as far as float32 goes, to compare all with."""
    sizes = np.where(np.isfinite(numbers), np.abs(numbers), 0.0).reshape(len(numbers), -1)
    largest = np.minimum(sizes.max(axis=1, initial=0.0), LARGEST)
    return np.asarray(largest.reshape(-1, *[1] * (numbers.ndim - 1)))


def _median(numbers: Array) -> float:
    """The median size of finite numbers other than 0, as far as float32 goes."""
    sizes = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    return min(float(np.median(sizes)), LARGEST) if sizes.size else 0.0


def error(lost: Array) -> Error:
    """Sum up bits lost at points."""
    return Error(float(np.mean(lost)), float(np.max(lost))) if lost.size else NONE


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


def rounded(numbers: Array) -> Array:
    """Round exact numbers to float64."""
    with np.errstate(all="ignore"):
        return np.asarray(np.frompyfunc(float, 1, 1)(numbers), np.float64)
