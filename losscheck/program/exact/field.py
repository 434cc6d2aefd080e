"""Sum, product, quotient and order of numbers at one working precision, as IEEE 754 rules."""

from __future__ import annotations

from mpmath import libmp

from losscheck.program.exact.number import (
    FZERO,
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
    from_int,
    key_of,
    magnitude,
    same,
    signum,
)

BITS_PER_DIGIT = 3.3219280948873623  # log2 of 10
GUARD_BITS = 32  # beyond the digits asked for, so that a few hundred operations keep them
EXACT_BITS = 640  # a sum of any two float32, or a product of a few, is exact in so many bits


class Field:
    """Arithmetic on numbers with a working precision.

    Parameters
    ----------
    digits
        Decimal digits to which a rest is rounded.
    """

    def __init__(self, digits: int) -> None:
        self.bits = int(digits * BITS_PER_DIGIT) + GUARD_BITS

    def total(self, x: Number) -> tuple[Raw, Exponent]:
        """Return the number as one raw value and the exponent of its error."""
        if x.ball is None:
            return x.exact, NEVER
        if x.exact == FZERO:
            return x.ball.middle, x.ball.error
        raw = libmp.mpf_add(x.exact, x.ball.middle, self.bits)
        return raw, max(x.ball.error, magnitude(x.exact) - self.bits)

    def sign(self, x: Number) -> int | None:
        """Return the sign of a number that is not NaN; None where its error hides it."""
        raw, error = self.total(x)
        return signum(raw) if error == NEVER or magnitude(raw) - 1 > error else None

    def neg(self, x: Number) -> Number:
        """Return -x."""
        ball = x.ball
        if ball is not None:
            ball = Ball(libmp.mpf_neg(ball.middle), ball.error, -ball.key)
        return Number(libmp.mpf_neg(x.exact), ball)

    def add(self, x: Number, y: Number) -> Number:
        """Return x + y."""
        if x.unknown or y.unknown:
            return UNKNOWN
        if x.special or y.special:
            return Number(libmp.mpf_add(x.exact, y.exact))
        exact, spilled = self._exact_sum(x.exact, y.exact)
        return Number(exact, self._plus(self._plus(x.ball, y.ball), spilled))

    def sub(self, x: Number, y: Number) -> Number:
        """Return x - y."""
        return self.add(x, self.neg(y))

    def mul(self, x: Number, y: Number) -> Number:
        """Return x * y."""
        if x.unknown or y.unknown:
            return UNKNOWN
        if x.special or y.special:
            if x.nan or y.nan:
                return NAN
            one, other = self.sign(x), self.sign(y)
            return UNKNOWN if one is None or other is None else _signed_infinity(one, other)
        if y.ball is None:
            x, y = y, x
        exact, spilled = self._exact_product(x.exact, y.exact)
        ball = self._plus(self._scaled(y.ball, x.exact), spilled)
        if x.ball is not None and y.ball is not None:
            ball = self._plus(ball, self._scaled(x.ball, y.exact))
            ball = self._plus(ball, self._times(x.ball, y.ball))
        return Number(exact, ball)

    def div(self, x: Number, y: Number) -> Number:
        """Return x / y."""
        if x.unknown or y.unknown:
            return UNKNOWN
        if x.nan or y.nan:
            return NAN
        if y.special:
            return NAN if x.special else ZERO
        sign = self.sign(y)
        if x.special:
            return UNKNOWN if sign is None else _signed_infinity(signum(x.exact), sign or 1)
        if sign == 0:
            above = self.sign(x)
            return UNKNOWN if above is None else (NAN, INFINITY, MINUS_INFINITY)[above]
        if sign is None:
            return UNKNOWN
        return self._quotient(x, y)

    def compare(self, x: Number, y: Number) -> int | None:
        """Return the sign of x - y, or None where one of them is NaN.

        Raises
        ------
        Undecided
            If they are closer than their errors.
        """
        if x.unknown or y.unknown:
            raise Undecided
        if x.nan or y.nan:
            return None
        if (x.ball is None and y.ball is None) or x.special or y.special:
            return int(libmp.mpf_cmp(x.exact, y.exact))
        sign = self.sign(self.sub(x, y))
        if sign is None:
            raise Undecided
        return sign

    def hull(self, x: Number, y: Number) -> Number:
        """Return a ball that holds two finite numbers which the precision cannot tell apart."""
        (left, left_error), (right, right_error) = self.total(x), self.total(y)
        apart = magnitude(libmp.mpf_sub(left, right, self.bits))
        error = max(left_error, right_error, apart) + 2
        return Number(FZERO, Ball(left, error, key_of("hull", canonical(x), canonical(y))))

    def _quotient(self, x: Number, y: Number) -> Number:
        if same(x, y):
            return ONE
        if same(x, self.neg(y)):
            return from_int(-1)
        if y.ball is None and y.exact[1] == 1:
            return self.mul(x, Number(libmp.mpf_div(libmp.fone, y.exact, self.bits)))
        exact = self._exact_quotient(x, y)
        if exact != FZERO:
            divided = self._scaled(y.ball, libmp.mpf_neg(exact))
            x = Number(FZERO, self._plus(x.ball, divided))
        if x.ball is None and x.exact == FZERO:
            return Number(exact)
        (above, above_error), (below, below_error) = self.total(x), self.total(y)
        size = magnitude(below)
        if below_error > size - 4:
            return UNKNOWN
        middle = libmp.mpf_div(above, below, self.bits)
        found = magnitude(middle)
        error = max(above_error - size + 1, below_error + found - size + 1, found - self.bits) + 2
        (sign, key), (other_sign, other_key) = canonical(x), canonical(y)
        return Number(exact, Ball(middle, error, sign * other_sign * key_of("/", key, other_key)))

    def _exact_quotient(self, x: Number, y: Number) -> Raw:
        """Return the quotient of the exact parts if it is a short dyadic fraction, otherwise 0."""
        if x.exact == FZERO or y.exact == FZERO:
            return FZERO
        for part in (x, y):
            if part.ball and magnitude(part.ball.middle) > magnitude(part.exact) - 2:
                return FZERO
        quotient = libmp.mpf_div(x.exact, y.exact, self.bits)
        exact = quotient[3] <= self.bits // 2 and libmp.mpf_mul(quotient, y.exact) == x.exact
        return quotient if exact else FZERO

    def _exact_sum(self, a: Raw, b: Raw) -> tuple[Raw, Ball | None]:
        """Return a + b, or the larger and the other as a ball where their sum is too long."""
        if a == FZERO or b == FZERO:
            return (b if a == FZERO else a), None
        if max(a[2] + a[3], b[2] + b[3]) - min(a[2], b[2]) <= EXACT_BITS:
            return libmp.mpf_add(a, b), None
        large, small = (a, b) if magnitude(a) >= magnitude(b) else (b, a)
        return large, Ball(small, NEVER, (-1 if small[0] else 1) * key_of(small[1:]))

    def _exact_product(self, a: Raw, b: Raw) -> tuple[Raw, Ball | None]:
        """Return a * b, or a ball where the product is too long."""
        if a == FZERO or b == FZERO:
            return FZERO, None
        if a[3] + b[3] <= EXACT_BITS:
            return libmp.mpf_mul(a, b), None
        middle = libmp.mpf_mul(a, b, self.bits)
        key = key_of("*", *sorted((a[1:], b[1:])))
        return FZERO, Ball(middle, magnitude(middle) - self.bits, -key if middle[0] else key)

    def _plus(self, p: Ball | None, q: Ball | None) -> Ball | None:
        if p is None or q is None:
            return q if p is None else p
        if p.key == -q.key:
            return None
        if p.key == q.key:
            return self._scaled(p, libmp.ftwo)
        middle = libmp.mpf_add(p.middle, q.middle, self.bits)
        error = max(p.error, q.error, magnitude(middle) - self.bits) + 1
        first, second = sorted((p.key, q.key), key=abs)
        if first < 0:
            return Ball(middle, error, -key_of("+", -first, -second))
        return Ball(middle, error, key_of("+", first, second))

    def _scaled(self, p: Ball | None, c: Raw) -> Ball | None:
        if p is None or c == FZERO:
            return None
        middle = libmp.mpf_mul(p.middle, c, self.bits)
        if c[1] == 1:
            error = p.error + c[2]
        else:
            error = max(p.error + c[2] + c[3], magnitude(middle) - self.bits) + 1
        key = abs(p.key) if c[1:] == libmp.fone[1:] else key_of("c", c[1:], abs(p.key))
        return Ball(middle, error, key if (p.key > 0) != bool(c[0]) else -key)

    def _times(self, p: Ball, q: Ball) -> Ball:
        middle = libmp.mpf_mul(p.middle, q.middle, self.bits)
        error = max(
            p.error + magnitude(q.middle),
            q.error + magnitude(p.middle),
            p.error + q.error,
            magnitude(middle) - self.bits,
        )
        key = key_of("*", *sorted((abs(p.key), abs(q.key))))
        return Ball(middle, error + 2, key if (p.key > 0) == (q.key > 0) else -key)


def _signed_infinity(one: int, other: int) -> Number:
    """Return what an infinity times something is, from the two signs."""
    return (NAN, INFINITY, MINUS_INFINITY)[one * other]
