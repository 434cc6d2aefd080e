"""Numbers for expressions: float32 as TensorFlow computes, exact ones, and how many bits differ.

An array holds cases along its first axis, and along the others what a leaf is in one case; a
constant has no axis. Operands are aligned from the right as TensorFlow does it, the cases apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import mpmath
import numpy as np
from mpmath import mp

from losscheck.model import Array
from losscheck.rewriting.expressions import Options
from losscheck.rewriting.functions import ARITHMETIC, FUNCTIONS

SMALLEST = float(np.finfo(np.float32).tiny)
ALL = 32.0  # bits that are lost where a finite number came out as NaN or Inf
LARGEST = float(np.finfo(np.float32).max)


class Arithmetic(Protocol):
    """A kind of numbers."""

    def leaf(self, values: Array) -> Array:
        """Take a leaf's float32 numbers."""

    def constant(self, value: Fraction) -> Array:
        """Take a constant."""

    def call(self, name: str, operands: Sequence[Array]) -> Array:
        """Apply a function, an element at a time, to aligned operands."""

    def total(self, values: Array, axes: tuple[int, ...], *, keepdims: bool) -> Array:
        """Add up along axes."""


class Single:
    """float32, rounded after every operation; or another of NumPy's types."""

    def __init__(self, kind: type[np.floating[Any]] = np.float32) -> None:
        self._kind = kind

    def leaf(self, values: Array) -> Array:
        """Take a leaf's float32 numbers."""
        return np.asarray(values) if values.dtype == bool else np.asarray(values, self._kind)

    def constant(self, value: Fraction) -> Array:
        """Round a constant, as TensorFlow rounds Python's numbers."""
        with np.errstate(over="ignore"):
            return np.asarray(self._kind(float(value)))

    def call(self, name: str, operands: Sequence[Array]) -> Array:
        """Apply a function to aligned operands."""
        function = FUNCTIONS.get(name) or ARITHMETIC[name]
        result = np.asarray(function.single(*operands))
        if result.dtype == bool:
            return result
        # TensorFlow's kernels flush subnormal numbers.
        return np.where(np.abs(result) < SMALLEST, self._kind(0), result)

    def total(self, values: Array, axes: tuple[int, ...], *, keepdims: bool) -> Array:
        """Add up along axes."""
        return np.asarray(np.sum(values, axis=axes, keepdims=keepdims))


class Exact:
    """mpmath's numbers of many digits; NaN where there is no real result.

    Parameters
    ----------
    precision
        Bits of each number.
    """

    def __init__(self, precision: int) -> None:
        self._precision = precision

    def leaf(self, values: Array) -> Array:
        """Take a leaf's numbers as they are."""
        if values.dtype in (bool, object):
            return values
        return np.asarray(np.frompyfunc(lambda x: mp.mpf(float(x)), 1, 1)(values), object)

    def constant(self, value: Fraction) -> Array:
        """Take a constant; the digits of a decimal fraction are all meant."""
        with mp.workprec(self._precision):
            exact = mp.mpf(value.numerator) / value.denominator
        constant = np.empty((), object)
        constant[()] = exact
        return constant

    def call(self, name: str, operands: Sequence[Array]) -> Array:
        """Apply a function to aligned operands."""
        function = FUNCTIONS.get(name) or ARITHMETIC[name]
        with mp.workprec(self._precision):
            called = np.frompyfunc(_real(function.exact), len(operands), 1)(*operands)
        if name in ("greater", "greater_equal", "less", "less_equal"):
            return np.asarray(called, bool)
        if isinstance(called, np.ndarray):
            return called
        result = np.empty((), object)
        result[()] = called
        return result

    def total(self, values: Array, axes: tuple[int, ...], *, keepdims: bool) -> Array:
        """Add up along axes."""
        with mp.workprec(self._precision):
            return np.asarray(np.sum(values, axis=axes, keepdims=keepdims))


def _real(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives NaN where its result is not real."""

    def call(*operands: Any) -> Any:
        if any(x != x for x in operands):
            return mp.nan
        try:
            result = function(*operands)
        except (ZeroDivisionError, ValueError, OverflowError):
            return mp.nan
        return mp.nan if isinstance(result, mpmath.mpc) else result

    return call


def aligned(operands: Sequence[Array]) -> list[Array]:
    """Put axes of 1 behind the axis of cases, so that the other axes meet from the right."""
    most = max(x.ndim for x in operands)
    return [
        x if x.ndim in (0, most) else x.reshape(x.shape[:1] + (1,) * (most - x.ndim) + x.shape[1:])
        for x in operands
    ]


def axes_of(values: Array, options: Options) -> tuple[int, ...]:
    """The axes of an array along which a reduction goes; `ValueError` where it lacks one."""
    axis = dict(options)["axis"]
    if axis is None:
        return tuple(range(1, values.ndim))
    wanted = axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(k + 1 if k >= 0 else k + values.ndim for k in wanted)
    if any(not 1 <= k < values.ndim for k in axes):
        raise ValueError(f"no axis {axis!r} in an array of {values.ndim - 1} axes")
    return axes


@dataclass(frozen=True)
class Error:
    """Bits lost over all points: log2 of 1 + the error in ulps."""

    mean: float
    maximum: float

    def __str__(self) -> str:
        return f"{self.mean:.1f} (at most {self.maximum:.1f})"


NONE = Error(0.0, 0.0)


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


def largest(numbers: Array) -> Array:
    """The largest size of a number in each case, as far as float32 goes, to compare all with."""
    sizes = np.where(np.isfinite(numbers), np.abs(numbers), 0.0).reshape(len(numbers), -1)
    found = np.minimum(sizes.max(axis=1, initial=0.0), LARGEST)
    return np.asarray(found.reshape(-1, *[1] * (numbers.ndim - 1)))


def median(numbers: Array) -> float:
    """The median size of finite numbers other than 0, as far as float32 goes."""
    sizes = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    return min(float(np.median(sizes)), LARGEST) if sizes.size else 0.0


def error(lost: Array) -> Error:
    """Sum up bits lost at points."""
    return Error(float(np.mean(lost)), float(np.max(lost))) if lost.size else NONE


def rounded(numbers: Array) -> Array:
    """Round exact numbers to float64."""
    with np.errstate(all="ignore"):
        return np.asarray(np.frompyfunc(float, 1, 1)(numbers), np.float64)
