"""Expressions: numbers, leaves that stand for what is not looked into, and operations on them.

Two expressions are equal if they are written alike; `key` is how they are written. A sum or a
product of many is written as nested operations of two, in the order in which it is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

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
