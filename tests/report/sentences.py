"""Every sentence of the sources that a report may print, gathered from the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import losscheck

HOME = Path(losscheck.__file__).parent
# Rooms whose texts end in reports: what is found, what is written about it, and why not.
ROOMS = (
    "rules",
    "advice",
    "findings",
    "diagnoses",
    "fixes",
    "evidence",
    "infer",
    "engine",
    "report",
)
WORDS = 3  # from as many on a text is a sentence, or part of one
_PLACEHOLDER = "{}"


def sentences() -> dict[str, list[str]]:
    """Give the sentences of each module, by its path, in the order in which they stand."""
    found = {}
    for room in ROOMS:
        for file in sorted((HOME / room).rglob("*.py")):
            texts = list(dict.fromkeys(_texts(ast.parse(file.read_text(encoding="utf-8")))))
            if texts:
                found[file.relative_to(HOME).as_posix()] = texts
    return found


def _texts(tree: ast.Module) -> Iterator[str]:
    passed = {id(part) for node in ast.walk(tree) for part in _unprinted(node)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in passed:
            passed |= {id(part) for part in ast.walk(node)}
            text = " ".join(_text(node).split())
            if _is_sentence(text):
                yield text


def _unprinted(node: ast.AST) -> Iterator[ast.AST]:
    """Docstrings, and patterns that are matched against."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute) and getattr(called.value, "id", "") == "re":
        yield from node.args[:1]  # type: ignore[union-attr]


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = (part.value if isinstance(part, ast.Constant) else _PLACEHOLDER for part in node.values)
    return "".join(map(str, parts))


def _is_sentence(text: str) -> bool:
    """Say whether it reads as English: some words that are no code."""
    return len(re.findall(r"(?<![\w.(])[A-Za-z][a-z']+(?![\w.(=\[])", text)) >= WORDS
