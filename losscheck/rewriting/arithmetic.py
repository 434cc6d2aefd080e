"""Numbers for expressions: float32 as TensorFlow computes, and exact ones.

An array holds cases along its first axis, and along the others what a leaf is in one case; a
constant has no axis. Operands are aligned from the right as TensorFlow does it, the cases apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Protocol

import mpmath
import numpy as np
from mpmath import mp

from losscheck.model import Array
from losscheck.rewriting.expressions import Options
from losscheck.rewriting.functions import ARITHMETIC, FUNCTIONS

SMALLEST = np.finfo(np.float32).tiny


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
    """float32, rounded after every operation; or another of NumPy's types.

    Parameters
    ----------
    kind
        The type.
    """

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
