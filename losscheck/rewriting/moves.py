"""The expressions that one step leads to: an identity, read from its line, or algebra."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice

from losscheck.rewriting.expressions import (
    Expression,
    Leaf,
    Number,
    Operation,
    factors,
    kind_of,
    op,
    substitute,
    terms,
    walk,
    with_operands,
)
from losscheck.rewriting.identities import FAMILIES
from losscheck.rewriting.matching import Binding, Found, matches
from losscheck.rewriting.polynomials import forms
from losscheck.rewriting.python import PLAIN, read
from losscheck.rewriting.simplifying import simplify, tidy

Holds = Callable[[tuple[Expression, ...]], bool]
WAYS = 12  # in which one identity is tried at one place


def moves(
    root: Expression, places: frozenset[Expression], holds: Holds
) -> Iterator[tuple[Expression, tuple[Expression, ...]]]:
    """Rewrite an expression once, at one of its places.

    Parameters
    ----------
    places
        The subexpressions that may be rewritten.
    holds
        Says whether conditions hold at all points.

    Yields
    ------
    new : Expression
    conditions : tuple of Expression
        What must hold for it to be equal.
    """
    seen: set[Expression] = {root}
    for place, head in _places(root):
        if place not in places:
            continue
        for part, conditions in _steps(place, head):
            if not holds(conditions):
                continue
            spliced = substitute(root, {place: part})
            for new in (tidy(spliced), simplify(spliced)):
                if new not in seen:
                    seen.add(new)
                    yield new, conditions


def _places(root: Expression) -> Iterator[tuple[Expression, str]]:
    """Every sum, product and call, each sum and product as a whole, inner ones first."""
    seen: set[tuple[Expression, str]] = set()

    def visit(node: Expression, inside: str) -> Iterator[tuple[Expression, str]]:
        heads = _heads(node)
        for arg in node.args:
            yield from visit(arg, _chain(node))
        for head in heads:
            if head != inside and (node, head) not in seen:
                seen.add((node, head))
                yield node, head

    yield from visit(root, "")


def _heads(node: Expression) -> list[str]:
    if not isinstance(node, Operation):
        return []
    heads = [node.name]
    if len(terms(node)) > 1:
        heads.append("sum")
    elif len(factors(node)[1]) > 1 or any(part.count != 1 for part in factors(node)[1]):
        heads.append("product")
    return heads


def _chain(node: Expression) -> str:
    """What a node's operands are a part of, rather than standing for themselves."""
    if isinstance(node, Operation) and node.name in ("add", "sub"):
        return "sum"
    return "product" if isinstance(node, Operation) and node.name in ("mul", "div") else ""


@lru_cache(maxsize=20_000)  # what one step makes of a part, the next ones leave as it is
def _steps(place: Expression, head: str) -> tuple[tuple[Expression, tuple[Expression, ...]], ...]:
    steps = [
        (found.replaced(_filled(identity.replacement, found.binding)), conditions)
        for identity in identities(head)
        for found, conditions in islice(identity.on(place), WAYS)
    ]
    if head == "div":
        steps += ((new, ()) for new in _regrouped(place))
    if head in ("sum", "product"):
        steps += ((form, ()) for form in forms(place))
    return tuple(steps)


def _filled(pattern: Expression, binding: Binding) -> Expression:
    """Fill a replacement in, and add up what is linear in it: (x + 1) - x becomes 1.

    All of it must not be made as short as it gets: that would undo what it is for.
    """
    if isinstance(pattern, Leaf) or _linear(pattern):
        return (
            simplify(binding.fill(pattern))
            if not isinstance(pattern, Leaf)
            else binding.fill(pattern)
        )
    filled = with_operands(pattern, tuple(_filled(arg, binding) for arg in pattern.args))
    return binding.fitted(filled)


def _linear(pattern: Expression) -> bool:
    """Whether variables are only added up and scaled by a constant or another variable."""
    match pattern:
        case Leaf() | Number():
            return True
        case Operation(name=("add" | "sub" | "neg"), operands=operands):
            return all(map(_linear, operands))
        case Operation(name="mul", operands=(Number(), x)):
            return _linear(x)
        case Operation(name="div", operands=(x, Leaf() | Number())):
            return _linear(x)
    return False


def _regrouped(quotient: Expression) -> Iterator[Expression]:
    """Divide by the factors of a denominator one by one: their product may overflow."""
    match quotient:
        case Operation(operands=(x, Operation(name="mul", operands=(y, z)))):
            yield op("div", op("div", x, y), z)
            yield op("div", op("div", x, z), y)
        case Operation(operands=(x, Operation(name="square", operands=(y,)))):
            yield op("div", op("div", x, y), y)


@dataclass(frozen=True)
class Identity:
    """Two expressions that are equal where the conditions hold."""

    text: str
    family: str
    pattern: Expression
    replacement: Expression
    conditions: tuple[Expression, ...] = ()

    def on(self, node: Expression) -> Iterator[tuple[Found, tuple[Expression, ...]]]:
        """Find where an expression can be rewritten, and what must hold of it there."""
        for found in matches(self.pattern, node):
            if _reducible(self.replacement, found.binding):
                yield found, tuple(found.binding.fill(c) for c in self.conditions)


def parse(text: str, family: str = "") -> Identity:
    """Read a line: `pattern -> replacement  if a > 0, b > 0  where c = maximum(a, b)`."""
    sides, _, named = text.partition(" where ")
    sides, _, conditions = sides.partition(" if ")
    pattern, _, replacement = sides.partition(" -> ")
    new = read(replacement, PLAIN)
    if named:
        name, _, meaning = named.partition(" = ")
        new = substitute(new, {Leaf(name.strip()): read(meaning, PLAIN)})
    parts = [read(c, PLAIN) for c in conditions.split(",")] if conditions else []
    return Identity(text, family, read(pattern, PLAIN), new, tuple(parts))


def _reducible(replacement: Expression, binding: Binding) -> bool:
    """Whether the options of the reductions fit: a softmax keeps the axis, and has one."""
    softmax = any(
        isinstance(n, Operation) and n.name in ("softmax", "log_softmax") for n in walk(replacement)
    )
    if not softmax or binding.options is None:
        return True
    options = dict(binding.options)
    return isinstance(options["axis"], int) and options.get("keepdims", True) is True


def identities(head: str) -> tuple[Identity, ...]:
    """The identities whose pattern is a sum, a product, or a call of a function."""
    return _by_head().get(head, ())


@cache
def _by_head() -> dict[str, tuple[Identity, ...]]:
    found: dict[str, tuple[Identity, ...]] = {}
    for family, lines in FAMILIES.items():
        for line in lines:
            identity = parse(line, family)
            name = identity.pattern.name if isinstance(identity.pattern, Operation) else ""
            head = kind_of(identity.pattern) or name
            found[head] = (*found.get(head, ()), identity)
    return found
