"""Files and functions of the package are short enough to be read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import losscheck

PACKAGE = Path(losscheck.__file__).parent
LONGEST_FILE = 400  # lines
LONGEST_FUNCTION = 60  # lines, signature and docstring included: what fits on a screen


def files() -> Iterator[tuple[str, str]]:
    """Give the name and the text of every file of the package."""
    for file in sorted(PACKAGE.rglob("*.py")):
        yield file.relative_to(PACKAGE).as_posix(), file.read_text(encoding="utf-8")


def test_files_are_short() -> None:
    lines = {name: len(text.splitlines()) for name, text in files()}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}


def test_functions_fit_on_a_screen() -> None:
    lines = {
        f"{name}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name, text in files()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: count for name, count in lines.items() if count > LONGEST_FUNCTION} == {}
