"""The power series of an expression of one variable about a point."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp

from losscheck.rewriting import power_series as ps
from losscheck.rewriting.expressions import Expression, Leaf, Number, Operation
from losscheck.rewriting.power_series import NoSeriesError, Series


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
    with mp.workprec(ps.PRECISION):
        found = _expand(node, variable, centre)
        return ps.stripped(found)


def _expand(node: Expression, variable: Leaf, centre: int) -> Series:
    match node:
        case Leaf():
            if node != variable:
                raise NoSeriesError(node.text)
            return ps.padded([mp.mpf(centre), mp.one])
        case Number(value=value):
            return ps.padded([mp.mpf(value.numerator) / value.denominator])
        case Operation(name=name, operands=operands):
            inner = [_expand(operand, variable, centre) for operand in operands]
            if name in _STEPS:
                return _STEPS[name](*inner)
    raise NoSeriesError(node.key)


_STEPS: dict[str, Callable[..., Series]] = {
    "add": ps.add,
    "sub": lambda a, b: ps.add(a, b, -1),
    "mul": ps.multiply,
    "div": ps.divide,
    "neg": ps.minus,
    "square": ps.square,
    "pow": ps.power,
    "sqrt": lambda a: ps.root(a, 0.5),
    "exp": ps.exp,
    "expm1": lambda a: ps.add(ps.exp(a), ps.UNIT, -1),
    "log": ps.log,
    "log1p": lambda a: ps.log(ps.add(ps.UNIT, a)),
    "sin": lambda a: ps.waves(a)[0],
    "cos": lambda a: ps.waves(a)[1],
    "tan": ps.tan,
    "sinh": ps.sinh,
    "cosh": ps.cosh,
    "tanh": lambda a: ps.divide(ps.sinh(a), ps.cosh(a)),
    "sigmoid": ps.sigmoid,
    "softplus": lambda a: ps.log(ps.add(ps.UNIT, ps.exp(a))),
    "log_sigmoid": lambda a: ps.minus(ps.log(ps.add(ps.UNIT, ps.exp(ps.minus(a))))),
    "atan": ps.by_slope(mp.atan, lambda x, dx: ps.divide(dx, ps.one_plus_square(x))),
    "asinh": ps.by_slope(
        mp.asinh, lambda x, dx: ps.divide(dx, ps.root(ps.one_plus_square(x), 0.5))
    ),
    "asin": ps.by_slope(
        mp.asin, lambda x, dx: ps.divide(dx, ps.root(ps.one_plus_square(x, -1), 0.5))
    ),
    "atanh": ps.by_slope(mp.atanh, lambda x, dx: ps.divide(dx, ps.one_plus_square(x, -1))),
    "erf": ps.by_slope(
        mp.erf,
        lambda x, dx: ps.multiply(
            ps.multiply(dx, ps.exp(ps.minus(ps.square(x)))), ps.padded([2 / mp.sqrt(mp.pi)])
        ),
    ),
}
