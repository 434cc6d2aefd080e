"""A family: one function, the points it is differentiated at, and the exact gradient there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import attrs
import numpy as np

from benchmarks.spaces import Space, mp, mpmath_space

Array = np.ndarray[Any, Any]

STEP = mp.mpf(10) ** -50
"""Step of the central difference that is the truth: its error is of the order of STEP²·f''', below
1e-50 for every family; `spaces.DIGITS` leaves 110 digits to its numerator."""


@attrs.define(kw_only=True, eq=False, slots=False)
class Family:
    """A function of n numbers at N points.

    Parameters
    ----------
    function
        function(space, x (n,)) -> a number; with `elementwise`, (n,) numbers, each of one.
    points
        (N, n) float64; n = 1 where the function is elementwise.
    lower, upper
        The domain; tools that can be told of it are.
    """

    name: str
    function: Callable[[Space, Any], Any]
    points: Array
    lower: float = -np.inf
    upper: float = np.inf
    elementwise: bool = False

    def value(self, space: Space, x: Any) -> Any:
        """Give one number for x (n,): what the checkers differentiate."""
        return space.sum(self.function(space, x))

    @cached_property
    def truth(self) -> Array:
        """(N, n) float64, the gradient by mpmath, rounded once."""
        space = mpmath_space()
        return np.array([_gradient(lambda x: self.value(space, x), point) for point in self.points])

    @property
    def scale(self) -> float:
        """The ordinary size of the gradient: the median of its sizes."""
        return float(np.median(np.abs(self.truth)))


def _gradient(function: Callable[[Any], Any], point: Array) -> list[float]:
    exact = np.array([mp.mpf(float(v)) for v in point], dtype=object)
    slopes = []
    for index in range(len(exact)):
        ends = []
        for sign in (1, -1):
            moved = exact.copy()
            moved[index] += sign * STEP
            ends.append(function(moved))
        slopes.append(float((ends[0] - ends[1]) / (2 * STEP)))
    return slopes
