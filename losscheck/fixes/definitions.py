"""What the names in an expression stand for: assignments before it in the same function."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping

from losscheck.advice.written import around, parsed

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def definitions(source: str, line: int) -> Mapping[str, str]:
    """The names that are assigned once, before a line, from what does not change either.

    Parameters
    ----------
    source
        The text of the file.
    """
    function = _function(source, line)
    if function is None:
        return {}
    stored = Counter(_stored(function))
    found: dict[str, str] = {}
    for statement in _own(function):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                used = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
                once = stored[name] == 1 and all(stored[other] <= 1 for other in used)
                if once and (statement.end_lineno or 0) < line:
                    found[name] = ast.unparse(value)
    return found


def following(source: str, line: int) -> tuple[str, ...]:
    """The statements of the same function behind a line, each on one line."""
    function = _function(source, line)
    own = () if function is None else _own(function)
    simple = (s for s in own if not hasattr(s, "body") and s.lineno > line)
    return tuple(ast.unparse(statement) for statement in simple)


def enclosing(source: str, line: int) -> str:
    """The innermost function that a line is in, as text; "" where it is in none."""
    function = _function(source, line)
    return "" if function is None else ast.unparse(function)


def _function(source: str, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function that a line is in."""
    found = None
    for node in around(parsed(source), line):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = node.lineno <= line <= (node.end_lineno or node.lineno)
            found = node if inside else found
    return found


def _own(function: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a function, not those of functions inside it."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.stmt) and not isinstance(node, _FUNCTIONS):
            yield node
            yield from _own(node)


def _stored(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
