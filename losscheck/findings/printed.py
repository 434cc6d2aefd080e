"""Code that is printed parses and names only what exists; what does not is told as a comment."""

from __future__ import annotations

import ast
import linecache
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from losscheck.advice.blamed import Blame
from losscheck.advice.written import around, begin, parsed
from losscheck.findings.names import Names, bound, module_of

_HEADER = re.compile(r"(?m)^(\s*def .*:)\s*(#.*)?$(?!\n\s)")  # in place of that of a function
USUAL = {"tf": "tensorflow", "keras": "keras", "np": "numpy"}  # what a reader imports by himself


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
