"""Patterns, where expressions are what a pattern says, and what its variables then stand for.

A pattern is an expression whose leaves are variables: `n` and `m` stand for constants, all others
for anything. Sums and products match in any order. At the top of a pattern further terms or
factors may stand beside what it names, and all of a sum may be a multiple of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from losscheck.rewriting.expressions import (
    ONE,
    Expression,
    Leaf,
    Number,
    Operation,
    Options,
    Term,
    factors,
    kind_of,
    number,
    op,
    product,
    terms,
    times,
    total,
    with_operands,
)
from losscheck.rewriting.functions import REDUCTIONS
from losscheck.rewriting.polynomials import plain, polynomial
from losscheck.rewriting.simplifying import simplify

CONSTANTS = ("n", "m")


def matches(pattern: Expression, node: Expression) -> Iterator[Found]:
    """Find all ways in which an expression, or terms or factors of it, are what a pattern says."""
    kind = kind_of(pattern)
    if kind == "sum":
        wanted, given = _ordered(terms(pattern)), terms(node)
        for binding, scale, used in _sum(wanted, given, Binding({}), None, frozenset()):
            yield Found(binding, scale, *_beside(given, used), "sum")
    elif kind == "product":
        count, wanted = factors(pattern)
        scale, given = factors(node)
        for binding, used in _product(_ordered(wanted), given, Binding({}), frozenset()):
            yield Found(binding, scale / count, *_beside(given, used), "product")
    else:
        yield from (Found(binding) for binding in _whole(pattern, node, Binding({})))


def _beside(
    given: tuple[Term, ...], used: frozenset[int]
) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    first = min(used)
    free = [(i, part) for i, part in enumerate(given) if i not in used]
    return tuple(p for i, p in free if i < first), tuple(p for i, p in free if i > first)


def _ordered(parts: tuple[Term, ...]) -> tuple[Term, ...]:
    """Put bare variables last: they take whatever there is."""
    return tuple(sorted(parts, key=lambda part: _free(part.node)))


def _free(pattern: Expression) -> int:
    """How little a pattern asks for: 0 for a constant or a call, 2 for a bare variable."""
    if isinstance(pattern, Leaf):
        return 2
    _, parts = factors(pattern)
    return int(len(parts) > 1 and any(isinstance(part.node, Leaf) for part in parts))


def _whole(pattern: Expression, node: Expression, binding: Binding) -> Iterator[Binding]:
    """Find the ways in which all of an expression is what a pattern says."""
    match pattern:
        case Leaf():
            yield from _variable(pattern, node, binding)
            return
        case Number():
            if plain(node) == pattern:
                yield binding
            return
    if _bound(pattern, binding):
        if polynomial(binding.fill(pattern)) == polynomial(node):
            yield binding
        return
    kind = kind_of(pattern)
    if kind == "sum":
        yield from _all_terms(terms(pattern), terms(node), binding)
    elif kind == "product" or factors(pattern)[0] != 1:
        yield from _all_factors(pattern, node, binding)
    elif isinstance(pattern, Operation) and isinstance(node, Operation):
        yield from _call(pattern, node, binding)


def _call(pattern: Operation, node: Operation, binding: Binding) -> Iterator[Binding]:
    if pattern.name != node.name:
        return
    if node.options:
        if binding.options is not None and binding.options != node.options:
            return
        binding = Binding(binding.known, node.options)
    yield from _each(pattern.operands, node.operands, binding)


def _each(
    patterns: tuple[Expression, ...], nodes: tuple[Expression, ...], binding: Binding
) -> Iterator[Binding]:
    if not patterns:
        yield binding
        return
    for found in _whole(patterns[0], nodes[0], binding):
        yield from _each(patterns[1:], nodes[1:], found)


def _variable(variable: Leaf, node: Expression, binding: Binding) -> Iterator[Binding]:
    if variable in binding.known:
        if node == binding.known[variable] or polynomial(binding.known[variable]) == polynomial(
            node
        ):
            yield binding
    elif variable.text not in CONSTANTS:
        yield binding.with_(variable, node)
    elif isinstance(plain(node), Number):
        yield binding.with_(variable, plain(node))


def _bound(pattern: Expression, binding: Binding) -> bool:
    """Whether all variables of a pattern are known; the options of a reduction never are."""
    if isinstance(pattern, Leaf):
        return pattern in binding.known
    if isinstance(pattern, Operation) and pattern.options:
        return False
    return all(_bound(arg, binding) for arg in pattern.args)


def _all_terms(
    wanted: tuple[Term, ...], given: tuple[Term, ...], binding: Binding
) -> Iterator[Binding]:
    """A sum within a pattern: every term is named, or goes to a bare variable."""
    ordered = _ordered(wanted)
    rest = ordered[-1] if isinstance(ordered[-1].node, Leaf) else None
    named = ordered[:-1] if rest else ordered
    if len(given) < len(wanted) or (rest is None and len(given) != len(wanted)):
        return
    for found, _, used in _sum(named, given, binding, Fraction(1), frozenset()):
        free = [part for i, part in enumerate(given) if i not in used]
        if rest is None:
            yield found
        else:
            scaled = [Term(part.node, part.count / rest.count) for part in free]
            yield from _whole(rest.node, total(scaled), found)


def _all_factors(pattern: Expression, node: Expression, binding: Binding) -> Iterator[Binding]:
    """A product within a pattern: every factor is named, or goes to a bare variable."""
    count, wanted = factors(pattern)
    scale, given = factors(node)
    scale /= count
    if len(wanted) == 1 and isinstance(wanted[0].node, Leaf) and wanted[0].count == 1:
        whole = abs(scale) >= 1 if count != -1 else True
        if wanted[0].node in binding.known or whole:  # 2 a is no pattern for x = 2 (x / 2)
            yield from _whole(wanted[0].node, simplify(times(1 / count, node)), binding)
        return
    ordered = _ordered(wanted)
    rest = ordered[-1] if isinstance(ordered[-1].node, Leaf) and ordered[-1].count == 1 else None
    for found, used in _product(ordered[:-1] if rest else ordered, given, binding, frozenset()):
        free = [part for i, part in enumerate(given) if i not in used]
        if rest is not None:
            left = times(scale, product(free))
            yield from _whole(rest.node, left, found)
        elif not free and scale == 1:
            yield found


def _sum(
    wanted: tuple[Term, ...],
    given: tuple[Term, ...],
    binding: Binding,
    scale: Fraction | None,
    used: frozenset[int],
) -> Iterator[tuple[Binding, Fraction, frozenset[int]]]:
    """Find terms for each term of a pattern, all of them the same multiple of it."""
    if not wanted:
        yield binding, Fraction(1) if scale is None else scale, used
        return
    first, others = wanted[0], wanted[1:]
    free = _free(first.node)
    for i, part in enumerate(given):
        if i in used:
            continue
        fits = Fraction(1) if scale is None and free else part.count / first.count
        factor = fits if scale is None else scale
        left = part.count / (first.count * factor)
        if left != 1 and not free:
            continue
        if first.node == ONE or part.node == ONE:
            found = _one(first, part, left, binding)
        else:
            found = _whole(first.node, times(left, part.node), binding)
        for step in found:
            yield from _sum(others, given, step, factor, used | {i})


def _one(first: Term, part: Term, left: Fraction, binding: Binding) -> Iterator[Binding]:
    """A constant meets a constant, or a variable."""
    if first.node == ONE:
        if part.node == ONE and left == 1:
            yield binding
    else:
        yield from _whole(first.node, number(left), binding)


def _product(
    wanted: tuple[Term, ...], given: tuple[Term, ...], binding: Binding, used: frozenset[int]
) -> Iterator[tuple[Binding, frozenset[int]]]:
    """Find a factor of the same power for each factor of a pattern."""
    if not wanted:
        if used:
            yield binding, used
        return
    for i, part in enumerate(given):
        if i not in used and part.count == wanted[0].count:
            for step in _whole(wanted[0].node, part.node, binding):
                yield from _product(wanted[1:], given, step, used | {i})


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
