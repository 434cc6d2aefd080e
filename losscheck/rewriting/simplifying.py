"""Expressions made shorter, where they can be, and left as they are where not."""

from __future__ import annotations

from functools import lru_cache

from losscheck.rewriting.expressions import (
    ONE,
    ZERO,
    Expression,
    Number,
    Operation,
    number,
    op,
    with_operands,
)
from losscheck.rewriting.polynomials import divided, expression, forms, plain, polynomial

MINUS_ONE = number(-1)
_POLYNOMIAL = {"add", "sub", "mul", "div", "neg", "square", "pow", "sqrt"}
_AT_CONSTANTS: dict[tuple[str, Expression], Expression] = {
    ("exp", ZERO): ONE,
    ("log", ONE): ZERO,
    ("expm1", ZERO): ZERO,
    ("log1p", ZERO): ZERO,
    ("sqrt", ONE): ONE,
    ("sqrt", ZERO): ZERO,
    ("sin", ZERO): ZERO,
    ("cos", ZERO): ONE,
    ("tan", ZERO): ZERO,
    ("abs", ONE): ONE,
    ("sign", ONE): ONE,
}
_INVERSES = {("exp", "log"), ("log", "exp"), ("expm1", "log1p"), ("log1p", "expm1")}


@lru_cache(maxsize=20_000)
def simplify(node: Expression) -> Expression:
    """Make an expression shorter: add up, cancel, divide, work out constants.

    Nothing is multiplied out or turned round unless that makes it shorter, so that what its author
    wrote stays as it is.
    """
    node = _plainly(with_operands(node, tuple(simplify(arg) for arg in node.args)))
    if not isinstance(node, Operation) or node.name not in _POLYNOMIAL:
        return node
    shorter = [*forms(node)]
    if node.name == "div":
        shorter += _divided(node)
    best = min([node, *shorter], key=lambda other: other.size)
    return best if best.size < node.size else node


@lru_cache(maxsize=20_000)
def tidy(node: Expression) -> Expression:
    """Leave out what changes nothing, and let a product have one sign at the most."""
    return _plainly(with_operands(node, tuple(tidy(arg) for arg in node.args)))


def _divided(node: Operation) -> list[Expression]:
    """The quotient of two sums, where one divides the other."""
    above, below = (polynomial(operand) for operand in node.operands)
    if len(below) < 2 or len(above) < 2:
        return []
    whole = divided(above, below)
    if whole is not None:
        return [expression(whole)]
    inverse = divided(below, above)
    return [op("div", ONE, expression(inverse))] if inverse is not None else []


def _plainly(node: Expression) -> Expression:
    """Leave out what changes nothing: a factor of 1, a sum with 0, a sign before a sign."""
    if not isinstance(node, Operation):
        return node
    constant = plain(node)
    if constant is not node:
        return constant
    match node.name, node.operands:
        case "add", (x, y) if x == ZERO:
            return y
        case (("add" | "sub"), (x, y)) if y == ZERO:
            return x
        case "sub", (x, y) if x == ZERO:
            return _negated(y)
        case "mul", (x, y) if x == ONE:
            return y
        case (("mul" | "div"), (x, y)) if y == ONE:
            return x
        case (("mul" | "div"), (x, y)) if (ZERO in (x, y) and y != ZERO) or (node.name, x) == (
            "mul",
            ZERO,
        ):
            return ZERO
        case "mul", (x, y) if MINUS_ONE in (x, y):
            return _negated(y if x == MINUS_ONE else x)
        case "pow", (x, y) if y == ONE:
            return x
        case "neg", (x,):
            return _negated(x)
        case (("mul" | "div"), (Operation(name="neg", operands=(x,)), y)):
            return _negated(_plainly(op(node.name, x, y)))
        case (("mul" | "div"), (x, Operation(name="neg", operands=(y,)))):
            return _negated(_plainly(op(node.name, x, y)))
        case "square", (Operation(name="neg", operands=(x,)),):
            return op("square", x)
        case "add", (x, Operation(name="neg", operands=(y,))):
            return op("sub", x, y)
        case "sub", (x, Operation(name="neg", operands=(y,))):
            return op("add", x, y)
        case "add", (x, Number(value=value)) if value < 0:
            return op("sub", x, number(-value))
        case "sub", (x, Number(value=value)) if value < 0:
            return op("add", x, number(-value))
        case name, (Operation(name=inner, operands=(x,)),) if (name, inner) in _INVERSES:
            return x
        case name, (x,) if (name, x) in _AT_CONSTANTS:
            return _AT_CONSTANTS[(name, x)]
    return node


def _negated(node: Expression) -> Expression:
    match node:
        case Number(value=value):
            return number(-value)
        case Operation(name="neg", operands=(x,)):
            return x
        case Operation(name="sub", operands=(x, y)):
            return op("sub", y, x)
        case Operation(name=("mul" | "div") as name, operands=(Number(value=value), y)):
            return op(name, number(-value), y)
    return op("neg", node)
