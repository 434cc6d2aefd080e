"""Files as Python reads them: parsed once, and looked at around one line alone."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator


@functools.lru_cache(maxsize=32)
def parsed(text: str) -> ast.Module | None:
    """Parse a file; None where it is no Python text, such as a notebook's cell with a command."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def begin(node: ast.AST) -> int:
    """The first line of a statement or function, with its decorators."""
    decorators = getattr(node, "decorator_list", ())
    return int(min([node.lineno, *(each.lineno for each in decorators)]))  # type: ignore[attr-defined]


def around(tree: ast.Module | None, line: int) -> Iterator[ast.AST]:
    """All that stands in the statements of a module that a line is in, the outer before the inner.

    A module may have ten thousand lines, and what is asked is about one.
    """
    for statement in tree.body if tree is not None else ():
        if begin(statement) <= line <= (statement.end_lineno or statement.lineno):
            yield from ast.walk(statement)
