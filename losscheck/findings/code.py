"""The user's code at a place and in advice: what is written there, and what may be.

What stands at a place is given whole, each part on one line; which names a piece of Python uses and
which of them exist there is known, so that code which could not be pasted is printed as a comment.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import attrs

from losscheck.advice.blamed import Blame, Span
from losscheck.advice.source import around, begin, parsed
from losscheck.model import Location
from losscheck.program.tracing.origin import Frame

_HEADER = re.compile(r"(?m)^(\s*def .*:)\s*(#.*)?$(?!\n\s)")  # in place of that of a function
_found: dict[str, ModuleType] = {}  # by file
USUAL = {"tf": "tensorflow", "keras": "keras", "np": "numpy"}  # what a reader imports by himself


@attrs.frozen(eq=False)
class Names:
    """The names known at a place."""

    module: Mapping[str, Any]  # globals
    local: frozenset[str]

    @property
    def tensorflow(self) -> str:
        """What the module calls TensorFlow; "" where it has no name for it."""
        for name, value in self.module.items():
            if isinstance(value, ModuleType) and name not in self.local and is_tensorflow(value):
                return name
        return ""

    def unknown(self, text: str) -> str:
        """The first name, or attribute of a module, that does not exist; "" where all do."""
        tree = ast.parse(text)
        own = frozenset(bound(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                held = node.id in own or node.id in self.local or node.id in self.module
                if not held and not hasattr(builtins, node.id):
                    return node.id
        return next((name for name in _chains(tree) if not self._has(name)), "")

    def _has(self, dotted: str) -> bool:
        """Say whether the attributes of a module exist; of anything else that is not known."""
        first, *rest = dotted.split(".")
        if first in self.local or not isinstance(self.module.get(first), ModuleType):
            return True
        found = self.module[first]
        for name in rest:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
            if not isinstance(found, ModuleType):
                return True
        return True


def module_of(file: str) -> ModuleType | None:
    """The module that was imported from a file; of a cell of a notebook, where its names live."""
    found = _found.get(file)
    if found is not None and sys.modules.get(found.__name__) is found:
        return found
    name, path = os.path.basename(file), os.path.realpath(file)
    for module in list(sys.modules.values()):
        known = getattr(module, "__file__", None) or ""
        # There are thousands of modules: to follow the links of all their folders takes long.
        if known.endswith(name) and os.path.realpath(known) == path:
            _found[file] = module
            return module
    main = sys.modules["__main__"]
    for thing in list(vars(main).values()):
        parts = list(vars(thing).values()) if isinstance(thing, type) else [thing]
        codes = (getattr(part, "__code__", None) for part in parts)
        if any(getattr(code, "co_filename", "") == file for code in codes):
            return main
    return None


def bound(node: ast.AST) -> Iterator[str]:
    """The names that a function or a comprehension binds."""
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            yield part.arg
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
        elif isinstance(part, ast.alias):
            yield (part.asname or part.name).partition(".")[0]
        elif isinstance(part, ast.FunctionDef | ast.ClassDef) and part is not node:
            yield part.name


def is_tensorflow(module: ModuleType) -> bool:
    """Say whether a module is TensorFlow itself, by whichever name."""
    name = module.__name__
    return name == "tensorflow" or (name.startswith("tensorflow.") and name.endswith(".v2"))


def _chains(tree: ast.AST) -> Iterator[str]:
    """The dotted names in a tree, the longest of each."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            parts, part = [node.attr], node.value
            while isinstance(part, ast.Attribute):
                inner.add(id(part))
                parts, part = [part.attr, *parts], part.value
            if isinstance(part, ast.Name):
                yield ".".join([part.id, *parts])


def printable(fix: str, names: Names) -> str:
    """Turn code that cannot be pasted into a comment.

    Parameters
    ----------
    fix
        Python with comments.
    names
        Those that exist where it is to stand.
    """
    try:
        unknown = names.unknown(_HEADER.sub(r"\1 ...", fix))
    except (SyntaxError, ValueError):
        unknown = fix
    if not unknown:
        return fix
    lines = (
        line if line.lstrip().startswith("#") or not line.strip() else f"# {line}"
        for line in fix.splitlines()
    )
    return "\n".join(lines)


def known(blame: Blame, python: Callable[..., Any], arguments: Sequence[str]) -> Names:
    """The names that exist at what is to blame, or in the loss where nothing in particular is."""
    code = getattr(python, "__code__", None)
    file = blame.span.file if blame.span is not None else getattr(code, "co_filename", "")
    module = module_of(file) if file else None
    found: Mapping[str, Any] = vars(module) if module else getattr(python, "__globals__", {})
    usual = {name: sys.modules[of] for name, of in USUAL.items() if of in sys.modules}
    line = blame.span.line if blame.span is not None else getattr(code, "co_firstlineno", 0)
    return Names({**usual, **found}, frozenset((*arguments, *_local(file, line))))


def _local(file: str, line: int) -> set[str]:
    """The names that the functions bind in which a line is."""
    tree = parsed("".join(linecache.getlines(file))) if file else None
    functions = (
        node
        for node in around(tree, line)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    )
    return {
        name
        for function in functions
        if begin(function) <= line <= (function.end_lineno or function.lineno)
        for name in bound(function)
    }


@attrs.frozen
class Spelled:
    """An expression of the user's."""

    expression: str
    statement: str  # that holds it; "" where that is a block, such as a loop
    span: Span


def spelled(frame: Frame | None) -> Spelled | None:
    """Read what stands at a frame; None where its columns or the source are not known.

    "x /= y" is told as "x / y" within "x = x / y".
    """
    if frame is None or frame.end_line is None:
        return None
    if frame.column is None or frame.end_column is None:
        return None
    span = Span(frame.file, frame.line, frame.column, frame.end_line, frame.end_column)
    lines = linecache.getlines(frame.file)
    tree = parsed("".join(lines))
    if tree is None:
        return None
    found = _innermost(tree, lines, span)
    text = segment(lines, span)
    match found:
        case ast.AugAssign(target=target, op=operator, value=value):
            if (found.lineno, found.end_lineno) == (span.line, span.end_line):
                whole = ast.BinOp(
                    left=ast.parse(ast.unparse(target), mode="eval").body, op=operator, right=value
                )
                text = ast.unparse(whole)
                return Spelled(text, f"{ast.unparse(target)} = {text}", span)
        case ast.stmt() if not hasattr(found, "body"):
            if found.lineno == found.end_lineno:
                return Spelled(text, lines[found.lineno - 1].strip(), span)
            return Spelled(on_one_line(text), ast.unparse(found), span)
    return Spelled(on_one_line(text), "", span)


def segment(lines: list[str], span: Span) -> str:
    """Cut the text of a span out of the lines of its file."""
    held = [line.rstrip("\n") for line in lines[span.line - 1 : span.end_line]]
    if not held:
        return ""
    held[-1] = held[-1][: span.end_column]
    held[0] = held[0][span.column :]
    return "\n".join(held).strip()


def on_one_line(text: str) -> str:
    """Write an expression that goes over several lines on one, as it is where it is on one."""
    if "\n" not in text:
        return text
    try:
        return ast.unparse(ast.parse(f"({text}\n)", mode="eval"))
    except (SyntaxError, ValueError):
        return text.partition("\n")[0]


def _innermost(tree: ast.Module, lines: list[str], span: Span) -> ast.stmt | None:
    """The innermost statement that holds a span."""
    found = None
    for statement in around(tree, span.line):
        if not isinstance(statement, ast.stmt):
            continue
        begin = statement.lineno, _characters(lines, statement.lineno, statement.col_offset)
        last = statement.end_lineno or statement.lineno
        end = last, _characters(lines, last, statement.end_col_offset or 0)
        if begin <= (span.line, span.column) and (span.end_line, span.end_column) <= end:
            found = statement  # inner ones follow the outer one
    return found


def _characters(lines: list[str], line: int, column: int) -> int:
    """A column in characters, which ast counts in bytes."""
    text = lines[line - 1] if line <= len(lines) else ""
    return len(text.encode()[:column].decode(errors="ignore"))


def expression(location: Location | None) -> str:
    """Give the source text of a location's columns."""
    if location is None or location.column is None or location.end_column is None:
        return ""
    return location.source[location.column - 1 : location.end_column - 1].strip()


def operands(text: str) -> tuple[str, ...]:
    """Give the source texts of the operands of an expression: of a call, an operator, a method."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ()
    if isinstance(node, ast.Call):
        parts: Sequence[ast.expr] = [*node.args, *(k.value for k in node.keywords)]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.UnaryOp):
        parts = [node.operand]
    elif isinstance(node, ast.Compare):
        parts = [node.left, *node.comparators]
    else:
        parts = []
    return tuple(ast.unparse(part) for part in parts)
