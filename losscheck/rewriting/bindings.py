"""What the variables of a pattern stand for, and the part of an expression that was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from losscheck.rewriting.expressions import Expression, Leaf, Operation, Options, op, with_operands
from losscheck.rewriting.flat import Term, factors, product, terms, times, total
from losscheck.rewriting.functions import REDUCTIONS


@dataclass(frozen=True)
class Binding:
    """What variables of a pattern stand for."""

    known: Mapping[Leaf, Expression]
    options: Options | None = None  # of the reductions in a pattern, which all have the same

    def with_(self, variable: Leaf, node: Expression) -> Binding:
        """Let a variable stand for an expression."""
        return Binding({**self.known, variable: node}, self.options)

    def fill(self, pattern: Expression) -> Expression:
        """Put what variables stand for into a pattern."""
        if isinstance(pattern, Leaf):
            return self.known[pattern]
        return self.fitted(with_operands(pattern, tuple(self.fill(arg) for arg in pattern.args)))

    def fitted(self, node: Expression) -> Expression:
        """Give a reduction the axis of those in the pattern."""
        if isinstance(node, Operation) and node.name in REDUCTIONS and self.options:
            return op(node.name, *node.operands, options=_fitting(node.name, self.options))
        return node


@dataclass(frozen=True)
class Found:
    """A part of an expression that is what a pattern says."""

    binding: Binding
    scale: Fraction = Fraction(1)  # the part is this multiple of the pattern
    before: tuple[Term, ...] = ()  # terms or factors that stand beside it
    after: tuple[Term, ...] = ()
    kind: str = ""  # "sum", "product" or ""

    def replaced(self, new: Expression) -> Expression:
        """The expression with something else in the place of that part."""
        if self.kind == "sum":
            parts = [*self.before, *(Term(t.node, t.count * self.scale) for t in terms(new))]
            return total([*parts, *self.after])
        if self.kind == "product":
            count, inner = factors(new)
            parts = [*self.before, *inner, *self.after]
            return times(count * self.scale, product([p for p in parts if p.count]))
        return new


def _fitting(name: str, options: Options) -> Options:
    """The options of one reduction for another."""
    softmax = name in ("softmax", "log_softmax")
    return tuple(item for item in options if item[0] == "axis" or not softmax)
