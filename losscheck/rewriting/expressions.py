"""Expressions: numbers, leaves that stand for what is not looked into, operations; sums as terms.

Two expressions are equal if they are written alike; `key` is how they are written. A sum or a
product of many is written as nested operations of two, in the order in which it is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

Options = tuple[tuple[str, object], ...]  # the keywords of a reduction, sorted by name


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """What all expressions have: a key, by which they are compared, and a size."""

    key: str = field(init=False, repr=False)
    size: int = field(init=False, repr=False)
    args: tuple[Expression, ...] = field(init=False, repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, eq=False, slots=True)
class Number(Expression):
    """A constant, exact."""

    value: Fraction

    def __post_init__(self) -> None:
        _settle(self, str(self.value), 1, ())


@dataclass(frozen=True, eq=False, slots=True)
class Leaf(Expression):
    """A piece of the user's source that stands for its numbers; in a pattern, a variable."""

    text: str

    def __post_init__(self) -> None:
        _settle(self, f"<{self.text}>", 1, ())


@dataclass(frozen=True, eq=False, slots=True)
class Operation(Expression):
    """An arithmetic operation, or a call of a function that `functions` knows."""

    name: str
    operands: tuple[Expression, ...]
    options: Options = ()

    def __post_init__(self) -> None:
        inner = " ".join(arg.key for arg in self.operands)
        options = "".join(f" {name}={value!r}" for name, value in self.options)
        size = 1 + sum(arg.size for arg in self.operands)
        _settle(self, f"({self.name} {inner}{options})", size, self.operands)


def _settle(node: Expression, key: str, size: int, args: tuple[Expression, ...]) -> None:
    object.__setattr__(node, "key", key)
    object.__setattr__(node, "size", size)
    object.__setattr__(node, "args", args)


def number(value: Fraction | int) -> Number:
    """Write a constant."""
    return Number(Fraction(value))


ZERO, ONE, TWO = number(0), number(1), number(2)


def op(name: str, *operands: Expression, options: Options = ()) -> Operation:
    """Write an operation."""
    return Operation(name, operands, options)


def with_operands(node: Expression, operands: tuple[Expression, ...]) -> Expression:
    """The same operation of other operands."""
    if not isinstance(node, Operation) or operands == node.operands:
        return node
    return Operation(node.name, operands, node.options)


def walk(root: Expression) -> Iterator[Expression]:
    """Every different subexpression once, operands before what is made of them."""
    seen: set[Expression] = set()

    def visit(node: Expression) -> Iterator[Expression]:
        if node not in seen:
            seen.add(node)
            for arg in node.args:
                yield from visit(arg)
            yield node

    yield from visit(root)


def leaves_of(root: Expression) -> frozenset[Leaf]:
    """The leaves of an expression."""
    return frozenset(node for node in walk(root) if isinstance(node, Leaf))


def names_of(root: Expression) -> list[str]:
    """The operations of an expression, each as often as it stands there."""
    own = [root.name] if isinstance(root, Operation) else []
    return own + [name for arg in root.args for name in names_of(arg)]


def substitute(root: Expression, new: Mapping[Expression, Expression]) -> Expression:
    """Put other expressions in the place of some, outer ones first."""
    if root in new:
        return new[root]
    return with_operands(root, tuple(substitute(arg, new) for arg in root.args))


@dataclass(frozen=True)
class Term:
    """A part of a sum with its coefficient, or a factor with its whole power."""

    node: Expression
    count: Fraction


@lru_cache(maxsize=20_000)
def terms(node: Expression) -> tuple[Term, ...]:
    """The terms of a sum, in order; of what is no sum, itself.

    A constant is a multiple of 1.
    """
    match node:
        case Operation(name="add", operands=(x, y)):
            return terms(x) + terms(y)
        case Operation(name="sub", operands=(x, y)):
            return terms(x) + tuple(Term(t.node, -t.count) for t in terms(y))
        case Operation(name="neg", operands=(x,)):
            return tuple(Term(t.node, -t.count) for t in terms(x))
    count, parts = factors(node)
    rest = [part for part in parts if part.count]
    if len(rest) == 1 and rest[0].count == 1 and count != 1:
        return (Term(rest[0].node, count),)
    if count == 1 or not rest:
        return (Term(node if rest else ONE, count),)
    return (Term(product(rest), count),)


@lru_cache(maxsize=20_000)
def factors(node: Expression) -> tuple[Fraction, tuple[Term, ...]]:
    """The constant factor of a product, and its other factors with their powers, in order."""
    match node:
        case Number(value=value):
            return value, ()
        case Operation(name="neg", operands=(x,)):
            count, parts = factors(x)
            return -count, parts
        case Operation(name=("mul" | "div") as name, operands=(x, y)):
            left, right = factors(x), factors(y)
            sign = 1 if name == "mul" else -1
            if right[0] == 0:
                break_up = (Term(node, Fraction(1)),)
                return Fraction(1), break_up
            below = tuple(Term(t.node, sign * t.count) for t in right[1])
            return left[0] * right[0] ** sign, _merged(left[1] + below)
        case Operation(name="square", operands=(x,)):
            return _raised(x, 2)
        case Operation(name="pow", operands=(x, Number(value=power))) if power.denominator == 1:
            if factors(x)[0] or power > 0:
                return _raised(x, int(power))
    return Fraction(1), (Term(node, Fraction(1)),)


def _raised(base: Expression, power: int) -> tuple[Fraction, tuple[Term, ...]]:
    count, parts = factors(base)
    return count**power, tuple(Term(t.node, t.count * power) for t in parts)


def _merged(parts: tuple[Term, ...]) -> tuple[Term, ...]:
    powers: dict[Expression, Fraction] = {}
    for part in parts:
        powers[part.node] = powers.get(part.node, Fraction(0)) + part.count
    return tuple(Term(node, power) for node, power in powers.items())


def total(parts: list[Term]) -> Expression:
    """Write a sum of terms, in order."""
    result: Expression | None = None
    for part in parts:
        size = abs(part.count)
        if result is None:
            result = times(part.count, part.node)
        else:
            result = op("sub" if part.count < 0 else "add", result, times(size, part.node))
    return number(0) if result is None else result


def times(count: Fraction, node: Expression) -> Expression:
    """Write a multiple of an expression."""
    if node == ONE:
        return number(count)
    if count == 1:
        return node
    if count == -1:
        return op("neg", node)
    return op("mul", number(count), node)


def product(parts: list[Term]) -> Expression:
    """Write a product of powers as a fraction, in order."""
    above = [_power(part.node, part.count) for part in parts if part.count > 0]
    below = [_power(part.node, -part.count) for part in parts if part.count < 0]
    result = chained(above) if above else ONE
    return op("div", result, chained(below)) if below else result


def chained(nodes: list[Expression]) -> Expression:
    """Multiply expressions, in order."""
    result, *others = nodes
    for node in others:
        result = op("mul", result, node)
    return result


def _power(node: Expression, power: Fraction) -> Expression:
    if power == 1:
        return node
    return op("square", node) if power == 2 else op("pow", node, number(power))


def kind_of(pattern: Expression) -> str:
    """Whether an expression is a sum, a product or neither."""
    if len(terms(pattern)) > 1:
        return "sum"
    _, parts = factors(pattern)
    return "product" if len(parts) > 1 or any(part.count != 1 for part in parts) else ""
