"""Power series, and what functions make of them, worked out term by term.

A series is a lowest power and coefficients of many digits: quotients of two that begin with the
same power are finite where the quotient itself is 0/0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpmath import mp

TERMS = 24
PRECISION = 400  # bits
NOTHING = mp.mpf(2) ** -200  # a smaller coefficient is a rounded 0


class NoSeriesError(Exception):
    """The expression has no power series there, or none that is known."""


@dataclass(frozen=True)
class Series:
    """The sum of coefficients[k] * z ** (lowest + k)."""

    lowest: int
    coefficients: tuple[Any, ...]

    def at(self, power: int) -> Any:
        """The coefficient of a power."""
        k = power - self.lowest
        return self.coefficients[k] if 0 <= k < len(self.coefficients) else mp.zero

    @property
    def end(self) -> int:
        """The first power that is not known."""
        return self.lowest + len(self.coefficients)


def padded(first: list[Any]) -> Series:
    """A polynomial as a series: its other coefficients are 0."""
    return Series(0, (*first, *[mp.zero] * (TERMS - len(first))))


def stripped(one: Series) -> Series:
    """Leave out the first coefficients where they are 0."""
    coefficients = list(one.coefficients)
    lowest = one.lowest
    while coefficients and abs(coefficients[0]) < NOTHING:
        coefficients.pop(0)
        lowest += 1
    if not coefficients:
        raise NoSeriesError("0, as far as it is known")
    return Series(lowest, tuple(c if abs(c) >= NOTHING else mp.zero for c in coefficients))


def add(a: Series, b: Series, sign: int = 1) -> Series:
    """Add a multiple of one series to another."""
    lowest, end = min(a.lowest, b.lowest), min(a.end, b.end)
    return Series(lowest, tuple(a.at(k) + sign * b.at(k) for k in range(lowest, end)))


def multiply(a: Series, b: Series) -> Series:
    """Multiply two series."""
    count = min(len(a.coefficients), len(b.coefficients))
    x, y = a.coefficients, b.coefficients
    made = tuple(mp.fsum(x[i] * y[k - i] for i in range(k + 1)) for k in range(count))
    return Series(a.lowest + b.lowest, made)


def divide(a: Series, b: Series) -> Series:
    """Divide two series."""
    b = stripped(b)
    count = min(len(a.coefficients), len(b.coefficients))
    x, y = a.coefficients, b.coefficients
    made: list[Any] = []
    for k in range(count):
        known = mp.fsum(made[i] * y[k - i] for i in range(k))
        made.append((x[k] - known) / y[0])
    return Series(a.lowest - b.lowest, tuple(made))


def _taylor(a: Series) -> list[Any]:
    """The coefficients from the power 0 on; a pole has no place inside a function."""
    if a.lowest < 0 and any(abs(a.at(k)) > NOTHING for k in range(a.lowest, 0)):
        raise NoSeriesError("a pole")
    return [a.at(k) for k in range(a.end)]


def _derivative(x: list[Any]) -> list[Any]:
    return [k * x[k] for k in range(1, len(x))]


def _integral(slope: Series, constant: Any) -> Series:
    """From the series of a derivative to that of the function."""
    x = _taylor(slope)
    return Series(0, (constant, *(x[k] / (k + 1) for k in range(len(x)))))


def exp(a: Series) -> Series:
    """The exponential of a series."""
    x = _taylor(a)
    made = [mp.exp(x[0])]
    for k in range(1, len(x)):
        made.append(mp.fsum(i * x[i] * made[k - i] for i in range(1, k + 1)) / k)
    return Series(0, tuple(made))


def _constant(a: Series) -> Any:
    return _taylor(a)[0]


def by_slope(function: Callable[[Any], Any], slope: Callable[[Series, Series], Series]) -> Any:
    """A function by its derivative: `slope` is given the operand and its derivative."""

    def call(a: Series) -> Series:
        inner = Series(0, tuple(_derivative(_taylor(a))))
        start = function(_constant(a))
        if not mp.isfinite(start) or isinstance(start, mp.mpc):
            raise NoSeriesError("not finite at the point")
        return _integral(slope(a, inner), start)

    return call


def log(a: Series) -> Series:
    """The logarithm of a series."""
    return by_slope(_real(mp.log), lambda x, dx: divide(dx, x))(a)  # type: ignore[no-any-return]


def _real(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        try:
            return function(x)
        except (ValueError, ZeroDivisionError) as error:
            raise NoSeriesError("not defined at the point") from error

    return call


def root(a: Series, power: Any) -> Series:
    """A power of a series that begins with a positive number."""
    x = _taylor(a)
    if x[0] <= NOTHING:
        raise NoSeriesError("a power of 0")
    return exp(multiply(log(a), padded([mp.mpf(power)])))


def power(a: Series, b: Series) -> Series:
    """One series to the power of another."""
    x = _taylor(b)
    if any(abs(c) > NOTHING for c in x[1:]):
        return exp(multiply(b, log(a)))
    if x[0] == mp.floor(x[0]) and 0 <= x[0] <= 8:
        made = UNIT
        for _ in range(int(x[0])):
            made = multiply(made, a)
        return made
    return root(a, x[0])


with mp.workprec(PRECISION):
    UNIT = padded([mp.one])
    _TWO = padded([mp.mpf(2)])


def _half(a: Series, b: Series, sign: int) -> Series:
    return divide(add(a, b, sign), _TWO)


def minus(a: Series) -> Series:
    """Turn the sign."""
    return Series(a.lowest, tuple(-c for c in a.coefficients))


def waves(a: Series) -> tuple[Series, Series]:
    """The sine and the cosine."""
    x = _taylor(a)
    sine, cosine = [mp.sin(x[0])], [mp.cos(x[0])]
    for k in range(1, len(x)):
        sine.append(mp.fsum(i * x[i] * cosine[k - i] for i in range(1, k + 1)) / k)
        cosine.append(-mp.fsum(i * x[i] * sine[k - i] for i in range(1, k + 1)) / k)
    return Series(0, tuple(sine)), Series(0, tuple(cosine))


def sinh(a: Series) -> Series:
    """The hyperbolic sine of a series."""
    return _half(exp(a), exp(minus(a)), -1)


def cosh(a: Series) -> Series:
    """The hyperbolic cosine of a series."""
    return _half(exp(a), exp(minus(a)), 1)


def sigmoid(a: Series) -> Series:
    """The sigmoid of a series."""
    return divide(UNIT, add(UNIT, exp(minus(a))))


def square(a: Series) -> Series:
    """The square of a series."""
    return multiply(a, a)


def tan(a: Series) -> Series:
    """The tangent of a series."""
    return divide(*waves(a))


def one_plus_square(x: Series, sign: int = 1) -> Series:
    """1 plus a multiple of the square of a series."""
    return add(UNIT, square(x), sign)
