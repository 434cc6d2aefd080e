"""What the source says without running it: places, what a module defines, what is a factory."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from losscheck.advice.source import around, begin, parsed
from losscheck.model import Source
from losscheck.settings.argument_names import is_pair
from losscheck.targets.importing import shown

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def source(python: Callable[..., Any], directory: Path) -> Source | None:
    """Find the file and line of a Python function; None where it is not written in Python."""
    code = getattr(python, "__code__", None)
    if not isinstance(code, CodeType) or code.co_filename.startswith("<"):
        return None
    line = code.co_firstlineno
    node = definition(python)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        line = node.lineno  # co_firstlineno is the line of the first decorator
    return Source(file=shown(code.co_filename, directory), line=line)


def is_function(obj: Any) -> bool:
    """Say whether this is a function or method, and no class or other object."""
    return inspect.isroutine(obj)


def defined(module: ModuleType) -> list[str]:
    """List the names that a module binds at its top level other than by imports, in its order.

    A package also gives what it imports from its own modules, which is how it hands them on.
    """
    names = dict.fromkeys(_bound(_tree(module.__file__)))
    own = module.__name__ + "."
    for name, value in vars(module).items():
        home = getattr(value, "__module__", None)
        if home == module.__name__ or (hasattr(module, "__path__") and str(home).startswith(own)):
            names.setdefault(name)
    return [name for name in names if name in vars(module)]


def makes_loss(python: Callable[..., Any]) -> bool:
    """Say whether a function, by its source, returns a function of labels and predictions."""
    node = definition(python)
    if node is None or isinstance(node, ast.Lambda):
        return node is not None and isinstance(node.body, ast.Lambda) and _takes_pair(node.body)
    inner = {
        child.name
        for child in ast.walk(node)
        if isinstance(child, ast.FunctionDef) and child != node
        if _takes_pair(child)
    }
    return any(_hands_out(returned, inner) for returned in _returns(node))


def _hands_out(returned: ast.expr, inner: set[str]) -> bool:
    match returned:
        case ast.Name(id=name):
            return name in inner
        case ast.Lambda():
            return _takes_pair(returned)
        case ast.Call(args=[argument]):  # tf.function(inner)
            return _hands_out(argument, inner)
    return False


def _takes_pair(node: ast.FunctionDef | ast.Lambda) -> bool:
    arguments = (*node.args.posonlyargs, *node.args.args)
    return is_pair(tuple(argument.arg for argument in arguments))


def _returns(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """Give the values that this function returns, not those of functions inside it."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        child = waiting.pop()
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(child, ast.Return) and child.value is not None:
            yield child.value
        waiting.extend(ast.iter_child_nodes(child))


def definition(python: Callable[..., Any]) -> Function | None:
    """Find where a function is written; None where that is not to be told."""
    code = getattr(python, "__code__", None)
    if not isinstance(code, CodeType):
        return None
    for node in around(_tree(code.co_filename), code.co_firstlineno):
        if isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef):
            name = getattr(node, "name", "<lambda>")
            if name == code.co_name and begin(node) == code.co_firstlineno:
                return node
    return None


def class_definition(cls: type, methods: Sequence[FunctionType]) -> tuple[ast.ClassDef, str] | None:
    """Find where a class is written, by its own methods, with the text of it; None without any.

    `inspect.getsource` asks the module for its file, which a notebook does not have.
    """
    for code in (method.__code__ for method in methods):
        lines = linecache.getlines(code.co_filename)
        for node in around(_tree(code.co_filename), code.co_firstlineno):
            if not isinstance(node, ast.ClassDef) or node.name != cls.__name__:
                continue
            first, last = begin(node), node.end_lineno or node.lineno
            if first < code.co_firstlineno <= last:
                return node, textwrap.dedent("".join(lines[first - 1 : last])).rstrip()
    return None


def _tree(file: str | None) -> ast.Module:
    """Parse a file as it is now; empty where there is no source."""
    empty = ast.Module(body=[], type_ignores=[])
    if file is None:
        return empty
    linecache.checkcache(file)
    return parsed("".join(linecache.getlines(file))) or empty


def _bound(tree: ast.AST) -> Iterator[str]:
    """Give the names bound at the top level, below if, try and with too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif not isinstance(node, ast.Lambda):
            yield from _bound(node)


def parameters_of(
    function: Callable[..., Any], *, pair_in_rest: bool = True
) -> list[inspect.Parameter] | None:
    """List the parameters of a callable; None where they cannot be read.

    A callable that takes its arguments as `*args` is taken for one of (y_true, y_pred), unless
    `pair_in_rest` is False.
    """
    try:
        listed = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return None
    named = [p for p in listed if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    rest = any(p.kind is p.VAR_POSITIONAL for p in listed)
    if pair_in_rest and rest and not any(p.kind is not p.KEYWORD_ONLY for p in named):
        pair = [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY)
            for name in ("y_true", "y_pred")
        ]
        return [*pair, *named]
    return named
