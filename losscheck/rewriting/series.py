"""Parts of an expression that hold one variable, and the power series of it about a point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from mpmath import mp

from losscheck.rewriting import power_series as ps
from losscheck.rewriting.expressions import (
    ONE,
    Expression,
    Leaf,
    Number,
    Operation,
    Term,
    factors,
    leaves_of,
    number,
    op,
    product,
    substitute,
    times,
    walk,
)
from losscheck.rewriting.functions import FUNCTIONS
from losscheck.rewriting.power_series import NoSeriesError, Series
from losscheck.rewriting.simplifying import simplify, tidy

PLACE = Leaf("variable of a series")


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


@dataclass(frozen=True)
class Part:
    """A part of an expression in which there is one variable: a node, or factors of a product."""

    node: Expression
    inner: Expression
    variable: Expression  # a leaf, or what the part depends on as a whole
    rest: tuple[Term, ...] = ()
    count: Fraction = Fraction(1)

    def replaced(self, new: Expression) -> Expression:
        """The node with something else in the place of the part."""
        if not self.rest:
            return times(self.count, new)
        return times(self.count, product([*self.rest, Term(new, Fraction(1))]))


def parts(root: Expression) -> list[Part]:
    """Parts with one variable, the largest first."""
    found = [Part(node, node, variable) for node, variable in _whole(root)]
    for node in walk(root):
        count, parts = factors(node)
        variables = sorted(leaves_of(node), key=lambda each: each.text)
        for variable in [*variables, *_arguments(node)]:
            inner = [p for p in parts if _depends(p.node, variable)]
            rest = tuple(p for p in parts if not _depends(p.node, variable))
            if rest and inner and (len(inner) > 1 or inner[0].node != variable):
                found.append(Part(node, product(inner), variable, rest, count))
    return sorted(found, key=lambda part: -part.inner.size)


def _depends(node: Expression, variable: Expression) -> bool:
    """Whether a node depends on one expression as a whole, and on nothing else."""
    return leaves_of(substitute(node, {variable: PLACE})) == {PLACE}


def _arguments(root: Expression) -> list[Expression]:
    """The arguments of functions that hold several leaves."""
    calls = (n for n in walk(root) if isinstance(n, Operation) and n.name in FUNCTIONS)
    found = (arg for node in calls for arg in node.operands if len(leaves_of(arg)) > 1)
    return list(dict.fromkeys(found))


def shifted(part: Part, expanded: Series) -> tuple[Part, Series]:
    """Give powers of the variable to the other factors where they cancel something there.

    expm1(n * log(x)) / n is log(x) * (expm1(z) / z) with z = n * log(x).
    """
    power = op("pow", part.variable, number(expanded.lowest))
    before = product(list(part.rest)) if part.rest else ONE
    after = simplify(op("mul", before, power))
    if not expanded.lowest or after.size >= before.size:
        return part, expanded
    inner = op("mul", part.inner, op("pow", part.variable, number(-expanded.lowest)))
    rest = (Term(after, Fraction(1)),)
    part = Part(part.node, tidy(_plain_powers(inner)), part.variable, rest, part.count)
    return part, Series(0, expanded.coefficients)


def _plain_powers(node: Expression) -> Expression:
    """Write a product of whole powers as a fraction."""
    count, parts = factors(node)
    return times(count, product(list(parts)))


def _whole(root: Expression) -> Iterator[tuple[Expression, Expression]]:
    """Subexpressions with one leaf, or that hold several in one and the same argument only."""
    arguments = _arguments(root)
    for node in walk(root):
        leaves = leaves_of(node)
        if len(leaves) == 1 and isinstance(node, Operation):
            yield node, next(iter(leaves))
        for arg in arguments:
            if arg != node and _depends(node, arg):
                yield node, arg
