"""The same loss in another state of its file: lines more above it, its variables renamed."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.zoo.disguise import imported
from tests.zoo.specimen import called

ABOVE = "# Another line.\n# And one more.\n\n"


def retold(loss: Callable[..., Any], folder: Path) -> Any:
    """Give a loss out of a copy of its module with lines above it and other local variables.

    Parameters
    ----------
    loss
        A function at the top of its module, or an instance of a class there.
    """
    source = inspect.getsource(inspect.getmodule(loss))  # type: ignore[arg-type]
    module = imported(ABOVE + renamed_locally(source), folder / f"retold_{called(loss)}.py")
    found = getattr(module, called(loss))
    found.__module__ = loss.__module__  # the seed of a loss is made of its name
    if hasattr(loss, "__name__"):
        return found
    again = object.__new__(found)  # Keras copies by saving
    vars(again).update(vars(loss))
    return again


def renamed_locally(source: str) -> str:
    """Rename the variables of all functions; arguments and what they close over stay."""
    lines = source.encode().splitlines(keepends=True)
    places = {
        (name.lineno - 1, name.col_offset, name.id)
        for node in ast.parse(source).body
        for function in ast.walk(node)
        if isinstance(function, ast.FunctionDef)
        for name in _variables(function)
    }
    for row, column, name in sorted(places, reverse=True):
        line = lines[row]
        assert line[column:].startswith(name.encode())
        lines[row] = line[:column] + f"{name}_again".encode() + line[column + len(name) :]
    return b"".join(lines).decode()


def _variables(function: ast.FunctionDef) -> Iterator[ast.Name]:
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    own = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            own -= set(node.names)
        elif isinstance(node, ast.arg):
            own.discard(node.arg)
        elif isinstance(node, ast.JoinedStr):  # Python 3.11 does not know the columns in it
            own -= {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    yield from (name for name in names if name.id in own)
