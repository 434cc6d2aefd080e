"""The arithmetic that ops are given: numbers with every function of the op table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import MPContext, libmp

from losscheck.program.exact.elementary import FIRST_ORDER, LARGEST_ARGUMENT, Elementary
from losscheck.program.exact.number import (
    FZERO,
    HALF,
    NAN,
    NEVER,
    ONE,
    TWO,
    UNKNOWN,
    ZERO,
    Ball,
    Exponent,
    Number,
    Raw,
    canonical,
    from_int,
    key_of,
    magnitude,
    signum,
)

_mp = MPContext()  # of our own: the precision of the global context belongs to the user

PERIODIC_LIMIT = 4096  # sin(2**4096) would need as many bits of pi


class Arithmetic(Elementary):
    """Elementary functions, and those of probability: sigmoid, softplus, erf, lgamma and their kin.

    Functions that saturate are composed so that what is left of their limit stays in the ball:
    1 - tanh(100) has all its digits.
    """

    def _entire(
        self,
        name: str,
        x: Number,
        function: Callable[[Raw, int], Raw],
        slope: Callable[[Raw, Raw], Exponent],
    ) -> Number:
        """Return a function that has a slope everywhere and is 0 at 0."""
        if x.known and x.exact == FZERO:
            return ZERO
        if x.unknown or (self.total(x)[1] > FIRST_ORDER):
            return UNKNOWN
        return self._smooth(name, x, function, slope)

    def sigmoid(self, x: Number) -> Number:
        """Return 1 / (1 + e**-x)."""
        return self.div(ONE, self.add(ONE, self.exp(self.neg(x))))

    def softplus(self, x: Number) -> Number:
        """Return log(1 + e**x)."""
        return self.add(self.maximum(x, ZERO), self.log1p(self.exp(self.neg(self.abs(x)))))

    def tanh(self, x: Number) -> Number:
        """Return the hyperbolic tangent."""
        if x.unknown or x.nan:
            return x
        if x.special:
            return from_int(signum(x.exact))
        raw, _ = self.total(x)
        if magnitude(raw) < 0:
            grown = self.expm1(self.mul(TWO, x))
            return self.div(grown, self.add(grown, TWO))
        tail = self.exp(self.neg(self.mul(TWO, self.abs(x))))
        result = self.div(self.sub(ONE, tail), self.add(ONE, tail))
        return self.neg(result) if raw[0] else result

    def sinh(self, x: Number) -> Number:
        """Return the hyperbolic sine."""
        grown = self.expm1(x)
        if grown.special or grown.exact == libmp.fnone:
            return self.mul(HALF, self.sub(self.exp(x), self.exp(self.neg(x))))
        return self.mul(HALF, self.add(grown, self.div(grown, self.add(grown, ONE))))

    def cosh(self, x: Number) -> Number:
        """Return the hyperbolic cosine, as 1 + 2 sinh(x/2)**2."""
        return self.add(ONE, self.mul(TWO, self.square(self.sinh(self.mul(HALF, x)))))

    def asinh(self, x: Number) -> Number:
        """Return the inverse hyperbolic sine."""
        if x.unknown or x.special:
            return x
        size = self.abs(x)
        root = self.add(ONE, self.sqrt(self.add(ONE, self.square(x))))
        result = self.log1p(self.add(size, self.div(self.square(x), root)))
        return self.neg(result) if self.compare(x, ZERO) == -1 else result

    def acosh(self, x: Number) -> Number:
        """Return the inverse hyperbolic cosine: NaN below 1."""
        if x.unknown or x.special:
            return NAN if x.exact == libmp.fninf else x
        above = self.sub(x, ONE)
        return self.log1p(self.add(above, self.sqrt(self.mul(above, self.add(x, ONE)))))

    def atanh(self, x: Number) -> Number:
        """Return the inverse hyperbolic tangent: infinite at 1 and -1."""
        return self.mul(HALF, self.log1p(self.div(self.mul(TWO, x), self.sub(ONE, x))))

    def sin(self, x: Number) -> Number:
        """Return the sine."""
        return self._periodic("sin", x, libmp.mpf_sin)

    def cos(self, x: Number) -> Number:
        """Return the cosine; near 0 as 1 - 2 sin(x/2)**2, which keeps 1 - cos(x)."""
        if not x.special and magnitude(self.total(x)[0]) < 0:
            half = self.sin(self.mul(HALF, x))
            return self.sub(ONE, self.mul(TWO, self.square(half)))
        return self._periodic("cos", x, libmp.mpf_cos)

    def tan(self, x: Number) -> Number:
        """Return the tangent."""
        return self.div(self.sin(x), self.cos(x))

    def _periodic(self, name: str, x: Number, function: Callable[[Raw, int], Raw]) -> Number:
        if x.special:
            return NAN
        if magnitude(self.total(x)[0]) > PERIODIC_LIMIT:
            return UNKNOWN
        return self._entire(name, x, function, lambda t, r: 0)

    def atan(self, x: Number) -> Number:
        """Return the inverse tangent."""
        if x.nan:
            return x
        return self._entire("atan", x, libmp.mpf_atan, lambda t, r: min(0, -2 * magnitude(t) + 2))

    def asin(self, x: Number) -> Number:
        """Return the inverse sine: NaN outside [-1, 1]."""
        cosine = self.sqrt(self.mul(self.sub(ONE, x), self.add(ONE, x)))
        return NAN if cosine.nan else self.atan(self.div(x, cosine))

    def acos(self, x: Number) -> Number:
        """Return 2 atan(sqrt((1 - x) / (1 + x))): the inverse cosine, digits near 1 kept."""
        return self.mul(TWO, self.atan(self.sqrt(self.div(self.sub(ONE, x), self.add(ONE, x)))))

    def atan2(self, y: Number, x: Number) -> Number:
        """Return the angle of the point (x, y)."""
        if x.unknown or y.unknown or x.nan or y.nan:
            return UNKNOWN if x.unknown or y.unknown else NAN
        (above, above_error), (right, right_error) = self.total(y), self.total(x)
        error = max(above_error, right_error)
        radius = max(magnitude(above), magnitude(right))
        if error != NEVER and not (y.special or x.special) and error > radius + FIRST_ORDER:
            return UNKNOWN
        angle = libmp.mpf_atan2(above, right, self.bits)
        if angle == FZERO and error == NEVER:
            return ZERO
        error = max(error - radius + 1, magnitude(angle) - self.bits) + 2
        return Number(FZERO, Ball(angle, error, key_of("atan2", canonical(y), canonical(x))))

    def erf(self, x: Number) -> Number:
        """Return the error function."""
        if not x.special and magnitude(self.total(x)[0]) < 1:
            return self._entire("erf", x, libmp.mpf_erf, lambda t, r: 1)
        if x.nan or x.unknown:
            return x
        sign = signum(self.total(x)[0])
        result = self.sub(ONE, self.erfc(x if sign > 0 else self.neg(x)))
        return result if sign > 0 else self.neg(result)

    def erfc(self, x: Number) -> Number:
        """Return 1 - erf(x); far below 1 its relative slope is that of exp(-x*x)."""
        if x.special:
            return {libmp.finf: ZERO, libmp.fninf: TWO}.get(x.exact, NAN)
        raw, error = self.total(x)
        if x.unknown or magnitude(raw) < 1 or raw[0]:
            return self.sub(ONE, self.erf(x))
        if magnitude(raw) > LARGEST_ARGUMENT // 2 or error > FIRST_ORDER - magnitude(raw):
            return UNKNOWN
        return self._smooth("erfc", x, libmp.mpf_erfc, lambda t, r: magnitude(r) + magnitude(t) + 2)

    def lgamma(self, x: Number) -> Number:
        """Return log of the absolute gamma function: +inf at 0, -1, -2, ..."""
        return self._gamma_kin("lgamma", x, lambda t: _mp.loggamma(t).real, 0)

    def digamma(self, x: Number) -> Number:
        """Return the slope of lgamma: NaN at its poles."""
        return self._gamma_kin("digamma", x, _mp.digamma, 1)

    def polygamma(self, order: Number, x: Number) -> Number:
        """Return the derivative of digamma of a whole order."""
        whole = self.whole(order)
        return self._gamma_kin(f"psi{whole}", x, lambda t: _mp.psi(whole, t), whole + 1)

    def _gamma_kin(self, name: str, x: Number, function: Callable[..., Any], order: int) -> Number:
        if x.unknown or x.special:
            if x.unknown or x.exact == libmp.fninf:
                return UNKNOWN
            return ZERO if order > 1 and not x.nan else x
        raw, error = self.total(x)
        if (not raw[1] or (raw[0] and raw[2] >= 0)) and error == NEVER:
            return Number(libmp.fnan if order else libmp.finf)
        if magnitude(raw) > LARGEST_ARGUMENT or (raw[0] and magnitude(raw) > 10):
            return UNKNOWN
        if error > min(0, magnitude(raw)) + FIRST_ORDER:
            return UNKNOWN

        def compute(t: Raw, bits: int) -> Raw:
            with _mp.workprec(bits + 8):
                value: Raw = function(_mp.make_mpf(t))._mpf_
            return value

        def slope(t: Raw, _: Raw) -> Exponent:
            steep: Raw = libmp.mpf_psi(order, t, 30)
            return magnitude(steep) + 1

        return self._smooth(name, x, compute, slope)
