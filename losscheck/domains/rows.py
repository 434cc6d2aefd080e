"""What domains of constrained rows of real numbers share."""

from __future__ import annotations

import abc
import math

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.domains.base import OUTSIDE, Domain, Shape
from losscheck.domains.floats import float_format
from losscheck.model import Array, Range, UsageError

# Above this width only the first rows and the last stand for all one-hot rows.
_FIRST_ROWS = 16


def row_width(domain: Domain, shape: Shape) -> int:
    """Give the length of the rows that a domain constrains.

    Raises
    ------
    UsageError
        Where the shape has no axis for rows.
    """
    if not shape:
        raise UsageError(
            f"A {domain.name} has its parts along the last axis, but the shape given is (), which "
            'has no axis. Declare a shape such as "(B, C)".'
        )
    return shape[-1]


def rounding(width: int, dtype: str) -> float:
    """How far the sum of a row may be from 1 and still be a rounded 1.

    Notes
    -----
    Each part is rounded (half an ulp of the sum in all), the divisor or root in front of it costs
    2 ulps, and the rounding errors of a sum of `width` terms grow with the square root of `width`.
    """
    return (4.0 + math.sqrt(width)) * float_format(dtype).eps


@attrs.frozen
class Rows(Domain):
    """Rows of real numbers that a constraint ties together along the last axis."""

    @property
    def elementwise(self) -> bool:
        """A row is constrained as a whole."""
        return False

    @property
    def integral(self) -> bool:
        """Parts are real numbers."""
        return False

    def dimensions(self, shape: Shape) -> int:
        """One coordinate a part."""
        return math.prod(shape)

    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give the landmark rows: (k, width)."""
        return self.rows(row_width(self, shape), dtype)[0]

    def rows(self, width: int, dtype: str) -> tuple[Array, Array]:
        """Landmark rows: (k, width) in the storage dtype, and the (k,) uint8 range of each."""
        rows, ranges = self.inside(self._landmarks(width, dtype), dtype, width)
        _, first = np.unique(rows, axis=0, return_index=True)
        return rows[np.sort(first)], ranges[np.sort(first)]

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Tell the widest range that the rows of each case touch: (n,) uint8, 3 for outside."""
        rows = layout.rows(np.asarray(values, np.float64))
        sizes = np.abs(rows)
        subnormal = ((sizes > 0.0) & (sizes < float_format(dtype).tiny)).any(axis=2)
        ranges = np.where(self._usual(rows, dtype), Range.ORDINARY, Range.WORKING)
        ranges = np.where(subnormal, Range.EXTREME, ranges)
        ranges = np.where(self._valid(rows, dtype), ranges, OUTSIDE)
        widest: Array = ranges.max(axis=1, initial=0).astype(np.uint8)
        return widest

    @abc.abstractmethod
    def _landmarks(self, width: int, dtype: str) -> Array:
        """Rows (k, width) at which formulas break; those outside are dropped later."""

    @abc.abstractmethod
    def _valid(self, rows: Array, dtype: str) -> Array:
        """Whether each row of (n, k, width) satisfies the constraint: (n, k)."""

    @abc.abstractmethod
    def _usual(self, rows: Array, dtype: str) -> Array:
        """Whether each row of (n, k, width) is ordinary: (n, k)."""


def one_hot(labels: Array, width: int) -> Array:
    """Write labels (...) as rows (..., width) float64 with a single 1."""
    rows = np.zeros((*labels.shape, width))
    np.put_along_axis(rows, labels[..., np.newaxis], 1.0, axis=-1)
    return rows


def axes(width: int) -> Array:
    """Give the rows along the axes, the first ones and the last: (k, width)."""
    return one_hot(np.array(sorted({*range(min(width, _FIRST_ROWS)), width - 1})), width)
