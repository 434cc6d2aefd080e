"""Domains of single numbers between two ends: real, positive, probability, weight, intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from losscheck.domains import layout
from losscheck.domains.base import OUTSIDE, Domain, Shape, Wanted
from losscheck.domains.floats import (
    FloatFormat,
    between,
    cast,
    evenly_by_bits,
    float_format,
    landmarks,
    next_number,
    step_magnitude,
)
from losscheck.model import Array, Range

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# The smallest distance from zero, or from a finite end, that working draws reach: the lower end of
# design.md's working range of `positive`.
NEAREST = 1e-8
# Whole numbers up to here are exact in float64, so in Hypothesis' integers as well.
_WHOLE = 2**53


@attrs.frozen
class Numbers(Domain):
    """Numbers between two ends, each judged by itself."""

    bounds: tuple[float, float]  # the ends; infinite ones are never reached
    open_ends: tuple[bool, bool]  # whether each end is outside
    usual: tuple[float, float]  # the ordinary range, both ends included
    # The working range, both ends included; an infinite domain's ends give way to the dtype's.
    works: tuple[float, float]
    zero_works: bool = False  # whether 0 is working although it lies below `works`
    # The smallest size that is ordinary or working, 0 aside: what a model gives beside numbers of
    # the size of 1 is 0, or larger.
    nearest: float = 0.0
    logarithmic: bool = False  # whether ordinary values spread over orders of magnitude
    integral: bool = False  # whether only whole numbers are inside
    elementwise = True

    def reaching(self, low: float, high: float) -> Numbers:
        """Widen the ordinary range so that it reaches from `low` to `high`, inside the ends."""
        low, high = max(low, self.bounds[0]), min(high, self.bounds[1])
        if self.logarithmic and low <= 0.0:  # orders of magnitude have no zero
            low = self.usual[0]
        usual = (min(low, self.usual[0]), max(high, self.usual[1]))
        works = (min(usual[0], self.works[0]), max(usual[1], self.works[1]))
        return attrs.evolve(self, usual=usual, works=works)

    def limits(self, shape: Shape, *, working: bool = False) -> tuple[Array, Array]:
        """Give the ends of the domain or of its working range."""
        low, high = self.works if working else self.bounds
        return np.asarray(low), np.asarray(high)

    def draw(self, points: Array, to: Wanted) -> Array:
        """Spread ordinary values evenly, wider ones by the exponent of their distance to an end."""
        fmt = float_format(to.dtype)
        if to.reach is Range.ORDINARY:
            values = self._evenly(points, fmt)
        else:
            near, far = NEAREST, max(abs(end) for end in self._working(fmt))
            if to.reach is Range.EXTREME:
                near, far = fmt.subnormal, fmt.largest
            values = self._by_distance(points, near, far)
        values = np.clip(np.rint(values) if self.integral else values, *self._closed(fmt))
        return values.reshape(len(points), *to.shape)

    def _evenly(self, points: Array, fmt: FloatFormat) -> Array:
        low, high = self._usual(fmt)
        if self.logarithmic:
            values: Array = np.exp(math.log(low) + points * math.log(high / low))
            return np.clip(values, low, high)
        if self.integral:
            return low + np.floor(points * (high - low + 1.0))
        return low + points * (high - low)

    def _by_distance(self, points: Array, near: float, far: float) -> Array:
        """Put half of the points by the lower end and half by the upper, or on each side of 0."""
        low, high = self.bounds
        upper = points < 0.5
        share = np.where(upper, 2.0 * points, 2.0 * points - 1.0)
        if math.isfinite(low) and math.isfinite(high):
            far = (high - low) / 2.0
            near = max(near * far, np.finfo(np.float64).tiny)
        size = np.exp(math.log(near) + share * (math.log(far) - math.log(near)))
        if math.isfinite(low) and math.isfinite(high):
            return np.where(upper, high - size, low + size)
        if math.isfinite(low):
            return low + size
        if math.isfinite(high):
            return high - size
        return np.where(upper, size, -size)

    def _usual(self, fmt: FloatFormat) -> tuple[float, float]:
        """Give the ordinary range in a float type, which a declared interval may exceed."""
        return max(self.usual[0], -fmt.largest), min(self.usual[1], fmt.largest)

    def _working(self, fmt: FloatFormat) -> tuple[float, float]:
        """Give the working range in a float type; only an end that nobody declared yields to it."""
        low, high = self.works
        if math.isinf(self.bounds[0]):
            low = max(low, -fmt.reach)
        if math.isinf(self.bounds[1]):
            high = min(high, fmt.reach)
        return low, high

    def scalars(self, dtype: str, classes: int = 2) -> tuple[Array, Array]:
        """Landmark numbers inside the domain, and the (k,) uint8 range of each.

        Returns
        -------
        tuple[Array, Array]
            (k,) in the storage dtype: the ends of every range with their neighbours, and
            `landmarks`.
        """
        fmt = float_format(dtype)
        ends = np.array([*self.bounds, *self._usual(fmt), *self._working(fmt)])
        ends = cast(ends[np.isfinite(ends)], dtype)
        beside = [step_magnitude(ends, steps, dtype) for steps in (-1, 0, 1)]
        middle = np.array([sum(self._usual(fmt)) / 2.0])
        values = cast(np.concatenate([*beside, landmarks(dtype), middle]), dtype)
        if self.integral:
            values = np.rint(values)
        # Both zeros are kept: -0 differs from 0 in 1/x, sign and atan2.
        _, first = np.unique(np.stack([values, np.signbit(values)]), axis=1, return_index=True)
        return self.inside(values[first], dtype, classes)

    def tokens(self, shape: Shape, dtype: str, classes: int = 2) -> Array:
        """Give the landmark numbers: (k,)."""
        return self.scalars(dtype, classes)[0]

    def classify(self, values: Array, dtype: str = "float32", classes: int = 2) -> Array:
        """Tell the widest range that each case (n, *shape) touches: (n,) uint8, 3 for outside."""
        fmt = float_format(dtype)
        flat = layout.flat(np.asarray(values, np.float64))
        codes = np.full(flat.shape, Range.EXTREME, np.uint8)
        sizes = np.abs(flat)
        normal = sizes >= max(fmt.tiny, float(cast(np.array(self.nearest), dtype)))
        normal |= sizes == 0.0
        working = between(flat, self._working(fmt), dtype)
        if self.zero_works:
            working |= flat == 0.0
        codes[working & normal] = Range.WORKING
        codes[between(flat, self._usual(fmt), dtype) & normal] = Range.ORDINARY
        codes[~(self._within(flat, dtype) & (sizes <= fmt.largest))] = OUTSIDE
        ranges: Array = codes.max(axis=1, initial=0)
        return ranges

    def _within(self, flat: Array, dtype: str) -> Array:
        """Whether each number lies between the ends; an end that rounds counts as its rounding."""
        (low, high), (open_low, open_high) = self.bounds, self.open_ends
        ends = cast(np.array([low, high]), dtype).astype(np.float64)
        above = flat > max(low, ends[0]) if open_low else flat >= min(low, ends[0])
        below = flat < min(high, ends[1]) if open_high else flat <= max(high, ends[1])
        within: Array = above & below
        if self.integral:
            within &= flat == np.rint(flat)
        return within

    def strategy(
        self, shape: Shape, dtype: str = "float32", classes: int = 2
    ) -> SearchStrategy[Any]:
        """Arrays of any numbers inside the domain."""
        import hypothesis.extra.numpy as hnp
        import hypothesis.strategies as st

        fmt = float_format(dtype)
        low, high = self._closed(fmt)
        width: Any = 8 * np.dtype(fmt.storage).itemsize
        elements = (
            st.integers(math.ceil(low), min(math.floor(high), _WHOLE)).map(float)
            if self.integral
            else st.floats(low, high, allow_nan=False, allow_infinity=False, width=width)
        )
        arrays = hnp.arrays(np.float64, shape, elements=elements)
        return arrays.map(lambda values: cast(values, dtype))

    def spread(self, count: int, dtype: str, *, working: bool = False) -> tuple[Array, int]:
        """Give numbers of a float type inside the domain, evenly spread over its bits.

        Returns
        -------
        tuple of Array and int
            (k,) in the storage dtype, ascending, no half-precision number among them, and how many
            numbers lie between two.
        """
        fmt = float_format(dtype)
        low, high = self._closed(fmt)
        if working:
            ends = self._working(fmt)
            low, high = max(low, ends[0]), min(high, ends[1])
            if self.nearest and low < 0.0 < high:
                below, step = evenly_by_bits(low, -self.nearest, count // 2, dtype)
                above, other = evenly_by_bits(self.nearest, high, count // 2, dtype)
                return np.concatenate([below, above]), max(step, other)
        return evenly_by_bits(low, high, count, dtype)

    def _closed(self, fmt: FloatFormat) -> tuple[float, float]:
        """Give the least and the greatest number of a float type inside the domain."""
        ends = []
        for end, inwards in zip(self.bounds, reversed(self.bounds), strict=True):
            number = float(cast(np.array(end), fmt.name))
            if math.isinf(number):
                number = math.copysign(fmt.largest, end)
            if not self._within(np.array([number]), fmt.name)[0]:
                number = next_number(number, inwards, fmt.name)
            ends.append(number)
        return ends[0], ends[1]
