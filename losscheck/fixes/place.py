"""Where in a file an expression stands: what is around it, and what the names in it stand for."""

from __future__ import annotations

import ast
import linecache
from collections import Counter
from collections.abc import Iterator, Mapping

import attrs

from losscheck.advice.blamed import Span
from losscheck.advice.source import around, parsed
from losscheck.findings.code import bound

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@attrs.frozen(eq=False)
class Place:
    """An expression in a file."""

    span: Span
    source: str
    # What holds the expression, from the module to the expression itself.
    around: tuple[ast.AST, ...]

    @property
    def functions(self) -> tuple[ast.AST, ...]:
        """The functions that it is in, the outermost first."""
        return tuple(node for node in self.around if isinstance(node, FUNCTIONS))

    @property
    def local(self) -> frozenset[str]:
        """The names that these functions, and comprehensions around it, bind."""
        held = [*self.functions, *(n for n in self.around if hasattr(n, "generators"))]
        return frozenset(name for node in held for name in bound(node))

    @property
    def parameters(self) -> frozenset[str]:
        """Those of the innermost of these functions that has a body."""
        held = (node for node in reversed(self.functions) if not isinstance(node, ast.Lambda))
        inner = next(held, None)
        given = ast.walk(inner.args) if inner is not None else ()  # type: ignore[attr-defined]
        return frozenset(arg.arg for arg in given if isinstance(arg, ast.arg))

    @property
    def beginning(self) -> tuple[Span, str] | None:
        """An expression in the first statement of the function: its place and its text."""
        for function in reversed(self.functions):
            if isinstance(function, ast.Lambda):
                continue
            for statement in function.body:  # type: ignore[attr-defined]
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    continue  # the docstring
                inner = (n for n in ast.walk(statement) if isinstance(n, ast.expr))
                for node in (n for n in inner if isinstance(getattr(n, "ctx", None), ast.Load)):
                    return _span(node, self.span.file, self.source), ast.unparse(node)
                return None
        return None

    def find(self, text: str) -> Span | None:
        """Where an expression that holds this one, or is it, stands; None where none does.

        Else the first one behind it in the same function, or before it.
        """
        wanted = _dump(text)
        for node in reversed(self.around):
            if isinstance(node, ast.AugAssign) and _dump(_as_sum(node)) == wanted:
                return _span(node, self.span.file, self.source)
            if isinstance(node, ast.expr) and ast.dump(node) == wanted:
                return _span(node, self.span.file, self.source)
            if isinstance(node, ast.stmt):
                break
        found = self.everywhere(text)
        return min(
            found, key=lambda span: (span.line <= self.span.end_line, span.line), default=None
        )

    def everywhere(self, text: str) -> list[Span]:
        """Where an expression stands in the outermost function around this one."""
        wanted = _dump(text)
        return [
            _span(node, self.span.file, self.source)
            for function in self.functions[:1]
            for node in ast.walk(function)
            if isinstance(node, ast.expr) and ast.dump(node) == wanted
        ]


def place(span: Span | None) -> Place | None:
    """Find the expression of a span in its file; None where the file is not what it was."""
    if span is None:
        return None
    source = "".join(linecache.getlines(span.file))
    tree = parsed(source)
    if not source or tree is None:
        return None
    around = tuple(_around(tree, span, source.splitlines()))
    last = around[-1]
    if not isinstance(last, ast.expr | ast.AugAssign) or _span(last, span.file, source) != span:
        return None
    return Place(span, source, around)


def _around(tree: ast.AST, span: Span, lines: list[str]) -> Iterator[ast.AST]:
    """Walk from the module to the innermost node that holds the span and is no smaller."""
    node: ast.AST | None = tree
    while node is not None:
        yield node
        node = next((c for c in ast.iter_child_nodes(node) if _holds(c, span, lines)), None)


def _holds(node: ast.AST, span: Span, lines: list[str]) -> bool:
    if not hasattr(node, "lineno"):  # arguments, a generator: look into them
        return any(_holds(child, span, lines) for child in ast.iter_child_nodes(node))
    begin, end = _ends(node, lines)
    for decorator in getattr(node, "decorator_list", ()):
        begin = min(begin, _ends(decorator, lines)[0])
    return begin <= (span.line, span.column) and (span.end_line, span.end_column) <= end


def _span(node: ast.AST, file: str, source: str) -> Span:
    begin, end = _ends(node, source.splitlines())
    return Span(file, *begin, *end)


def _ends(node: ast.AST, lines: list[str]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Begin and end of a node, the columns in characters; ast counts bytes."""
    positions = (
        (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)),
        (getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)),
    )
    begin, end = (
        (line, len(lines[line - 1].encode()[:column].decode(errors="ignore")))
        for line, column in positions
    )
    return begin, end


def _as_sum(node: ast.AugAssign) -> str:
    """What "x /= y" computes: "x / y"."""
    left = ast.parse(ast.unparse(node.target), mode="eval").body
    return ast.unparse(ast.BinOp(left=left, op=node.op, right=node.value))


def _dump(text: str) -> str:
    try:
        return ast.dump(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError):
        return ""


def definitions(source: str, line: int) -> Mapping[str, str]:
    """The names that are assigned once, before a line, from what does not change either."""
    function = _function(source, line)
    if function is None:
        return {}
    stored = Counter(_stored(function))
    found: dict[str, str] = {}
    for statement in _own_statements(function):
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
    own = () if function is None else _own_statements(function)
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


def _own_statements(function: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a function, not those of functions inside it."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.stmt) and not isinstance(node, _FUNCTIONS):
            yield node
            yield from _own_statements(node)


def _stored(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
