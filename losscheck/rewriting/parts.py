"""Parts of an expression that hold one variable, of which there may be a power series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from losscheck.rewriting.expressions import (
    ONE,
    Expression,
    Leaf,
    Operation,
    leaves_of,
    number,
    op,
    substitute,
    walk,
)
from losscheck.rewriting.flat import Term, factors, product, times
from losscheck.rewriting.functions import FUNCTIONS
from losscheck.rewriting.power_series import Series
from losscheck.rewriting.simplifying import simplify, tidy

PLACE = Leaf("variable of a series")


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
