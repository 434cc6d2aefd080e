"""What depends on the order of numbers: rounding, absolute value, sign, extremes."""

from __future__ import annotations

from mpmath import libmp

from losscheck.program.exact.field import Field
from losscheck.program.exact.number import (
    HALF,
    NAN,
    ONE,
    UNKNOWN,
    ZERO,
    Number,
    Undecided,
    from_int,
)


class Order(Field):
    """A field with the functions that jump or have a kink."""

    def floor(self, x: Number) -> Number:
        """Return the largest whole number not above x."""
        if x.unknown or x.special:
            return x
        if x.known:
            return Number(libmp.mpf_floor(x.exact, 0))
        nearest = Number(libmp.mpf_nint(self.total(x)[0]))
        below = self.compare(x, nearest)
        return self.sub(nearest, ONE) if below is not None and below < 0 else nearest

    def ceil(self, x: Number) -> Number:
        """Return the smallest whole number not below x."""
        return self.neg(self.floor(self.neg(x)))

    def round(self, x: Number) -> Number:
        """Return the nearest whole number, the even one of two."""
        up = self.add(x, HALF)
        nearest = self.floor(up)
        if x.unknown or x.special or self.compare(up, nearest) != 0:
            return nearest
        odd = nearest.exact[1] != 0 and nearest.exact[2] == 0
        return self.sub(nearest, ONE) if odd else nearest

    def trunc(self, x: Number) -> Number:
        """Return the whole part, toward 0."""
        return self.ceil(x) if self.compare(x, ZERO) == -1 else self.floor(x)

    def abs(self, x: Number) -> Number:
        """Return the absolute value."""
        if x.unknown or x.nan:
            return x
        sign = self.sign(x)
        if sign is None:
            return self.hull(x, self.neg(x))
        return self.neg(x) if sign < 0 else x

    def sign_of(self, x: Number) -> Number:
        """Return -1, 0, 1 or NaN."""
        if x.unknown or x.nan:
            return x
        sign = self.sign(x)
        return UNKNOWN if sign is None else from_int(sign)

    def maximum(self, x: Number, y: Number) -> Number:
        """Return the larger; NaN where either is."""
        return self._extreme(x, y, 1)

    def minimum(self, x: Number, y: Number) -> Number:
        """Return the smaller; NaN where either is."""
        return self._extreme(x, y, -1)

    def _extreme(self, x: Number, y: Number, sign: int) -> Number:
        if x.unknown or y.unknown:
            return UNKNOWN
        try:
            order = self.compare(x, y)
        except Undecided:
            return self.hull(x, y)
        if order is None:
            return NAN
        return x if order * sign >= 0 else y

    def whole(self, x: Number) -> int:
        """Return the number truncated to a Python integer.

        Raises
        ------
        Undecided
            If it has no such value: NaN, infinite, or not known well enough.
        """
        if x.special:
            raise Undecided
        return int(libmp.to_int(self.trunc(x).exact))
