"""Domains of constrained rows of real numbers: probabilities of classes, and directions."""

from __future__ import annotations

import abc
import math
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.domains.base import OUTSIDE, Domain, Shape, Wanted
from losscheck.domains.floats import cast, float_format
from losscheck.model import Array, Range, UsageError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# Above this width only the first rows and the last stand for all one-hot rows.
_FIRST_ROWS = 16
# design.md: every part of an ordinary simplex is at least this ...
_SIMPLEX_PART = 1e-3
# ... but parts of rows wider than 100 cannot all be: there, a tenth of the mean part.
_SIMPLEX_SHARE = 0.1
# Parts up to this size leave a direction along an axis: their squares vanish beside 1 in float32.
_AXIS = 1e-8


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

    least: ClassVar[float] = 0.0  # of the numbers, at most 1, that a row may be made of

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

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays of any rows: numbers brought into the domain."""
        import hypothesis.extra.numpy as hnp
        import hypothesis.strategies as st

        def rows(parts: Array) -> Array:
            whole = np.where(parts.any(axis=-1, keepdims=True), parts, 1.0)
            return cast(self.project(whole), dtype)

        parts = st.floats(self.least, 1.0, width=32)
        return hnp.arrays(np.float64, shape, elements=parts).map(rows)

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


@attrs.frozen
class Simplex(Rows):
    """Rows of parts of a whole: none negative, the sum 1."""

    bounds = 0.0, 1.0  # the box around the rows

    def draw(self, points: Array, to: Wanted) -> Array:
        """Dirichlet rows above a floor; beyond the ordinary range, sharpened towards one-hot."""
        width = row_width(self, to.shape)
        parts = -np.log(points.reshape(len(points), *to.shape))
        if to.reach is Range.ORDINARY:
            low = _floor(width)
            return low + (1.0 - width * low) * self.project(parts)
        # Up to 30 parts of 1e-30 are left; up to 1000 rows are one-hot but for subnormals.
        decades = 1.5 if to.reach is Range.WORKING else 3.0
        sharpness = 10.0 ** (decades * to.rng.random((len(points), *(1 for _ in to.shape))))
        logs = sharpness * np.log(parts)
        return self.project(np.exp(logs - logs.max(axis=-1, keepdims=True)))

    def project(self, values: Array) -> Array:
        """Divide rows by their sums; rows that sum to 0 stay."""
        positive = np.maximum(values, 0.0)
        total = positive.sum(axis=-1, keepdims=True)
        rows: Array = positive / np.where(total > 0.0, total, 1.0)
        return rows

    def _landmarks(self, width: int, dtype: str) -> Array:
        fmt = float_format(dtype)
        corners = axes(width)
        opposite = np.roll(corners, 1, axis=1)
        small = (fmt.subnormal, fmt.tiny, fmt.eps / 2, fmt.eps, 1e-8, 1e-7, 1e-4, _SIMPLEX_PART)
        rows = [corners, np.full((1, width), 1.0 / width)]
        rows += [(1.0 - part) * corners + part * opposite for part in (*small, 0.5)]
        rows += [(1.0 - part) * corners + part / width for part in small]
        return np.concatenate(rows)

    def _valid(self, rows: Array, dtype: str) -> Array:
        off: Array = np.abs(rows.sum(axis=2) - 1.0)
        return np.where(np.all(rows >= 0.0, axis=2), off <= rounding(rows.shape[-1], dtype), False)

    def _usual(self, rows: Array, dtype: str) -> Array:
        low = _floor(rows.shape[-1])
        usual: Array = np.min(rows, axis=2) >= min(low, float(cast(np.array(low), dtype)))
        return usual


def _floor(width: int) -> float:
    """Give the smallest part of an ordinary simplex of this width."""
    return min(_SIMPLEX_PART, _SIMPLEX_SHARE / width)


@attrs.frozen
class UnitVector(Rows):
    """Rows of length 1."""

    least: ClassVar[float] = -1.0
    bounds = -math.inf, math.inf  # formulas of unit vectors are defined around them

    def draw(self, points: Array, to: Wanted) -> Array:
        """Random directions; beyond the ordinary range, with parts made small one by one."""
        from scipy.special import ndtri

        directions: Array = ndtri(points).reshape(len(points), *to.shape)
        if to.reach is not Range.ORDINARY:
            # Half of the working parts are so small that the direction is along another axis.
            smallest = float_format(to.dtype).subnormal if to.reach is Range.EXTREME else _AXIS**2
            directions = directions * smallest ** to.rng.random(directions.shape)
        return self.project(directions)

    def project(self, values: Array) -> Array:
        """Divide rows by their lengths; rows of zeros stay."""
        largest = np.abs(values).max(axis=-1, keepdims=True)
        scaled = values / np.where(largest > 0.0, largest, 1.0)
        length = np.sqrt((scaled**2).sum(axis=-1, keepdims=True))
        rows: Array = scaled / np.where(length > 0.0, length, 1.0)
        return rows

    def _landmarks(self, width: int, dtype: str) -> Array:
        fmt = float_format(dtype)
        along = axes(width)
        beside = np.roll(along, 1, axis=1)
        equal = np.full((1, width), 1.0)
        first = equal.copy()
        first[0, 0] = -1.0
        rows = [along, equal, first]
        rows += [along + part * beside for part in (fmt.subnormal, fmt.tiny, fmt.eps, 1e-4, 1.0)]
        stacked = self.project(np.concatenate(rows))
        return np.concatenate([stacked, -stacked])

    def _valid(self, rows: Array, dtype: str) -> Array:
        # The square of a length moves twice as far as the length.
        far = 2.0 * rounding(rows.shape[-1], dtype)
        valid: Array = np.abs(np.square(rows).sum(axis=2) - 1.0) <= far
        return valid

    def _usual(self, rows: Array, dtype: str) -> Array:
        """Neither along an axis nor with all parts equal; a row of one part is always usual."""
        if rows.shape[-1] == 1:
            return np.ones(rows.shape[:2], bool)
        along = np.count_nonzero(np.abs(rows) > _AXIS, axis=2) == 1
        equal = (rows == rows[..., :1]).all(axis=2)
        usual: Array = ~(along | equal)
        return usual
