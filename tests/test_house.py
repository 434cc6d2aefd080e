"""Files and functions are short enough to be read, and programs share one interface."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import losscheck

PACKAGE = Path(losscheck.__file__).parent
LONGEST_FILE = 400  # lines
LONGEST_FUNCTION = 60  # lines, signature and docstring included: what fits on a screen
FEW_TESTS = 5  # of the class of a program; all of them have the interface of `Runnable`


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


def test_programs_are_asked_and_not_told_apart_by_their_classes() -> None:
    told_apart = [
        f"{name}:{node.lineno}"
        for name, text in files()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "isinstance"
        and any("Program" in each.id for each in ast.walk(node) if isinstance(each, ast.Name))
    ]
    assert len(told_apart) <= FEW_TESTS, told_apart
