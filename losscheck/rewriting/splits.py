"""Two expressions for two regions, where no single one does: the last resort, by power series.

`tf.where` differentiates both sides, so each is kept away from where the other one holds: in its
operand, what lies outside is replaced by a number at which it is finite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
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

CENTRES = (0, 1, -1)
THRESHOLDS = (
    Fraction(2),
    Fraction(1),
    Fraction(1, 2),
    Fraction(1, 4),
    Fraction(1, 10),
    Fraction(1, 50),
)
MOST_TERMS = 7
ROUNDED = 2.0**-25  # what is left out may be half an ulp
GROUPS = 5  # parts of an expression that are tried, the largest first
PLACE = Leaf("variable of a series")


@dataclass(frozen=True)
class Split:
    """An expression of two branches, and names for what both of them use."""

    root: Expression
    near: Expression  # the condition
    names: tuple[tuple[str, Expression], ...]  # in the order in which they are to be assigned


def by_series(root: Expression) -> Iterator[Split]:
    """Put a series in the place of a part of an expression, next to where it is 0/0 or cancels."""
    for part in parts(root)[:GROUPS]:
        for centre in CENTRES:
            try:
                expanded = series(substitute(part.inner, {part.variable: PLACE}), PLACE, centre)
            except NoSeriesError:
                continue
            whole, expanded = shifted(part, expanded) if centre == 0 else (part, expanded)
            for threshold in THRESHOLDS:
                yield from _with_series(root, whole, centre, threshold, expanded)


def by_regions(root: Expression, other: Expression, variable: Leaf, threshold: Fraction) -> Split:
    """One expression where |variable| is below a threshold, another one beyond it."""
    near = op("less", op("abs", variable), number(threshold))
    inside = op("where", near, variable, number(threshold))
    outside = op("where", near, number(threshold), variable)
    branches = (substitute(root, {variable: inside}), substitute(other, {variable: outside}))
    names = (("near", near), ("small", inside), ("large", outside))
    return Split(op("where", near, *branches), near, names)


def by_sign(root: Expression, other: Expression, variable: Leaf) -> Split:
    """One expression where a variable is negative, another one where it is not."""
    negative = op("less", variable, number(0))
    below = op("where", negative, variable, number(-1))
    above = op("where", negative, number(1), variable)
    branches = (substitute(root, {variable: below}), substitute(other, {variable: above}))
    names = (("negative", negative), ("below", below), ("above", above))
    return Split(op("where", negative, *branches), negative, names)


def _with_series(
    root: Expression,
    part: Part,
    centre: int,
    threshold: Fraction,
    expanded: Series,
) -> Iterator[Split]:
    last = _last(expanded, float(threshold))
    if last is None:
        return
    variable = part.variable
    away = op("sub", variable, number(centre)) if centre else variable
    near = op("less", op("abs", away), number(threshold))
    small = op("where", near, away, number(0))
    safe = op("where", near, number(centre + threshold), variable)
    far = substitute(part.inner, {variable: safe})
    split = op("where", near, _horner(expanded, last, small), far)
    names = (("near", near), ("small", small), ("safe", safe))
    yield Split(substitute(root, {part.node: part.replaced(split)}), near, names)


def _last(expanded: Series, threshold: float) -> int | None:
    """The last power that is needed up to a threshold; None where there would be too many."""
    if expanded.lowest < 0:
        return None
    powers = range(expanded.lowest, expanded.end)
    sizes = np.array([abs(float(expanded.at(k))) for k in powers]) * threshold ** np.arange(
        len(powers)
    )
    slopes = sizes * np.maximum(np.array(powers), 1)
    lead = slopes[np.array(powers) > 0]
    if not lead.size or not np.isfinite(slopes).all():
        return None
    first = lead[lead > 0][0] if (lead > 0).any() else 0.0
    wanted = (sizes > ROUNDED * sizes[0]) | ((slopes > ROUNDED * first) & (np.array(powers) > 0))
    last = int(np.flatnonzero(wanted)[-1])
    if np.count_nonzero(sizes[: last + 1]) > MOST_TERMS or last >= len(powers) - 2:
        return None
    return expanded.lowest + last


def _horner(expanded: Series, last: int, z: Expression) -> Expression:
    """Write a polynomial; in the square where every other power is missing."""
    powers = [k for k in range(expanded.lowest, last + 1) if expanded.at(k) != 0]
    step = 2 if all((k - powers[0]) % 2 == 0 for k in powers) else 1
    by = op("square", z) if step == 2 else z
    result: Expression | None = None
    for k in range(powers[-1], powers[0] - 1, -step):
        coefficient = number(_short(float(expanded.at(k))))
        if result is None:
            result = coefficient
        else:
            product_ = by if result == ONE else op("mul", by, result)
            result = op("add", coefficient, product_) if expanded.at(k) else product_
    assert result is not None
    for _ in range(powers[0]):
        result = z if result == ONE else op("mul", z, result)
    return result


def _short(value: float) -> Fraction:
    """The fraction of small numbers that this is, or what float32 makes of it."""
    near = Fraction(value).limit_denominator(1000)
    return (
        near if abs(float(near) - value) < 1e-15 * abs(value) else Fraction(str(np.float32(value)))
    )


def series(node: Expression, variable: Leaf, centre: int) -> Series:
    """Expand an expression about a point; `NoSeriesError` where that cannot be done.

    Parameters
    ----------
    node
        An expression with the variable as its only leaf.
    variable
        The variable; the series is one in `variable - centre`.
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
