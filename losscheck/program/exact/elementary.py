"""Powers, exponentials and logarithms of numbers, and what depends on their order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpmath import libmp

from losscheck.program.exact.field import Field
from losscheck.program.exact.number import (
    FONE,
    FZERO,
    HALF,
    INFINITY,
    MINUS_INFINITY,
    NAN,
    NEVER,
    ONE,
    UNKNOWN,
    ZERO,
    Ball,
    Exponent,
    Number,
    Raw,
    Undecided,
    canonical,
    from_float,
    from_int,
    key_of,
    magnitude,
    same,
)

# exp(2**900) has an exponent of 900 bits, about as far as the Python floats follow in which errors
# of -inf are added. What lies beyond is unknown if it is large, and a ball around 0 if it is small.
LARGEST_ARGUMENT = 900
FIRST_ORDER = -4  # a ball below 2**-4 (of the argument) moves a function by its slope, to a bit
WHOLE_POWERS = 64  # whole exponents up to this are multiplied out, which keeps exact parts exact


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


class Elementary(Order):
    """An ordered field with the functions that losses are written in."""

    def _smooth(
        self,
        name: str,
        x: Number,
        function: Callable[[Raw, int], Raw],
        slope: Callable[[Raw, Raw], Exponent],
    ) -> Number:
        """Return function(x) as a ball; ``slope(x, result)`` bounds log2 of its derivative."""
        raw, error = self.total(x)
        result = function(raw, self.bits)
        moved = error + slope(raw, result) if error != NEVER else NEVER
        error = max(moved, magnitude(result) - self.bits) + 2
        return Number(FZERO, Ball(result, error, key_of(name, canonical(x))))

    def exp(self, x: Number) -> Number:
        """Return e**x."""
        if x.unknown or x.special:
            return ZERO if x.exact == libmp.fninf else x
        raw, error = self.total(x)
        if x.known and raw == FZERO:
            return ONE
        key = key_of("exp", canonical(x))
        if magnitude(raw) > LARGEST_ARGUMENT and raw[0]:
            return Number(FZERO, Ball(FZERO, -(1 << LARGEST_ARGUMENT), key))
        if magnitude(raw) > LARGEST_ARGUMENT or error > FIRST_ORDER:
            return UNKNOWN
        if magnitude(raw) < -3:  # 1 and a rest: exp(x) - 1 keeps its digits
            rest = _expm1(raw, self.bits)
            error = max(error, magnitude(rest) - self.bits) + 2
            return Number(FONE, Ball(rest, error, key))
        result = libmp.mpf_exp(raw, self.bits)
        error = max(error + magnitude(result), magnitude(result) - self.bits) + 2
        return Number(FZERO, Ball(result, error, key))

    def expm1(self, x: Number) -> Number:
        """Return e**x - 1."""
        return self.sub(self.exp(x), ONE)

    def log(self, x: Number) -> Number:
        """Return the natural logarithm: -inf at 0, NaN below."""
        sign = self._sign_in_domain(x)
        if sign is None or x.nan:
            return x if x.nan else UNKNOWN
        if sign <= 0 or x.special:
            return (MINUS_INFINITY, INFINITY, NAN)[sign]
        if x.exact == FONE and x.ball is None:
            return ZERO
        if x.exact == FONE and x.ball is not None and magnitude(x.ball.middle) < 0:
            rest = Number(FZERO, x.ball)
            return self._smooth("log1p", rest, _log1p, lambda t, r: 1)
        return self._smooth("log", x, libmp.mpf_log, lambda t, r: 1 - magnitude(t))

    def log1p(self, x: Number) -> Number:
        """Return log(1 + x)."""
        if x.unknown or x.special:
            return self.log(self.add(ONE, x))
        raw, error = self.total(x)
        if x.known and raw == FZERO:
            return ZERO
        if magnitude(raw) < -3 and error < FIRST_ORDER:
            return self._smooth("log1p", x, _log1p, lambda t, r: 1)
        return self.log(self.add(ONE, x))

    def sqrt(self, x: Number) -> Number:
        """Return the square root: NaN below 0."""
        sign = self._sign_in_domain(x)
        if sign is None or x.nan or sign <= 0 or x.special:
            return UNKNOWN if sign is None else NAN if sign < 0 else x
        if x.exact != FZERO and not x.exact[0]:
            root = libmp.mpf_sqrt(x.exact, self.bits)
            short = root[3] <= self.bits // 2 and libmp.mpf_mul(root, root) == x.exact
            if short and x.ball is None:
                return Number(root)
            if short and x.ball and magnitude(x.ball.middle) < magnitude(x.exact) - 2:
                whole = self._smooth("sqrt", x, libmp.mpf_sqrt, lambda t, r: -magnitude(r))
                rest = self.div(Number(FZERO, x.ball), self.add(Number(root), whole))
                return Number(root, rest.ball)
        return self._smooth("sqrt", x, libmp.mpf_sqrt, lambda t, r: 1 - magnitude(r))

    def _sign_in_domain(self, x: Number) -> int | None:
        """Return the sign of x; None where unknown or where its ball is too wide for a slope."""
        if x.unknown:
            return None
        if x.nan:
            return 0
        raw, error = self.total(x)
        return self.sign(x) if error == NEVER or error < magnitude(raw) + FIRST_ORDER else None

    def rsqrt(self, x: Number) -> Number:
        """Return 1 / sqrt(x)."""
        return self.div(ONE, self.sqrt(x))

    def reciprocal(self, x: Number) -> Number:
        """Return 1 / x."""
        return self.div(ONE, x)

    def square(self, x: Number) -> Number:
        """Return x * x."""
        return self.mul(x, x)

    def pow(self, x: Number, y: Number) -> Number:
        """Return x**y; special values as IEEE 754 has them."""
        if same(x, ONE) or same(y, ZERO):
            return ONE
        if x.unknown or y.unknown or x.nan or y.nan:
            return UNKNOWN if x.unknown or y.unknown else NAN
        whole = y.known and not y.special and y.exact[2] >= 0
        sign = self.sign(x)
        if x.special or y.special or (x.known and x.exact == FZERO):
            return self._special_pow(x, y, whole)
        if whole and magnitude(y.exact) <= WHOLE_POWERS.bit_length() - 1:
            return self._whole_pow(x, libmp.to_int(y.exact))
        if y.known and y.exact == HALF.exact:
            return self.sqrt(x)
        if sign is None:
            return UNKNOWN
        power = self.exp(self.mul(y, self.log(self.abs(x))))
        if sign > 0:
            return power
        if not y.known:  # an exponent that is only known to some digits may or may not be whole
            return UNKNOWN
        if not whole:
            return NAN
        return self.neg(power) if y.exact[2] == 0 else power

    def _whole_pow(self, x: Number, exponent: int) -> Number:
        result, square = ONE, x
        for bit in reversed(bin(abs(exponent))[2:]):
            if bit == "1":
                result = self.mul(result, square)
            square = self.mul(square, square)
        return self.div(ONE, result) if exponent < 0 else result

    def _special_pow(self, x: Number, y: Number, whole: bool) -> Number:
        """Ask NumPy about small numbers with the same signs, order to 1 and parity."""
        base, above = self.sign(x), self.compare(self.abs(x), ONE) or 0
        if base is None or self.sign(y) is None:
            return UNKNOWN
        size = np.inf if x.special else 0.0 if base == 0 else 2.0**above
        power = np.inf if y.special else (2 - (y.exact[2] == 0)) if whole else 0.5
        with np.errstate(all="ignore"):
            return from_float(float(np.power((base or 1) * size, (self.sign(y) or 1) * power)))


def _expm1(t: Raw, bits: int) -> Raw:
    """Return e**t - 1 with all its digits."""
    size = magnitude(t)
    result: Raw
    if size < -bits:
        result = libmp.mpf_mul(t, libmp.mpf_add(FONE, libmp.mpf_shift(t, -1), bits), bits)
    else:
        extra = int(max(0, -size)) + 8
        result = libmp.mpf_sub(libmp.mpf_exp(t, bits + extra), FONE, bits)
    return result


def _log1p(t: Raw, bits: int) -> Raw:
    """Return log(1 + t) with all its digits, for t between -1 and 1."""
    size = magnitude(t)
    result: Raw
    if size < -bits:
        result = libmp.mpf_mul(t, libmp.mpf_sub(FONE, libmp.mpf_shift(t, -1), bits), bits)
    else:
        extra = int(max(0, -size)) + 8
        result = libmp.mpf_log(libmp.mpf_add(FONE, t, bits + extra + 8), bits + 8)
    return result
