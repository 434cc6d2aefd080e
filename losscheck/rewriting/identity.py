"""An identity, read from its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from losscheck.rewriting.bindings import Binding, Found
from losscheck.rewriting.expressions import Expression, Leaf, Operation, substitute, walk
from losscheck.rewriting.flat import kind_of
from losscheck.rewriting.identities import FAMILIES
from losscheck.rewriting.matching import matches
from losscheck.rewriting.reading import PLAIN, read


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
