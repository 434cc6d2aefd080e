"""Power series of an expression of one variable about a point, worked out term by term.

A series is a lowest power and coefficients of many digits: quotients of two that begin with the
same power are finite where the quotient itself is 0/0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mpmath import mp

from losscheck.rewriting.expressions import Expression, Leaf, Number, Operation

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


def series(node: Expression, variable: Leaf, centre: int) -> Series:
    """Expand an expression about a point; `NoSeriesError` where that cannot be done.

    Parameters
    ----------
    node
        An expression with the variable as its only leaf.
    variable
        The variable; the series is one in `variable - centre`.
    centre
        The point.
    """
    with mp.workprec(PRECISION):
        found = _expand(node, variable, centre)
        return _stripped(found)


def _expand(node: Expression, variable: Leaf, centre: int) -> Series:
    match node:
        case Leaf():
            if node != variable:
                raise NoSeriesError(node.text)
            return _padded([mp.mpf(centre), mp.one])
        case Number(value=value):
            return _padded([mp.mpf(value.numerator) / value.denominator])
        case Operation(name=name, operands=operands):
            inner = [_expand(operand, variable, centre) for operand in operands]
            if name in _STEPS:
                return _STEPS[name](*inner)
    raise NoSeriesError(node.key)


def _padded(first: list[Any]) -> Series:
    return Series(0, (*first, *[mp.zero] * (TERMS - len(first))))


def _stripped(one: Series) -> Series:
    """Leave out the first coefficients where they are 0."""
    coefficients = list(one.coefficients)
    lowest = one.lowest
    while coefficients and abs(coefficients[0]) < NOTHING:
        coefficients.pop(0)
        lowest += 1
    if not coefficients:
        raise NoSeriesError("0, as far as it is known")
    return Series(lowest, tuple(c if abs(c) >= NOTHING else mp.zero for c in coefficients))


def _add(a: Series, b: Series, sign: int = 1) -> Series:
    lowest, end = min(a.lowest, b.lowest), min(a.end, b.end)
    return Series(lowest, tuple(a.at(k) + sign * b.at(k) for k in range(lowest, end)))


def _multiply(a: Series, b: Series) -> Series:
    count = min(len(a.coefficients), len(b.coefficients))
    x, y = a.coefficients, b.coefficients
    made = tuple(mp.fsum(x[i] * y[k - i] for i in range(k + 1)) for k in range(count))
    return Series(a.lowest + b.lowest, made)


def _divide(a: Series, b: Series) -> Series:
    b = _stripped(b)
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


def _exp(a: Series) -> Series:
    x = _taylor(a)
    made = [mp.exp(x[0])]
    for k in range(1, len(x)):
        made.append(mp.fsum(i * x[i] * made[k - i] for i in range(1, k + 1)) / k)
    return Series(0, tuple(made))


def _constant(a: Series) -> Any:
    return _taylor(a)[0]


def _through(function: Callable[[Any], Any], slope: Callable[[Series, Series], Series]) -> Any:
    """A function by its derivative: `slope` is given the operand and its derivative."""

    def call(a: Series) -> Series:
        inner = Series(0, tuple(_derivative(_taylor(a))))
        start = function(_constant(a))
        if not mp.isfinite(start) or isinstance(start, mp.mpc):
            raise NoSeriesError("not finite at the point")
        return _integral(slope(a, inner), start)

    return call


def _log(a: Series) -> Series:
    return _through(_real(mp.log), lambda x, dx: _divide(dx, x))(a)  # type: ignore[no-any-return]


def _real(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        try:
            return function(x)
        except (ValueError, ZeroDivisionError) as error:
            raise NoSeriesError("not defined at the point") from error

    return call


def _root(a: Series, power: Any) -> Series:
    x = _taylor(a)
    if x[0] <= NOTHING:
        raise NoSeriesError("a power of 0")
    return _exp(_multiply(_log(a), _padded([mp.mpf(power)])))


def _pow(a: Series, b: Series) -> Series:
    x = _taylor(b)
    if any(abs(c) > NOTHING for c in x[1:]):
        return _exp(_multiply(b, _log(a)))
    if x[0] == mp.floor(x[0]) and 0 <= x[0] <= 8:
        made = _ONE
        for _ in range(int(x[0])):
            made = _multiply(made, a)
        return made
    return _root(a, x[0])


with mp.workprec(PRECISION):
    _ONE = _padded([mp.one])
    _TWO = _padded([mp.mpf(2)])


def _half(a: Series, b: Series, sign: int) -> Series:
    return _divide(_add(a, b, sign), _TWO)


def _minus(a: Series) -> Series:
    return Series(a.lowest, tuple(-c for c in a.coefficients))


def _waves(a: Series) -> tuple[Series, Series]:
    """The sine and the cosine."""
    x = _taylor(a)
    sine, cosine = [mp.sin(x[0])], [mp.cos(x[0])]
    for k in range(1, len(x)):
        sine.append(mp.fsum(i * x[i] * cosine[k - i] for i in range(1, k + 1)) / k)
        cosine.append(-mp.fsum(i * x[i] * sine[k - i] for i in range(1, k + 1)) / k)
    return Series(0, tuple(sine)), Series(0, tuple(cosine))


def _sinh(a: Series) -> Series:
    return _half(_exp(a), _exp(_minus(a)), -1)


def _cosh(a: Series) -> Series:
    return _half(_exp(a), _exp(_minus(a)), 1)


def _sigmoid(a: Series) -> Series:
    return _divide(_ONE, _add(_ONE, _exp(_minus(a))))


def _square(a: Series) -> Series:
    return _multiply(a, a)


def _tan(a: Series) -> Series:
    return _divide(*_waves(a))


def _one_plus_square(x: Series, sign: int = 1) -> Series:
    return _add(_ONE, _square(x), sign)


_STEPS: dict[str, Callable[..., Series]] = {
    "add": _add,
    "sub": lambda a, b: _add(a, b, -1),
    "mul": _multiply,
    "div": _divide,
    "neg": _minus,
    "square": _square,
    "pow": _pow,
    "sqrt": lambda a: _root(a, 0.5),
    "exp": _exp,
    "expm1": lambda a: _add(_exp(a), _ONE, -1),
    "log": _log,
    "log1p": lambda a: _log(_add(_ONE, a)),
    "sin": lambda a: _waves(a)[0],
    "cos": lambda a: _waves(a)[1],
    "tan": _tan,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": lambda a: _divide(_sinh(a), _cosh(a)),
    "sigmoid": _sigmoid,
    "softplus": lambda a: _log(_add(_ONE, _exp(a))),
    "log_sigmoid": lambda a: _minus(_log(_add(_ONE, _exp(_minus(a))))),
    "atan": _through(mp.atan, lambda x, dx: _divide(dx, _one_plus_square(x))),
    "asinh": _through(mp.asinh, lambda x, dx: _divide(dx, _root(_one_plus_square(x), 0.5))),
    "asin": _through(mp.asin, lambda x, dx: _divide(dx, _root(_one_plus_square(x, -1), 0.5))),
    "atanh": _through(mp.atanh, lambda x, dx: _divide(dx, _one_plus_square(x, -1))),
    "erf": _through(
        mp.erf,
        lambda x, dx: _multiply(
            _multiply(dx, _exp(_minus(_square(x)))), _padded([2 / mp.sqrt(mp.pi)])
        ),
    ),
}
