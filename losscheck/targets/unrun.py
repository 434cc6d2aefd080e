"""A loss that is not run: what its text says of it, for a report of how it ended its process."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from losscheck.model import Source
from losscheck.targets.loss import Loss


def unrun(target: str, source: Source | None, directory: Path) -> Loss:
    """Make a loss of what its source says, which is compiled and not executed.

    Parameters
    ----------
    target
        Its name in reports.
    source
        Where it is written; None where that is not known.
    directory
        The folder that the file is named from.

    Returns
    -------
    Loss
        It cannot be called, and without a source it has no line.
    """
    python = _compiled(source, directory) or repr
    return Loss(
        target=target,
        function=python,
        python=python,
        form="function",
        parameters=(),
        source=source,
        docstring="",
        declared={},
        known=None,
        config={},
        autograph=False,
    )


def _compiled(source: Source | None, directory: Path) -> Callable[..., Any] | None:
    """The function that a source names, which has its code and no globals."""
    if source is None:
        return None
    file = directory.resolve() / source.file
    code: CodeType | None = None
    with contextlib.suppress(OSError, ValueError, SyntaxError):  # it has changed, or is gone
        tree = ast.parse(file.read_bytes(), str(file))
        first = _first(tree, source.line)
        every = _within(compile(tree, str(file), "exec", dont_inherit=True))
        code = next((each for each in every if each.co_firstlineno == first), None)
    if code is None:  # its line is known yet
        nothing = (lambda: None).__code__
        code = nothing.replace(co_filename=str(file), co_firstlineno=source.line)
    return FunctionType(code.replace(co_freevars=()), {})


def _first(tree: ast.Module, line: int) -> int:
    """The first line of what is defined on a line: that of its first decorator, if it has any."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno == line:
            return min((line, *(each.lineno for each in node.decorator_list)))
    return line


def _within(code: CodeType) -> Iterator[CodeType]:
    """The code of every function inside."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _within(each)
